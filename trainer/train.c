#include "trainer/train.h"

#include "base/hash.h"
#include "base/rng.h"
#include "trainer/checkpoint.h"
#include "trainer/train_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { TRAIN_LINE_MAX = 512 };
#define TRAIN_PLAN_BYTES_MAX ((size_t)1 << 30)
#define TRAIN_CHECKPOINT_BYTES_MAX ((size_t)8 << 30)
#define TRAIN_CONTAINER_BYTES_MAX ((size_t)4 << 30)

static bool leads(const struct train_run *t) { return t->comm->rank == 0; }

void train_log(struct train_run *t, const char *fmt, ...)
{
	char line[TRAIN_LINE_MAX];
	va_list args;
	if (!t->env->hooks.log) return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	t->env->hooks.log(t->env->hooks.ctx, line);
}

void train_phase(struct train_run *t, const char *phase)
{
	if (leads(t) && t->env->hooks.phase) t->env->hooks.phase(t->env->hooks.ctx, phase);
}

/* --- The source: planned by rank 0, known to all ----------------------------------------------------------------- */

static bool go_on(void *ctx)
{
	struct train_run *t = ctx;
	return !t->comm->ops->stopped(t->comm);
}

static bool open_source(struct train_run *t, struct err *e)
{
	struct buf plan = BUF_INIT(TRAIN_PLAN_BYTES_MAX);
	struct source_env env = t->env->source;
	env.go_on = go_on;
	env.ctx = t;
	bool ok = !leads(t) || source_open(t->sp->source, &env, &t->source, e);
	ok = comm_agree(t->comm, ok, e);
	if (ok && leads(t)) source_encode(t->source, &plan);
	ok = ok && t->comm->ops->bcast(t->comm, &plan, 0, e);
	if (ok && !leads(t)) ok = source_decode(plan.data, plan.len, &t->env->source, &t->source, e);
	buf_release(&plan);
	ok = comm_agree(t->comm, ok, e);
	if (!ok) return false;
	t->comm->shard_count = source_shard_count(t->source);
	if (leads(t) && t->env->hooks.planned)
		t->env->hooks.planned(t->env->hooks.ctx, t->comm->shard_count, source_bytes(t->source));
	return true;
}

/* Which part a row belongs to is a function of (seed, shard, row): whoever reads it, and however often, it stays. */
static bool is_test_row(const struct spec *sp, uint32_t shard, uint64_t row)
{
	return rng_unit(rng_at(rng_at((uint64_t)sp->split_seed, shard), row)) < sp->split_test;
}

struct reading {
	struct train_run *t;
	enum train_part part;
	train_sink sink;
	void *ctx;
	size_t shard;
	uint64_t rows;
};

static void tell_rows(const struct reading *r, bool done)
{
	const struct train_hooks *h = &r->t->env->hooks;
	if (r->part == TRAIN_ROWS && h->rows) h->rows(h->ctx, r->shard, r->rows, done);
}

static void split_batch(struct reading *r, struct batch *b)
{
	struct train_run *t = r->t;
	MEM_GROW(t->keep, t->keep_cap, b->rows);
	for (size_t i = 0; i < b->rows; i++)
		t->keep[i] = is_test_row(t->sp, b->shard, b->first_row + i) == (r->part == TEST_ROWS);
	batch_filter(b, t->keep);
}

static bool read_batch(void *ctx, struct batch *b, struct err *e)
{
	struct reading *r = ctx;
	struct train_run *t = r->t;
	if (!go_on(t)) return err_set(e, ERR_cancelled, "the job was stopped");
	uint64_t rows = b->rows;
	if (t->sp->split_test > 0) split_batch(r, b);
	if (r->part == TRAIN_ROWS) {
		r->rows += rows;
		t->rows_train += b->rows;
		t->rows_test += rows - b->rows;
		tell_rows(r, false);
	}
	return b->rows == 0 || r->sink(r->ctx, b, e);
}

bool train_read(struct train_run *t, enum train_part part, size_t shard, const uint8_t *wanted, struct batch *b,
		train_sink sink, void *ctx, struct source_report *report, struct err *e)
{
	struct reading r = {t, part, sink, ctx, shard, 0};
	if (!source_read(t->source, shard, wanted, b, read_batch, &r, report, e)) return false;
	tell_rows(&r, true);
	return true;
}

