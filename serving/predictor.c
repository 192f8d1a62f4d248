#include "serving/predictor_private.h"

#include "data/pointer.h"

#include <stdio.h>

/* --- Views -------------------------------------------------------------------------------------------------------- */

static void view_release(struct view *v)
{
	pipeline_plan_release(&v->plan);
	answer_release(&v->answer);
}

static void make_response(struct predictor *p)
{
	const struct pipeline *pl = &p->pipeline;
	uint8_t *wanted = mem_zalloc(pl->schema.count + 1, 1);
	for (size_t i = 0; i < pl->response_count; i++) wanted[pl->response[i].slot] = 1;
	pipeline_plan_make(&p->response.plan, pl, wanted, NULL);
	answer_make(&p->response.answer, pl, NULL, false);
	p->required = mem_zalloc(pl->input_count + 1, 1);
	memcpy(p->required, p->response.plan.input_needed, pl->input_count);
	mem_free(wanted);
}

/* A stage can run once all columns that its apply cannot do without are there. */
static bool can_run(const struct stage *s, const uint8_t *there)
{
	for (size_t k = 0; k < s->in_count; k++)
		if (!s->in[k].fit_only && !s->in[k].for_output && !there[s->in[k].slot]) return false;
	return !s->inactive;
}

static bool can_make(const struct stage *s, size_t output, const uint8_t *there)
{
	for (size_t k = 0; k < s->in_count; k++)
		if (s->in[k].for_output == output + 1 && !there[s->in[k].slot]) return false;
	return true;
}

static void make_full(const struct predictor *p, const uint8_t *came, bool keep_input, struct view *v)
{
	const struct pipeline *pl = &p->pipeline;
	uint8_t *wanted = mem_zalloc(pl->schema.count + 1, 1), *among = mem_zalloc(pl->count + 1, 1);
	memcpy(wanted, came, pl->input_count);
	for (size_t i = 0; i < pl->count; i++) {
		const struct stage *s = &pl->stages[i];
		if (!can_run(s, wanted)) continue;
		among[i] = 1;
		for (size_t k = 0; k < s->out_count; k++) wanted[s->out[k].slot] = can_make(s, k, wanted);
	}
	answer_make(&v->answer, pl, wanted, keep_input);
	for (size_t c = 0; c < pl->input_count; c++) wanted[c] = keep_input && came[c];
	for (size_t i = 0; i < pl->response_count; i++) wanted[pl->response[i].slot] = 1;
	pipeline_plan_make(&v->plan, pl, wanted, among);
	mem_free(among);
	mem_free(wanted);
}

static bool holds_something(const struct column *c, size_t rows)
{
	if (!c->valid) return rows > 0 && c->rows == rows;
	return memchr(c->valid, 1, rows) != NULL;
}

