/* LogisticRegression beyond Spark's fixtures: gradients, an independent optimum, the same bits for any number of
 * ranks and any memory, checkpoints, constants, hostile bytes. */
#include "tests/support/comm_fork.h"
#include "tests/support/support.h"

#include "base/rng.h"
#include "data/dataset.h"
#include "pipeline/models/logistic_loss.h"
#include "pipeline/models/logistic_regression.h"

#include <lbfgs.h>
#include <math.h>
#include <stdio.h>

extern const struct stage_type logistic_regression_stage;

/* --- Rows made from numbers: a value is a function of (row, feature) --------------------------------------------- */

struct rows {
	size_t count, features, stored, classes; /* stored: entries of a row; features: dense */
	size_t shards;
	bool weighted;
	double constant; /* of feature 0; 0: it varies too */
};

static double draw(size_t row, size_t k) { return rng_unit(rng_at(row * 1000003 + 17, k)); }

static size_t feature_at(const struct rows *r, size_t row, size_t k)
{
	size_t span = r->features / r->stored; /* ascending: one draw in each span */
	return r->stored == r->features ? k : k * span + (size_t)(pow(draw(row, k + 5000), 3) * (double)span);
}

static double value_at(const struct rows *r, size_t row, size_t k)
{
	if (k == 0 && r->constant != 0) return r->constant;
	return r->stored == r->features ? 4 * draw(row, k) - 2 + (double)k : draw(row, k) + 0.1;
}

/* Labels that the features explain in part. */
static double label_at(const struct rows *r, size_t row)
{
	double score = 0;
	for (size_t k = 0; k < r->stored; k++) score += sin((double)feature_at(r, row, k) * 0.7) * (draw(row, k) - 0.5);
	double u = 1 / (1 + exp(-4 * score)) + 0.4 * (draw(row, 9999) - 0.5);
	return fmin(fmax(floor(u * (double)r->classes), 0), (double)r->classes - 1);
}

static double weight_at(const struct rows *r, size_t row) { return r->weighted ? (double)(row % 4) * 0.75 : 1; }

static void fill_batch(const struct rows *r, size_t from, size_t to, struct batch *b)
{
	uint32_t *idx = mem_alloc(r->stored * sizeof *idx);
	double *val = mem_alloc(r->stored * sizeof *val);
	for (size_t row = from; row < to; row++, b->rows++) {
		for (size_t k = 0; k < r->stored; k++) {
			idx[k] = (uint32_t)feature_at(r, row, k);
			val[k] = value_at(r, row, k);
		}
		if (r->stored == r->features) column_dense(&b->columns[0], val, r->features);
		else column_sparse(&b->columns[0], (uint32_t)r->features, idx, val, r->stored);
		column_double(&b->columns[1], label_at(r, row));
		column_double(&b->columns[2], weight_at(r, row));
	}
	mem_free(idx);
	mem_free(val);
}

static void make_schema(struct schema *s)
{
	static const struct {
		const char *name;
		enum col_type type;
	} columns[] = {{"features", COL_VECTOR}, {"label", COL_DOUBLE}, {"w", COL_DOUBLE}};
	*s = SCHEMA_INIT;
	for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
		schema_add(s, &(struct column_def){.name = STR(columns[i].name), .type = columns[i].type});
}

static struct dataset *make_dataset(const struct rows *r, const struct comm *c, const struct schema *schema)
{
	static const uint8_t keep[] = {1, 1, 1};
	struct dataset_options options = {
		.shard_count = r->shards, .memory_max = (uint64_t)1 << 32, .spool_dir = "/tmp"};
	struct dataset *d = dataset_create(schema, &options);
	struct batch b;
	struct err e;
	err_init(&e);
	batch_init(&b, schema);
	for (size_t s = comm_shard_first(c, c->rank); s < comm_shard_end(c, c->rank); s++)
		for (size_t at = r->count * s / r->shards, end = r->count * (s + 1) / r->shards; at < end;) {
			size_t to = MIN(at + BATCH_ROWS, end);
			batch_clear(&b);
			b.shard = (uint32_t)s;
			b.first_row = at - r->count * s / r->shards;
			fill_batch(r, at, to, &b);
			assert_ok(dataset_append(d, &b, keep, &e), &e);
			at = to;
		}
	batch_release(&b);
	return d;
}

