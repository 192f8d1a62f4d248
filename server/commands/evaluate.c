/* quern evaluate: a specification's evaluators over rows, which a model transforms first or which hold its columns
 * already. */
#include "data/dataset.h"
#include "data/pointer.h"
#include "server/commands/commands.h"
#include "server/commands/local.h"
#include "server/commands/model_file.h"
#include "trainer/evaluation.h"
#include "trainer/spec.h"

enum { EVALUATE_TEXT_MAX = 1 << 28 };

struct evaluate_options {
	struct cli_common common;
	const char *model;
};

static const struct cli_option options[] = {
	{"model", CLI_TEXT, offsetof(struct evaluate_options, model), "MODEL.quern", "transforms the rows first"},
	{0},
};
static const struct cli cli = {
	.command = "evaluate",
	.arguments = "SPEC.json [FILE|-]",
	.help = "Runs the evaluators of a job specification's `evaluate` over the rows of FILE, or of its source,\n"
		"and prints {\"metrics\":…,\"evaluation\":…}. Without --model the rows hold the columns that\n"
		"evaluators read, as quern apply --output full writes them.",
	.options = options,
	.args_min = 1,
	.args_max = 2,
};

struct evaluating {
	const struct spec *sp;
	struct local *local;
	struct source *source;
	struct pipeline pipeline; /* without stages where there is no model */
	struct evaluator *evaluators;
	size_t count;
	uint8_t *wanted;          /* columns that evaluators read */
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	struct dataset *rows;
};

/* --- Columns ------------------------------------------------------------------------------------------------------ */

static bool parse_evaluators(struct evaluating *ev, struct err *e)
{
	const struct json *list = ev->sp->evaluate;
	if (!list || list->count == 0) return err_fault(e, "/evaluate", "names no evaluator");
	ev->evaluators = arena_zalloc(&ev->local->arena, list->count, sizeof *ev->evaluators);
	bool ok = true;
	for (const struct json *obj = list->child; obj; obj = obj->next) {
		struct pointer at = pointer_index("/evaluate", ev->count);
		ok &= evaluator_parse(&ev->evaluators[ev->count++], obj, at.text, e);
	}
	return ok;
}

/* The object, without one member. It stays open. */
static void write_without(const struct json *object, const char *key, const char *inner, struct json_writer *w)
{
	json_object_begin(w);
	for (const struct json *m = object->child; m; m = m->next) {
		if (str_is(m->key, key)) continue;
		json_keyn(w, m->key);
		if (inner && str_is(m->key, "options")) {
			write_without(m, inner, NULL, w);
			json_object_end(w);
		} else json_value(w, m);
	}
}

