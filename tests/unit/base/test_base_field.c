#include "base/field.h"
#include "tests/support/support.h"

#include <math.h>

struct values {
	bool flag;
	int64_t count, wide;
	double share;
	struct str name, mode;
	struct str_list words;
	struct f64_list numbers;
	struct f64_table table;
};

static const char *const modes[] = {"fast", "exact", NULL};
static const struct field table[] = {
	{.name = "flag", .type = FIELD_BOOL, .offset = offsetof(struct values, flag), .fallback = "true", .help = "f"},
	{.name = "count", .type = FIELD_INT, .offset = offsetof(struct values, count), .fallback = "3", .min = 1, .max = 10, .help = "c"},
	{.name = "wide", .type = FIELD_LONG, .offset = offsetof(struct values, wide), .help = "w"},
	{.name = "share", .type = FIELD_DOUBLE, .offset = offsetof(struct values, share), .fallback = "0.5", .min = 0, .max = 1,
	 .max_open = true, .help = "s"},
	{.name = "name", .type = FIELD_STRING, .offset = offsetof(struct values, name), .required = true, .help = "n"},
	{.name = "mode", .type = FIELD_ENUM, .offset = offsetof(struct values, mode), .fallback = "\"fast\"", .choices = modes, .help = "m"},
	{.name = "words", .type = FIELD_STRINGS, .offset = offsetof(struct values, words), .count_min = 1, .help = "w"},
	{.name = "numbers", .type = FIELD_DOUBLES, .offset = offsetof(struct values, numbers), .help = "n"},
	{.name = "table", .type = FIELD_TABLE, .offset = offsetof(struct values, table), .help = "t"},
	FIELD_END,
};

static bool parse(struct arena *a, const char *text, struct values *v, field_set *given, struct err *e)
{
	static const char *const ignore[] = {"stage", NULL};
	struct json *j;
	err_init(e);
	*v = (struct values){0};
	assert_ok(json_parse(a, text, strlen(text), &j, e), e);
	return fields_parse(table, j, "/p", ignore, a, v, given, e);
}

static void test_defaults_and_values(void **state)
{
	struct arena a = ARENA_INIT;
	struct values v;
	field_set given;
	struct err e;
	(void)state;
	assert_ok(parse(&a, "{\"stage\":1,\"name\":\"x\",\"wide\":9007199254740993,\"words\":[\"a\",\"b\"],\"numbers\":[1,\"NaN\"],"
			    "\"table\":[[1],[2,3]],\"count\":null}", &v, &given, &e), &e);
	assert_true(v.flag && v.count == 3 && v.wide == 9007199254740993 && v.share == 0.5 && str_is(v.mode, "fast"));
	assert_true(v.words.count == 2 && isnan(v.numbers.items[1]) && v.table.rows[1].items[1] == 3);
	assert_true(field_given(table, given, "name"));
	assert_false(field_given(table, given, "count"));
	arena_release(&a);
}

static void test_every_fault_at_once(void **state)
{
	static const char *const pointers[] = {"/p/flag", "/p/count", "/p/share", "/p/mode", "/p/words", "/p/numbers/1", "/p/o~1o", "/p/name"};
	struct arena a = ARENA_INIT;
	struct values v;
	field_set given;
	struct err e;
	(void)state;
	assert_false(parse(&a, "{\"flag\":1,\"count\":11,\"share\":1,\"mode\":\"slow\",\"words\":[],\"numbers\":[1,\"x\"],\"o/o\":1}", &v,
			   &given, &e));
	assert_int_equal(e.fault_count, ARRAY_COUNT(pointers));
	for (size_t i = 0; i < ARRAY_COUNT(pointers); i++) assert_string_equal(e.faults[i].pointer, pointers[i]);
	assert_string_equal(e.faults[3].detail, "must be one of fast, exact");
	arena_release(&a);
}

static void test_write_gives_what_was_given(void **state)
{
	static const char text[] = "{\"count\":7,\"share\":0.25,\"name\":\"x\",\"words\":[\"a\"]}";
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(1000);
	struct json_writer w = JSON_WRITER(&out);
	struct values v;
	field_set given;
	struct err e;
	(void)state;
	assert_ok(parse(&a, text, &v, &given, &e), &e);
	json_object_begin(&w);
	fields_write(table, &v, given, &w);
	json_object_end(&w);
	assert_string_equal(buf_cstr(&out), text);
	buf_release(&out);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_and_values),
		cmocka_unit_test(test_every_fault_at_once),
		cmocka_unit_test(test_write_gives_what_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
