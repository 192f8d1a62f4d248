/* One fixture file of what a real Spark 4.0.1 answered: every case is fitted, applied and compared (tests/parity/README.md).
 *
 *     parity_case FIXTURE.json [CASE]
 *
 * Ends with the line "N passed, N failed, N skipped". A case may be skipped only if it is of class U or listed in
 * known-differences.txt, and what is listed there must still differ. */
#include "pipeline/eval/evaluator.h"
#include "pipeline/pipeline.h"
#include "tests/parity/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum outcome { PASSED, FAILED, SKIPPED };

struct run {
	struct arena arena;
	struct str stage;
	struct str known; /* the text of known-differences.txt */
	char why[768];
};

static enum outcome failed(struct run *r, const char *fmt, ...) QN_PRINTF(2, 3);
static enum outcome failed(struct run *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(r->why, sizeof r->why, fmt, args);
	va_end(args);
	return FAILED;
}

static void error_text(const struct err *e, char out[512])
{
	size_t n = (size_t)snprintf(out, 512, "%s", e->detail);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX && n < 500; i++)
		n += (size_t)snprintf(out + n, 512 - n, "; %s %s", e->faults[i].pointer, e->faults[i].detail);
}

static struct fixture_slack slack_of(const struct json *c)
{
	const struct json *rtol = json_get(c, "rtol"), *atol = json_get(c, "atol"), *class = json_get(c, "class");
	bool optimum = str_is(class->string, "O");
	return (struct fixture_slack){rtol ? rtol->number : optimum ? 1e-6 : 1e-12, atol ? atol->number : optimum ? 1e-9 : 1e-300};
}

/* The `pipeline` array of a case: its stages, or the one stage with its parameters. */
static struct json *stages_of(struct run *r, const struct json *c)
{
	const struct json *params = json_get(c, "params"), *stages = json_get(params, "stages");
	struct buf text = BUF_INIT((size_t)1 << 26);
	struct json_writer w = JSON_WRITER(&text);
	struct json *out;
	struct err e;
	err_init(&e);
	if (stages) json_value(&w, stages);
	else {
		json_array_begin(&w);
		json_object_begin(&w);
		json_key(&w, "stage");
		json_str(&w, r->stage);
		for (const struct json *m = params->child; m; m = m->next) {
			json_keyn(&w, m->key);
			json_value(&w, m);
		}
		json_object_end(&w);
		json_array_end(&w);
	}
	char *kept = arena_strndup(&r->arena, text.data, text.len);
	assert_ok(json_parse(&r->arena, kept, text.len, &out, &e), &e);
	buf_release(&text);
	return out;
}

/* --- Fit and apply ------------------------------------------------------------------------------------------------------------ */

static bool read_rows(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b,
		      bool (*sink)(void *sink_ctx, struct batch *b, struct err *e), void *sink_ctx, struct err *e)
{
	const struct fixture_table *t = ctx;
	(void)shard, (void)wanted;
	batch_clear(b);
	for (size_t c = 0; c < t->schema.count; c++)
		for (size_t i = 0; i < t->rows.rows; i++) column_copy_row(&b->columns[c], &t->rows.columns[c], i);
	b->rows = t->rows.rows;
	return sink(sink_ctx, b, e);
}

static bool fit(struct pipeline *p, const struct json *stages, struct fixture_table *t, struct err *e)
{
	*p = (struct pipeline){0};
	if (!pipeline_parse(p, stages, "/pipeline", e) || !pipeline_bind(p, &t->schema, e)) return false;
	struct comm *c = comm_serial_create();
	struct pipeline_fit f = {.comm = c, .memory_max = (uint64_t)1 << 30, .spool_dir = "/tmp", .read = read_rows, .ctx = t};
	bool ok = pipeline_fit(p, &f, NULL, e) && pipeline_bind(p, &t->schema, e);
	comm_serial_destroy(c);
	return ok;
}

static bool apply(struct pipeline *p, const struct fixture_table *t, struct batch *out, struct err *e)
{
	if (!pipeline_bind(p, &t->schema, e)) return false;
	uint8_t *wanted = mem_alloc(p->schema.count + 1);
	memset(wanted, 1, p->schema.count + 1);
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	pipeline_plan_make(&plan, p, wanted, NULL);
	pipeline_scratch_init(&scratch, p);
	batch_init(out, &p->schema);
	batch_clear(out);
	for (size_t c = 0; c < t->schema.count; c++)
		for (size_t i = 0; i < t->rows.rows; i++) column_copy_row(&out->columns[c], &t->rows.columns[c], i);
	out->rows = t->rows.rows;
	bool ok = pipeline_apply(&plan, out, &scratch, e);
	pipeline_scratch_release(&scratch);
	pipeline_plan_release(&plan);
	mem_free(wanted);
	return ok;
}

