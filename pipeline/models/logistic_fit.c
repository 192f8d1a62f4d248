#include "pipeline/models/logistic_fit.h"

#include "pipeline/models/logistic_loss.h"
#include "pipeline/optim/lbfgs.h"

#include <math.h>

enum { MEMORY = 10, MEMORY_WIDE = 8, CHECKPOINT_VERSION = 1 };

struct fitting {
	struct stage *stage;
	struct fit *fit;
	struct logistic_columns columns;
	struct logistic_rows rows;
	struct logistic_walk walk;
	struct logistic_moments moments;
	struct logistic_space space;
	struct logistic_loss loss;
	double *l1, *l2; /* this rank's slice */
};

static const struct logistic_regression_params *params_of(const struct fitting *t) { return t->stage->params; }
static struct logistic_regression_state *state_of(const struct fitting *t) { return t->stage->state; }

static int port_slot(const struct stage *s, const char *param)
{
	for (size_t i = 0; i < s->in_count; i++)
		if (strcmp(s->in[i].param, param) == 0) return s->in[i].slot;
	return SCHEMA_COLUMN_NONE;
}

/* --- Classes ----------------------------------------------------------------------------------------------------- */

static bool data_fault(const struct fitting *t, struct err *e, const char *fmt, ...) QN_PRINTF(3, 4);
static bool data_fault(const struct fitting *t, struct err *e, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	err_setv(e, ERR_data, fmt, args);
	va_end(args);
	return err_wrap(e, "%s (stage %zu)", t->stage->type->name, t->stage->index);
}

static bool choose_family(struct fitting *t, struct err *e)
{
	const struct logistic_regression_params *p = params_of(t);
	struct logistic_regression_state *st = state_of(t);
	size_t seen = t->rows.classes;
	if (st->declared && st->declared < seen)
		return data_fault(t, e, "the label column declares %zu classes, but label %zu occurs", st->declared,
				  seen - 1);
	st->classes = st->declared ? st->declared : seen;
	st->features = t->rows.features;
	st->multinomial = str_is(p->family, "multinomial") || (str_is(p->family, "auto") && st->classes > 2);
	if (!st->multinomial && st->classes > 2)
		return data_fault(t, e, "family \"binomial\" takes at most two classes; there are %zu", st->classes);
	if (stage_given(t->stage, "thresholds") && p->thresholds.count != st->classes)
		return data_fault(t, e, "thresholds has %zu values for %zu classes", p->thresholds.count, st->classes);
	st->sets = st->multinomial ? st->classes : 1;
	if (st->features > LOGISTIC_COEFFICIENTS_MAX / st->sets)
		return data_fault(t, e, "%zu features for %zu classes are more than %d coefficients", st->features,
				  st->sets, LOGISTIC_COEFFICIENTS_MAX);
	st->coefficients = arena_zalloc(&t->stage->arena, MAX(st->sets * st->features, (size_t)1), sizeof(double));
	st->intercepts = arena_zalloc(&t->stage->arena, st->sets, sizeof(double));
	return true;
}

/* The only class that weighs anything, or SIZE_MAX. */
static size_t only_class(const struct logistic_rows *r)
{
	size_t only = SIZE_MAX;
	for (size_t k = 0; k < r->classes; k++) {
		if (r->class_weight[k] == 0) continue;
		if (only != SIZE_MAX) return SIZE_MAX;
		only = k;
	}
	return only;
}

/* With one class the intercept alone explains everything, and runs to infinity; one class of softmax explains
 * itself. */
static bool is_settled(const struct fitting *t, size_t only)
{
	const struct logistic_regression_state *st = state_of(t);
	return only != SIZE_MAX && (params_of(t)->fit_intercept || (st->multinomial && st->classes == 1));
}

static void fit_one_class(struct fitting *t, size_t only)
{
	struct logistic_regression_state *st = state_of(t);
	double infinite = st->multinomial || only == 1 ? INFINITY : -INFINITY;
	if (params_of(t)->fit_intercept) st->intercepts[st->multinomial ? only : 0] = infinite;
	st->objective = arena_zalloc(&t->stage->arena, 1, sizeof(double));
	st->iterations = 0;
}

/* --- Solving ----------------------------------------------------------------------------------------------------- */

/* Coefficients 0, intercepts that alone give the classes' shares. */
static void start(const struct fitting *t, struct lbfgs *solver)
{
	const struct logistic_space *s = &t->space;
	const double *weight = t->rows.class_weight;
	double mean = 0;
	for (size_t k = 0; s->sets > 1 && k < t->rows.classes; k++) mean += log1p(weight[k]) / (double)s->sets;
	for (size_t i = s->coefficients; i < s->n; i++) {
		if (i < solver->slices.lo || i >= solver->slices.hi) continue;
		size_t k = i - s->coefficients;
		double here = k < t->rows.classes ? log1p(weight[k]) : 0;
		solver->now.x[i - solver->slices.lo] = s->sets > 1 ? here - mean : log(weight[1] / weight[0]);
	}
}

static bool save(struct fitting *t, struct lbfgs *solver, struct err *e)
{
	struct fit *f = t->fit;
	struct buf bytes = BUF_INIT(SIZE_MAX / 2);
	buf_u8(&bytes, CHECKPOINT_VERSION);
	bool ok = lbfgs_pack(solver, &bytes, e);
	if (ok) ok = comm_agree(f->comm, f->checkpoint_save(f->ctx, bytes.data, bytes.len, e), e);
	buf_release(&bytes);
	return ok;
}

static bool loss(void *ctx, const double *x, double *g, double *value, struct err *e)
{
	struct fitting *t = ctx;
	return logistic_loss(&t->loss, x, g, value, e);
}

