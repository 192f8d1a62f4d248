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

/* Backwards: a stage runs when somebody reads an output of it, or when it filters; then its own inputs are read. Returns
 * how many run. */
static size_t mark_needed(struct pipeline_plan *plan, const uint8_t *among, uint8_t *runs)
{
	const struct pipeline *p = plan->pipeline;
	size_t count = 0;
	for (size_t i = p->count; i-- > 0;) {
		const struct stage *s = &p->stages[i];
		if ((among && !among[i]) || s->inactive) continue;
		if (!s->filters && !any_output_live(s, plan->input_needed)) continue;
		runs[i] = 1;
		count++;
		for (size_t k = 0; k < s->in_count; k++)
			if (is_needed(s, k, plan->input_needed)) plan->input_needed[s->in[k].slot] = 1;
	}
	return count;
}

static bool read_later(const struct pipeline_plan *plan, size_t after, int slot)
{
	if (plan->live[slot]) return true;
	for (size_t i = after + 1; i < plan->count; i++) {
		const struct stage *s = &plan->steps[i].stage;
		for (size_t k = 0; k < s->in_count; k++)
			if (s->in[k].slot == slot && !s->in[k].fit_only) return true;
	}
	return false;
}

static struct stage_port *own_ports(const struct stage_port *ports, size_t count)
{
	struct stage_port *copy = mem_alloc(MAX(count, (size_t)1) * sizeof *copy);
	if (count) memcpy(copy, ports, count * sizeof *copy);
	return copy;
}

/* Its input's slot becomes its output's. */
static void steal_input(struct pipeline_plan *plan, size_t i)
{
	const struct schema *schema = &plan->pipeline->schema;
	struct plan_step *step = &plan->steps[i];
	struct stage *s = &step->stage;
	if (!s->type->in_place || s->in_count != 1 || s->out_count != 1) return;
	int from = s->in[0].slot, to = s->out[0].slot;
	if (schema->columns[from].type != schema->columns[to].type || read_later(plan, i, from)) return;
	step->steal = from;
	s->in[0].slot = to;
}

static void make_steps(struct pipeline_plan *plan, const uint8_t *runs)
{
	const struct pipeline *p = plan->pipeline;
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (!runs[i]) continue;
		struct plan_step *step = &plan->steps[n++];
		*step = (struct plan_step){.stage = p->stages[i], .steal = SCHEMA_COLUMN_NONE};
		step->stage.in = own_ports(p->stages[i].in, p->stages[i].in_count);
		step->stage.out = own_ports(p->stages[i].out, p->stages[i].out_count);
	}
	for (size_t i = 0; i < n; i++) {
		struct stage *s = &plan->steps[i].stage;
		for (size_t k = 0; k < s->out_count; k++) s->out[k].unread = !read_later(plan, i, s->out[k].slot);
		steal_input(plan, i);
	}
}

void pipeline_plan_make(struct pipeline_plan *plan, const struct pipeline *p, const uint8_t *wanted, const uint8_t *among)
{
	size_t columns = MAX(p->schema.count, (size_t)1);
	uint8_t *runs = mem_zalloc(MAX(p->count, (size_t)1), 1);
	*plan = (struct pipeline_plan){
		.pipeline = p,
		.input_needed = mem_zalloc(columns, 1),
		.live = mem_zalloc(columns, 1),
	};
	memcpy(plan->live, wanted, p->schema.count);
	memcpy(plan->input_needed, wanted, p->schema.count);
	plan->count = mark_needed(plan, among, runs);
	plan->steps = mem_zalloc(MAX(plan->count, (size_t)1), sizeof *plan->steps);
	make_steps(plan, runs);
	mem_free(runs);
	/* What a stage of this plan makes need not come in. */
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->steps[i].stage.out_count; k++)
			plan->input_needed[plan->steps[i].stage.out[k].slot] = 0;
}

void pipeline_plan_release(struct pipeline_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		mem_free(plan->steps[i].stage.in);
		mem_free(plan->steps[i].stage.out);
	}
	mem_free(plan->steps);
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
	for (size_t i = 0; i < plan->count; i++) {
		const struct stage *s = &plan->steps[i].stage;
		for (size_t k = 0; k < s->out_count; k++)
			column_clear(&b->columns[s->out[k].slot], b->schema->columns[s->out[k].slot].type);
	}
}

bool pipeline_apply(const struct pipeline_plan *plan, struct batch *b, struct pipeline_scratch *s, struct err *e)
{
	clear_outputs(plan, b);
	for (const struct plan_step *step = plan->steps; step < plan->steps + plan->count; step++) {
		const struct stage *stage = &step->stage;
		if (step->steal != SCHEMA_COLUMN_NONE)
			column_steal(&b->columns[stage->out[0].slot], &b->columns[step->steal]);
		if (stage->type->apply(stage, b, &s->stages[stage->index], e)) continue;
		s->failed = stage->index;
		return false;
	}
	return true;
}
