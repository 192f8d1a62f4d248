/* A case of a stage or of a pipeline: fitted, its state compared, encoded and decoded, applied, columns compared. */
#include "tests/parity/parity.h"

#include <stdio.h>

/* The `pipeline` array of a case: its stages, or the one stage with its parameters. */
static const struct json *stages_of(struct run *r, const struct json *c)
{
	const struct json *params = json_get(c, "params"), *stages = json_get(params, "stages");
	struct buf text = BUF_INIT((size_t)1 << 26);
	struct json_writer w = JSON_WRITER(&text);
	if (stages) return stages;
	json_array_begin(&w);
	json_object_begin(&w);
	json_key(&w, "stage");
	json_str(&w, r->stage);
	for (const struct json *m = params->child; m; m = m->next) {
		json_keyn(&w, m->key);
		fixture_param(&w, m);
	}
	json_object_end(&w);
	json_array_end(&w);
	return reparsed(r, &text);
}

/* --- Fit and apply ------------------------------------------------------------------------------------------- */

static void fill(struct batch *b, const struct schema *schema, const struct fixture_table *t)
{
	for (size_t c = 0; c < t->schema.count; c++) {
		int slot = schema_find_first(schema, t->schema.columns[c].name);
		for (size_t i = 0; slot >= 0 && i < t->rows.rows; i++)
			column_copy_row(&b->columns[slot], &t->rows.columns[c], i);
	}
	b->rows = t->rows.rows;
}

static bool read_rows(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b,
		      bool (*sink)(void *sink_ctx, struct batch *b, struct err *e), void *sink_ctx, struct err *e)
{
	const struct fixture_table *t = ctx;
	(void)shard, (void)wanted;
	batch_clear(b);
	fill(b, b->schema, t);
	return sink(sink_ctx, b, e);
}

static bool fit(struct pipeline *p, const struct json *stages, struct fixture_table *t, struct err *e)
{
	*p = (struct pipeline){0};
	if (!pipeline_parse(p, stages, "/pipeline", e) || !pipeline_bind(p, &t->schema, e)) return false;
	struct comm *c = comm_serial_create();
	struct pipeline_fit f = {
		.comm = c, .memory_max = (uint64_t)1 << 30, .spool_dir = "/tmp", .read = read_rows, .ctx = t};
	bool ok = pipeline_fit(p, &f, NULL, e) && pipeline_bind(p, &t->schema, e);
	comm_serial_destroy(c);
	return ok;
}

/* p is bound to the table's schema or to a part of it. */
static bool apply(struct pipeline *p, const struct fixture_table *t, struct batch *out, struct err *e)
{
	uint8_t *wanted = mem_alloc(p->schema.count + 1);
	memset(wanted, 1, p->schema.count + 1);
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	pipeline_plan_make(&plan, p, wanted, NULL);
	pipeline_scratch_init(&scratch, p);
	batch_init(out, &p->schema);
	batch_clear(out);
	fill(out, &p->schema, t);
	bool ok = pipeline_apply(&plan, out, &scratch, e);
	pipeline_scratch_release(&scratch);
	pipeline_plan_release(&plan);
	mem_free(wanted);
	return ok;
}

/* --- Comparing ----------------------------------------------------------------------------------------------- */

/* Some cases compare only what their list names. */
static bool is_compared(const struct json *c, struct str name)
{
	const struct json *only = json_get(c, "compare");
	if (!only) return true;
	for (const struct json *m = only->child; m; m = m->next)
		if (str_eq(m->string, name)) return true;
	return false;
}

static enum outcome compare_column(struct run *r, const struct json *c, const struct pipeline *p, const struct batch *b,
				   const struct json *col, size_t k)
{
	struct str name = json_get(col, "name")->string, type = json_get(col, "type")->string;
	int slot = schema_find(&p->schema, name);
	if (slot < 0) return failed(r, "no column %.*s", (int)name.len, name.data);
	const struct column_def *def = &p->schema.columns[slot];
	if (!str_is(type, col_type_name(def->type)))
		return failed(r, "column %.*s is %s, Spark's is %.*s", (int)name.len, name.data,
			      col_type_name(def->type), (int)type.len, type.data);
	size_t i = 0;
	for (const struct json *row = json_get(json_get(c, "output"), "rows")->child; row; row = row->next, i++) {
		char where[512];
		if (!fixture_cell(&b->columns[slot], i, json_at(row, k), slack_of(c), where))
			return failed(r, "column %.*s, row %zu: %s", (int)name.len, name.data, i, where);
	}
	return PASSED;
}

