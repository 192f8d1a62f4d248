#include "base/json.h"
#include "tests/support/support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>

static bool parse(struct arena *a, const char *text, size_t len, struct json **out, struct err *e)
{
	/* An exact copy on the heap: the sanitizer sees a read past the end. */
	char *copy = mem_alloc(len);
	memcpy(copy, text, len);
	err_init(e);
	bool ok = json_parse(a, copy, len, out, e);
	mem_free(copy);
	return ok;
}

static void expect_refused(const char *text, const char *why)
{
	struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;
	assert_false(parse(&a, text, strlen(text), &j, &e));
	assert_int_equal(e.code, ERR_invalid_json);
	if (!strstr(e.detail, why)) fail_msg("%s: \"%s\" does not say %s", text, e.detail, why);
	arena_release(&a);
}

static void test_refusals(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 4];
	(void)state;
	expect_refused("{\"a\":1,\n\"\\u0061\":2}", "member \"a\": occurs twice in one object at line 2");
	expect_refused("[1,]", "not a JSON value");
	expect_refused("{\"a\":1,}", "member name");
	expect_refused("\"\\ud800\"", "surrogate");
	expect_refused("\"\xff\"", "UTF-8");
	expect_refused("NaN", "not a JSON value");
	expect_refused("[1", "too early");
	expect_refused("1 2", "after the value");
	expect_refused("{\n\"a\": tru}", "line 2");
	memset(deep, '[', JSON_DEPTH_MAX + 1);
	deep[JSON_DEPTH_MAX + 1] = 0;
	expect_refused(deep, "deeply");
}

static void test_outline(void **state)
{
	static const char text[] = " {\"n\": 1, \"rows\": [ {\"a\": 1, \"a\": [\"]\"]}, 2 ] , \"o\": {\"x\": {}}, \"s\": \"[\"} ";
	struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;
	struct buf many = BUF_INIT(4096);
	(void)state;
	err_init(&e);
	assert_ok(json_outline(&a, text, strlen(text), &j, &e), &e);
	assert_true(json_get(j, "n")->integer == 1);
	const struct json *rows = json_get(j, "rows"), *o = json_get(j, "o");
	assert_int_equal(rows->type, JSON_ARRAY);
	assert_int_equal(rows->count, 0);
	assert_true(str_is(rows->raw, "[ {\"a\": 1, \"a\": [\"]\"]}, 2 ]"));
	assert_int_equal(o->type, JSON_OBJECT);
	assert_int_equal(o->count, 0);
	assert_true(str_is(o->raw, "{\"x\": {}}"));
	assert_true(str_is(json_get(j, "s")->string, "["));

	assert_ok(json_outline(&a, "[1,{}]", 6, &j, &e), &e);
	assert_true(j->type == JSON_ARRAY && j->count == 0 && str_is(j->raw, "[1,{}]"));
	assert_false(json_outline(&a, "{\"a\":1,\"a\":[]}", 15, &j, &e));
	assert_non_null(strstr(e.detail, "occurs twice"));
	err_init(&e);
	assert_false(json_outline(&a, "{\"a\":[1,]}", 10, &j, &e));
	err_init(&e);
	for (int i = 0; i <= JSON_OUTLINE_MEMBERS_MAX; i++) buf_printf(&many, "%s\"%d\":0", i ? "," : "{", i);
	buf_char(&many, '}');
	assert_false(json_outline(&a, many.data, many.len, &j, &e));
	assert_non_null(strstr(e.detail, "too many members"));
	buf_release(&many);
	arena_release(&a);
}

static void test_tree(void **state)
{
	static const char text[] = "{\"i\": 9007199254740993, \"f\": -1.5e3, \"s\": \"a\\u0000\\ud83d\\ude00\\n\", "
				   "\"l\": [true, null, {}]}";
	struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;
	(void)state;
	err_init(&e);
	assert_ok(json_parse(&a, text, strlen(text), &j, &e), &e);
	assert_true(json_get(j, "i")->is_int);
	assert_true(json_get(j, "i")->integer == 9007199254740993);
	assert_true(json_get(j, "f")->number == -1500);
	assert_int_equal(json_get(j, "s")->string.len, 7);
	assert_memory_equal(json_get(j, "s")->string.data, "a\0\xf0\x9f\x98\x80\n", 7);
	assert_int_equal(json_get(j, "l")->count, 3);
	assert_int_equal(json_at(json_get(j, "l"), 0)->boolean, true);
	assert_null(json_at(json_get(j, "l"), 3));
	assert_null(json_get(j, "S"));
	assert_memory_equal(json_get(j, "l")->raw.data, "[true, null, {}]", 16);
	arena_release(&a);
}

static void test_writer_round_trip(void **state)
{
	static const char text[] = "{\"a\":[1,2.50,\"x\\\"\\\\\\u0001\\n\",null,true,{\"b\":{}}],\"c\":[]}";
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(10000);
	struct json_writer w = JSON_WRITER(&out);
	struct json *j;
	struct err e;
	(void)state;
	err_init(&e);
	assert_ok(json_parse(&a, text, strlen(text), &j, &e), &e);
	json_value(&w, j);
	assert_string_equal(buf_cstr(&out), text);
	buf_clear(&out);
	w = (struct json_writer)JSON_WRITER(&out);
	json_array_begin(&w);
	json_double(&w, NAN);
	json_row_double(&w, -INFINITY);
	json_double(&w, 0.1);
	json_array_end(&w);
	assert_string_equal(buf_cstr(&out), "[null,\"-Infinity\",0.1]");
	buf_release(&out);
	arena_release(&a);
}

