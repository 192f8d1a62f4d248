/* L-BFGS and OWL-QN: known minima, liblbfgs as oracle, the same bits for any number of ranks, checkpoints. */
#include "tests/support/comm_fork.h"
#include "tests/support/support.h"

#include "pipeline/optim/lbfgs.h"
#include "pipeline/optim/line_search.h"

#include <lbfgs.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Problems: separable enough that a rank can compute its slice alone ------------------------------------------ */

enum kind { ROSENBROCK, BOWL, LOG_COSH };

struct problem {
	enum kind kind;
	struct slices slices;
	size_t save_at; /* iteration after which `saved` is packed; 0: never */
	struct buf saved;
};

/* Extended Rosenbrock: pairs (even, odd) never straddle a chunk. */
static double rosenbrock(const double *x, double *g, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i + 1 < n; i += 2) {
		double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
		sum += 100 * a * a + b * b;
		g[i] = -400 * a * x[i] - 2 * b;
		g[i + 1] = 200 * a;
	}
	return sum;
}

/* ½ Σ c·(x - 1)², curvatures from 1 to 1e4. */
static double bowl(const double *x, double *g, size_t n, size_t lo)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double c = pow(10, (double)((lo + i) % 9) / 2), a = x[i] - 1;
		sum += c * a * a / 2;
		g[i] = c * a;
	}
	return sum;
}

/* Σ log cosh(x - i mod 7): convex, not quadratic, bounded curvature. */
static double log_cosh(const double *x, double *g, size_t n, size_t lo)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double a = x[i] - (double)((lo + i) % 7);
		sum += fabs(a) + log1p(exp(-2 * fabs(a))) - log(2);
		g[i] = tanh(a);
	}
	return sum;
}

static double loss_of(enum kind kind, const double *x, double *g, size_t n, size_t lo)
{
	if (kind == ROSENBROCK) return rosenbrock(x, g, n);
	return kind == BOWL ? bowl(x, g, n, lo) : log_cosh(x, g, n, lo);
}

static bool loss(void *ctx, const double *x, double *g, double *value, struct err *e)
{
	struct problem *p = ctx;
	for (size_t k = 0; k < p->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&p->slices, k, &from, &to);
		double *partial = slices_partial(&p->slices, k, 1);
		*partial = loss_of(p->kind, x + from, g + from, to - from, p->slices.lo + from);
	}
	return slices_sum(&p->slices, 1, value, e);
}

static bool stepped(void *ctx, struct lbfgs *s, struct err *e)
{
	struct problem *p = ctx;
	if (p->save_at == 0 || s->iteration != p->save_at) return true;
	buf_clear(&p->saved);
	return lbfgs_pack(s, &p->saved, e);
}

struct setup {
	enum kind kind;
	size_t n;
	double start, l1, l2;
	struct lbfgs_options options;
	size_t save_at;
	const void *resume;
	size_t resume_len;
};

static struct lbfgs_options options_of(double tol)
{
	return (struct lbfgs_options){.memory = 10, .max_iter = 1000, .tol = tol};
}

/* Every coordinate but the first carries l1, as an intercept carries none. */
static void fill(double *v, size_t lo, size_t len, double value)
{
	for (size_t i = 0; i < len; i++) v[i] = lo + i == 0 ? 0 : value;
}

/* Minimises and hands the result to `look` on every rank. */
static bool run(struct comm *c, const struct setup *setup, void (*look)(struct lbfgs *s, void *ctx), void *ctx,
		struct buf *saved)
{
	struct problem p = {.kind = setup->kind, .save_at = setup->save_at, .saved = BUF_INIT(1 << 28)};
	slices_init(&p.slices, c, setup->n, 1);
	size_t len = p.slices.len, lo = p.slices.lo;
	double *l1 = mem_zalloc(len + 1, sizeof *l1), *l2 = mem_zalloc(len + 1, sizeof *l2);
	fill(l1, lo, len, setup->l1);
	fill(l2, lo, len, setup->l2);
	struct lbfgs_problem problem = {.n = setup->n, .ctx = &p, .loss = loss, .stepped = stepped};
	if (setup->l1 > 0) problem.l1 = l1;
	if (setup->l2 > 0) problem.l2 = l2;
	struct lbfgs s;
	struct err e;
	err_init(&e);
	lbfgs_init(&s, c, &problem, &setup->options);
	for (size_t i = 0; i < len; i++) s.now.x[i] = setup->start;
	struct cursor in = CURSOR(setup->resume, setup->resume_len);
	bool ok = !setup->resume || lbfgs_unpack(&s, &in);
	ok = ok && lbfgs_minimize(&s, &e);
	if (ok && look) look(&s, ctx);
	if (saved) *saved = p.saved;
	else buf_release(&p.saved);
	lbfgs_release(&s);
	slices_release(&p.slices);
	mem_free(l1);
	mem_free(l2);
	return ok;
}

