/* A field table reads any JSON: it fills the struct, or names at least one fault. */
#include "base/field.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct values {
	bool flag;
	int64_t count, wide;
	double share;
	struct str name, mode;
	struct str_list words;
	struct f64_list numbers;
	struct i64_list whole;
	struct f64_table table;
};

static const char *const modes[] = {"fast", "exact", NULL};
#define ROW(name_, type_, member) .name = name_, .type = type_, .offset = offsetof(struct values, member), .help = ""
static const struct field table[] = {
	{ROW("flag", FIELD_BOOL, flag), .fallback = "true"},
	{ROW("count", FIELD_INT, count), .min = 1, .max = 10},
	{ROW("wide", FIELD_LONG, wide)},
	{ROW("share", FIELD_DOUBLE, share), .min = 0, .max = INFINITY, .min_open = true},
	{ROW("name", FIELD_STRING, name)},
	{ROW("mode", FIELD_ENUM, mode), .fallback = "\"fast\"", .choices = modes},
	{ROW("words", FIELD_STRINGS, words)},
	{ROW("numbers", FIELD_DOUBLES, numbers)},
	{ROW("whole", FIELD_INTS, whole)},
	{ROW("table", FIELD_TABLE, table)},
	FIELD_END,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT((size_t)1 << 26);
	struct json_writer w = JSON_WRITER(&out);
	struct values v = {0};
	struct json *j;
	field_set given;
	struct err e;
	err_init(&e);
	if (json_parse(&a, (const char *)data, size, &j, &e)) {
		if (fields_parse(table, j, "", NULL, &a, &v, &given, &e)) {
			json_object_begin(&w);
			fields_write(table, &v, given, &w);
			json_object_end(&w);
		} else CHECK(e.fault_count > 0);
	}
	buf_release(&out);
	arena_release(&a);
	return 0;
}
