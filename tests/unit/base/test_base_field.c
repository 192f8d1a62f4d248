#include "base/field.h"
#include "tests/support/support.h"

#include <math.h>

struct values {
	bool flag;
	int64_t count, wide, index;
	double share;
	struct str name, mode;
	struct str_list words;
	struct f64_list numbers;
	struct f64_table table;
};

static const char *const modes[] = {"fast", "exact", NULL};
#define ROW(name_, type_) .name = #name_, .type = FIELD_##type_, .offset = offsetof(struct values, name_), .help = ""
static const struct field table[] = {
	{ROW(flag, BOOL), .fallback = "true"},
	{ROW(count, INT), .fallback = "3", .min = 1, .max = 10},
	{ROW(wide, LONG)},
	{ROW(share, DOUBLE), .fallback = "0.5", .min = 0, .max = 1, .max_open = true},
	{ROW(name, STRING), .required = true},
	{ROW(mode, ENUM), .fallback = "\"fast\"", .choices = modes},
	{ROW(words, STRINGS), .count_min = 1},
	{ROW(numbers, DOUBLES)},
	{ROW(table, TABLE)},
	{ROW(index, INT)},
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
	assert_ok(parse(&a,
			"{\"stage\":1,\"name\":\"x\",\"wide\":9007199254740993,\"words\":[\"a\",\"b\"],\"numbers\":[1,"
			"\"NaN\"],\"table\":[[1],[2,3]],\"count\":null}",
			&v, &given, &e),
		  &e);
	assert_true(v.flag && v.count == 3 && v.wide == 9007199254740993 && v.share == 0.5 && str_is(v.mode, "fast"));
	assert_true(v.words.count == 2 && isnan(v.numbers.items[1]) && v.table.rows[1].items[1] == 3);
	assert_true(field_given(table, given, "name"));
	assert_false(field_given(table, given, "count"));
	arena_release(&a);
}

static void test_every_fault_at_once(void **state)
{
	static const char *const pointers[] = {"/p/flag",  "/p/count",     "/p/share", "/p/mode",
					       "/p/words", "/p/numbers/1", "/p/o~1o",  "/p/name"};
	struct arena a = ARENA_INIT;
	struct values v;
	field_set given;
	struct err e;
	(void)state;
	assert_false(parse(
		&a,
		"{\"flag\":1,\"count\":11,\"share\":1,\"mode\":\"slow\",\"words\":[],\"numbers\":[1,\"x\"],\"o/o\":1}",
		&v, &given, &e));
	assert_int_equal(e.fault_count, ARRAY_COUNT(pointers));
	for (size_t i = 0; i < ARRAY_COUNT(pointers); i++) assert_string_equal(e.faults[i].pointer, pointers[i]);
	assert_string_equal(e.faults[3].detail, "must be one of fast, exact");
	arena_release(&a);
}

static void expect_fault(const char *text, const char *pointer, const char *detail)
{
	struct arena a = ARENA_INIT;
	struct values v;
	struct err e;
	assert_false(parse(&a, text, &v, NULL, &e));
	assert_int_equal(e.fault_count, 1);
	assert_string_equal(e.faults[0].pointer, pointer);
	assert_string_equal(e.faults[0].detail, detail);
	arena_release(&a);
}

static void test_faults_say_what(void **state)
{
	(void)state;
	expect_fault("{\"name\":\"x\",\"count\":0}", "/p/count", "must be in [1, 10]");
	expect_fault("{\"name\":\"x\",\"count\":1.5}", "/p/count", "must be a whole number");
	expect_fault("{\"name\":\"x\",\"share\":1}", "/p/share", "must be in [0, 1)");
	expect_fault("{\"name\":\"x\",\"share\":\"NaN\"}", "/p/share", "must be in [0, 1)");
	expect_fault("{\"name\":\"x\",\"numbers\":[1e999]}", "/p/numbers/0", "is beyond the range of double");
	expect_fault("{\"name\":\"x\",\"wide\":1e19}", "/p/wide", "must fit 64 bits");
	expect_fault("{\"name\":\"x\",\"index\":2147483648}", "/p/index", "must fit 32 bits");
	expect_fault("{\"name\":\"x\",\"table\":[[1],2]}", "/p/table/1", "must be array<array<double>>, not number");
	expect_fault("{\"name\":\"x\",\"shaer\":0}", "/p/shaer", "there is no such parameter; did you mean share?");
	expect_fault("{\"name\":\"x\",\"other\":0}", "/p/other", "there is no such parameter");
	expect_fault("{\"name\":null}", "/p/name", "is required");
	expect_fault("[]", "/p", "must be an object, not array");
}