static void run_alone(const struct setup *setup, void (*look)(struct lbfgs *s, void *ctx), void *ctx, struct buf *saved)
{
	struct comm *c = comm_serial_create();
	assert_true(run(c, setup, look, ctx, saved));
	comm_serial_destroy(c);
}

/* --- Line search ------------------------------------------------------------------------------------------------- */

static double phi_flat(double t, double *slope)
{
	*slope = (t * t - 2) / ((t * t + 2) * (t * t + 2));
	return -t / (t * t + 2);
}
static double phi_steep(double t, double *slope)
{
	*slope = 4 * pow(t - 1, 3);
	return pow(t - 1, 4);
}
static double phi_wavy(double t, double *slope)
{
	*slope = t - 3 + 2 * cos(4 * t);
	return t * t / 2 - 3 * t + sin(4 * t) / 2;
}
static double phi_far(double t, double *slope)
{
	*slope = (t - 40) / 40;
	return (t - 40) * (t - 40) / 80;
}
static double phi_walled(double t, double *slope)
{
	*slope = t < 1 ? -1 + 0.5 / (1 - t) : NAN;
	return t < 1 ? -t - 0.5 * log(1 - t) : INFINITY;
}

static void line_search_meets_strong_wolfe(void **state)
{
	static double (*const phis[])(double, double *) = {phi_flat, phi_steep, phi_wavy, phi_far, phi_walled};
	static const double starts[] = {1e-3, 0.1, 1, 10, 100};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(phis); k++)
		for (size_t m = 0; m < ARRAY_COUNT(starts); m++) {
			struct line_search ls;
			enum line_search_verdict verdict = LINE_SEARCH_TRY;
			double slope0, slope = 0, value0 = phis[k](0, &slope0), value = 0;
			if (!(slope0 < 0)) continue;
			line_search_begin(&ls, value0, slope0, starts[m]);
			while (verdict == LINE_SEARCH_TRY) {
				value = phis[k](ls.t, &slope);
				verdict = line_search_feed(&ls, value, slope);
			}
			assert_int_equal(verdict, LINE_SEARCH_DONE);
			assert_true(value <= value0 + 1e-4 * ls.t * slope0);
			/* Ten growths of 1.5 from 1e-3 reach 0.04 only: decrease is all that is promised there. */
			if (ls.phase != LINE_SEARCH_SETTLE) assert_true(fabs(slope) <= 0.9 * fabs(slope0));
			else assert_true(starts[m] <= 0.1);
		}
}

/* --- Known minima ------------------------------------------------------------------------------------------------ */

static void near_one(struct lbfgs *s, void *ctx)
{
	double worst = 0;
	for (size_t i = 0; i < s->slices.len; i++) worst = fmax(worst, fabs(s->now.x[i] - 1));
	*(double *)ctx = worst;
}

static void finds_known_minima(void **state)
{
	static const struct {
		enum kind kind;
		size_t n;
		double start, within;
	} cases[] = {
		{ROSENBROCK, 2, -1.2, 1e-6}, {ROSENBROCK, 5000, -1.2, 1e-6}, {BOWL, 1, 7, 1e-8}, {BOWL, 9000, 0, 1e-7}};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(cases); k++) {
		double worst;
		struct setup setup = {cases[k].kind, cases[k].n, cases[k].start, .options = options_of(1e-14)};
		run_alone(&setup, near_one, &worst, NULL);
		assert_true(worst < cases[k].within);
	}
}

/* min c/2 (x - 1)² + l1 |x| is at max(0, 1 - l1/c): soft thresholding. */
static void look_soft(struct lbfgs *s, void *ctx)
{
	double l1 = *(double *)ctx;
	for (size_t i = 0; i < s->slices.len; i++) {
		double c = pow(10, (double)(i % 9) / 2), expect = i == 0 ? 1 : fmax(0, 1 - l1 / c);
		assert_true(fabs(s->now.x[i] - expect) < 1e-6);
		if (expect == 0) assert_true(s->now.x[i] == 0);
	}
}

