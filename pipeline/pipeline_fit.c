/* Fits the stages in waves.
 *
 * A wave is one pass over the rows: every stage that can run (its inputs are there, it is fitted) runs in it, and the columns
 * that the rest still needs are stored. Then every estimator whose inputs are stored is fitted. So a label's indexer and the
 * text chain beside it share the pass that reads the source, and raw text is dropped as soon as its features exist.
 *
 * Spark runs stages strictly in order; waves give the same result because stages read columns by name only, except for stages
 * that drop rows (handleInvalid "skip"): nothing is moved across one of those.
 */
#include "pipeline/pipeline.h"

enum stage_at { AT_WAITING, AT_RUNS_NOW, AT_DONE };

struct waves {
	struct pipeline *p;
	const struct pipeline_fit *f;
	struct schema input; /* the source's columns, for binding anew */
	uint8_t *needed;     /* [count] stages whose outputs a fit or the caller needs */
	uint8_t *at;         /* [count] enum stage_at */
	uint8_t *stored;     /* [schema.count] columns in rows, or in the source before the first pass */
	uint8_t *kept;       /* [schema.count] what this wave stores */
	struct dataset *rows;
};

static bool is_kept_name(const struct pipeline_fit *f, struct str name)
{
	for (const char *const *k = f->keep; k && *k; k++)
		if (str_is(name, *k)) return true;
	return false;
}

/* Stages that an estimator or the caller depends on, found backwards; one that drops rows matters to whatever comes later. */
static void find_needed(struct waves *w)
{
	const struct pipeline *p = w->p;
	uint8_t *live = mem_zalloc(MAX(p->schema.count, (size_t)1), 1);
	bool later = w->f->keep != NULL;
	for (size_t c = 0; c < p->schema.count; c++) live[c] = is_kept_name(w->f, p->schema.columns[c].name);
	for (size_t i = p->count; i-- > 0;) {
		const struct stage *s = &p->stages[i];
		later |= !s->fitted;
		w->needed[i] = !s->fitted || (later && stage_drops_rows(s));
		for (size_t k = 0; k < s->out_count; k++) w->needed[i] |= live[s->out[k].slot];
		for (size_t k = 0; w->needed[i] && k < s->in_count; k++) live[s->in[k].slot] = 1;
	}
	mem_free(live);
}

static bool inputs_available(const struct stage *s, const uint8_t *available)
{
	for (size_t k = 0; k < s->in_count; k++)
		if (!available[s->in[k].slot]) return false;
	return true;
}

static bool someone_reads_outputs(const struct waves *w, size_t i)
{
	const struct stage *s = &w->p->stages[i];
	for (size_t k = 0; k < s->out_count; k++) {
		if (is_kept_name(w->f, s->out[k].name)) return true;
		for (size_t j = i + 1; j < w->p->count; j++)
			for (size_t m = 0; w->needed[j] && m < w->p->stages[j].in_count; m++)
				if (w->p->stages[j].in[m].slot == s->out[k].slot) return true;
	}
	return false;
}

/* Does the stage still want the rows as they are before those that drop some? */
static bool waits(const struct waves *w, size_t i)
{
	return w->needed[i] && w->at[i] == AT_WAITING && (!w->p->stages[i].fitted || someone_reads_outputs(w, i));
}

/* Chooses what runs in this pass; *any: something does. */
static bool choose_pass(struct waves *w)
{
	bool any = false, blocked = false;
	uint8_t *available = mem_alloc(MAX(w->p->schema.count, (size_t)1));
	memcpy(available, w->stored, w->p->schema.count);
	for (size_t i = 0; i < w->p->count && !blocked; i++) {
		const struct stage *s = &w->p->stages[i];
		if (!w->needed[i] || w->at[i] == AT_DONE) continue;
		bool can = s->fitted && inputs_available(s, available) &&
			   (someone_reads_outputs(w, i) || stage_drops_rows(s));
		bool whole = can;
		for (size_t j = 0; stage_drops_rows(s) && j < i; j++) whole = whole && !waits(w, j);
		if (whole) {
			w->at[i] = AT_RUNS_NOW;
			any = true;
			for (size_t k = 0; k < s->out_count; k++) available[s->out[k].slot] = 1;
		}
		blocked = !whole && stage_drops_rows(s);
	}
	mem_free(available);
	return any;
}