static bool stepped(void *ctx, struct lbfgs *solver, struct err *e)
{
	struct fitting *t = ctx;
	struct fit *f = t->fit;
	if (f->progress) f->progress(f->ctx, solver->iteration, solver->now.value);
	bool due = f->checkpoint_save && f->checkpoint_due && f->checkpoint_due(f->ctx);
	return !due || solver->iteration == 0 || save(t, solver, e);
}

static bool resume(struct fitting *t, struct lbfgs *solver)
{
	struct cursor in = CURSOR(t->fit->resume, t->fit->resume_len);
	return cursor_u8(&in) == CHECKPOINT_VERSION && lbfgs_unpack(solver, &in) && cursor_left(&in) == 0;
}

static void make_penalties(struct fitting *t, struct lbfgs_problem *problem)
{
	const struct logistic_space *s = &t->space;
	const struct logistic_regression_params *p = params_of(t);
	size_t lo, hi;
	comm_slice(t->fit->comm, s->n, &lo, &hi);
	t->l1 = mem_zalloc(hi - lo + 1, sizeof *t->l1);
	t->l2 = mem_zalloc(hi - lo + 1, sizeof *t->l2);
	logistic_space_spread(s, s->l1, lo, hi, t->l1);
	logistic_space_spread(s, s->l2, lo, hi, t->l2);
	if (p->reg_param * p->elastic_net > 0) problem->l1 = t->l1;
	if (p->reg_param * (1 - p->elastic_net) > 0) problem->l2 = t->l2;
}

/* Mean 0 over the classes, for each of n columns: without a penalty only differences between classes are determined. */
static void centre(double *v, size_t sets, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		double mean = 0;
		for (size_t k = 0; k < sets; k++) mean += v[k * n + j];
		mean /= (double)sets;
		for (size_t k = 0; k < sets; k++) v[k * n + j] -= mean;
	}
}

static void take_model(struct fitting *t, const struct lbfgs *solver)
{
	const struct logistic_space *s = &t->space;
	struct logistic_regression_state *st = state_of(t);
	for (size_t k = 0; k < s->sets; k++) {
		for (size_t j = 0; j < s->features; j++) {
			size_t place = s->place ? s->place[j] : j;
			if (place != UINT32_MAX) st->coefficients[k * s->features + j] = t->loss.w[place * s->sets + k];
		}
		if (s->intercept) st->intercepts[k] = t->loss.offset[k];
	}
	if (st->multinomial && params_of(t)->reg_param == 0) centre(st->coefficients, s->sets, s->features);
	if (st->multinomial && s->intercept) centre(st->intercepts, s->sets, 1);
	st->iterations = solver->iteration;
	st->objective = arena_copy(&t->stage->arena, solver->values, (solver->iteration + 1) * sizeof(double));
}

static bool minimize(struct fitting *t, const struct lbfgs_options *options, struct err *e)
{
	struct lbfgs_problem problem = {.n = t->space.n, .ctx = t, .loss = loss, .stepped = stepped};
	struct lbfgs solver;
	logistic_loss_init(&t->loss, &t->walk, &t->space);
	make_penalties(t, &problem);
	lbfgs_init(&solver, t->fit->comm, &problem, options);
	start(t, &solver);
	bool ok = !t->fit->resume || resume(t, &solver);
	if (!ok) err_set(e, ERR_internal, "the checkpoint is not of this fit");
	ok = ok && lbfgs_minimize(&solver, e) && logistic_loss_place(&t->loss, solver.now.x, e);
	if (ok) take_model(t, &solver);
	lbfgs_release(&solver);
	logistic_loss_release(&t->loss);
	mem_free(t->l1);
	mem_free(t->l2);
	return ok;
}

static bool solve(struct fitting *t, struct err *e)
{
	const struct logistic_regression_params *p = params_of(t);
	struct logistic_penalty penalty = {p->reg_param * p->elastic_net, p->reg_param * (1 - p->elastic_net),
					   p->standardization};
	logistic_space_init(&t->space, &t->rows, state_of(t)->sets, p->fit_intercept);
	logistic_walk_init(&t->walk, t->fit, &t->columns, &t->rows, t->space.place);
	bool ok = logistic_moments_fit(&t->walk, &t->rows, t->space.active, &t->moments, e);
	if (ok) {
		logistic_space_scale(&t->space, &t->moments, &penalty);
		ok = minimize(t, &(struct lbfgs_options){.memory = t->space.wide ? MEMORY_WIDE : MEMORY,
							 .max_iter = (size_t)p->max_iter,
							 .tol = p->tol,
							 .certify = t->space.wide && penalty.l2 > 0,
							 .curvature = t->space.curvature},
			      e);
	}
	logistic_moments_release(&t->moments);
	logistic_walk_release(&t->walk);
	logistic_space_release(&t->space);
	return ok;
}

bool logistic_fit(struct stage *s, struct fit *f, struct err *e)
{
	struct fitting t = {
		.stage = s,
		.fit = f,
		.columns = {port_slot(s, "featuresCol"), port_slot(s, "labelCol"), port_slot(s, "weightCol")}};
	bool ok = logistic_rows_count(s, f, &t.columns, &t.rows, e) && choose_family(&t, e);
	size_t only = ok ? only_class(&t.rows) : SIZE_MAX;
	if (ok && is_settled(&t, only)) fit_one_class(&t, only);
	else ok = ok && solve(&t, e);
	ok = ok && logistic_summary_make(s, f, &t.columns, t.rows.rows, &state_of(&t)->summary, e);
	logistic_rows_release(&t.rows);
	return ok;
}
