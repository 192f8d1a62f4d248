#include "base/map.h"
#include "tests/support/support.h"

#include <stdio.h>

static void test_put_and_find(void **state)
{
	struct map m = MAP_INIT;
	char text[32];
	bool made;
	(void)state;
	assert_null(map_find(&m, STR("x")));
	for (uint64_t i = 0; i < 50000; i++) {
		snprintf(text, sizeof text, "key %lu", (unsigned long)(i % 25000));
		map_put(&m, STR(text), &made)->value += 1;
		assert_int_equal(made, i < 25000);
	}
	assert_int_equal(m.count, 25000);
	for (uint64_t i = 0; i < m.count; i++) {
		snprintf(text, sizeof text, "key %lu", (unsigned long)i);
		assert_true(str_is(m.entries[i].key, text));
		assert_int_equal(map_find(&m, STR(text))->value, 2);
	}
	map_put(&m, (struct str){"a\0b", 3}, &made);
	assert_true(made);
	assert_null(map_find(&m, STR("a")));
	map_clear(&m);
	assert_null(map_find(&m, STR("key 1")));
	map_put(&m, STR("again"), &made);
	assert_true(made && m.count == 1);
	map_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_put_and_find)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