/* --- A fit ------------------------------------------------------------------------------------------------------- */

struct job {
	struct rows rows;
	const char *params; /* members behind the stage's name */
	uint64_t memory_max;
	size_t save_at; /* iteration whose checkpoint is kept */
	struct buf saved;
	const struct buf *resume;
	size_t iteration;
};

static void on_progress(void *ctx, size_t iteration, double objective)
{
	(void)objective;
	((struct job *)ctx)->iteration = iteration;
}
static bool on_due(void *ctx)
{
	const struct job *j = ctx;
	return j->save_at && j->iteration == j->save_at;
}
static bool on_save(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct job *j = ctx;
	(void)e;
	buf_clear(&j->saved);
	buf_append(&j->saved, bytes, len);
	return true;
}

static void parse_stage(struct stage *s, struct schema *schema, const char *params)
{
	struct arena a = ARENA_INIT;
	struct json *obj;
	struct err e;
	err_init(&e);
	char *text = arena_printf(&a, "{\"stage\":\"LogisticRegression\"%s%s}", *params ? "," : "", params);
	assert_ok(json_parse(&a, text, strlen(text), &obj, &e), &e);
	assert_ok(stage_parse(s, 0, obj, "/pipeline", &e), &e);
	assert_ok(stage_bind(s, schema, &e), &e);
	arena_release(&a);
}

/* s: a stage to be fitted, released by the caller. */
static bool fit_stage(struct job *j, struct comm *c, struct stage *s, struct err *e)
{
	struct schema bound, source;
	c->shard_count = j->rows.shards;
	make_schema(&bound);
	make_schema(&source);
	parse_stage(s, &bound, j->params);
	struct dataset *d = make_dataset(&j->rows, c, &source);
	struct fit f = {.comm = c,
			.rows = d,
			.memory_max = j->memory_max ? j->memory_max : (uint64_t)1 << 32,
			.ctx = j,
			.progress = on_progress,
			.checkpoint_due = on_due,
			.checkpoint_save = on_save};
	if (j->resume) {
		f.resume = j->resume->data;
		f.resume_len = j->resume->len;
	}
	bool ok = s->type->fit(s, &f, e);
	s->fitted = ok;
	dataset_destroy(d);
	schema_release(&bound);
	schema_release(&source);
	return ok;
}

static bool fit_bytes(struct comm *c, void *ctx, struct buf *out)
{
	struct job *j = ctx;
	struct stage s;
	struct err e;
	err_init(&e);
	bool ok = fit_stage(j, c, &s, &e);
	if (ok) s.type->encode(&s, out);
	stage_release(&s);
	return ok;
}

static void fit_alone(struct job *j, struct stage *s)
{
	struct comm *c = comm_serial_create();
	struct err e;
	err_init(&e);
	assert_ok(fit_stage(j, c, s, &e), &e);
	assert_true(((const struct logistic_regression_state *)s->state)->iterations > 2);
	comm_serial_destroy(c);
}

static void assert_same(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
}

/* A problem of each kind. The last one is wide: many coefficients, many entries. */
static const struct job JOBS[] = {
	{.rows = {300, 5, 5, 2, 7, .weighted = true}, .params = "\"weightCol\":\"w\",\"regParam\":0.01"},
	{.rows = {300, 6, 6, 3, 7, .constant = 0.1}, .params = "\"regParam\":0.02,\"elasticNetParam\":0.5"},
	{.rows = {400, 200, 9, 2, 11}, .params = "\"regParam\":0.001,\"elasticNetParam\":1,\"standardization\":false"},
	{.rows = {200, 30, 4, 4, 3}, .params = "\"fitIntercept\":false,\"maxIter\":7"},
	{.rows = {4000, 90000, 300, 2, 5}, .params = "\"regParam\":1e-4,\"standardization\":false"},
	{.rows = {4000, 30000, 270, 3, 5, .weighted = true},
	 .params = "\"regParam\":1e-3,\"elasticNetParam\":0.2,\"weightCol\":\"w\",\"maxIter\":8"},
};