/* --- The pipeline ------------------------------------------------------------------------------------------------ */

static void choose_seeds(struct train_run *t)
{
	t->seeds = arena_zalloc(&t->arena, MAX(t->pipeline.count, (size_t)1), sizeof *t->seeds);
	for (size_t i = 0; i < t->pipeline.count; i++) t->seeds[i] = rng_at((uint64_t)t->sp->seed, i);
}

/* What is being trained on what: a checkpoint of another specification, or of data that changed since, does not fit. */
static uint64_t fingerprint(struct train_run *t)
{
	struct buf b = BUF_INIT(TRAIN_PLAN_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_array_begin(&w);
	pipeline_write_stages(&t->pipeline, &w, true);
	schema_write(source_schema(t->source), &w);
	json_int(&w, (int64_t)t->comm->shard_count);
	json_int(&w, (int64_t)source_bytes(t->source));
	json_int(&w, t->sp->seed);
	json_double(&w, t->sp->split_test);
	json_int(&w, t->sp->split_seed);
	json_array_end(&w);
	uint64_t h = hash_xxh3(b.data, b.len);
	buf_release(&b);
	return h;
}

static bool bind_pipeline(struct train_run *t, struct err *e)
{
	struct pipeline *p = &t->pipeline;
	bool ok = pipeline_parse(p, t->sp->pipeline, "/pipeline", e) && pipeline_bind(p, source_schema(t->source), e) &&
		  pipeline_response(p, t->sp->response, "/response", e) && train_evaluators(t, e);
	if (!comm_agree(t->comm, ok, e)) return false;
	choose_seeds(t);
	t->fingerprint = fingerprint(t);
	return true;
}

/* --- Checkpoints ------------------------------------------------------------------------------------------------- */

static bool share_due(void *ctx)
{
	struct train_run *t = ctx;
	const struct train_hooks *h = &t->env->hooks;
	struct buf answer = BUF_INIT(8);
	struct err e;
	err_init(&e);
	if (leads(t)) buf_u8(&answer, h->checkpoint_due && h->checkpoint_due(h->ctx));
	bool due = t->comm->ops->bcast(t->comm, &answer, 0, &e) && answer.len == 1 && answer.data[0];
	buf_release(&answer);
	return due;
}

static bool save_checkpoint(void *ctx, size_t stage, const void *solver, size_t len, struct err *e)
{
	struct train_run *t = ctx;
	const struct train_hooks *h = &t->env->hooks;
	struct buf fitted = BUF_INIT(TRAIN_CHECKPOINT_BYTES_MAX), bytes = BUF_INIT(TRAIN_CHECKPOINT_BYTES_MAX);
	struct err why;
	(void)e;
	if (!leads(t) || !h->checkpoint_save) return true;
	err_init(&why);
	pipeline_encode_fitted(&t->pipeline, &fitted);
	const struct checkpoint c = {t->fingerprint, (uint32_t)stage, {fitted.data, fitted.len}, {solver, len}};
	checkpoint_encode(&c, &bytes);
	bool ok = buf_ok(&fitted) && buf_ok(&bytes);
	if (!ok) train_log(t, "checkpoint not kept: it is over %zu bytes", TRAIN_CHECKPOINT_BYTES_MAX);
	else if (!h->checkpoint_save(h->ctx, bytes.data, bytes.len, &why))
		train_log(t, "checkpoint not kept: %s", why.detail);
	buf_release(&fitted);
	buf_release(&bytes);
	return true;
}

/* Takes up the fitted stages of an earlier attempt; *c says where the unfinished one stood. */
static bool resume(struct train_run *t, struct checkpoint *c, struct err *e)
{
	*c = (struct checkpoint){0};
	if (!t->env->resume) return true;
	if (!checkpoint_decode(t->env->resume, t->env->resume_len, c) || c->fingerprint != t->fingerprint ||
	    c->stage >= t->pipeline.count) {
		*c = (struct checkpoint){0};
		if (leads(t)) train_log(t, "the checkpoint is of other data or another specification: starting anew");
		return true;
	}
	if (leads(t)) train_log(t, "resuming from a checkpoint of stage %" PRIu32, c->stage);
	bool ok = pipeline_decode_fitted(&t->pipeline, c->fitted.data, c->fitted.len, e) &&
		  pipeline_bind(&t->pipeline, source_schema(t->source), e);
	return comm_agree(t->comm, ok, e);
}

/* --- Fit --------------------------------------------------------------------------------------------------------- */

static void tell_stage(struct train_run *t, size_t stage, const char *state, size_t iteration, double objective)
{
	const struct train_hooks *h = &t->env->hooks;
	if (leads(t) && h->stage) h->stage(h->ctx, stage, state, iteration, objective);
}

static void stage_begin(void *ctx, size_t stage)
{
	struct train_run *t = ctx;
	if (!t->fitting) train_phase(t, "fitting");
	t->fitting = true;
	tell_stage(t, stage, "running", 0, NAN);
}

static bool all_fitted(const struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->stages[i].fitted) return false;
	return true;
}