/* all: every column must be there; a decoded pipeline lacks those that no stage reads. */
static enum outcome compare_output(struct run *r, const struct json *c, const struct pipeline *p, const struct batch *b,
				   bool all)
{
	const struct json *output = json_get(c, "output"), *rows = json_get(output, "rows");
	enum outcome o = PASSED;
	size_t k = 0;
	/* Of a file's rows the fixture shows some. */
	if (!output || json_get(c, "source")) return PASSED;
	if (rows->count != b->rows) return failed(r, "%zu rows come out, Spark gives %zu", b->rows, rows->count);
	for (const struct json *col = json_get(output, "columns")->child; col && o == PASSED; col = col->next, k++) {
		struct str name = json_get(col, "name")->string;
		if (!is_compared(c, name) || (!all && schema_find(&p->schema, name) < 0)) continue;
		o = compare_column(r, c, p, b, col, k);
	}
	return o;
}

static enum outcome compare_attribute(struct run *r, const struct json *c, const struct column_def *def,
				      const struct json *spark)
{
	struct buf text = BUF_INIT((size_t)1 << 24);
	struct json_writer w = JSON_WRITER(&text);
	char where[512];
	if (!def->attrs) return failed(r, "nothing is known of %.*s", (int)def->name.len, def->name.data);
	attrs_write(def->attrs, &w);
	if (fixture_same(reparsed(r, &text), spark, slack_of(c), where)) return PASSED;
	return failed(r, "attributes of %.*s: %s", (int)def->name.len, def->name.data, where);
}

/* Attributes of the columns that the stages made; learners' fixtures do not show any. */
static enum outcome compare_attributes(struct run *r, const struct json *c, const struct pipeline *p)
{
	const struct json *expected = json_get(c, "outputAttributes");
	enum outcome o = PASSED;
	for (const struct json *m = expected ? expected->child : NULL; m && o == PASSED; m = m->next) {
		int slot = schema_find(&p->schema, m->key);
		o = slot < 0 ? failed(r, "no column %.*s", (int)m->key.len, m->key.data) :
			       compare_attribute(r, c, &p->schema.columns[slot], m);
	}
	for (size_t k = p->input_count; expected && k < p->schema.count && o == PASSED; k++) {
		const struct column_def *def = &p->schema.columns[k];
		bool shown = false;
		for (const struct json *m = expected->child; m; m = m->next) shown |= str_eq(m->key, def->name);
		if (!shown && def->attrs)
			o = failed(r, "attributes of %.*s, of which Spark knows nothing", (int)def->name.len,
				   def->name.data);
	}
	return o;
}

/* Members that are not compared: how a solver came to its optimum is its own, and an accessor that was called with an
 * argument (fMeasureByLabel_beta0.5) shows what a caller asked for, not what the model holds; so do a Word2Vec's synonyms,
 * which follow from its vectors. Searches are lsh_case's. */
static bool is_incidental(struct str name)
{
	static const char *const names[] = {"stage", "totalIterations", "synonyms", "approxNearestNeighbors",
					    "approxSimilarityJoin"};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (str_is(name, names[i])) return true;
	return memmem(name.data, name.len, "_beta", 5) != NULL;
}

/* Each accessor that Spark printed, among ours; a pipeline's stage by stage, a training summary's one by one. */
static enum outcome compare_state(struct run *r, const struct json *c, const struct json *ours,
				  const struct json *spark)
{
	for (const struct json *m = spark->child; m; m = m->next) {
		char where[512] = "we show no such member", name[128];
		snprintf(name, sizeof name, "%.*s", (int)m->key.len, m->key.data);
		if (is_incidental(m->key) || !is_compared(c, m->key)) continue;
		const struct json *mine = json_get(ours, name);
		if (mine && str_is(m->key, "summary")) {
			if (compare_state(r, c, mine, m) != PASSED) return FAILED;
			continue;
		}
		if (!mine || !fixture_same(mine, m, slack_of(c), where)) return failed(r, "model %s: %s", name, where);
	}
	return PASSED;
}

static const struct json *state_of(struct run *r, const struct pipeline *p)
{
	struct buf text = BUF_INIT((size_t)1 << 28);
	struct json_writer w = JSON_WRITER(&text);
	pipeline_state(p, &w);
	return reparsed(r, &text);
}