/* --- Ranks, memory, checkpoints ---------------------------------------------------------------------------------- */

static void same_bits_for_ranks_and_memory(void **state)
{
	static const unsigned ranks[] = {1, 2, 3, 5};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(JOBS); k++) {
		struct job j = JOBS[k];
		struct buf alone = BUF_INIT(1 << 28), outs[5];
		struct comm *c = comm_serial_create();
		assert_true(fit_bytes(c, &j, &alone));
		comm_serial_destroy(c);
		for (size_t m = 0; m < ARRAY_COUNT(ranks); m++) {
			j.memory_max = m % 2 ? 1000 : 0; /* too little to keep places */
			for (unsigned r = 0; r < ranks[m]; r++) outs[r] = BUF_INIT(1 << 28);
			assert_true(comm_fork_run(ranks[m], fit_bytes, &j, outs));
			for (unsigned r = 0; r < ranks[m]; r++) {
				assert_same(&outs[r], &alone);
				buf_release(&outs[r]);
			}
		}
		buf_release(&alone);
	}
}

static void continues_from_a_checkpoint(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(JOBS); k++) {
		struct job j = JOBS[k];
		struct buf whole = BUF_INIT(1 << 28), outs[2] = {BUF_INIT(1 << 28), BUF_INIT(1 << 28)};
		struct comm *c = comm_serial_create();
		j.saved = BUF_INIT(1 << 28);
		j.save_at = 4;
		assert_true(fit_bytes(c, &j, &whole));
		comm_serial_destroy(c);
		assert_true(j.saved.len > 0);
		struct job again = JOBS[k];
		again.resume = &j.saved;
		assert_true(comm_fork_run(2, fit_bytes, &again, outs));
		for (unsigned r = 0; r < 2; r++) {
			assert_same(&outs[r], &whole);
			buf_release(&outs[r]);
		}
		buf_release(&whole);
		buf_release(&j.saved);
	}
}

static void refuses_a_foreign_checkpoint(void **state)
{
	struct buf junk = BUF_INIT(1 << 10);
	struct comm *c = comm_serial_create();
	struct job j = JOBS[0];
	struct stage s;
	struct err e;
	(void)state;
	err_init(&e);
	buf_str(&junk, "\1not a checkpoint");
	j.resume = &junk;
	assert_false(fit_stage(&j, c, &s, &e));
	assert_int_equal(e.code, ERR_internal);
	stage_release(&s);
	buf_release(&junk);
	comm_serial_destroy(c);
}

/* --- The gradient is the slope of the loss ----------------------------------------------------------------------- */

struct probe {
	struct comm *comm;
	struct dataset *rows;
	struct schema schema;
	struct fit fit;
	struct stage stage;
	struct logistic_columns columns;
	struct logistic_rows counted;
	struct logistic_space space;
	struct logistic_walk walk;
	struct logistic_moments moments;
	struct logistic_loss loss;
};

static void probe_open(struct probe *p, const struct rows *rows, size_t sets, bool intercept)
{
	static const struct logistic_penalty none;
	struct schema bound;
	struct err e;
	err_init(&e);
	p->comm = comm_serial_create();
	p->comm->shard_count = rows->shards;
	make_schema(&p->schema);
	make_schema(&bound);
	parse_stage(&p->stage, &bound, "");
	p->rows = make_dataset(rows, p->comm, &p->schema);
	p->fit = (struct fit){.comm = p->comm, .rows = p->rows, .memory_max = (uint64_t)1 << 32};
	p->columns = (struct logistic_columns){0, 1, rows->weighted ? 2 : -1};
	assert_ok(logistic_rows_count(&p->stage, &p->fit, &p->columns, &p->counted, &e), &e);
	logistic_space_init(&p->space, &p->counted, sets, intercept);
	logistic_walk_init(&p->walk, &p->fit, &p->columns, &p->counted, p->space.place);
	assert_ok(logistic_moments_fit(&p->walk, &p->counted, p->space.active, &p->moments, &e), &e);
	logistic_space_scale(&p->space, &p->moments, &none);
	logistic_loss_init(&p->loss, &p->walk, &p->space);
	schema_release(&bound);
}

