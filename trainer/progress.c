#include "trainer/progress.h"

#include "data/source.h"

#include <math.h>

static const char *const state_names[] = {"pending", "running", "succeeded"};

/* Phases in order; where each begins on the way from 0 to 1, as in jobs that read text and solve by iterations. */
static const struct {
	const char *name;
	double begins;
} phases[] = {
    {"starting", 0},     {"planning", 0.01}, {"reading", 0.05}, {"fitting", 0.5},
    {"evaluating", 0.9}, {"encoding", 0.97}, {"done", 1},
};
enum { PHASE_READING = 2, PHASE_FITTING = 3, ITERATIONS_TYPICAL = 20 };

void progress_init(struct progress *p, const char *spec, size_t len)
{
	struct json *root;
	struct err e;
	err_init(&e);
	*p = (struct progress){.phase = phases[0].name};
	if (!json_parse(&p->arena, spec, len, &root, &e)) return;
	const struct json *list = json_get(root, "pipeline");
	p->stages = arena_zalloc(&p->arena, list ? list->count : 0, sizeof *p->stages);
	for (const struct json *s = list ? list->child : NULL; s; s = s->next) {
		const struct json *name = json_get(s, "stage");
		if (name) p->stages[p->stage_count++].name = name->string;
	}
}

void progress_release(struct progress *p)
{
	for (size_t i = 0; i < p->stage_count; i++) mem_free(p->stages[i].history);
	arena_release(&p->arena);
	*p = (struct progress){0};
}

static void advance(struct progress *p, size_t phase, double part)
{
	double at = phases[phase].begins + part * (phases[phase + 1].begins - phases[phase].begins);
	p->fraction = fmax(p->fraction, at);
}

static bool on_plan(struct progress *p, const struct frame *f)
{
	if (p->shards || f->index > SOURCE_SHARDS_MAX) return false;
	p->shards = arena_zalloc(&p->arena, f->index, sizeof *p->shards);
	p->shard_count = f->index;
	p->bytes = f->count;
	return true;
}

static bool on_phase(struct progress *p, const struct frame *f)
{
	for (size_t i = 0; i + 1 < ARRAY_COUNT(phases); i++) {
		if (!str_is(f->text, phases[i].name)) continue;
		p->phase = phases[i].name;
		advance(p, i, 0);
		return true;
	}
	return false;
}

static void note_objective(struct progress_stage *s, double objective)
{
	if (isnan(objective) || s->history_count >= PROGRESS_HISTORY_MAX) return;
	MEM_GROW(s->history, s->history_cap, s->history_count + 1);
	s->history[s->history_count++] = objective;
}

static bool on_stage(struct progress *p, const struct frame *f, int64_t now_ns)
{
	if (f->index >= p->stage_count) return false;
	struct progress_stage *s = &p->stages[f->index];
	if (s->state == PROGRESS_SUCCEEDED) return false;
	if (s->state == PROGRESS_PENDING) s->begin_ns = now_ns;
	s->ns = now_ns - s->begin_ns;
	s->state = PROGRESS_RUNNING;
	note_objective(s, f->value);
	if (f->count > 0) s->iteration = f->count;
	double within = (double)s->iteration / (double)(s->iteration + ITERATIONS_TYPICAL);
	if (str_is(f->text, state_names[PROGRESS_SUCCEEDED])) {
		s->state = PROGRESS_SUCCEEDED;
		p->stages_ended++;
		within = 0;
	}
	advance(p, PHASE_FITTING, fmin(((double)p->stages_ended + within) / (double)p->stage_count, 1));
	return true;
}

static bool on_rows(struct progress *p, unsigned rank, const struct frame *f)
{
	if (f->index >= p->shard_count) return false;
	struct progress_shard *s = &p->shards[f->index];
	if (s->state == PROGRESS_SUCCEEDED) return false;
	*s = (struct progress_shard){f->flag ? PROGRESS_SUCCEEDED : PROGRESS_RUNNING, rank, f->count};
	p->shards_ended += f->flag;
	advance(p, PHASE_READING, (double)p->shards_ended / (double)p->shard_count);
	return true;
}

bool progress_frame(struct progress *p, unsigned rank, const struct frame *f, int64_t now_ns)
{
	switch (f->type) {
	case FRAME_PLAN: return on_plan(p, f);
	case FRAME_PHASE: return on_phase(p, f);
	case FRAME_STAGE: return on_stage(p, f, now_ns);
	case FRAME_ROWS: return on_rows(p, rank, f);
	default: return false;
	}
}

void progress_succeeded(struct progress *p)
{
	p->phase = phases[ARRAY_COUNT(phases) - 1].name;
	p->fraction = 1;
	for (size_t i = 0; i < p->stage_count; i++) p->stages[i].state = PROGRESS_SUCCEEDED;
}

void progress_rows(const struct progress *p, uint64_t *done, uint64_t *total)
{
	*done = 0;
	for (size_t i = 0; i < p->shard_count; i++) *done += p->shards[i].rows;
	*total = p->shard_count && p->shards_ended == p->shard_count ? *done : 0;
}

static void write_stage(const struct progress_stage *s, size_t index, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "index");
	json_int(w, (int64_t)index);
	json_key(w, "stage");
	json_str(w, s->name);
	json_key(w, "state");
	json_cstr(w, state_names[s->state]);
	json_key(w, "iteration");
	if (s->history_count) json_int(w, (int64_t)s->iteration);
	else json_null(w);
	json_key(w, "objectiveHistory");
	json_array_begin(w);
	for (size_t k = 0; k < s->history_count; k++) json_double(w, s->history[k]);
	json_array_end(w);
	json_key(w, "seconds");
	if (s->begin_ns) json_double(w, (double)(s->ns / 1000000) / 1000);
	else json_null(w);
	json_object_end(w);
}

void progress_stages(const struct progress *p, struct json_writer *w)
{
	json_array_begin(w);
	for (size_t i = 0; i < p->stage_count; i++) write_stage(&p->stages[i], i, w);
	json_array_end(w);
}

void progress_shards(const struct progress *p, struct json_writer *w)
{
	json_array_begin(w);
	for (size_t i = 0; i < p->shard_count; i++) {
		const struct progress_shard *s = &p->shards[i];
		json_object_begin(w);
		json_key(w, "index");
		json_int(w, (int64_t)i);
		json_key(w, "worker");
		if (s->state == PROGRESS_PENDING) json_null(w);
		else json_int(w, s->rank);
		json_key(w, "state");
		json_cstr(w, state_names[s->state]);
		json_key(w, "rows");
		json_int(w, (int64_t)s->rows);
		json_object_end(w);
	}
	json_array_end(w);
}
