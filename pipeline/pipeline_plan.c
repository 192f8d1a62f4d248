#include "pipeline/pipeline.h"

static bool any_output_live(const struct stage *s, const uint8_t *live)
{
	for (size_t i = 0; i < s->out_count; i++)
		if (live[s->out[i].slot]) return true;
	return false;
}

static bool is_needed(const struct stage *s, size_t k, const uint8_t *live)
{
	const struct stage_port *in = &s->in[k];
	return !in->fit_only && (!in->for_output || live[s->out[in->for_output - 1].slot]);
}

/* Backwards: a stage runs when somebody reads an output of it, or when it filters; then its own inputs are read. */
static void mark_needed(struct pipeline_plan *plan, const uint8_t *among)
{
	const struct pipeline *p = plan->pipeline;
	for (size_t i = p->count; i-- > 0;) {
		const struct stage *s = &p->stages[i];
		if ((among && !among[i]) || s->inactive) continue;
		if (!s->filters && !any_output_live(s, plan->input_needed)) continue;
		plan->runs[i] = 1;
		for (size_t k = 0; k < s->in_count; k++)
			if (is_needed(s, k, plan->input_needed)) plan->input_needed[s->in[k].slot] = 1;
	}
}

static bool read_later(const struct pipeline_plan *plan, size_t after, int slot)
{
	if (plan->live[slot]) return true;
	for (size_t i = after + 1; i < plan->pipeline->count; i++) {
		if (!plan->runs[i]) continue;
		const struct stage *s = &plan->pipeline->stages[i];
		for (size_t k = 0; k < s->in_count; k++)
			if (s->in[k].slot == slot && !s->in[k].fit_only) return true;
	}
	return false;
}

/* A stage in place gets ports of its own: its input's slot is its output's. */
static void mark_steals(struct pipeline_plan *plan)
{
	const struct pipeline *p = plan->pipeline;
	for (size_t i = 0; i < p->count; i++) {
		struct stage *s = &plan->steps[i];
		plan->steal[i] = SCHEMA_COLUMN_NONE;
		if (!plan->runs[i] || !s->type->in_place || s->in_count != 1 || s->out_count != 1) continue;
		int from = s->in[0].slot, to = s->out[0].slot;
		if (p->schema.columns[from].type != p->schema.columns[to].type || read_later(plan, i, from)) continue;
		plan->steal[i] = from;
		s->in = mem_alloc(sizeof *s->in);
		*s->in = p->stages[i].in[0];
		s->in[0].slot = to;
	}
}

void pipeline_plan_make(struct pipeline_plan *plan, const struct pipeline *p, const uint8_t *wanted, const uint8_t *among)
{
	size_t columns = MAX(p->schema.count, (size_t)1), stages = MAX(p->count, (size_t)1);
	*plan = (struct pipeline_plan){
		.pipeline = p,
		.count = p->count,
		.steps = mem_alloc(stages * sizeof *plan->steps),
		.runs = mem_zalloc(stages, 1),
		.steal = mem_zalloc(stages, sizeof *plan->steal),
		.input_needed = mem_zalloc(columns, 1),
		.live = mem_zalloc(columns, 1),
	};
	if (p->count) memcpy(plan->steps, p->stages, p->count * sizeof *plan->steps);
	memcpy(plan->live, wanted, p->schema.count);
	memcpy(plan->input_needed, wanted, p->schema.count);
	mark_needed(plan, among);
	/* What a stage of this plan makes need not come in. */
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; plan->runs[i] && k < p->stages[i].out_count; k++)
			plan->input_needed[p->stages[i].out[k].slot] = 0;
	mark_steals(plan);
}

void pipeline_plan_release(struct pipeline_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steal[i] != SCHEMA_COLUMN_NONE) mem_free(plan->steps[i].in);
	mem_free(plan->steps);
	mem_free(plan->runs);
	mem_free(plan->steal);
	mem_free(plan->input_needed);
	mem_free(plan->live);
	*plan = (struct pipeline_plan){0};
}

void pipeline_scratch_init(struct pipeline_scratch *s, const struct pipeline *p)
{
	s->count = p->count;
	s->stages = mem_zalloc(MAX(p->count, (size_t)1), sizeof *s->stages);
}

void pipeline_scratch_release(struct pipeline_scratch *s)
{
	for (size_t i = 0; i < s->count; i++) scratch_release(&s->stages[i]);
	mem_free(s->stages);
	*s = (struct pipeline_scratch){0};
}

/* All of them first: a stage that drops rows filters every column that has some. */
static void clear_outputs(const struct pipeline_plan *plan, struct batch *b)
{
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; plan->runs[i] && k < plan->steps[i].out_count; k++) {
			int slot = plan->steps[i].out[k].slot;
			column_clear(&b->columns[slot], b->schema->columns[slot].type);
		}
}

bool pipeline_apply(const struct pipeline_plan *plan, struct batch *b, struct pipeline_scratch *s, struct err *e)
{
	clear_outputs(plan, b);
	for (size_t i = 0; i < plan->count; i++) {
		if (!plan->runs[i]) continue;
		const struct stage *step = &plan->steps[i];
		if (plan->steal[i] != SCHEMA_COLUMN_NONE)
			column_steal(&b->columns[step->out[0].slot], &b->columns[plan->steal[i]]);
		if (step->type->apply(step, b, &s->stages[i], e)) continue;
		s->failed = i;
		return false;
	}
	return true;
}