/* --- Comparing ------------------------------------------------------------------------------------------------------------------ */

static enum outcome compare_output(struct run *r, const struct json *c, const struct pipeline *p, const struct batch *b)
{
	const struct json *output = json_get(c, "output"), *columns = json_get(output, "columns"), *rows = json_get(output, "rows");
	if (!output) return PASSED;
	if (rows->count != b->rows) return failed(r, "%zu rows come out, Spark gives %zu", b->rows, rows->count);
	size_t k = 0;
	for (const struct json *col = columns->child; col; col = col->next, k++) {
		struct str name = json_get(col, "name")->string;
		int slot = schema_find(&p->schema, name);
		if (slot < 0) return failed(r, "no column %.*s", (int)name.len, name.data);
		size_t i = 0;
		for (const struct json *row = rows->child; row; row = row->next, i++) {
			char where[512];
			if (!fixture_cell(&b->columns[slot], i, json_at(row, k), slack_of(c), where))
				return failed(r, "column %.*s, row %zu: %s", (int)name.len, name.data, i, where);
		}
	}
	return PASSED;
}

static enum outcome compare_attributes(struct run *r, const struct json *c, const struct pipeline *p)
{
	const struct json *expected = json_get(c, "outputAttributes");
	for (const struct json *m = expected ? expected->child : NULL; m; m = m->next) {
		struct buf text = BUF_INIT((size_t)1 << 24);
		struct json_writer w = JSON_WRITER(&text);
		struct json *ours;
		struct err e;
		char where[512] = "nothing is known of the column";
		err_init(&e);
		int slot = schema_find(&p->schema, m->key);
		const struct attrs *attrs = slot >= 0 ? p->schema.columns[slot].attrs : NULL;
		bool same = attrs != NULL;
		if (same) {
			attrs_write(attrs, &w);
			char *kept = arena_strndup(&r->arena, text.data, text.len);
			assert_ok(json_parse(&r->arena, kept, text.len, &ours, &e), &e);
			same = fixture_same(ours, m, slack_of(c), where);
		}
		buf_release(&text);
		if (!same) return failed(r, "attributes of %.*s: %s", (int)m->key.len, m->key.data, where);
	}
	return PASSED;
}

/* Each accessor that Spark printed, among ours; a pipeline's stage by stage. */
static bool same_state(struct run *r, const struct json *c, const struct json *ours, const struct json *spark)
{
	for (const struct json *m = spark->child; m; m = m->next) {
		char where[512] = "we show no such member", name[128];
		snprintf(name, sizeof name, "%.*s", (int)m->key.len, m->key.data);
		const struct json *mine = json_get(ours, name);
		if (str_is(m->key, "stage")) continue;
		if (mine && fixture_same(mine, m, slack_of(c), where)) continue;
		failed(r, "model %s: %s", name, where);
		return false;
	}
	return true;
}

static enum outcome compare_model(struct run *r, const struct json *c, const struct pipeline *p)
{
	const struct json *model = json_get(c, "model"), *stages = json_get(model, "stages");
	struct buf text = BUF_INIT((size_t)1 << 28);
	struct json_writer w = JSON_WRITER(&text);
	struct json *ours;
	struct err e;
	if (!model) return PASSED;
	err_init(&e);
	pipeline_state(p, &w);
	char *kept = arena_strndup(&r->arena, text.data, text.len);
	assert_ok(json_parse(&r->arena, kept, text.len, &ours, &e), &e);
	buf_release(&text);
	if (!stages) return same_state(r, c, json_at(ours, 0), model) ? PASSED : FAILED;
	size_t i = 0;
	for (const struct json *s = stages->child; s; s = s->next, i++)
		if (!same_state(r, c, json_at(ours, i), s)) return FAILED;
	return PASSED;
}