/* Columns that stages not done after this pass, or the caller, will read, of those that exist by then. */
static void choose_kept(struct waves *w)
{
	const struct pipeline *p = w->p;
	uint8_t *exists = mem_alloc(MAX(p->schema.count, (size_t)1));
	memcpy(exists, w->stored, p->schema.count);
	for (size_t c = 0; c < p->schema.count; c++) w->kept[c] = is_kept_name(w->f, p->schema.columns[c].name);
	for (size_t i = 0; i < p->count; i++) {
		const struct stage *s = &p->stages[i];
		for (size_t k = 0; w->at[i] == AT_RUNS_NOW && k < s->out_count; k++) exists[s->out[k].slot] = 1;
		for (size_t k = 0; w->needed[i] && w->at[i] == AT_WAITING && k < s->in_count; k++) w->kept[s->in[k].slot] = 1;
	}
	for (size_t c = 0; c < p->schema.count; c++) w->kept[c] &= exists[c];
	mem_free(exists);
}

struct pass {
	struct waves *w;
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
};

static bool pass_apply(void *ctx, struct batch *b, struct err *e)
{
	struct pass *pass = ctx;
	return pipeline_apply(&pass->plan, b, &pass->scratch, e);
}

static bool pass_sink(void *ctx, struct batch *b, struct err *e)
{
	struct pass *pass = ctx;
	return pass_apply(ctx, b, e) && (b->rows == 0 || dataset_append(pass->w->rows, b, pass->w->kept, e));
}

static bool pass_shards(struct pass *pass, bool from_source, struct err *e)
{
	struct waves *w = pass->w;
	struct comm *c = w->f->comm;
	struct batch b;
	batch_init(&b, &w->p->schema);
	bool ok = true;
	for (size_t s = comm_shard_first(c, c->rank); ok && s < comm_shard_end(c, c->rank); s++) {
		if (c->ops->stopped(c)) ok = err_set(e, ERR_cancelled, "the job was stopped");
		else if (from_source) ok = w->f->read(w->f->ctx, s, pass->plan.input_needed, &b, pass_sink, pass, e);
		else ok = dataset_rewrite(w->rows, s, w->kept, pass_apply, pass, e);
	}
	batch_release(&b);
	return comm_agree(c, ok, e);
}

/* One pass over the rows with the chosen stages. */
static bool run_pass(struct waves *w, struct err *e)
{
	uint8_t *among = mem_zalloc(w->p->count, 1), *ends = mem_zalloc(MAX(w->p->schema.count, (size_t)1), 1);
	for (size_t i = 0; i < w->p->count; i++) among[i] = w->at[i] == AT_RUNS_NOW;
	memcpy(ends, w->kept, w->p->schema.count);
	/* A stage that drops rows must run even when nobody reads what it makes. */
	for (size_t i = 0; i < w->p->count; i++)
		if (among[i] && stage_drops_rows(&w->p->stages[i]) && w->p->stages[i].out_count)
			ends[w->p->stages[i].out[0].slot] = 1;
	struct pass pass = {.w = w};
	pipeline_plan_make(&pass.plan, w->p, ends, among);
	pipeline_scratch_init(&pass.scratch, w->p);
	bool from_source = w->rows == NULL;
	if (from_source)
		w->rows = dataset_create(&w->p->schema, &(struct dataset_options){.shard_count = w->f->comm->shard_count,
										  .memory_max = w->f->memory_max / 2,
										  .level = w->f->level,
										  .spool_dir = w->f->spool_dir});
	bool ok = pass_shards(&pass, from_source, e);
	pipeline_scratch_release(&pass.scratch);
	pipeline_plan_release(&pass.plan);
	for (size_t i = 0; i < w->p->count; i++)
		if (w->at[i] == AT_RUNS_NOW) w->at[i] = AT_DONE;
	memcpy(w->stored, w->kept, w->p->schema.count);
	mem_free(among);
	mem_free(ends);
	return ok;
}

struct stage_hooks {
	const struct pipeline_fit *f;
	size_t stage;
};