static void probe_close(struct probe *p)
{
	logistic_loss_release(&p->loss);
	logistic_moments_release(&p->moments);
	logistic_walk_release(&p->walk);
	logistic_space_release(&p->space);
	logistic_rows_release(&p->counted);
	dataset_destroy(p->rows);
	schema_release(&p->schema);
	stage_release(&p->stage);
	comm_serial_destroy(p->comm);
}

static void gradient_is_the_slope(void **state)
{
	static const struct {
		struct rows rows;
		size_t sets;
		bool intercept;
	} cases[] = {
		{{200, 5, 5, 2, 3, .weighted = true}, 1, true}, {{200, 5, 5, 2, 3}, 1, false},
		{{200, 40, 6, 2, 3}, 1, true},			{{200, 5, 5, 4, 3}, 4, true},
		{{200, 40, 6, 3, 3, .weighted = true}, 3, false}, {{4000, 70000, 270, 2, 3}, 1, true},
		{{4000, 30000, 270, 3, 3}, 3, true},
	};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(cases); k++) {
		struct probe p;
		struct err e;
		double value, up, down;
		err_init(&e);
		probe_open(&p, &cases[k].rows, cases[k].sets, cases[k].intercept);
		size_t n = p.space.n;
		double *x = mem_zalloc(n, sizeof *x), *g = mem_zalloc(n, sizeof *g), *scrap = mem_zalloc(n, sizeof *g);
		for (size_t i = 0; i < n; i++) x[i] = 0.3 * sin((double)i * 1.7);
		assert_ok(logistic_loss(&p.loss, x, g, &value, &e), &e);
		for (size_t probe = 0; probe < 8; probe++) {
			size_t i = probe < 4 ? probe * (n - 1) / 3 : (probe * 7919) % n;
			double h = 1e-5, here = x[i];
			x[i] = here + h;
			assert_ok(logistic_loss(&p.loss, x, scrap, &up, &e), &e);
			x[i] = here - h;
			assert_ok(logistic_loss(&p.loss, x, scrap, &down, &e), &e);
			x[i] = here;
			assert_true(fabs((up - down) / (2 * h) - g[i]) < 1e-8);
		}
		mem_free(x);
		mem_free(g);
		mem_free(scrap);
		probe_close(&p);
	}
}

/* --- liblbfgs finds the same optimum in the rows' own scale ------------------------------------------------------ */

struct oracle {
	const struct rows *rows;
	const double *penalty; /* by feature */
};

/* Binomial: mean log loss + ½ Σ penalty·w²; the last variable is the intercept. */
static lbfgsfloatval_t oracle_loss(void *ctx, const lbfgsfloatval_t *w, lbfgsfloatval_t *g, const int n,
				   const lbfgsfloatval_t step)
{
	const struct oracle *o = ctx;
	size_t d = (size_t)n - 1;
	double f = 0, total = 0;
	(void)step;
	memset(g, 0, (size_t)n * sizeof *g);
	for (size_t row = 0; row < o->rows->count; row++) {
		double margin = w[d], weight = weight_at(o->rows, row), y = label_at(o->rows, row);
		for (size_t k = 0; k < o->rows->stored; k++)
			margin += w[feature_at(o->rows, row, k)] * value_at(o->rows, row, k);
		f += weight * (y > 0 ? log1p(exp(-margin)) : log1p(exp(margin)));
		double r = weight * (1 / (1 + exp(-margin)) - y);
		for (size_t k = 0; k < o->rows->stored; k++)
			g[feature_at(o->rows, row, k)] += r * value_at(o->rows, row, k);
		g[d] += r;
		total += weight;
	}
	f /= total;
	for (size_t j = 0; j < (size_t)n; j++) {
		double penalty = j < d ? o->penalty[j] : 0;
		f += penalty * w[j] * w[j] / 2;
		g[j] = g[j] / total + penalty * w[j];
	}
	return f;
}

