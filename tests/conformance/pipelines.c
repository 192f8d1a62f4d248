#include "tests/conformance/pipelines.h"

#include "data/json_row_write.h"
#include "data/source.h"

static bool keep_rows(void *ctx, struct batch *b, struct err *e)
{
	struct table *t = ctx;
	(void)e;
	for (size_t c = 0; c < t->schema.count; c++)
		for (size_t i = 0; i < b->rows; i++) column_copy_row(&t->rows.columns[c], &b->columns[c], i);
	t->rows.rows += b->rows;
	return true;
}

void table_read(struct table *t, const struct json *source)
{
	struct err e;
	err_init(&e);
	struct source_env env = {.spool_dir = "/tmp",
				 .memory_max = 1 << 26,
				 .record_bytes_max = 1 << 20,
				 .columns_max = 100,
				 .inline_rows_max = 10000};
	struct source *s;
	struct source_report report = {0};
	assert_ok(source_open(source, &env, &s, &e), &e);
	schema_copy(&t->schema, source_schema(s));
	batch_init(&t->rows, &t->schema);
	batch_clear(&t->rows);
	struct batch b;
	batch_init(&b, &t->schema);
	for (size_t k = 0; k < source_shard_count(s); k++)
		assert_ok(source_read(s, k, NULL, &b, keep_rows, t, &report, &e), &e);
	batch_release(&b);
	source_close(s);
	assert_true(t->rows.rows > 0);
}

void table_release(struct table *t)
{
	batch_release(&t->rows);
	schema_release(&t->schema);
}

void pipeline_from(struct pipeline *p, const struct json *stages, const struct table *t)
{
	struct err e;
	err_init(&e);
	*p = (struct pipeline){0};
	assert_ok(pipeline_parse(p, stages, "/pipeline", &e), &e);
	assert_ok(pipeline_bind(p, &t->schema, &e), &e);
	assert_ok(pipeline_response(p, NULL, "/response", &e), &e);
}

static void take_rows(const struct table *t, size_t first, size_t end, const uint8_t *wanted, struct batch *b)
{
	batch_clear(b);
	for (size_t c = 0; c < t->schema.count; c++)
		for (size_t i = first; (!wanted || wanted[c]) && i < end; i++)
			column_copy_row(&b->columns[c], &t->rows.columns[c], i);
	b->rows = end - first;
	b->first_row = 0;
}

static bool read_shard(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b,
		       bool (*sink)(void *sink_ctx, struct batch *b, struct err *e), void *sink_ctx, struct err *e)
{
	const struct table *t = ctx;
	size_t first = t->rows.rows * shard / SPECIMEN_SHARDS, end = t->rows.rows * (shard + 1) / SPECIMEN_SHARDS;
	take_rows(t, first, end, wanted, b);
	b->shard = (uint32_t)shard;
	return sink(sink_ctx, b, e);
}

bool pipeline_fit_table(struct pipeline *p, const struct table *t, struct comm *c, struct err *e)
{
	c->shard_count = SPECIMEN_SHARDS;
	struct pipeline_fit f = {.comm = c,
				 .memory_max = 1 << 26,
				 .spool_dir = "/tmp",
				 .read = read_shard,
				 .ctx = (void *)(uintptr_t)t};
	return pipeline_fit(p, &f, NULL, e);
}

void pipeline_apply_rows(const struct pipeline *p, const struct table *t, size_t first, size_t end, struct batch *out)
{
	struct err e;
	err_init(&e);
	uint8_t *wanted = mem_zalloc(p->schema.count, 1);
	memset(wanted, 1, p->schema.count);
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	pipeline_plan_make(&plan, p, wanted, NULL);
	pipeline_scratch_init(&scratch, p);
	batch_init(out, &p->schema);
	take_rows(t, first, end, NULL, out);
	assert_ok(pipeline_apply(&plan, out, &scratch, &e), &e);
	pipeline_scratch_release(&scratch);
	pipeline_plan_release(&plan);
	mem_free(wanted);
}

void pipeline_row_text(const struct pipeline *p, const struct batch *b, size_t i, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_object_begin(&w);
	for (size_t c = p->input_count; c < p->schema.count; c++) {
		json_keyn(&w, p->schema.columns[c].name);
		json_row_cell(&w, &b->columns[c], i);
	}
	json_object_end(&w);
}