static void hook_progress(void *ctx, size_t iteration, double objective)
{
	struct stage_hooks *h = ctx;
	if (h->f->progress) h->f->progress(h->f->ctx, h->stage, iteration, objective);
}

static bool hook_due(void *ctx)
{
	struct stage_hooks *h = ctx;
	return h->f->checkpoint_due && h->f->checkpoint_due(h->f->ctx);
}

static bool hook_save(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct stage_hooks *h = ctx;
	return !h->f->checkpoint_save || h->f->checkpoint_save(h->f->ctx, h->stage, bytes, len, e);
}

/* The stage's own seed where it has one. */
static uint64_t seed_of(const struct stage *s, uint64_t drawn)
{
	for (const struct field *f = s->type->params; f->name; f++)
		if (strcmp(f->name, "seed") == 0 && stage_given(s, "seed"))
			return (uint64_t)*(const int64_t *)((const char *)s->params + f->offset);
	return drawn;
}

static bool fit_stage(struct waves *w, size_t i, struct err *e)
{
	const struct pipeline_fit *f = w->f;
	struct stage *s = &w->p->stages[i];
	struct stage_hooks hooks = {f, i};
	bool resumes = f->resume && f->resume_stage == i;
	struct fit fit = {
		.comm = f->comm,
		.rows = w->rows,
		.seed = seed_of(s, f->seeds ? f->seeds[i] : 0),
		.memory_max = f->memory_max / 2,
		.ctx = &hooks,
		.progress = hook_progress,
		.checkpoint_due = hook_due,
		.checkpoint_save = hook_save,
		.resume = resumes ? f->resume : NULL,
		.resume_len = resumes ? f->resume_len : 0,
	};
	if (f->stage_begin) f->stage_begin(f->ctx, i);
	if (!s->type->fit(s, &fit, e)) return false;
	s->fitted = true;
	if (f->stage_end) f->stage_end(f->ctx, i);
	return pipeline_bind(w->p, &w->input, e);
}

/* Fits the estimators whose inputs are stored; *fitted: how many. */
static bool fit_ready(struct waves *w, size_t *fitted, struct err *e)
{
	*fitted = 0;
	bool blocked = false;
	for (size_t i = 0; i < w->p->count && !blocked; i++) {
		struct stage *s = &w->p->stages[i];
		if (!w->needed[i] || w->at[i] == AT_DONE) continue;
		if (!s->fitted && inputs_available(s, w->stored)) {
			if (!fit_stage(w, i, e)) return false;
			(*fitted)++;
		}
		blocked = stage_drops_rows(s);
	}
	return true;
}

static bool all_fitted(const struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->stages[i].fitted) return false;
	return true;
}

static bool run_waves(struct waves *w, struct err *e)
{
	bool whole = w->f->keep != NULL;
	for (size_t c = 0; c < w->p->input_count; c++) w->stored[c] = 1;
	for (;;) {
		size_t fitted = 0;
		bool any = choose_pass(w);
		if (all_fitted(w->p) && (!whole || (!any && w->rows))) return true;
		choose_kept(w);
		if ((any || !w->rows) && !run_pass(w, e)) return false;
		if (!fit_ready(w, &fitted, e)) return false;
		CHECK(any || fitted > 0 || !w->rows || all_fitted(w->p));
	}
}

bool pipeline_fit(struct pipeline *p, const struct pipeline_fit *f, struct dataset **rows, struct err *e)
{
	CHECK(p->bound);
	size_t columns = MAX(p->schema.count, (size_t)1);
	struct waves w = {
		.p = p,
		.f = f,
		.input = {.count = 0},
		.needed = mem_zalloc(p->count, 1),
		.at = mem_zalloc(p->count, 1),
		.stored = mem_zalloc(columns, 1),
		.kept = mem_zalloc(columns, 1),
	};
	for (size_t c = 0; c < p->input_count; c++) schema_add(&w.input, &p->schema.columns[c]);
	find_needed(&w);
	bool ok = run_waves(&w, e);
	if (ok && rows && f->keep) {
		*rows = w.rows;
		w.rows = NULL;
	}
	dataset_destroy(w.rows);
	schema_release(&w.input);
	mem_free(w.needed);
	mem_free(w.at);
	mem_free(w.stored);
	mem_free(w.kept);
	return ok;
}
