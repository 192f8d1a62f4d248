/* Values that a table accepts are within its bounds, and what is written of them is accepted again. */
#include "tests/fuzz/fuzz.h"

#include "base/field.h"

#include <math.h>

struct values {
	bool flag;
	int64_t count, wide;
	double share, weight;
	struct str name, mode;
	struct str_list words;
	struct f64_list numbers;
	struct i64_list indices;
	struct f64_table table;
	const struct json *any;
};

static const char *const modes[] = {"fast", "exact", NULL};
#define ROW(name_, type_) .name = #name_, .type = FIELD_##type_, .offset = offsetof(struct values, name_), .help = ""
static const struct field table[] = {
	{ROW(flag, BOOL), .fallback = "true"},
	{ROW(count, INT), .fallback = "3", .min = 1, .max = 10},
	{ROW(wide, LONG)},
	{ROW(share, DOUBLE), .max = 1, .max_open = true},
	{ROW(weight, DOUBLE)},
	{ROW(name, STRING), .required = true},
	{ROW(mode, ENUM), .fallback = "\"fast\"", .choices = modes},
	{ROW(words, STRINGS), .count_min = 1},
	{ROW(numbers, DOUBLES), .min = -1, .max = INFINITY},
	{ROW(indices, INTS)},
	{ROW(table, TABLE)},
	{ROW(any, JSON)},
	FIELD_END,
};

static bool read_values(struct arena *a, const char *text, size_t size, struct values *v, field_set *given)
{
	struct json *root;
	struct err e;
	err_init(&e);
	*v = (struct values){0};
	if (!json_parse(a, text, size, &root, &e)) return false;
	if (fields_parse(table, root, "/row", NULL, a, v, given, &e)) {
		CHECK(!err_is(&e));
		return true;
	}
	CHECK(e.fault_count > 0);
	for (size_t i = 0; i < MIN(e.fault_count, (size_t)ERR_FAULTS_MAX); i++)
		CHECK(strncmp(e.faults[i].pointer, "/row", 4) == 0 && e.faults[i].detail[0]);
	return false;
}

static void check_bounds(const struct values *v)
{
	CHECK(v->count >= 1 && v->count <= 10 && v->share >= 0 && v->share < 1);
	CHECK(str_is(v->mode, "fast") || str_is(v->mode, "exact"));
	for (size_t i = 0; i < v->numbers.count; i++) CHECK(v->numbers.items[i] >= -1);
	for (size_t i = 0; i < v->indices.count; i++) CHECK(v->indices.items[i] == (int32_t)v->indices.items[i]);
}

static void write_values(const struct values *v, field_set given, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_object_begin(&w);
	fields_write(table, v, given, &w);
	json_object_end(&w);
	CHECK(buf_ok(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct buf once = BUF_INIT((size_t)1 << 20), twice = BUF_INIT((size_t)1 << 20);
	struct values v;
	field_set given, again;
	if (read_values(&a, (const char *)data, size, &v, &given)) {
		check_bounds(&v);
		write_values(&v, given, &once);
		CHECK(read_values(&a, once.data, once.len, &v, &again) && again == given);
		write_values(&v, again, &twice);
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	}
	buf_release(&once);
	buf_release(&twice);
	arena_release(&a);
	return 0;
}
