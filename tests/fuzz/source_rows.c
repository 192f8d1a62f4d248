#include "tests/fuzz/source_rows.h"

static bool check_batch(void *ctx, struct batch *b, struct err *e)
{
	(void)ctx, (void)e;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(&b->columns[0], i)) continue;
		struct str s = column_str_at(&b->columns[0], i);
		CHECK(str_utf8_valid(s.data, s.len));
	}
	return true;
}

static void read_with(const char *format, const char *options, const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct schema schema = SCHEMA_INIT;
	struct source_report report = {0};
	struct batch b;
	struct json *parsed;
	struct err e;
	err_init(&e);
	schema_add(&schema, &(struct column_def){.name = STR("text"), .type = COL_STRING});
	schema_add(&schema, &(struct column_def){.name = STR("n"), .type = COL_DOUBLE});
	bool ok = json_parse(&a, options, strlen(options), &parsed, &e);
	CHECK(ok);
	batch_init(&b, &schema);
	ok = source_read_text(format, (const char *)data, size, parsed, NULL, &b, check_batch, NULL, &report, &e);
	CHECK(ok != err_is(&e));
	batch_release(&b);
	schema_release(&schema);
	arena_release(&a);
}

void source_rows_check(const char *format, const char *const *options, const uint8_t *data, size_t size)
{
	for (; *options; options++) read_with(format, *options, data, size);
}