static void agrees_with_liblbfgs(void **state)
{
	static const struct job jobs[] = {
		{.rows = {250, 4, 4, 2, 3, .weighted = true},
		 .params = "\"weightCol\":\"w\",\"regParam\":0.05,\"standardization\":false,\"tol\":1e-13,\"maxIter\":"
			   "1000"},
		{.rows = {400, 60, 5, 2, 3},
		 .params = "\"regParam\":0.01,\"standardization\":false,\"tol\":1e-13,\"maxIter\":1000"},
	};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(jobs); k++) {
		struct job j = jobs[k];
		struct stage s;
		fit_alone(&j, &s);
		const struct logistic_regression_state *st = s.state;
		const struct logistic_regression_params *p = s.params;
		size_t d = st->features;
		double f, *penalty = mem_alloc(d * sizeof *penalty), *w = lbfgs_malloc((int)d + 1);
		for (size_t i = 0; i < d; i++) penalty[i] = p->reg_param;
		for (size_t i = 0; i <= d; i++) w[i] = 0;
		struct oracle o = {&j.rows, penalty};
		lbfgs_parameter_t param;
		lbfgs_parameter_init(&param);
		param.epsilon = 1e-10;
		param.max_iterations = 2000;
		(void)lbfgs((int)d + 1, w, &f, oracle_loss, NULL, &o, &param);
		assert_true(fabs(f - st->objective[st->iterations]) < 1e-11);
		for (size_t i = 0; i < d; i++) assert_true(fabs(w[i] - st->coefficients[i]) < 1e-6);
		/* The oracle does not centre the features: its intercept is as good as its objective. */
		assert_true(fabs(w[d] - st->intercepts[0]) < 1e-5);
		mem_free(penalty);
		lbfgs_free(w);
		stage_release(&s);
	}
}

/* The wide way ends early, but no further from the minimum than tol of the start says; with a tight tol it is there. */
static void wide_problems_end_within_tol(void **state)
{
	struct job loose = JOBS[4], tight = JOBS[4];
	struct stage a, b;
	(void)state;
	tight.params = "\"regParam\":1e-4,\"standardization\":false,\"tol\":1e-12,\"maxIter\":1000";
	fit_alone(&loose, &a);
	fit_alone(&tight, &b);
	const struct logistic_regression_state *x = a.state, *y = b.state;
	double best = y->objective[y->iterations];
	assert_true(x->objective[x->iterations] - best <= 1e-6 * x->objective[0]);
	assert_true(x->objective[x->iterations] >= best);
	assert_true(x->iterations < y->iterations);
	stage_release(&a);
	stage_release(&b);
}

/* --- Constants, weights ------------------------------------------------------------------------------------------ */

/* 0.1 has no exact sum: its variance is exactly 0 all the same, alone or under weights, and a real spread is not
 * lost. */
static void constants_get_coefficient_0(void **state)
{
	static const double constants[] = {0.1, -7.3, 1e9, 1e-200, 1e300};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(constants); k++)
		for (int weighted = 0; weighted < 2; weighted++) {
			struct job j = {.rows = {303, 3, 3, 2, 4, weighted, constants[k]},
					.params = "\"weightCol\":\"w\""};
			struct stage s;
			fit_alone(&j, &s);
			const struct logistic_regression_state *st = s.state;
			assert_true(st->coefficients[0] == 0);
			assert_true(st->coefficients[1] != 0 && st->coefficients[2] != 0);
			stage_release(&s);
		}
}

/* --- Predictions ------------------------------------------------------------------------------------------------- */

static void thresholds_decide(void **state)
{
	static const struct {
		const char *params;
		double margin, expect;
	} cases[] = {
		{"", 0, 0},
		{"", 1e-9, 1},
		{"\"threshold\":0.8", 1.3, 0},
		{"\"threshold\":0.8", 1.4, 1},
		{"\"threshold\":0", -700, 1},
		{"\"threshold\":1", 700, 0},
		{"\"thresholds\":[0.2,0.8]", 1.3, 0},
		{"\"thresholds\":[0.2,0.8]", 1.4, 1},
		{"\"thresholds\":[0,1]", 50, 0},
		{"\"thresholds\":[1,0]", -50, 1},
		{"\"threshold\":0.8,\"rawPredictionCol\":\"\"", 1.4, 1},
		{"\"threshold\":0.8,\"rawPredictionCol\":\"\",\"probabilityCol\":\"\"", 1.4, 1},
		{"\"threshold\":0.8,\"rawPredictionCol\":\"\",\"probabilityCol\":\"\"", 1.3, 0},
	};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(cases); k++) {
		struct schema schema;
		struct stage s;
		make_schema(&schema);
		parse_stage(&s, &schema, cases[k].params);
		struct logistic_regression_state *st = s.state;
		st->sets = 1;
		st->classes = 2;
		double probability[2];
		struct logistic_decision d = logistic_regression_decision(&s);
		logistic_regression_probability(st, &cases[k].margin, probability);
		assert_true(logistic_regression_predict(&s, &d, &cases[k].margin, probability) == cases[k].expect);
		stage_release(&s);
		schema_release(&schema);
	}
}

