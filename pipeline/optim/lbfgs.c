#include "pipeline/optim/lbfgs.h"

#include "base/mem.h"
#include "pipeline/optim/line_search.h"
#include "pipeline/optim/orthant.h"

#include <math.h>
#include <string.h>

enum { VALUES_WINDOW = 20, BACKTRACKS_MAX = 40 };
static const double GRADIENT_FLOOR = 1e-8, STEP_FLOOR = 1e-10, SUFFICIENT_DECREASE = 1e-4;

/* What the passes sum. */
enum { EVALUATE_L2, EVALUATE_L1, EVALUATE_SLOPE, EVALUATE_SUMS };
enum { ACCEPT_NORM, ACCEPT_GAP, ACCEPT_SUMS }; /* then the history's */
enum { WIDTH_MAX = ACCEPT_SUMS + HISTORY_SUMS_A_PAIR * (HISTORY_MEMORY_MAX + 1) };

static double *vector(const struct lbfgs *s) { return mem_zalloc(MAX(s->slices.len, (size_t)1), sizeof(double)); }

void lbfgs_init(struct lbfgs *s, struct comm *c, const struct lbfgs_problem *problem, const struct lbfgs_options *options)
{
	*s = (struct lbfgs){.problem = *problem, .options = *options};
	slices_init(&s->slices, c, problem->n, ACCEPT_SUMS + HISTORY_SUMS_A_PAIR * (options->memory + 1));
	history_init(&s->history, options->memory, s->slices.len);
	s->x = vector(s);
	s->g = vector(s);
	s->p = problem->l1 ? vector(s) : s->g;
	s->d = vector(s);
	s->next_x = vector(s);
	s->next_g = vector(s);
}

void lbfgs_release(struct lbfgs *s)
{
	if (s->p != s->g) mem_free(s->p);
	mem_free(s->x);
	mem_free(s->g);
	mem_free(s->d);
	mem_free(s->next_x);
	mem_free(s->next_g);
	mem_free(s->values);
	history_release(&s->history);
	slices_release(&s->slices);
	*s = (struct lbfgs){0};
}

static void record_value(struct lbfgs *s, double value)
{
	MEM_GROW(s->values, s->values_cap, s->iteration + 1);
	s->values[s->iteration] = s->value = value;
}

/* --- At a point ------------------------------------------------------------------------------------------------------ */

/* Adds the penalty to the loss's gradient; what the penalty and the way here sum to. */
static void evaluate_chunk(const struct lbfgs *s, const double *x, double *g, size_t from, size_t to, double *sums)
{
	const double *l2 = s->problem.l2, *l1 = s->problem.l1;
	double squares = 0, absolutes = 0, slope = 0;
	for (size_t i = from; l2 && i < to; i++) {
		squares += l2[i] * x[i] * x[i];
		g[i] += l2[i] * x[i];
	}
	if (l1)
		for (size_t i = from; i < to; i++) {
			absolutes += l1[i] * fabs(x[i]);
			slope += s->p[i] * (x[i] - s->x[i]);
		}
	else slope = slices_dot(g + from, s->d + from, to - from);
	sums[EVALUATE_L2] = squares;
	sums[EVALUATE_L1] = absolutes;
	sums[EVALUATE_SLOPE] = slope;
}

/* f and the gradient at x. slope: along d there; with l1, what the pseudo-gradient promised for the way from s->x. */
static bool evaluate(struct lbfgs *s, const double *x, double *g, double *value, double *slope, struct err *e)
{
	double loss, sums[EVALUATE_SUMS];
	if (!s->problem.loss(s->problem.ctx, x, g, &loss, e)) return false;
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		evaluate_chunk(s, x, g, from, to, slices_partial(&s->slices, k, EVALUATE_SUMS));
	}
	if (!slices_sum(&s->slices, EVALUATE_SUMS, sums, e)) return false;
	s->evaluations++;
	*value = loss + sums[EVALUATE_L2] / 2 + sums[EVALUATE_L1];
	*slope = sums[EVALUATE_SLOPE];
	return true;
}

static void accept_chunk(struct lbfgs *s, const double *x, const double *g, size_t from, size_t to, double *sums)
{
	const double *l2 = s->problem.l2, *p = s->problem.l1 ? s->p : g;
	double gap = 0;
	if (s->problem.l1) orthant_gradient(x + from, g + from, s->problem.l1 + from, to - from, s->p + from);
	for (size_t i = from; s->options.certify && i < to; i++)
		gap += p[i] * p[i] / (2 * (l2 && l2[i] > 0 ? l2[i] : s->options.curvature));
	sums[ACCEPT_NORM] = slices_dot(p + from, p + from, to - from);
	sums[ACCEPT_GAP] = gap;
}