/* --- Class R: Spark's quantile summary is off by a rank or so; ours is exact ---------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The exact lower median of the case's first column, found here by sorting, is what the fitted Imputer must hold. */
static enum outcome check_median(struct run *r, const struct fixture_table *t, const struct pipeline *p)
{
	const struct column *c = &t->rows.columns[0];
	double *sorted = mem_alloc((t->rows.rows + 1) * sizeof *sorted);
	size_t n = 0;
	for (size_t i = 0; i < t->rows.rows; i++)
		if (column_valid(c, i) && !isnan(column_number_at(c, i))) sorted[n++] = column_number_at(c, i);
	qsort(sorted, n, sizeof *sorted, compare_doubles);
	double exact = sorted[(n + 1) / 2 - 1];
	mem_free(sorted);
	struct buf text = BUF_INIT((size_t)1 << 20);
	struct json_writer w = JSON_WRITER(&text);
	struct json *ours;
	struct err e;
	err_init(&e);
	pipeline_state(p, &w);
	char *kept = arena_strndup(&r->arena, text.data, text.len);
	assert_ok(json_parse(&r->arena, kept, text.len, &ours, &e), &e);
	buf_release(&text);
	double mine = json_at(json_at(json_get(json_at(ours, 0), "surrogates"), 0), 1)->number;
	return mine == exact ? PASSED : failed(r, "median %.17g, sorting gives %.17g", mine, exact);
}

/* --- Cases ------------------------------------------------------------------------------------------------------------------------ */

static enum outcome compare_all(struct run *r, const struct json *c, struct pipeline *p, struct fixture_table *t)
{
	struct fixture_table other;
	struct batch out = {0};
	struct err e;
	char text[512];
	bool elsewhere = json_get(c, "apply") != NULL;
	if (str_is(json_get(c, "class")->string, "R")) return check_median(r, t, p);
	if (elsewhere && !fixture_read(&other, c, "apply", r->why)) return SKIPPED;
	err_init(&e);
	enum outcome o = compare_model(r, c, p);
	bool ok = apply(p, elsewhere ? &other : t, &out, &e);
	if (json_get(c, "error")) o = ok ? failed(r, "accepted; Spark: %.*s", 300, json_get(c, "error")->string.data) : PASSED;
	else if (!ok) {
		error_text(&e, text);
		o = failed(r, "apply: %s", text);
	}
	if (ok && o == PASSED) o = compare_output(r, c, p, &out);
	if (ok && o == PASSED) o = compare_attributes(r, c, p);
	batch_release(&out);
	if (elsewhere) fixture_release(&other);
	return o;
}

static enum outcome stage_case(struct run *r, const struct json *c)
{
	struct fixture_table t;
	struct pipeline p;
	struct err e;
	char text[512];
	if (json_get(c, "source")) {
		snprintf(r->why, sizeof r->why, "its rows are in the shared data");
		return SKIPPED;
	}
	if (!fixture_read(&t, c, "rows", r->why)) return FAILED;
	err_init(&e);
	enum outcome o;
	if (fit(&p, stages_of(r, c), &t, &e)) o = compare_all(r, c, &p, &t);
	else if (json_get(c, "error")) o = PASSED;
	else {
		error_text(&e, text);
		o = failed(r, "fit: %s", text);
	}
	pipeline_release(&p);
	fixture_release(&t);
	return o;
}

/* The metric's name is not among the parameters of a fixture; where Spark refuses it, the message has it. */
static void write_refused_metric(const struct json *c, struct json_writer *w)
{
	static const char before[] = "metricName given invalid value ";
	const struct json *error = json_get(c, "error");
	const char *at = error ? memmem(error->string.data, error->string.len, before, sizeof before - 1) : NULL;
	/* An index out of bounds can only come of logLoss, which looks probabilities up by label. */
	bool indexed = error && memmem(error->string.data, error->string.len, "ArrayIndex", 10);
	if (!at && !indexed) return;
	json_key(w, "metricName");
	if (indexed) {
		json_cstr(w, "logLoss");
		return;
	}
	at += sizeof before - 1;
	json_str(w, (struct str){at, strcspn(at, ".")});
}

