/* JSON Lines of any bytes gives rows or an error; every cell that comes out is valid UTF-8. */
#include "data/source.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_batch(void *ctx, struct batch *b, struct err *e)
{
	(void)ctx, (void)e;
	for (size_t i = 0; i < b->rows; i++)
		if (column_valid(&b->columns[0], i)) {
			struct str s = column_str_at(&b->columns[0], i);
			CHECK(str_utf8_valid(s.data, s.len));
		}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const options[] = {"{}", "{\"mode\":\"DROPMALFORMED\"}"};
	for (size_t k = 0; k < ARRAY_COUNT(options); k++) {
		struct arena a = ARENA_INIT;
		struct schema schema = SCHEMA_INIT;
		struct source_report report = {0};
		struct batch b;
		struct json *o;
		struct err e;
		err_init(&e);
		schema_add(&schema, &(struct column_def){.name = STR("text"), .type = COL_STRING});
		schema_add(&schema, &(struct column_def){.name = STR("n"), .type = COL_DOUBLE});
		bool ok = json_parse(&a, options[k], strlen(options[k]), &o, &e);
		CHECK(ok);
		batch_init(&b, &schema);
		if (!source_read_text("jsonl", (const char *)data, size, o, &b, check_batch, NULL, &report, &e)) CHECK(err_is(&e));
		batch_release(&b);
		schema_release(&schema);
		arena_release(&a);
	}
	return 0;
}