/* The specification's source with a schema of ours. */
static bool reopen(struct evaluating *ev, const struct schema *s, struct err *e)
{
	struct buf text = BUF_INIT(EVALUATE_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	struct json *source;
	write_without(ev->sp->source, "schema", "inferSchema", &w);
	json_key(&w, "schema");
	schema_write(s, &w);
	json_object_end(&w);
	source_close(ev->source);
	ev->source = NULL;
	bool ok = json_parse(&ev->local->arena, arena_strndup(&ev->local->arena, text.data, text.len), text.len,
			     &source, e) &&
		  source_open(source, &ev->local->env, &ev->source, e);
	buf_release(&text);
	return ok;
}

/* Columns have the types that the model was fitted on, whatever they look like here. Without a model scores that
 * were written as JSON arrays are vectors again. */
static bool settle_types(struct evaluating *ev, struct err *e)
{
	struct schema s = SCHEMA_INIT;
	const struct schema *found = source_schema(ev->source), *fitted = &ev->pipeline.schema;
	bool changed = false;
	for (size_t c = 0; c < found->count; c++) {
		struct column_def def = found->columns[c];
		int slot = schema_find_first(fitted, def.name);
		if (slot >= 0 && slot < (int)ev->pipeline.input_count) def.type = fitted->columns[slot].type;
		else if (fitted->count == 0 && def.type == COL_DOUBLES) def.type = COL_VECTOR;
		changed |= def.type != found->columns[c].type;
		schema_add(&s, &def);
	}
	bool ok = !changed || reopen(ev, &s, e);
	schema_release(&s);
	return ok;
}

static bool load_model(struct evaluating *ev, const char *model, struct err *e)
{
	struct buf bytes;
	if (!model_file_read(model, &bytes, e)) return false;
	bool ok = pipeline_decode(&ev->pipeline, bytes.data, bytes.len, e) || err_wrap(e, "%s", model);
	buf_release(&bytes);
	return ok;
}

/* The columns that evaluators may read: the source's, and those that the model makes of them. */
static bool bind_columns(struct evaluating *ev, const char *model, struct err *e)
{
	struct pipeline *p = &ev->pipeline;
	if (!source_open(ev->sp->source, &ev->local->env, &ev->source, e)) return false;
	if ((model && !load_model(ev, model, e)) || !settle_types(ev, e)) return false;
	if (model && !pipeline_bind(p, source_schema(ev->source), e)) return false;
	if (!model) {
		schema_copy(&p->schema, source_schema(ev->source));
		p->input_count = p->schema.count;
	}
	bool ok = true;
	ev->wanted = arena_zalloc(&ev->local->arena, p->schema.count + 1, 1);
	for (size_t i = 0; i < ev->count; i++) {
		struct evaluator *one = &ev->evaluators[i];
		ok &= evaluator_bind(one, &p->schema, e);
		for (size_t k = 0; k < ARRAY_COUNT(one->slot); k++)
			if (one->slot[k] >= 0) ev->wanted[one->slot[k]] = 1;
	}
	return ok;
}

/* --- Rows --------------------------------------------------------------------------------------------------------- */

static bool transform(void *ctx, struct batch *b, struct err *e)
{
	struct evaluating *ev = ctx;
	return pipeline_apply(&ev->plan, b, &ev->scratch, e) &&
	       (b->rows == 0 || dataset_append(ev->rows, b, ev->wanted, e));
}

static bool read_rows(struct evaluating *ev, struct err *e)
{
	struct source_report report = {0};
	struct batch b;
	bool ok = true;
	batch_init(&b, &ev->pipeline.schema);
	for (size_t s = 0; ok && s < source_shard_count(ev->source); s++)
		ok = source_read(ev->source, s, ev->plan.input_needed, &b, transform, ev, &report, e);
	batch_release(&b);
	return ok;
}

static bool run_evaluators(struct evaluating *ev, struct err *e)
{
	struct comm *comm = comm_serial_create();
	bool ok = true;
	comm->shard_count = source_shard_count(ev->source);
	for (size_t i = 0; ok && i < ev->count; i++) ok = evaluator_run(&ev->evaluators[i], comm, ev->rows, e);
	comm_serial_destroy(comm);
	return ok;
}

static bool evaluate_rows(struct evaluating *ev, struct err *e)
{
	struct dataset_options o = {.shard_count = source_shard_count(ev->source),
					.memory_max = ev->sp->memory_max / 2,
					.level = ev->sp->level,
					.spool_dir = ev->local->dir};
	pipeline_plan_make(&ev->plan, &ev->pipeline, ev->wanted, NULL);
	pipeline_scratch_init(&ev->scratch, &ev->pipeline);
	ev->rows = dataset_create(&ev->pipeline.schema, &o);
	bool ok = read_rows(ev, e) && run_evaluators(ev, e);
	dataset_destroy(ev->rows);
	pipeline_scratch_release(&ev->scratch);
	pipeline_plan_release(&ev->plan);
	return ok;
}

/* --- Command ------------------------------------------------------------------------------------------------------ */

static bool show(const struct evaluating *ev, struct err *e)
{
	struct buf metrics = BUF_INIT(EVALUATE_TEXT_MAX), details = BUF_INIT(EVALUATE_TEXT_MAX),
		   text = BUF_INIT(EVALUATE_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	evaluation_write(ev->evaluators, ev->count, &metrics, &details);
	json_object_begin(&w);
	json_key(&w, "metrics");
	json_raw(&w, metrics.data, metrics.len);
	json_key(&w, "evaluation");
	json_raw(&w, details.data, details.len);
	json_object_end(&w);
	bool ok = cli_write_line(&text, e);
	buf_release(&metrics);
	buf_release(&details);
	buf_release(&text);
	return ok;
}

static bool evaluate(struct local *l, const struct spec *sp, const char *model, struct err *e)
{
	struct evaluating ev = {.sp = sp, .local = l};
	bool ok = parse_evaluators(&ev, e) && bind_columns(&ev, model, e) && evaluate_rows(&ev, e) && show(&ev, e);
	for (size_t i = 0; i < ev.count; i++) evaluator_release(&ev.evaluators[i]);
	pipeline_release(&ev.pipeline);
	source_close(ev.source);
	return ok;
}

static bool run(const struct evaluate_options *o, const char *spec_file, const char *file, struct err *e)
{
	struct local l;
	struct spec sp;
	struct str text;
	if (!local_open(&l, e)) return false;
	struct spec_defaults d = {.workers = (int64_t)l.config.trainer_workers, .memory_max = l.config.trainer_memory};
	bool ok = local_spec(&l, spec_file, file, LOCAL_OTHER, &text, e) &&
		  spec_parse(&sp, text.data, text.len, &d, NULL, e);
	if (ok) {
		ok = evaluate(&l, &sp, o->model, e);
		spec_release(&sp);
	}
	local_close(&l);
	return ok;
}

int command_evaluate(int argc, char **argv)
{
	struct evaluate_options o = {0};
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	return run(&o, argv[0], argc > 1 ? argv[1] : NULL, &e) ? CLI_DONE : cli_failed(&o.common, &e);
}