const struct view *predictor_full(const struct predictor *p, struct predictor_scratch *s, const uint8_t *came,
				  bool keep_input)
{
	size_t n = p->input.count;
	for (size_t c = 0; c < n; c++)
		s->came_now[c] =
			p->required[c] || (came ? came[c] : holds_something(&s->batch.columns[c], s->batch.rows));
	s->came_now[n] = keep_input;
	if (s->full.plan.pipeline && memcmp(s->came, s->came_now, n + 1) == 0) return &s->full;
	view_release(&s->full);
	memcpy(s->came, s->came_now, n + 1);
	make_full(p, s->came, keep_input, &s->full);
	return &s->full;
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

/* The response is checked when it is read, but a default one follows from the stages. */
static bool responds(const struct pipeline *p, struct err *e)
{
	for (size_t i = 0; i < p->response_count; i++)
		if (p->response[i].slot < 0) return err_set(e, ERR_bad_model, "its response names no column");
	return true;
}

bool predictor_create(const void *container, size_t len, const char *name, int version, struct predictor **out,
		      struct err *e)
{
	struct predictor *p = mem_zalloc(1, sizeof *p);
	if (!pipeline_decode(&p->pipeline, container, len, e) || !responds(&p->pipeline, e)) {
		predictor_destroy(p);
		return false;
	}
	for (size_t c = 0; c < p->pipeline.input_count; c++) {
		struct column_def def = p->pipeline.schema.columns[c];
		/* That no training row passed 32 bits is no reason to refuse one that does; SQL's arithmetic looks for itself. */
		def.is_int32 = false;
		schema_add(&p->input, &def);
	}
	make_response(p);
	p->name = mem_strdup(name);
	p->version = version;
	size_t room = strlen(name) + sizeof ":-2147483648";
	p->label = mem_alloc(room);
	snprintf(p->label, room, "%s:%d", name, version);
	*out = p;
	return true;
}

void predictor_destroy(struct predictor *p)
{
	if (!p) return;
	view_release(&p->response);
	schema_release(&p->input);
	pipeline_release(&p->pipeline);
	mem_free(p->required);
	mem_free(p->name);
	mem_free(p->label);
	mem_free(p);
}

const char *predictor_label(const struct predictor *p) { return p->label; }
const char *predictor_name(const struct predictor *p) { return p->name; }
int predictor_version(const struct predictor *p) { return p->version; }
const struct pipeline *predictor_pipeline(const struct predictor *p) { return &p->pipeline; }

struct predictor_scratch *predictor_scratch_create(const struct predictor *p)
{
	struct predictor_scratch *s = mem_zalloc(1, sizeof *s);
	batch_init(&s->batch, &p->pipeline.schema);
	s->batch.shard = BATCH_NO_SHARD;
	pipeline_scratch_init(&s->stages, &p->pipeline);
	json_row_init(&s->reader, &p->input, p->required);
	s->text = BUF_INIT(PREDICTOR_BODY_MAX);
	column_init(&s->element, COL_DOUBLE);
	s->came = mem_zalloc(p->input.count + 1, 1);
	s->came_now = mem_zalloc(p->input.count + 1, 1);
	return s;
}

void predictor_scratch_destroy(struct predictor_scratch *s)
{
	if (!s) return;
	view_release(&s->full);
	batch_release(&s->batch);
	pipeline_scratch_release(&s->stages);
	json_row_release(&s->reader);
	buf_release(&s->text);
	column_release(&s->element);
	mem_free(s->came);
	mem_free(s->came_now);
	mem_free(s->rows);
	mem_free(s);
}

/* --- Rows --------------------------------------------------------------------------------------------------------- */

void predictor_clear(struct predictor_scratch *s)
{
	struct batch *b = &s->batch;
	for (size_t c = 0; c < s->reader.schema->count; c++) column_clear(&b->columns[c], b->schema->columns[c].type);
	b->rows = 0;
	b->row_ids = NULL;
}

static struct pointer row_pointer(const struct json_row *r)
{
	struct pointer at;
	if (r->index != SIZE_MAX) return pointer_index(r->prefix, r->index);
	snprintf(at.text, sizeof at.text, "%s", r->prefix);
	return at;
}

static bool nothing_missing(const struct predictor *p, const struct json_row *r, struct err *e)
{
	bool ok = true;
	for (size_t c = 0; c < p->input.count; c++) {
		if (!p->required[c] || json_row_has(r, c)) continue;
		ok = err_fault(e, pointer_keyn(row_pointer(r).text, p->input.columns[c].name).text, "is missing");
	}
	return ok;
}

enum json_row_result predictor_read(const struct predictor *p, struct predictor_scratch *s,
					const struct row_rules *rules, struct json_scan *scan, enum json_tok first,
					struct err *e)
{
	struct batch *b = &s->batch;
	s->reader.wanted = rules->output == PREDICT_FULL ? NULL : p->required;
	s->reader.strict = rules->strict;
	enum json_row_result got = json_row_read(&s->reader, scan, first, b, e);
	if (got == JSON_ROW_BROKEN) return got;
	bool is_object = first == JSON_TOK_OBJECT_BEGIN;
	if (is_object && !rules->lenient && !nothing_missing(p, &s->reader, e)) got = JSON_ROW_FAULTS;
	if (got == JSON_ROW_FAULTS) batch_truncate(b, b->rows - 1);
	return got;
}

bool predictor_apply(const struct view *v, struct predictor_scratch *s, struct err *e)
{
	return pipeline_apply(&v->plan, &s->batch, &s->stages, e);
}

/* Marks the request's columns that a stage's inputs were made of, in flags over all columns. */
static void trace(const struct pipeline *p, size_t stage, uint8_t *from)
{
	const struct stage *failed = &p->stages[stage];
	for (size_t k = 0; k < failed->in_count; k++)
		if (!failed->in[k].fit_only) from[failed->in[k].slot] = 1;
	for (size_t i = stage; i-- > 0;) {
		const struct stage *s = &p->stages[i];
		for (size_t o = 0; o < s->out_count; o++)
			for (size_t k = 0; from[s->out[o].slot] && k < s->in_count; k++)
				if (!s->in[k].fit_only) from[s->in[k].slot] = 1;
	}
}

bool predictor_blame(const struct predictor *p, const struct predictor_scratch *s, struct err *e)
{
	const struct pipeline *pl = &p->pipeline;
	uint8_t *from = mem_zalloc(pl->schema.count + 1, 1);
	size_t count = 0, column = 0;
	trace(pl, s->stages.failed, from);
	for (size_t c = 0; c < pl->input_count; c++)
		if (from[c]) {
			count++;
			column = c;
		}
	mem_free(from);
	struct pointer at = row_pointer(&s->reader);
	if (count == 1) at = pointer_keyn(at.text, pl->schema.columns[column].name);
	return err_fault(e, at.text, "%s", e->detail);
}

/* --- Warming ------------------------------------------------------------------------------------------------------ */

static const char *const samples[COL_TYPE_COUNT] = {
	[COL_DOUBLE] = "0.5",
	[COL_INT64] = "1",
	[COL_BOOLEAN] = "true",
	[COL_STRING] = "\"a sample of text\"",
	[COL_STRINGS] = "[\"a\",\"b\"]",
	[COL_DOUBLES] = "[]",
	[COL_VECTOR] = "[]",
	[COL_VECTORS] = "[]",
};

void predictor_warm(const struct predictor *p)
{
	struct buf row = BUF_INIT(PREDICTOR_BODY_MAX), out = BUF_INIT(PREDICTOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&row);
	struct err e;
	err_init(&e);
	json_object_begin(&w);
	for (size_t c = 0; c < p->input.count; c++) {
		const char *sample = samples[p->input.columns[c].type];
		json_keyn(&w, p->input.columns[c].name);
		json_raw(&w, sample, strlen(sample));
	}
	json_object_end(&w);
	struct predictor_request r = {.body = row.data, .len = row.len, .limits = {1, PREDICTOR_BODY_MAX}};
	struct predictor_scratch *s = predictor_scratch_create(p);
	/* That the model refuses a made-up row is no fault of the model. */
	(void)!predictor_json(p, s, &r, &out, &e);
	predictor_scratch_destroy(s);
	buf_release(&row);
	buf_release(&out);
}
