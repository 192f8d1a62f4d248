/* Schemas: names, types, and Spark's ml_attr JSON both ways. */
#include "tests/unit/data/data_support.h"

#include "data/schema.h"

#include <dirent.h>
#include <stdio.h>

/* Do two JSON values say the same, whatever the order of members? */
static bool same(const struct json *a, const struct json *b)
{
	if (a->type != b->type || a->count != b->count) return false;
	if (a->type == JSON_OBJECT) {
		for (const struct json *m = a->child; m; m = m->next) {
			const struct json *other = json_get(b, arena_strndup(&data_arena, m->key.data, m->key.len));
			if (!other || !same(m, other)) return false;
		}
		return true;
	}
	if (a->type == JSON_ARRAY) {
		const struct json *x = a->child, *y = b->child;
		while (x && same(x, y)) x = x->next, y = y->next;
		return !x;
	}
	if (a->type == JSON_NUMBER) return a->number == b->number;
	return a->type == JSON_STRING ? str_eq(a->string, b->string) : a->boolean == b->boolean;
}

static const char *written(const struct attrs *attrs)
{
	struct buf b = BUF_INIT(1 << 24);
	struct json_writer w = JSON_WRITER(&b);
	attrs_write(attrs, &w);
	const char *text = arena_strdup(&data_arena, buf_cstr(&b));
	buf_release(&b);
	return text;
}

/* Attributes that are given by hand may spell out defaults, which are not written: those come back the same the second time. */
static void round_trip(const struct json *attributes, bool made_by_spark, size_t *seen)
{
	for (const struct json *m = attributes->child; m; m = m->next) {
		struct attrs *attrs = NULL;
		struct err e;
		err_init(&e);
		const struct json *inside = json_get(m, "ml_attr") ? json_get(m, "ml_attr") : m;
		bool is_vector = json_get(inside, "num_attrs") != NULL;
		assert_ok(attrs_parse(&data_arena, m, is_vector, "/a", &attrs, &e), &e);
		struct json *again = data_json(written(attrs));
		if (made_by_spark && !same(inside, again))
			fail_msg("%.*s became %s", (int)inside->raw.len, inside->raw.data, written(attrs));
		assert_ok(attrs_parse(&data_arena, again, is_vector, "/a", &attrs, &e), &e);
		assert_true(same(again, data_json(written(attrs))));
		(*seen)++;
	}
}

static void attributes_of_the_fixtures_round_trip(void **state)
{
	(void)state;
	const char *folder = support_shared(&data_arena, "parity/features");
	size_t seen = 0;
	DIR *d = opendir(folder);
	for (struct dirent *entry; (entry = readdir(d));) {
		if (!strstr(entry->d_name, ".json")) continue;
		struct str text = support_read(&data_arena, arena_printf(&data_arena, "%s/%s", folder, entry->d_name));
		for (const struct json *c = json_get(data_json(text.data), "cases")->child; c; c = c->next) {
			const struct json *in = json_get(c, "attributes"), *out = json_get(c, "outputAttributes");
			if (in) round_trip(in, false, &seen);
			if (out) round_trip(out, true, &seen);
		}
		arena_reset(&data_arena);
		folder = support_shared(&data_arena, "parity/features");
	}
	closedir(d);
	assert_true(seen > 200);
}

