#include "tests/unit/pipeline/stage_support.h"

static const struct json *parsed(struct arena *a, const char *text)
{
	struct json *out;
	struct err e;
	err_init(&e);
	assert_ok(json_parse(a, arena_strdup(a, text), strlen(text), &out, &e), &e);
	return out;
}

void stage_table_init(struct stage_table *t, const char *schema)
{
	struct err e;
	*t = (struct stage_table){0};
	err_init(&e);
	assert_ok(schema_parse(&t->schema, parsed(&t->arena, schema), "/schema", &e), &e);
	batch_init(&t->rows, &t->schema);
	batch_clear(&t->rows);
}

void stage_table_release(struct stage_table *t)
{
	batch_release(&t->rows);
	schema_release(&t->schema);
	arena_release(&t->arena);
}

void stage_pipeline(struct pipeline *p, const char *stages, const struct stage_table *t)
{
	struct arena a = ARENA_INIT;
	struct err e;
	err_init(&e);
	*p = (struct pipeline){0};
	assert_ok(pipeline_parse(p, parsed(&a, stages), "/pipeline", &e), &e);
	assert_ok(pipeline_bind(p, &t->schema, &e), &e);
	arena_release(&a);
}

void stage_fault_at(const char *stages, const struct stage_table *t, const char *pointer, const char *part)
{
	struct arena a = ARENA_INIT;
	struct pipeline p = {0};
	struct err e;
	err_init(&e);
	assert_ok(pipeline_parse(&p, parsed(&a, stages), "/pipeline", &e), &e);
	assert_false(pipeline_bind(&p, &t->schema, &e));
	assert_int_equal(e.fault_count, 1);
	assert_string_equal(e.faults[0].pointer, pointer);
	if (!strstr(e.faults[0].detail, part)) fail_msg("%s: %s", pointer, e.faults[0].detail);
	pipeline_release(&p);
	arena_release(&a);
}

static void take(const struct stage_table *t, size_t first, size_t end, struct batch *b)
{
	batch_clear(b);
	for (size_t c = 0; c < t->schema.count; c++)
		for (size_t i = first; i < end; i++) column_copy_row(&b->columns[c], &t->rows.columns[c], i);
	b->rows = end - first;
}

struct shards {
	const struct stage_table *t;
	size_t count;
};

static bool read_shard(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b,
		       bool (*sink)(void *sink_ctx, struct batch *b, struct err *e), void *sink_ctx, struct err *e)
{
	const struct shards *s = ctx;
	size_t rows = s->t->rows.rows;
	(void)wanted;
	take(s->t, rows * shard / s->count, rows * (shard + 1) / s->count, b);
	b->shard = (uint32_t)shard;
	return sink(sink_ctx, b, e);
}

bool stage_fit(struct pipeline *p, const struct stage_table *t, struct comm *c, size_t shards, struct err *e)
{
	struct shards ctx = {t, shards};
	c->shard_count = shards;
	struct pipeline_fit f = {
		.comm = c, .memory_max = (uint64_t)1 << 28, .spool_dir = "/tmp", .read = read_shard, .ctx = &ctx};
	return pipeline_fit(p, &f, NULL, e);
}

bool stage_apply(const struct pipeline *p, const struct stage_table *t, bool plan_all, struct batch *out, struct err *e)
{
	uint8_t *wanted = mem_zalloc(p->schema.count, 1);
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	memset(wanted, plan_all, p->schema.count);
	wanted[p->schema.count - 1] = 1;
	pipeline_plan_make(&plan, p, wanted, NULL);
	pipeline_scratch_init(&scratch, p);
	batch_init(out, &p->schema);
	take(t, 0, t->rows.rows, out);
	bool ok = pipeline_apply(&plan, out, &scratch, e);
	pipeline_scratch_release(&scratch);
	pipeline_plan_release(&plan);
	mem_free(wanted);
	return ok;
}

const struct column *stage_result(const struct pipeline *p, const struct batch *b)
{
	return &b->columns[p->schema.count - 1];
}

void stage_elements(const struct column *c, size_t i, struct buf *out)
{
	for (uint64_t k = c->off[i]; k < c->off[i + 1]; k++) {
		if (k > c->off[i]) buf_char(out, '|');
		if (column_elem_is_null(c, k)) buf_str(out, "<null>");
		else buf_append(out, c->text + c->span[k].off, c->span[k].len);
	}
	buf_cstr(out);
}

const struct json *stage_goldens(struct arena *a, const char *file)
{
	struct json *rows;
	struct err e;
	err_init(&e);
	struct str text = support_read(a, arena_printf(a, "%s/tests/unit/pipeline/%s", support_source(), file));
	assert_ok(json_parse(a, text.data, text.len, &rows, &e), &e);
	return rows;
}