static void test_whole_numbers_however_written(void **state)
{
	struct arena a = ARENA_INIT;
	struct values v;
	struct err e;
	(void)state;
	assert_ok(parse(&a, "{\"name\":\"x\",\"count\":1e1,\"wide\":-9223372036854775808,\"index\":-2147483648.0}", &v,
			NULL, &e),
		  &e);
	assert_true(v.count == 10 && v.wide == INT64_MIN && v.index == INT32_MIN);
	arena_release(&a);
}

static bool parse_vector(struct arena *a, const char *text, struct f64_list *out, struct err *e)
{
	static const struct field vector[] = {{.name = "v", .type = FIELD_VECTOR}, FIELD_END};
	struct json *j;
	err_init(e);
	text = arena_printf(a, "{\"v\":%s}", text);
	assert_ok(json_parse(a, text, strlen(text), &j, e), e);
	return fields_parse(vector, j, "/p", NULL, a, out, NULL, e);
}

static void test_vectors(void **state)
{
	static const char *const same[] = {"[0,2.5,0]", "{\"size\":3,\"indices\":[1],\"values\":[2.5]}",
					   "{\"type\":0,\"size\":3,\"indices\":[1],\"values\":[2.5]}",
					   "{\"type\":1,\"values\":[0,2.5,0]}"};
	static const char *const refused[][2] = {
		{"7", "/p/v"},
		{"{}", "/p/v/values"},
		{"{\"size\":2,\"values\":[1]}", "/p/v"},
		{"{\"indices\":[0],\"values\":[1]}", "/p/v"},
		{"{\"size\":2,\"indices\":[2],\"values\":[1]}", "/p/v"},
		{"{\"size\":2,\"indices\":[1,0],\"values\":[1,1]}", "/p/v"},
		{"{\"size\":2,\"indices\":[-1],\"values\":[1]}", "/p/v/indices/0"},
		{"{\"size\":2147483647,\"indices\":[],\"values\":[]}", "/p/v/size"},
		{"{\"size\":1,\"indices\":[],\"values\":[],\"more\":1}", "/p/v/more"},
	};
	struct arena a = ARENA_INIT;
	struct f64_list v;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(same); i++) {
		assert_ok(parse_vector(&a, same[i], &v, &e), &e);
		assert_int_equal(v.count, 3);
		assert_true(v.items[0] == 0 && v.items[1] == 2.5 && v.items[2] == 0);
	}
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		assert_false(parse_vector(&a, refused[i][0], &v, &e));
		assert_string_equal(e.faults[0].pointer, refused[i][1]);
	}
	arena_release(&a);
}

static void test_describe(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(10000);
	struct json_writer w = JSON_WRITER(&out);
	struct json *rows;
	struct err e;
	(void)state;
	err_init(&e);
	fields_describe(table, &w);
	assert_ok(json_parse(&a, out.data, out.len, &rows, &e), &e);
	assert_int_equal(rows->count, ARRAY_COUNT(table) - 1);
	assert_true(str_is(json_get(json_at(rows, 1), "bounds")->string, "in [1, 10]"));
	assert_int_equal(json_get(json_at(rows, 1), "default")->integer, 3);
	assert_true(json_get(json_at(rows, 4), "required")->boolean);
	assert_int_equal(json_get(json_at(rows, 5), "bounds")->count, 2);
	buf_release(&out);
	arena_release(&a);
}

static void assert_bounds(const struct field *f, const char *want)
{
	struct buf out = BUF_INIT(1000);
	field_bounds(f, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_release(&out);
}

static void test_bounds(void **state)
{
	static const char *const colours[] = {"red", "blue", NULL};
	(void)state;
	assert_bounds(&(struct field){.type = FIELD_STRING}, "");
	assert_bounds(&(struct field){.type = FIELD_ENUM, .choices = colours}, "one of red, blue");
	assert_bounds(&(struct field){.type = FIELD_DOUBLE, .max = 1, .min_open = true}, "in (0, 1]");
	assert_bounds(&(struct field){.type = FIELD_DOUBLES, .count_min = 3}, "at least 3 elements");
	assert_bounds(&(struct field){.type = FIELD_DOUBLES, .count_min = 2, .max = 1}, "at least 2 elements, each in [0, 1]");
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
		cmocka_unit_test(test_faults_say_what),
		cmocka_unit_test(test_whole_numbers_however_written),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_write_gives_what_was_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