static void attributes_keep_every_part(void **state)
{
	(void)state;
	static const struct {
		bool is_vector;
		const char *text;
	} cases[] = {
		{false, "{\"min\":-1,\"max\":2.5,\"std\":0.5,\"sparsity\":0.25,\"name\":\"n\",\"type\":\"numeric\"}"},
		{false, "{\"ord\":false,\"vals\":[\"a\",\"\"],\"name\":\"c\",\"type\":\"nominal\"}"},
		{false, "{\"num_vals\":7,\"type\":\"nominal\"}"},
		{false, "{\"vals\":[\"no\",\"yes\"],\"type\":\"binary\"}"},
		{true, "{\"num_attrs\":3}"},
		{true, "{\"attrs\":{},\"num_attrs\":3}"},
		{true, "{\"attrs\":{\"numeric\":[{\"name\":\"x\",\"idx\":1}],\"nominal\":[{\"vals\":[\"u\"],\"idx\":0}],"
		       "\"binary\":[{\"idx\":2}]},\"num_attrs\":3}"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct attrs *attrs = NULL;
		struct err e;
		err_init(&e);
		assert_ok(attrs_parse(&data_arena, data_json(cases[i].text), cases[i].is_vector, "/a", &attrs, &e), &e);
		assert_string_equal(written(attrs), cases[i].text);
	}
}

static void wrong_schemas_are_faults_at_once(void **state)
{
	(void)state;
	struct schema s = SCHEMA_INIT;
	struct err e;
	err_init(&e);
	assert_false(schema_parse(&s, data_json("[{\"name\":\"a\",\"type\":\"double\"},{\"name\":\"a\",\"type\":\"double\"},"
						"{\"name\":\"\",\"type\":\"flat\",\"x/y\":1},7,"
						"{\"name\":\"v\",\"type\":\"vector\",\"attributes\":{\"num_attrs\":2,\"attrs\":"
						"{\"numeric\":[{\"idx\":2}]}}},"
						"{\"name\":\"s\",\"type\":\"string\",\"attributes\":{\"type\":\"odd\"}}]"),
				 "/source/schema", &e));
	static const char *const pointers[] = {"/source/schema/1/name", "/source/schema/2/x~1y", "/source/schema/2/name",
					       "/source/schema/2/type", "/source/schema/3",
					       "/source/schema/4/attributes/attrs/numeric/0/idx",
					       "/source/schema/5/attributes/type"};
	assert_int_equal(e.fault_count, ARRAY_COUNT(pointers));
	for (size_t i = 0; i < ARRAY_COUNT(pointers); i++) assert_string_equal(e.faults[i].pointer, pointers[i]);
	assert_int_equal(s.count, 1);
	schema_release(&s);
}

static void schemas_copy_deeply(void **state)
{
	(void)state;
	struct schema s = SCHEMA_INIT, copy;
	struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);
	struct json_writer w = JSON_WRITER(&a);
	struct err e;
	err_init(&e);
	const char *text = "[{\"name\":\"c\",\"type\":\"double\",\"attributes\":{\"vals\":[\"x\",\"y\"],\"type\":\"nominal\"}},"
			   "{\"name\":\"w\",\"type\":\"array<string>\"},{\"name\":\"i\",\"type\":\"int64\"}]";
	assert_ok(schema_parse(&s, data_json(text), "", &e), &e);
	schema_copy(&copy, &s);
	schema_write(&s, &w);
	schema_release(&s);
	w = JSON_WRITER(&b);
	schema_write(&copy, &w);
	assert_string_equal(buf_cstr(&a), text);
	assert_string_equal(buf_cstr(&b), text);
	assert_int_equal(schema_find(&copy, STR("w")), 1);
	assert_int_equal(schema_find(&copy, STR("none")), SCHEMA_COLUMN_NONE);
	assert_int_equal(schema_add(&copy, &copy.columns[0]), SCHEMA_COLUMN_NONE);
	schema_release(&copy);
	buf_release(&a);
	buf_release(&b);
}

static void types_have_names(void **state)
{
	(void)state;
	char text[128];
	enum col_type type = COL_DOUBLE;
	for (int t = 0; t < COL_TYPE_COUNT; t++) {
		assert_true(col_type_parse(STR(col_type_name((enum col_type)t)), &type));
		assert_int_equal(type, t);
	}
	assert_false(col_type_parse(STR("text"), &type));
	col_types_text(COL_BIT(COL_DOUBLE) | COL_BIT(COL_STRING) | COL_BIT(COL_VECTOR), text);
	assert_string_equal(text, "double, string or vector");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(attributes_of_the_fixtures_round_trip, data_arena_reset),
		cmocka_unit_test_teardown(attributes_keep_every_part, data_arena_reset),
		cmocka_unit_test_teardown(wrong_schemas_are_faults_at_once, data_arena_reset),
		cmocka_unit_test_teardown(schemas_copy_deeply, data_arena_reset),
		cmocka_unit_test(types_have_names),
	};
	return cmocka_run_group_tests(tests, data_dir_make, data_dir_remove);
}