/* Between stages a checkpoint has no solver's state. After the last one it would save nothing worth having: all rows
 * are read again anyway. */
static void stage_end(void *ctx, size_t stage)
{
	struct train_run *t = ctx;
	struct err e;
	err_init(&e);
	tell_stage(t, stage, "succeeded", 0, NAN);
	if (leads(t)) train_log(t, "%s (stage %zu) fitted", t->pipeline.stages[stage].type->name, stage);
	if (!all_fitted(&t->pipeline) && share_due(t)) (void)!save_checkpoint(t, stage, NULL, 0, &e);
}

static void stage_progress(void *ctx, size_t stage, size_t iteration, double objective)
{
	tell_stage(ctx, stage, "running", iteration, objective);
}

static bool read_training_rows(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b, train_sink sink,
			       void *sink_ctx, struct err *e)
{
	struct train_run *t = ctx;
	return train_read(t, TRAIN_ROWS, shard, wanted, b, sink, sink_ctx, &t->report, e);
}

static bool fit(struct train_run *t, struct dataset **rows, struct err *e)
{
	struct checkpoint from;
	bool keeps = t->evaluator_count > 0 && t->sp->split_test == 0;
	if (!resume(t, &from, e)) return false;
	train_phase(t, "reading");
	struct pipeline_fit f = {
		.comm = t->comm,
		.memory_max = t->env->memory_max,
		.seeds = t->seeds,
		.level = t->sp->level,
		.spool_dir = t->env->spool_dir,
		.read = read_training_rows,
		.ctx = t,
		.stage_begin = stage_begin,
		.stage_end = stage_end,
		.progress = stage_progress,
		.checkpoint_due = share_due,
		.checkpoint_save = save_checkpoint,
		.resume_stage = from.stage,
		.resume = from.solver.len ? from.solver.data : NULL,
		.resume_len = from.solver.len,
		.keep = keeps ? t->kept : NULL,
	};
	return pipeline_fit(&t->pipeline, &f, rows, e);
}

/* --- The result -------------------------------------------------------------------------------------------------- */

struct tally {
	struct source_report report;
	uint64_t rows_train, rows_test;
};

/* Ranks hold consecutive shards, so merging in rank order keeps the order of lines. */
static bool add_up(struct train_run *t, struct err *e)
{
	struct tally mine = {t->report, t->rows_train, t->rows_test};
	struct buf all = BUF_INIT(COMM_RANKS_MAX * sizeof mine);
	struct str parts[COMM_RANKS_MAX];
	if (!t->comm->ops->gather(t->comm, &mine, sizeof mine, &all, parts, e)) {
		buf_release(&all);
		return false;
	}
	t->report = (struct source_report){0};
	t->rows_train = t->rows_test = 0;
	for (unsigned r = 0; r < t->comm->size; r++) {
		struct tally theirs;
		CHECK(parts[r].len == sizeof theirs);
		memcpy(&theirs, parts[r].data, sizeof theirs);
		source_report_add(&t->report, &theirs.report);
		t->rows_train += theirs.rows_train;
		t->rows_test += theirs.rows_test;
	}
	buf_release(&all);
	return true;
}

static void log_malformed(struct train_run *t)
{
	const struct source_report *r = &t->report;
	if (r->malformed) train_log(t, "%" PRIu64 " malformed rows", r->malformed);
	for (size_t i = 0; i < r->kept; i++) train_log(t, "line %" PRIu64 ": %s", r->first[i].line, r->first[i].why);
}