static void owlqn_thresholds_softly(void **state)
{
	double l1 = 5;
	struct setup setup = {BOWL, 5000, 0, .l1 = l1, .options = options_of(1e-14)};
	(void)state;
	run_alone(&setup, look_soft, &l1, NULL);
}

/* --- liblbfgs as oracle ------------------------------------------------------------------------------------------ */

static lbfgsfloatval_t oracle_loss(void *ctx, const lbfgsfloatval_t *x, lbfgsfloatval_t *g, const int n,
				   const lbfgsfloatval_t t)
{
	const struct setup *setup = ctx;
	double f = loss_of(setup->kind, x, g, (size_t)n, 0);
	(void)t;
	for (int i = 1; i < n; i++) {
		f += setup->l2 * x[i] * x[i] / 2;
		g[i] += setup->l2 * x[i];
	}
	return f;
}

struct oracle {
	double *x, f;
};

static void look_oracle(struct lbfgs *s, void *ctx)
{
	struct oracle *o = ctx;
	assert_true(fabs(s->now.value - o->f) <= 1e-9 * fabs(o->f));
	for (size_t i = 0; i < s->slices.len; i++) assert_true(fabs(s->now.x[i] - o->x[i]) < 1e-5);
}

static void agrees_with_liblbfgs(void **state)
{
	static const struct setup setups[] = {
		{LOG_COSH, 4500, 0, .l2 = 0.03},
		{LOG_COSH, 4500, 0, .l1 = 0.4},
		{LOG_COSH, 700, -3, .l1 = 0.2, .l2 = 0.1},
	};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(setups); k++) {
		struct setup setup = setups[k];
		struct oracle o = {.x = lbfgs_malloc((int)setup.n)};
		lbfgs_parameter_t param;
		lbfgs_parameter_init(&param);
		param.epsilon = 1e-10;
		param.max_iterations = 3000;
		param.orthantwise_c = setup.l1;
		param.orthantwise_start = 1;
		param.linesearch = setup.l1 > 0 ? LBFGS_LINESEARCH_BACKTRACKING : LBFGS_LINESEARCH_MORETHUENTE;
		for (size_t i = 0; i < setup.n; i++) o.x[i] = setup.start;
		(void)lbfgs((int)setup.n, o.x, &o.f, oracle_loss, NULL, &setup, &param);
		setup.options = options_of(1e-14);
		run_alone(&setup, look_oracle, &o, NULL);
		lbfgs_free(o.x);
	}
}

/* --- How it ends ------------------------------------------------------------------------------------------------- */

static void look_end(struct lbfgs *s, void *ctx) { *(struct lbfgs *)ctx = *s; }

static void ends_as_breeze_does(void **state)
{
	struct lbfgs s;
	(void)state;
	struct setup setup = {ROSENBROCK, 2, -1.2, .options = options_of(1e-6)};
	setup.options.max_iter = 0;
	run_alone(&setup, look_end, &s, NULL);
	assert_int_equal(s.end, LBFGS_MAX_ITERATIONS);
	assert_int_equal(s.iteration, 0);
	assert_int_equal(s.evaluations, 1);
	setup.options.max_iter = 3;
	run_alone(&setup, look_end, &s, NULL);
	assert_int_equal(s.iteration, 3);
	setup.options = options_of(1e-6);
	run_alone(&setup, look_end, &s, NULL);
	assert_int_equal(s.end, LBFGS_GRADIENT);
	assert_true(s.norm <= 1e-8 || s.norm <= 1e-6 * s.now.value);
	/* From far away: 20 iterations that change little, compared with the start, end it long before the gradient
	 * does. */
	struct setup far = {BOWL, 9000, 1e4, .options = {.memory = 1, .max_iter = 1000, .tol = 1e-9}};
	run_alone(&far, look_end, &s, NULL);
	assert_int_equal(s.end, LBFGS_VALUES);
	assert_true(s.iteration >= 20);
}

static void certificate_bounds_the_distance(void **state)
{
	struct lbfgs s, best;
	(void)state;
	struct setup setup = {LOG_COSH, 4500, 0, .l2 = 0.05, .options = options_of(1e-14)};
	run_alone(&setup, look_end, &best, NULL);
	setup.options =
		(struct lbfgs_options){.memory = 5, .max_iter = 1000, .tol = 1e-8, .certify = true, .curvature = 0.05};
	run_alone(&setup, look_end, &s, NULL);
	assert_int_equal(s.end, LBFGS_CERTIFIED);
	assert_true(s.now.value - best.now.value <= s.gap);
	assert_true(s.iteration < best.iteration);
}