static enum outcome compare_model(struct run *r, const struct json *c, const struct pipeline *p)
{
	const struct json *model = json_get(c, "model"), *stages = json_get(model, "stages");
	enum outcome o = PASSED;
	size_t i = 0;
	if (!model) return PASSED;
	const struct json *ours = state_of(r, p);
	if (!stages) return compare_state(r, c, json_at(ours, 0), model);
	for (const struct json *s = stages->child; s && o == PASSED; s = s->next, i++)
		o = compare_state(r, c, json_at(ours, i), s);
	return o;
}

/* --- Refusals ------------------------------------------------------------------------------------------------ */

/* Where Spark refused: "transform: …"; what it refuses earlier, we must not find out later. */
static bool refused_at_transform(const struct json *c)
{
	struct str error = json_get(c, "error")->string;
	return error.len > 10 && memcmp(error.data, "transform:", 10) == 0;
}

static enum outcome check_refusal(struct run *r, const struct json *c, bool fitted, bool applied, const struct err *e)
{
	struct str error = json_get(c, "error")->string;
	if (applied) return failed(r, "accepted; Spark: %.*s", (int)MIN(error.len, (size_t)300), error.data);
	if (fitted && !refused_at_transform(c))
		return failed(r, "refused only when applied; Spark: %.*s", (int)MIN(error.len, (size_t)300),
			      error.data);
	return err_status(e->code) / 100 == 4 ? PASSED :
						failed_with(r, "refused, but not as a fault of the request", e);
}

/* --- Cases --------------------------------------------------------------------------------------------------- */

/* What the stored model answers, bound to the columns it says itself that it reads. */
static enum outcome compare_decoded(struct run *r, const struct json *c, const struct pipeline *p,
				    const struct fixture_table *t)
{
	struct buf bytes = BUF_INIT((size_t)1 << 28);
	struct pipeline stored;
	struct batch out = {0};
	struct err e;
	err_init(&e);
	assert_ok(pipeline_encode(p, &bytes, &e), &e);
	assert_ok(pipeline_decode(&stored, bytes.data, bytes.len, &e), &e);
	buf_release(&bytes);
	enum outcome o = apply(&stored, t, &out, &e) ? compare_output(r, c, &stored, &out, false) :
						       failed_with(r, "decoded, apply", &e);
	if (o == PASSED) o = compare_model(r, c, &stored);
	batch_release(&out);
	pipeline_release(&stored);
	return o;
}

static enum outcome apply_case(struct run *r, const struct json *c, struct pipeline *p, const struct fixture_table *t)
{
	struct batch out = {0};
	struct err e;
	err_init(&e);
	bool ok = pipeline_bind(p, &t->schema, &e) && apply(p, t, &out, &e);
	enum outcome o = json_get(c, "error") ? check_refusal(r, c, true, ok, &e) :
			 !ok		      ? failed_with(r, "apply", &e) :
						compare_output(r, c, p, &out, true);
	if (ok && o == PASSED) o = compare_attributes(r, c, p);
	if (ok && o == PASSED) o = lsh_case(r, c, p, &out);
	batch_release(&out);
	if (ok && o == PASSED && !json_get(c, "applySchema")) o = compare_decoded(r, c, p, t);
	return o;
}

static enum outcome fitted_case(struct run *r, const struct json *c, struct pipeline *p, struct fixture_table *t)
{
	struct fixture_table other;
	if (rank_case_is(r, c)) return rank_case(r, c, t, json_at(state_of(r, p), 0));
	enum outcome o = compare_model(r, c, p);
	if (o != PASSED) return o;
	if (!json_get(c, "apply")) return apply_case(r, c, p, t);
	if (!fixture_read(&other, r->stage, c, "apply", r->why)) return SKIPPED;
	o = apply_case(r, c, p, &other);
	fixture_release(&other);
	return o;
}

enum outcome stage_case(struct run *r, const struct json *c)
{
	struct fixture_table t;
	struct pipeline p;
	struct err e;
	if (!fixture_read(&t, r->stage, c, "rows", r->why)) return json_get(c, "source") ? SKIPPED : FAILED;
	err_init(&e);
	enum outcome o = fit(&p, stages_of(r, c), &t, &e) ? fitted_case(r, c, &p, &t) :
			 json_get(c, "error")		  ? check_refusal(r, c, false, false, &e) :
							    failed_with(r, "fit", &e);
	pipeline_release(&p);
	fixture_release(&t);
	return o;
}