static void take_sums(struct lbfgs *s, const double *sums)
{
	s->norm = sqrt(sums[ACCEPT_NORM]);
	s->gap = s->options.certify ? sums[ACCEPT_GAP] : INFINITY;
}

static bool begin(struct lbfgs *s, struct err *e)
{
	double value, slope, sums[ACCEPT_SUMS];
	if (!evaluate(s, s->x, s->g, &value, &slope, e)) return false;
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		accept_chunk(s, s->x, s->g, from, to, slices_partial(&s->slices, k, ACCEPT_SUMS));
	}
	if (!slices_sum(&s->slices, ACCEPT_SUMS, sums, e)) return false;
	take_sums(s, sums);
	record_value(s, value);
	return true;
}

static void swap(double **a, double **b)
{
	double *t = *a;
	*a = *b;
	*b = t;
}

/* The step that was tried last becomes the next iterate, and its pair joins the history. One walk through memory. */
static bool accept(struct lbfgs *s, double value, struct err *e)
{
	double *ps, *py, sums[WIDTH_MAX];
	history_room(&s->history, &ps, &py);
	size_t width = ACCEPT_SUMS + history_width(&s->history);
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		for (size_t i = from; i < to; i++) {
			ps[i] = s->next_x[i] - s->x[i];
			py[i] = s->next_g[i] - s->g[i];
		}
		double *partial = slices_partial(&s->slices, k, width);
		accept_chunk(s, s->next_x, s->next_g, from, to, partial);
		history_measure(&s->history, s->problem.l1 ? s->p : s->next_g, from, to, partial + ACCEPT_SUMS);
	}
	if (!slices_sum(&s->slices, width, sums, e)) return false;
	take_sums(s, sums);
	history_commit(&s->history, sums + ACCEPT_SUMS);
	swap(&s->x, &s->next_x);
	swap(&s->g, &s->next_g);
	if (!s->problem.l1) s->p = s->g;
	s->iteration++;
	s->failed_once = false;
	record_value(s, value);
	return true;
}

/* --- On the way ------------------------------------------------------------------------------------------------------ */

/* d = -H·p and its slope p·d. */
static bool direct(struct lbfgs *s, double *slope, struct err *e)
{
	struct history_coefficients c;
	history_coefficients(&s->history, &c);
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		history_combine(&s->history, &c, s->p, from, to, s->d);
		if (s->problem.l1) orthant_align(s->p + from, s->problem.l1 + from, to - from, s->d + from);
		*slices_partial(&s->slices, k, 1) = slices_dot(s->p + from, s->d + from, to - from);
	}
	return slices_sum(&s->slices, 1, slope, e);
}

static bool try_step(struct lbfgs *s, double t, double *value, double *slope, struct err *e)
{
	if (s->problem.l1) orthant_step(s->x, s->p, s->d, s->problem.l1, t, s->slices.len, s->next_x);
	else
		for (size_t i = 0; i < s->slices.len; i++) s->next_x[i] = s->x[i] + t * s->d[i];
	return evaluate(s, s->next_x, s->next_g, value, slope, e);
}

/* Strong Wolfe. *found: next_x is the step. */
static bool search_smooth(struct lbfgs *s, double slope, double t, bool *found, double *value, struct err *e)
{
	struct line_search ls;
	enum line_search_verdict verdict = LINE_SEARCH_TRY;
	for (line_search_begin(&ls, s->value, slope, t); verdict == LINE_SEARCH_TRY;) {
		double at;
		if (!try_step(s, ls.t, value, &at, e)) return false;
		verdict = line_search_feed(&ls, *value, at);
	}
	*found = verdict == LINE_SEARCH_DONE && ls.t * s->norm >= STEP_FLOOR;
	return true;
}

/* Backtracking until the decrease is a part of what the pseudo-gradient promised for the bent step. */
static bool search_orthant(struct lbfgs *s, double t, bool *found, double *value, struct err *e)
{
	*found = false;
	for (int k = 0; k < BACKTRACKS_MAX && !*found && t * s->norm >= STEP_FLOOR; k++, t /= 2) {
		double promised;
		if (!try_step(s, t, value, &promised, e)) return false;
		*found = promised < 0 && *value <= s->value + SUFFICIENT_DECREASE * promised;
	}
	return true;
}