static void refuses_parameters(void **state)
{
	static const char *const wrong[] = {
		"\"lowerBoundsOnCoefficients\":[[0]]", "\"upperBoundsOnIntercepts\":{\"d\":[1]}",
		"\"thresholds\":[0,0]",		       "\"threshold\":0.6,\"thresholds\":[0.7,0.3]",
		"\"threshold\":0.6,\"thresholds\":[1,2,3]", "\"regParam\":\"Infinity\"",
		"\"tol\":\"NaN\"",			 "\"family\":\"gaussian\"",
		"\"maxIter\":-1",			 "\"thresholds\":[-1,1]",
	};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(wrong); k++) {
		struct arena a = ARENA_INIT;
		struct json *obj;
		struct stage s;
		struct err e;
		err_init(&e);
		char *text = arena_printf(&a, "{\"stage\":\"LogisticRegression\",%s}", wrong[k]);
		assert_ok(json_parse(&a, text, strlen(text), &obj, &e), &e);
		assert_false(stage_parse(&s, 3, obj, "/pipeline", &e));
		assert_int_equal(e.code, ERR_invalid);
		assert_true(strncmp(e.faults[0].pointer, "/pipeline/3/", 12) == 0);
		stage_release(&s);
		arena_release(&a);
	}
}

/* --- Bytes ------------------------------------------------------------------------------------------------------- */

static bool decode_into(struct stage *s, const char *params, const void *bytes, size_t len, struct err *e)
{
	struct schema schema;
	make_schema(&schema);
	parse_stage(s, &schema, params);
	schema_release(&schema);
	struct cursor in = CURSOR(bytes, len);
	return s->type->decode(s, &in, e);
}

/* Whatever the bytes are: a sentence, or a state that can be described and encoded again. */
static void hostile_bytes_are_refused(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct job j = JOBS[k];
		struct buf bytes = BUF_INIT(1 << 24);
		struct comm *c = comm_serial_create();
		struct err e;
		err_init(&e);
		assert_true(fit_bytes(c, &j, &bytes));
		comm_serial_destroy(c);
		for (size_t i = 0; i < bytes.len; i += 1 + i / 97) {
			struct stage s;
			assert_false(decode_into(&s, j.params, bytes.data, i, &e) && i < bytes.len);
			stage_release(&s);
			char was = bytes.data[i];
			bytes.data[i] = (char)(was ^ (1 << (i % 8)));
			if (decode_into(&s, j.params, bytes.data, bytes.len, &e)) {
				struct buf text = BUF_INIT(1 << 24);
				struct json_writer w = JSON_WRITER(&text);
				json_object_begin(&w);
				s.type->state(&s, &w);
				json_object_end(&w);
				buf_clear(&text);
				s.type->encode(&s, &text);
				buf_release(&text);
			}
			stage_release(&s);
			bytes.data[i] = was;
		}
		buf_release(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradient_is_the_slope),
		cmocka_unit_test(agrees_with_liblbfgs),
		cmocka_unit_test(wide_problems_end_within_tol),
		cmocka_unit_test(constants_get_coefficient_0),
		cmocka_unit_test(same_bits_for_ranks_and_memory),
		cmocka_unit_test(continues_from_a_checkpoint),
		cmocka_unit_test(refuses_a_foreign_checkpoint),
		cmocka_unit_test(thresholds_decide),
		cmocka_unit_test(refuses_parameters),
		cmocka_unit_test(hostile_bytes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
