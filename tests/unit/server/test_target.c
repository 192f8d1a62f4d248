#include "tests/support/support.h"

#include "base/buf.h"
#include "server/target.h"

static struct arena arena;

static int release(void **state QN_UNUSED)
{
	arena_release(&arena);
	return 0;
}

static bool parse(const char *text, struct target *t, struct err *e)
{
	err_init(e);
	return target_parse(STR(text), &arena, t, e);
}

static void segments(void **state QN_UNUSED)
{
	static const struct {
		const char *text;
		size_t count;
		const char *segments[4];
	} rows[] = {
		{"/", 0, {NULL}},
		{"/?a", 0, {NULL}},
		{"/a", 1, {"a"}},
		{"/a/", 2, {"a", ""}},
		{"//a", 2, {"", "a"}},
		{"/a/b/c?d/e", 3, {"a", "b", "c"}},
		{"/a%2Fb/%c3%a4+", 2, {"a/b", "\xc3\xa4+"}},
		{"/1/2/3/4/5/6/7/8/9/10", 10, {"1", "2"}},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct target t;
		struct err e;
		assert_ok(parse(rows[i].text, &t, &e), &e);
		assert_int_equal(t.segment_count, rows[i].count);
		for (size_t s = 0; s < 4 && rows[i].segments[s]; s++)
			assert_true(str_is(t.segments[s], rows[i].segments[s]));
	}
}

static void bad_targets(void **state QN_UNUSED)
{
	static const char *const rows[] = {"/%",    "/%4",     "/a%zz",   "/%ff",
					   "/?a=%", "/?%c3=1", "/%c0%80", "/?a=%ed%a0%80"};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct target t;
		struct err e;
		if (parse(rows[i], &t, &e)) fail_msg("%s was taken", rows[i]);
		assert_int_equal(e.code, ERR_bad_request);
	}
}

static void parameters(void **state QN_UNUSED)
{
	struct target t;
	struct err e;
	assert_ok(parse("/p?a=1&b=x+y%2B&&c&=d&a=2&e==", &t, &e), &e);
	assert_true(str_is(target_param(&t, "a"), "1"));
	assert_true(str_is(target_param(&t, "b"), "x y+"));
	assert_true(str_is(target_param(&t, "c"), ""));
	assert_true(str_is(target_param(&t, ""), "d"));
	assert_true(str_is(target_param(&t, "e"), "="));
	assert_null(target_param(&t, "f").data);
	assert_int_equal(t.param_count, 6);
}

static void too_many_parameters(void **state QN_UNUSED)
{
	struct target t;
	struct err e;
	struct buf text = BUF_INIT(4096);
	buf_str(&text, "/?");
	for (int i = 0; i <= TARGET_PARAMS_MAX; i++) buf_str(&text, "a&");
	assert_false(parse(buf_cstr(&text), &t, &e));
	buf_release(&text);
}

static void numbers(void **state QN_UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {{"/?n=5", true, 5},    {"/?m=5", true, 7},
		    {"/?n=0", false, 7},   {"/?n=11", false, 7},
		    {"/?n=", false, 7},    {"/?n=x", false, 7},
		    {"/?n=1.5", false, 7}, {"/?n=99999999999999999999", false, 7},
		    {"/?n=10", true, 10},  {"/?n=%205", false, 7}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct target t;
		struct err e;
		int64_t n = 7;
		assert_ok(parse(rows[i].text, &t, &e), &e);
		assert_int_equal(target_int(&t, "n", 1, 10, &n, &e), rows[i].ok);
		assert_int_equal(n, rows[i].value);
		if (!rows[i].ok) assert_non_null(strstr(e.detail, "parameter n"));
	}
}

static void truths(void **state QN_UNUSED)
{
	struct target t;
	struct err e;
	bool v = false;
	assert_ok(parse("/?a=true&b=0&c=yes&d", &t, &e), &e);
	assert_true(target_bool(&t, "a", &v, &e) && v);
	assert_true(target_bool(&t, "b", &v, &e) && !v);
	assert_true(target_bool(&t, "none", &v, &e) && !v);
	assert_false(target_bool(&t, "c", &v, &e));
	assert_false(target_bool(&t, "d", &v, &e));
}

static void times(void **state QN_UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {{"/?t=1970-01-02T00:00:00Z", true, 86400000},
		    {"/?t=1970-01-02", true, 86400000},
		    {"/?t=1970-01-01T00:00:01.250Z", true, 1250},
		    {"/?t=1970-01-01T01:00:00%2B01:00", true, 0},
		    {"/?t=1970-01-01T01:00:01+01:00", true, 1000},
		    {"/?t=yesterday", false, -1},
		    {"/?t=", false, -1},
		    {"/?t=1970-01-01T00:00:00", false, -1},
		    {"/?t=1970-01-01T00:00:00.00000000000000000000000000000000000000Z", false, -1}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct target t;
		struct err e;
		int64_t at = -1;
		assert_ok(parse(rows[i].text, &t, &e), &e);
		if (target_time(&t, "t", &at, &e) != rows[i].ok) fail_msg("%s", rows[i].text);
		assert_int_equal(at, rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments),   cmocka_unit_test(bad_targets),
		cmocka_unit_test(parameters), cmocka_unit_test(too_many_parameters),
		cmocka_unit_test(numbers),    cmocka_unit_test(truths),
		cmocka_unit_test(times),
	};
	return cmocka_run_group_tests_name("target", tests, NULL, release);
}