/* The source as it was specified, without the rows of an inline one. */
static void write_source(const struct json *source, struct json_writer *w)
{
	json_object_begin(w);
	for (const struct json *m = source->child; m; m = m->next) {
		if (str_is(m->key, "rows")) continue;
		json_keyn(w, m->key);
		json_value(w, m);
	}
	json_object_end(w);
}

/* Does a stage draw from the job's seed? Where none does, a seed that was drawn for nothing must not tell equal models apart. */
static bool draws_random(const struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++)
		for (const struct field *f = p->stages[i].type->params; f->name; f++)
			if (strcmp(f->name, "seed") == 0) return true;
	return false;
}

static void write_training(const struct train_run *t, const struct train_result *r, struct json_writer *w)
{
	const struct spec *sp = t->sp;
	json_object_begin(w);
	json_key(w, "quern");
	json_cstr(w, QUERN_VERSION);
	json_key(w, "name");
	json_str(w, sp->name);
	if (draws_random(&t->pipeline)) {
		json_key(w, "seed");
		json_int(w, sp->seed);
	}
	spec_write_split(sp, w);
	json_key(w, "source");
	write_source(sp->source, w);
	json_key(w, "rows");
	json_object_begin(w);
	json_key(w, "train");
	json_int(w, (int64_t)t->rows_train);
	json_key(w, "test");
	json_int(w, (int64_t)t->rows_test);
	json_key(w, "malformed");
	json_int(w, (int64_t)t->report.malformed);
	json_object_end(w);
	json_key(w, "metrics");
	json_raw(w, r->metrics.data, r->metrics.len);
	json_key(w, "evaluation");
	json_raw(w, r->evaluation.data, r->evaluation.len);
	json_object_end(w);
}

static bool encode(struct train_run *t, struct train_result *out, struct err *e)
{
	struct train_result r = {
		.container = BUF_INIT(TRAIN_CONTAINER_BYTES_MAX),
		.manifest = BUF_INIT(TRAIN_PLAN_BYTES_MAX),
		.metrics = BUF_INIT(TRAIN_PLAN_BYTES_MAX),
		.evaluation = BUF_INIT(TRAIN_PLAN_BYTES_MAX),
		.report = t->report,
		.rows_train = t->rows_train,
		.rows_test = t->rows_test,
	};
	struct buf extra = BUF_INIT(TRAIN_PLAN_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&extra);
	train_write_metrics(t, &r);
	write_training(t, &r, &w);
	t->pipeline.manifest_extra = (struct str){extra.data, extra.len};
	w = JSON_WRITER(&r.manifest);
	pipeline_manifest(&t->pipeline, &w);
	bool ok = pipeline_encode(&t->pipeline, &r.container, e);
	t->pipeline.manifest_extra = (struct str){0};
	buf_release(&extra);
	if (ok) *out = r;
	else train_result_release(&r);
	return ok;
}

static bool run(struct train_run *t, struct train_result *out, struct err *e)
{
	struct dataset *rows = NULL;
	train_phase(t, "planning");
	bool ok = open_source(t, e) && bind_pipeline(t, e) && fit(t, &rows, e) && train_evaluate(t, rows, e) &&
		  add_up(t, e);
	dataset_destroy(rows);
	if (!ok) return false;
	if (leads(t)) {
		train_log(t, "%" PRIu64 " training rows, %" PRIu64 " held out", t->rows_train, t->rows_test);
		log_malformed(t);
	}
	train_phase(t, "encoding");
	ok = !leads(t) || encode(t, out, e);
	return comm_agree(t->comm, ok, e);
}

bool train_run(const struct spec *sp, const struct train_env *env, struct train_result *out, struct err *e)
{
	struct train_run t = {.sp = sp, .env = env, .comm = env->comm};
	bool ok = run(&t, out, e);
	if (!ok) log_malformed(&t); /* often the reason; of this rank's rows */
	for (size_t i = 0; i < t.evaluator_count; i++) evaluator_release(&t.evaluators[i]);
	pipeline_release(&t.pipeline);
	source_close(t.source);
	arena_release(&t.arena);
	mem_free(t.keep);
	return ok;
}