static void test_problem(void **state)
{
	struct buf out = BUF_INIT(10000);
	struct json_writer w = JSON_WRITER(&out);
	struct err e;
	(void)state;
	err_init(&e);
	err_fault(&e, "/age", "must be a number");
	json_problem(&w, &e, "r-1");
	assert_string_equal(
		buf_cstr(&out),
		"{\"type\":\"/problems/invalid\",\"title\":\"Invalid\",\"status\":422,\"detail\":\"Invalid\","
		"\"instance\":\"r-1\",\"errors\":[{\"pointer\":\"/age\",\"detail\":\"must be a number\"}]}");
	buf_release(&out);
}

/* What C strings hold may come from outside or be cut inside a character. */
static void test_text_is_mended(void **state)
{
	struct buf out = BUF_INIT(10000);
	struct json_writer w = JSON_WRITER(&out);
	(void)state;
	json_array_begin(&w);
	json_text(&w, "plain \xc3\xa9");
	json_text(&w, "\xff" "a\xe2\x82");
	json_text(&w, "");
	json_array_end(&w);
	assert_string_equal(buf_cstr(&out), "[\"plain \xc3\xa9\",\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\",\"\"]");
	buf_release(&out);
}

/* Past a number of members duplicates are looked up in another way. */
static void test_duplicates_among_many(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT(10000);
	struct json *j;
	struct err e;
	(void)state;
	buf_char(&text, '{');
	for (int i = 0; i < 100; i++) buf_printf(&text, "\"k%d\":%d,", i, i);
	size_t len = text.len;
	buf_str(&text, "\"k100\":1}");
	assert_ok(parse(&a, text.data, text.len, &j, &e), &e);
	assert_int_equal(j->count, 101);
	for (int i = 0; i < 100; i++) {
		text.len = len;
		buf_printf(&text, "\"k%d\":1}", i);
		assert_false(parse(&a, text.data, text.len, &j, &e));
	}
	buf_release(&text);
	arena_release(&a);
}

static void test_long_numbers_keep_their_value(void **state)
{
	struct arena a = ARENA_INIT;
	char text[2000];
	struct json *j;
	struct err e;
	(void)state;
	memset(text, '3', sizeof text);
	memcpy(text, "0.", 2);
	assert_ok(parse(&a, text, sizeof text, &j, &e), &e);
	assert_true(j->number == 1 / 3.0);
	arena_release(&a);
}

/* Calls check with each file of a folder of the shared data; returns how many. */
static size_t each_file(const char *folder, void (*check)(const char *name, struct str text))
{
	struct arena a = ARENA_INIT;
	size_t count = 0;
	const char *path = support_shared(&a, folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!strstr(entry->d_name, ".json")) continue;
		check(entry->d_name, support_read(&a, arena_printf(&a, "%s/%s", path, entry->d_name)));
		count++;
	}
	closedir(dir);
	arena_release(&a);
	return count;
}

static void expect_verdict(const char *name, struct str text, bool accepted)
{
	struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;
	bool ok = parse(&a, text.data, text.len, &j, &e);
	if (ok != accepted) fail_msg("%s: %s", name, ok ? "accepted" : e.detail);
	arena_release(&a);
}

/* y_ must parse, but for duplicate names, which RFC 8259 leaves open and Quern refuses; n_ must be refused; i_ may be
 * either. */
static void check_test_suite(const char *name, struct str text)
{
	struct arena a = ARENA_INIT;
	struct json *j;
	struct err e;
	bool duplicate = strncmp(name, "y_object_duplicated_key", 23) == 0;
	if (name[0] != 'i') expect_verdict(name, text, name[0] == 'y' && !duplicate);
	else if (!parse(&a, text.data, text.len, &j, &e)) assert_int_equal(e.code, ERR_invalid_json);
	arena_release(&a);
}

static void test_json_test_suite(void **state)
{
	(void)state;
	assert_int_equal(each_file("conformance/json-test-suite/test_parsing", check_test_suite), 318);
}

/* fail01 (a scalar as document) and fail18 (20 levels) are allowed by RFC 8259, as their names say. */
static void check_json_checker(const char *name, struct str text)
{
	expect_verdict(name, text, strncmp(name, "pass", 4) == 0 || strstr(name, "EXCLUDE"));
}

static void test_json_checker(void **state)
{
	(void)state;
	assert_int_equal(each_file("conformance/json-checker/jsonchecker", check_json_checker), 36);
}

/* Written and read again, elements are what they were. */
static void check_round_trip(const char *name, struct str text)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(text.len * 6 + 100);
	struct json_writer w = JSON_WRITER(&out);
	struct json *j, *again;
	struct err e;
	if (!parse(&a, text.data, text.len, &j, &e)) fail_msg("%s: %s", name, e.detail);
	json_value(&w, j);
	assert_true(buf_ok(&out));
	assert_ok(parse(&a, out.data, out.len, &again, &e), &e);
	const struct json *x = j->child, *y = again->child;
	for (; x; x = x->next, y = y->next)
		assert_true(y && x->type == y->type && str_eq(x->string, y->string) && str_eq(x->key, y->key));
	assert_null(y);
	buf_release(&out);
	arena_release(&a);
}

static void test_round_trips(void **state)
{
	(void)state;
	assert_int_equal(each_file("conformance/json-checker/roundtrip", check_round_trip), 27);
	assert_int_equal(each_file("conformance/blns", check_round_trip), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_outline),
		cmocka_unit_test(test_writer_round_trip),
		cmocka_unit_test(test_problem),
		cmocka_unit_test(test_text_is_mended),
		cmocka_unit_test(test_duplicates_among_many),
		cmocka_unit_test(test_long_numbers_keep_their_value),
		cmocka_unit_test(test_json_test_suite),
		cmocka_unit_test(test_json_checker),
		cmocka_unit_test(test_round_trips),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
