#include "base/clock.h"
#include "tests/support/support.h"

static void test_rfc3339(void **state)
{
	static const char *const bad[] = {"", "2026-11-23",
					  "2026-11-23T04:18:00",
					  "2026-11-23T04:18:00.Z",
					  "2026-11-23T04:18:00Zx",
					  "2026-11-23 04:18:00Z",
					  "2026-11-23T04:18:00+1:00",
					  "2026-11-23T04:18:00+01:60",
					  "2026-11-23T04:18:00+ 1:00",
					  "2026-11-23T 4:18:00Z",
					  "2026-11-23T24:00:00Z",
					  "2026-02-29T00:00:00Z",
					  "2026-13-01T00:00:00Z",
					  "2026-00-01T00:00:00Z",
					  " 2026-11-23T04:18:00Z",
					  "+2026-11-23T04:18:00Z",
					  "26-11-23T04:18:00Z"};
	char text[CLOCK_TEXT_SIZE];
	int64_t at;
	(void)state;
	clock_text(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	clock_text(1795407480123, text);
	assert_true(clock_parse(text, &at) && at == 1795407480123);
	assert_true(clock_parse("2026-11-23T05:18:00.5+01:00", &at));
	clock_text(at, text);
	assert_string_equal(text, "2026-11-23T04:18:00.500Z");
	assert_true(clock_parse("2024-02-29T23:59:60.123456789-00:30", &at));
	clock_text(at, text);
	assert_string_equal(text, "2024-03-01T00:30:00.123Z");
	clock_text(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) assert_false(clock_parse(bad[i], &at));
}

static void test_uuid_v7(void **state)
{
	char first[UUID_TEXT_SIZE], second[UUID_TEXT_SIZE];
	(void)state;
	uuid_v7(first);
	uuid_v7(second);
	assert_true(uuid_valid(first) && uuid_valid(second));
	assert_string_not_equal(first, second);
	assert_int_equal(first[14], '7');
	assert_memory_equal(first, second, 6);
	assert_false(uuid_valid(""));
	assert_false(uuid_valid("00000000-0000-7000-8000-00000000000G"));
	assert_false(uuid_valid("00000000-0000-7000-8000-0000000000000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc3339), cmocka_unit_test(test_uuid_v7)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