/* --- Ranks and checkpoints --------------------------------------------------------------------------------------- */

static void look_pack(struct lbfgs *s, void *ctx)
{
	struct err e;
	err_init(&e);
	if (!lbfgs_pack(s, ctx, &e)) abort();
}

static bool rank_run(struct comm *c, void *ctx, struct buf *out)
{
	const struct setup *setup = ctx;
	return run(c, setup, look_pack, out, NULL);
}

static void assert_same(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
}

static const struct setup MANY[] = {
	{ROSENBROCK, 30000, -1.2, .options = {.memory = 10, .max_iter = 25, .tol = 1e-9}},
	{LOG_COSH, 20001, 0, .l1 = 0.3, .l2 = 0.01, .options = {.memory = 4, .max_iter = 25, .tol = 1e-9}},
	{BOWL, 100, 0, .options = {.memory = 10, .max_iter = 25, .tol = 1e-9}}, /* fewer chunks than ranks */
};

static void same_bits_for_ranks(void **state)
{
	static const unsigned ranks[] = {1, 2, 3, 5};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(MANY); k++) {
		struct setup setup = MANY[k];
		struct buf alone = BUF_INIT(1 << 28), outs[5];
		run_alone(&setup, look_pack, &alone, NULL);
		for (size_t m = 0; m < ARRAY_COUNT(ranks); m++) {
			for (unsigned r = 0; r < ranks[m]; r++) outs[r] = BUF_INIT(1 << 28);
			assert_true(comm_fork_run(ranks[m], rank_run, &setup, outs));
			for (unsigned r = 0; r < ranks[m]; r++) {
				assert_same(&outs[r], &alone);
				buf_release(&outs[r]);
			}
		}
		buf_release(&alone);
	}
}

/* Stopped after iteration 3, 11 or 12 on one rank, continued on three: as if nothing had happened. */
static void continues_from_a_checkpoint(void **state)
{
	static const size_t at[] = {1, 3, 11, 12};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(MANY); k++)
		for (size_t m = 0; m < ARRAY_COUNT(at); m++) {
			struct setup setup = MANY[k];
			struct buf whole = BUF_INIT(1 << 28), saved, outs[3];
			setup.save_at = at[m];
			run_alone(&setup, look_pack, &whole, &saved);
			setup.resume = saved.data;
			setup.resume_len = saved.len;
			unsigned ranks = saved.len ? 3 : 0; /* none: it had converged before */
			for (unsigned r = 0; r < ranks; r++) outs[r] = BUF_INIT(1 << 28);
			if (ranks) assert_true(comm_fork_run(ranks, rank_run, &setup, outs));
			for (unsigned r = 0; r < ranks; r++) {
				assert_same(&outs[r], &whole);
				buf_release(&outs[r]);
			}
			buf_release(&whole);
			buf_release(&saved);
		}
}

static void refuses_foreign_checkpoints(void **state)
{
	struct buf saved;
	struct comm *c = comm_serial_create();
	(void)state;
	struct setup setup = {BOWL, 50, 0, .options = options_of(1e-9), .save_at = 2};
	run_alone(&setup, NULL, NULL, &saved);
	for (size_t len = 0; len < saved.len; len += 7) { /* cut short anywhere */
		setup.resume = saved.data;
		setup.resume_len = len;
		assert_false(run(c, &setup, NULL, NULL, NULL));
	}
	setup.resume_len = saved.len;
	setup.n = 51;
	assert_false(run(c, &setup, NULL, NULL, NULL));
	buf_release(&saved);
	comm_serial_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_search_meets_strong_wolfe),
		cmocka_unit_test(finds_known_minima),
		cmocka_unit_test(owlqn_thresholds_softly),
		cmocka_unit_test(agrees_with_liblbfgs),
		cmocka_unit_test(ends_as_breeze_does),
		cmocka_unit_test(certificate_bounds_the_distance),
		cmocka_unit_test(same_bits_for_ranks),
		cmocka_unit_test(continues_from_a_checkpoint),
		cmocka_unit_test(refuses_foreign_checkpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