/* Each row of an evaluator's output: a metric, its value, whether larger is better. */
static enum outcome metric_row(struct run *r, const struct json *c, struct fixture_table *t, struct dataset *rows,
			       const struct json *row)
{
	struct buf text = BUF_INIT((size_t)1 << 24);
	struct json_writer w = JSON_WRITER(&text);
	struct evaluator ev = {0};
	struct json *obj;
	struct err e;
	char why[512];
	err_init(&e);
	json_object_begin(&w);
	json_key(&w, "evaluator");
	json_str(&w, r->stage);
	for (const struct json *m = json_get(c, "params")->child; m; m = m->next) {
		if (row && str_is(m->key, "metricName")) continue;
		json_keyn(&w, m->key);
		json_value(&w, m);
	}
	if (row) {
		json_key(&w, "metricName");
		json_value(&w, json_at(row, 0));
	} else write_refused_metric(c, &w);
	json_object_end(&w);
	char *kept = arena_strndup(&r->arena, text.data, text.len);
	assert_ok(json_parse(&r->arena, kept, text.len, &obj, &e), &e);
	buf_release(&text);
	struct comm *comm = comm_serial_create();
	bool ok = evaluator_parse(&ev, obj, "/evaluate/0", &e) && evaluator_bind(&ev, &t->schema, &e) &&
		  evaluator_run(&ev, comm, rows, &e);
	comm_serial_destroy(comm);
	enum outcome o = PASSED;
	error_text(&e, why);
	bool refused = !row || (json_at(row, 3) && json_at(row, 3)->type == JSON_STRING);
	if (row && refused) o = ok ? failed(r, "accepted; Spark: %.*s", 300, json_at(row, 3)->string.data) : PASSED;
	else if (refused) o = ok ? failed(r, "accepted; Spark: %.*s", 300, json_get(c, "error")->string.data) : PASSED;
	else if (!ok) o = failed(r, "%s", why);
	else {
		const struct json *spark = json_at(row, 1);
		double value = spark->type == JSON_STRING ? NAN : spark->number;
		if (!fixture_close(ev.value, value, slack_of(c)))
			o = failed(r, "%.*s is %.17g, Spark's is %.17g", (int)json_at(row, 0)->string.len, json_at(row, 0)->string.data,
				   ev.value, value);
		else if (ev.larger_better != json_at(row, 2)->boolean) o = failed(r, "isLargerBetter differs");
	}
	evaluator_release(&ev);
	return o;
}

static enum outcome evaluator_case(struct run *r, const struct json *c)
{
	struct fixture_table t;
	struct err e;
	enum outcome o = PASSED;
	if (!fixture_read(&t, c, "rows", r->why)) return FAILED;
	err_init(&e);
	struct dataset *rows = dataset_create(&t.schema, &(struct dataset_options){.shard_count = 1,
										   .memory_max = (uint64_t)1 << 30,
										   .spool_dir = "/tmp"});
	uint8_t *keep = mem_alloc(t.schema.count + 1);
	memset(keep, 1, t.schema.count + 1);
	if (t.rows.rows) assert_ok(dataset_append(rows, &t.rows, keep, &e), &e);
	mem_free(keep);
	const struct json *output = json_get(c, "output");
	if (!output) o = metric_row(r, c, &t, rows, NULL);
	for (const struct json *row = output ? json_get(output, "rows")->child : NULL; row && o == PASSED; row = row->next)
		o = metric_row(r, c, &t, rows, row);
	dataset_destroy(rows);
	fixture_release(&t);
	return o;
}

/* "Stage/case: reason" on a line of known-differences.txt. */
static bool is_known(const struct run *r, struct str name)
{
	char line[256];
	int n = snprintf(line, sizeof line, "\n%.*s/%.*s:", (int)r->stage.len, r->stage.data, (int)name.len, name.data);
	return memmem(r->known.data, r->known.len, line, (size_t)n) != NULL;
}

static enum outcome run_case(struct run *r, const struct json *c, bool evaluator)
{
	struct str name = json_get(c, "case")->string;
	r->why[0] = 0;
	if (str_is(json_get(c, "class")->string, "U")) return SKIPPED;
	enum outcome o = evaluator ? evaluator_case(r, c) : stage_case(r, c);
	if (!is_known(r, name)) return o;
	if (o == PASSED) return failed(r, "listed in known-differences.txt, but it passes");
	return SKIPPED;
}

int main(int argc, char **argv)
{
	static const char *const words[] = {"passed", "FAILED", "skipped"};
	struct run r = {0};
	struct json *fixture;
	struct err e;
	size_t counts[3] = {0};
	if (argc < 2) return 2;
	err_init(&e);
	struct str text = support_read(&r.arena, argv[1]);
	r.known = support_read(&r.arena, arena_printf(&r.arena, "%s/tests/parity/known-differences.txt", support_source()));
	assert_ok(json_parse(&r.arena, text.data, text.len, &fixture, &e), &e);
	r.stage = json_get(fixture, "stage")->string;
	bool evaluator = strstr(argv[1], "/evaluators/") != NULL;
	for (const struct json *c = json_get(fixture, "cases")->child; c; c = c->next) {
		struct str name = json_get(c, "case")->string;
		if (argc > 2 && !str_is(name, argv[2])) continue;
		enum outcome o = run_case(&r, c, evaluator);
		counts[o]++;
		if (o != PASSED) printf("%s %.*s/%.*s %s\n", words[o], (int)r.stage.len, r.stage.data, (int)name.len, name.data, r.why);
	}
	printf("%zu passed, %zu failed, %zu skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
	arena_release(&r.arena);
	return counts[FAILED] > 0 || counts[PASSED] == 0;
}
