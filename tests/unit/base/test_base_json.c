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
	expect_refused("{\"a\":1,\"a\":2}", "twice");
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

static void test_tree(void **state)
{
	static const char text[] = "{\"i\": 9007199254740993, \"f\": -1.5e3, \"s\": \"a\\u0000\\ud83d\\ude00\\n\", \"l\": [true, null, {}]}";
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
	assert_string_equal(buf_cstr(&out), "{\"type\":\"/problems/invalid\",\"title\":\"Invalid\",\"status\":422,\"detail\":\"Invalid\","
					    "\"instance\":\"r-1\",\"errors\":[{\"pointer\":\"/age\",\"detail\":\"must be a number\"}]}");
	buf_release(&out);
}

/* nst/JSONTestSuite: y_ must parse, but for duplicate keys which API.md refuses; n_ must be refused; i_ either way. */
static void test_json_test_suite(void **state)
{
	struct arena a = ARENA_INIT;
	struct dirent *entry;
	size_t y = 0, n = 0;
	(void)state;
	const char *folder = support_shared(&a, "conformance/json-test-suite/test_parsing");
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct json *j;
		struct err e;
		if (!strstr(name, ".json")) continue;
		struct str text = support_read(&a, arena_printf(&a, "%s/%s", folder, name));
		bool ok = parse(&a, text.data, text.len, &j, &e);
		bool duplicate = strncmp(name, "y_object_duplicated_key", 23) == 0;
		if (name[0] == 'y' && ok == duplicate) fail_msg("%s: %s", name, ok ? "accepted" : e.detail);
		if (name[0] == 'n' && ok) fail_msg("%s is accepted", name);
		y += name[0] == 'y';
		n += name[0] == 'n';
	}
	closedir(dir);
	assert_int_equal(y, 95);
	assert_int_equal(n, 188);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),	 cmocka_unit_test(test_tree),
		cmocka_unit_test(test_writer_round_trip), cmocka_unit_test(test_problem),
		cmocka_unit_test(test_json_test_suite),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