/* One iteration, or one failure of the line search, which first costs the history, then ends the search. */
static bool iterate(struct lbfgs *s, struct err *e)
{
	double slope, value = 0;
	bool found = false;
	if (!direct(s, &slope, e)) return false;
	double t = s->iteration == 0 ? 1 / s->norm : 1;
	if (slope < 0 && s->problem.l1 && !search_orthant(s, t, &found, &value, e)) return false;
	if (slope < 0 && !s->problem.l1 && !search_smooth(s, slope, t, &found, &value, e)) return false;
	if (found) return accept(s, value, e) && (!s->problem.stepped || s->problem.stepped(s->problem.ctx, s, e));
	if (s->failed_once || s->history.count == 0) s->end = LBFGS_SEARCH_FAILED;
	s->failed_once = true;
	history_clear(&s->history);
	return true;
}

static bool values_converged(const struct lbfgs *s)
{
	if (s->iteration < VALUES_WINDOW) return false;
	double highest = s->value;
	for (size_t k = 0; k < VALUES_WINDOW; k++) highest = fmax(highest, s->values[s->iteration - k]);
	return highest - s->value <= s->options.tol * fabs(s->values[0]);
}

static enum lbfgs_end ending(const struct lbfgs *s)
{
	if (s->iteration >= s->options.max_iter) return LBFGS_MAX_ITERATIONS;
	if (values_converged(s)) return LBFGS_VALUES;
	if (s->norm <= fmax(s->options.tol * fabs(s->value), GRADIENT_FLOOR)) return LBFGS_GRADIENT;
	if (s->gap <= s->options.tol * fabs(s->values[0])) return LBFGS_CERTIFIED;
	return LBFGS_RUNNING;
}

bool lbfgs_minimize(struct lbfgs *s, struct err *e)
{
	if (!s->values) {
		if (!begin(s, e)) return false;
		if (s->problem.stepped && !s->problem.stepped(s->problem.ctx, s, e)) return false;
	}
	while (s->end == LBFGS_RUNNING && (s->end = ending(s)) == LBFGS_RUNNING)
		if (!iterate(s, e)) return false;
	return true;
}

/* --- Checkpoints ----------------------------------------------------------------------------------------------------- */

static bool pack_vector(struct lbfgs *s, const double *v, struct buf *whole, struct buf *out, struct err *e)
{
	if (!slices_collect(&s->slices, v, whole, e)) return false;
	buf_block(out, whole->data, whole->len);
	return true;
}

bool lbfgs_pack(struct lbfgs *s, struct buf *out, struct err *e)
{
	struct buf whole = BUF_INIT(SIZE_MAX / 2);
	buf_u64(out, s->problem.n);
	buf_u64(out, s->iteration);
	buf_u64(out, s->evaluations);
	buf_u8(out, s->failed_once);
	buf_f64(out, s->norm);
	buf_f64(out, s->gap);
	for (size_t i = 0; i <= s->iteration; i++) buf_f64(out, s->values[i]);
	history_pack(&s->history, out);
	bool ok = pack_vector(s, s->x, &whole, out, e) && pack_vector(s, s->g, &whole, out, e);
	for (size_t k = 0; ok && k < s->history.count; k++) {
		double *ps, *py;
		history_pair(&s->history, k, &ps, &py);
		ok = pack_vector(s, ps, &whole, out, e) && pack_vector(s, py, &whole, out, e);
	}
	buf_release(&whole);
	return ok;
}

static bool unpack_vector(const struct lbfgs *s, double *v, struct cursor *in)
{
	size_t len;
	const char *whole = cursor_block(in, &len);
	if (in->bad || len != s->problem.n * sizeof *v) return false;
	if (s->slices.len) memcpy(v, whole + s->slices.lo * sizeof *v, s->slices.len * sizeof *v);
	return true;
}

bool lbfgs_unpack(struct lbfgs *s, struct cursor *in)
{
	if (cursor_u64(in) != s->problem.n) return false;
	s->iteration = cursor_u64(in);
	s->evaluations = cursor_u64(in);
	s->failed_once = cursor_u8(in) != 0;
	s->norm = cursor_f64(in);
	s->gap = cursor_f64(in);
	if (in->bad || s->iteration >= cursor_left(in) / sizeof(double)) return false;
	MEM_GROW(s->values, s->values_cap, s->iteration + 1);
	for (size_t i = 0; i <= s->iteration; i++) s->values[i] = cursor_f64(in);
	s->value = s->values[s->iteration];
	if (!history_unpack(&s->history, in) || !unpack_vector(s, s->x, in) || !unpack_vector(s, s->g, in)) return false;
	for (size_t k = 0; k < s->history.count; k++) {
		double *ps, *py;
		history_pair(&s->history, k, &ps, &py);
		if (!unpack_vector(s, ps, in) || !unpack_vector(s, py, in)) return false;
	}
	if (s->problem.l1) orthant_gradient(s->x, s->g, s->problem.l1, s->slices.len, s->p);
	return true;
}
