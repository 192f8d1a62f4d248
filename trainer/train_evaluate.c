#include "data/pointer.h"
#include "trainer/evaluation.h"
#include "trainer/train_run.h"

#include <stdio.h>

enum { EVALUATOR_SLOTS = ARRAY_COUNT(((struct evaluator *)0)->slot) };

static bool bind_evaluators(struct train_run *t, struct err *e)
{
	for (size_t i = 0; i < t->evaluator_count; i++)
		if (!evaluator_bind(&t->evaluators[i], &t->pipeline.schema, e)) return false;
	return true;
}

/* Names of the columns that evaluators read, copied: binding the pipeline anew replaces its schema. */
static void list_kept(struct train_run *t)
{
	const struct schema *schema = &t->pipeline.schema;
	size_t n = 0;
	t->kept = arena_zalloc(&t->arena, t->evaluator_count * EVALUATOR_SLOTS + 1, sizeof *t->kept);
	for (size_t i = 0; i < t->evaluator_count; i++)
		for (size_t k = 0; k < EVALUATOR_SLOTS; k++) {
			int slot = t->evaluators[i].slot[k];
			if (slot < 0) continue;
			struct str name = schema->columns[slot].name;
			t->kept[n++] = arena_strndup(&t->arena, name.data, name.len);
		}
}

bool train_evaluators(struct train_run *t, struct err *e)
{
	const struct json *list = t->sp->evaluate;
	if (!list || list->count == 0) return true;
	t->evaluators = arena_zalloc(&t->arena, list->count, sizeof *t->evaluators);
	for (const struct json *obj = list->child; obj; obj = obj->next) {
		struct pointer at = pointer_index("/evaluate", t->evaluator_count);
		if (!evaluator_parse(&t->evaluators[t->evaluator_count++], obj, at.text, e)) return false;
	}
	if (!bind_evaluators(t, e)) return false;
	list_kept(t);
	return true;
}

/* --- Held-out rows ----------------------------------------------------------------------------------------------- */

struct held_out {
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	struct dataset *rows;
	uint8_t *wanted;
};

static bool transform(void *ctx, struct batch *b, struct err *e)
{
	struct held_out *h = ctx;
	return pipeline_apply(&h->plan, b, &h->scratch, e) &&
	       (b->rows == 0 || dataset_append(h->rows, b, h->wanted, e));
}

static bool transform_shards(struct train_run *t, struct held_out *h, struct err *e)
{
	struct comm *c = t->comm;
	struct source_report again = {0}; /* the first reading was reported */
	struct batch b;
	batch_init(&b, &t->pipeline.schema);
	bool ok = true;
	for (size_t s = comm_shard_first(c, c->rank); ok && s < comm_shard_end(c, c->rank); s++)
		ok = train_read(t, TEST_ROWS, s, h->plan.input_needed, &b, transform, h, &again, e);
	batch_release(&b);
	return comm_agree(c, ok, e);
}

/* The held-out rows, transformed, with the columns that evaluators read. */
static bool read_held_out(struct train_run *t, struct dataset **rows, struct err *e)
{
	const struct schema *schema = &t->pipeline.schema;
	struct held_out h = {.wanted = mem_zalloc(schema->count, 1)};
	for (const char *const *k = t->kept; *k; k++) h.wanted[schema_find(schema, STR(*k))] = 1;
	pipeline_plan_make(&h.plan, &t->pipeline, h.wanted, NULL);
	pipeline_scratch_init(&h.scratch, &t->pipeline);
	h.rows = dataset_create(schema, &(struct dataset_options){.shard_count = t->comm->shard_count,
								  .memory_max = t->env->memory_max / 2,
								  .level = t->sp->level,
								  .spool_dir = t->env->spool_dir});
	bool ok = transform_shards(t, &h, e);
	pipeline_scratch_release(&h.scratch);
	pipeline_plan_release(&h.plan);
	mem_free(h.wanted);
	if (ok) *rows = h.rows;
	else dataset_destroy(h.rows);
	return ok;
}

bool train_evaluate(struct train_run *t, struct dataset *rows, struct err *e)
{
	struct dataset *own = NULL;
	if (t->evaluator_count == 0) return true;
	train_phase(t, "evaluating");
	if (!comm_agree(t->comm, bind_evaluators(t, e), e)) return false;
	if (!rows && !read_held_out(t, &own, e)) return false;
	bool ok = true;
	for (size_t i = 0; ok && i < t->evaluator_count; i++) {
		struct evaluator *ev = &t->evaluators[i];
		ok = evaluator_run(ev, t->comm, rows ? rows : own, e);
		if (ok && t->comm->rank == 0) train_log(t, "%s = %.6g", ev->metric_name, ev->value);
	}
	dataset_destroy(own);
	return comm_agree(t->comm, ok, e);
}

void train_write_metrics(const struct train_run *t, struct train_result *out)
{
	evaluation_write(t->evaluators, t->evaluator_count, &out->metrics, &out->evaluation);
	if (t->evaluator_count == 0) return;
	snprintf(out->metric, sizeof out->metric, "%s", t->evaluators[0].metric_name);
	out->larger_better = t->evaluators[0].larger_better;
}
