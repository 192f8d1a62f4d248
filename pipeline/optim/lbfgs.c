#include "pipeline/optim/lbfgs.h"

#include "base/mem.h"
#include "pipeline/optim/line_search.h"
#include "pipeline/optim/orthant.h"

#include <math.h>
#include <string.h>

enum { VALUES_WINDOW = 20 };
static const double GRADIENT_FLOOR = 1e-8, STEP_FLOOR = 1e-10, SHRINK = 0.5, FIRST_SHRINK = 0.1;

/* What the passes sum. */
enum { EVALUATE_L2, EVALUATE_L1, EVALUATE_SLOPE, EVALUATE_NORM, EVALUATE_SUMS };
enum { ACCEPT_NORM, ACCEPT_GAP, ACCEPT_SUMS }; /* then the history's */
enum { WIDTH_MAX = ACCEPT_SUMS + HISTORY_SUMS_A_PAIR * (HISTORY_MEMORY_MAX + 1) };

static double *vector(const struct lbfgs *s) { return mem_zalloc(MAX(s->slices.len, (size_t)1), sizeof(double)); }

static struct lbfgs_point point(const struct lbfgs *s)
{
	struct lbfgs_point p = {.x = vector(s), .g = vector(s)};
	p.p = s->problem.l1 ? vector(s) : p.g;
	return p;
}

static void point_release(struct lbfgs_point *p)
{
	if (p->p != p->g) mem_free(p->p);
	mem_free(p->x);
	mem_free(p->g);
}

void lbfgs_init(struct lbfgs *s, struct comm *c, const struct lbfgs_problem *problem,
		const struct lbfgs_options *options)
{
	*s = (struct lbfgs){.problem = *problem, .options = *options};
	slices_init(&s->slices, c, problem->n, ACCEPT_SUMS + HISTORY_SUMS_A_PAIR * (options->memory + 1));
	history_init(&s->history, options->memory, s->slices.len);
	s->now = point(s);
	s->next = point(s);
	s->d = vector(s);
}

void lbfgs_release(struct lbfgs *s)
{
	point_release(&s->now);
	point_release(&s->next);
	mem_free(s->d);
	mem_free(s->values);
	history_release(&s->history);
	slices_release(&s->slices);
	*s = (struct lbfgs){0};
}

static void record_value(struct lbfgs *s)
{
	MEM_GROW(s->values, s->values_cap, s->iteration + 1);
	s->values[s->iteration] = s->now.value;
}

/* --- At a point -------------------------------------------------------------------------------------------------- */

/* Adds the penalty to the loss's gradient; bends it where there is l1. */
static void evaluate_chunk(const struct lbfgs *s, const struct lbfgs_point *at, size_t from, size_t to, double *sums)
{
	const double *l2 = s->problem.l2, *l1 = s->problem.l1, *x = at->x;
	double squares = 0, absolutes = 0;
	for (size_t i = from; l2 && i < to; i++) {
		squares += l2[i] * x[i] * x[i];
		at->g[i] += l2[i] * x[i];
	}
	for (size_t i = from; l1 && i < to; i++) absolutes += l1[i] * fabs(x[i]);
	if (l1) orthant_gradient(x + from, at->g + from, l1 + from, to - from, at->p + from);
	sums[EVALUATE_L2] = squares;
	sums[EVALUATE_L1] = absolutes;
	sums[EVALUATE_SLOPE] = slices_dot(at->p + from, s->d + from, to - from);
	sums[EVALUATE_NORM] = slices_dot(at->g + from, at->g + from, to - from);
}

/* f and its gradient at at->x. slope: along d. */
static bool evaluate(struct lbfgs *s, struct lbfgs_point *at, double *slope, struct err *e)
{
	double loss, sums[EVALUATE_SUMS];
	if (!s->problem.loss(s->problem.ctx, at->x, at->g, &loss, e)) return false;
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		evaluate_chunk(s, at, from, to, slices_partial(&s->slices, k, EVALUATE_SUMS));
	}
	if (!slices_sum(&s->slices, EVALUATE_SUMS, sums, e)) return false;
	if (s->evaluations++ == 0) s->start_norm = sqrt(sums[EVALUATE_NORM]);
	at->smooth = loss + sums[EVALUATE_L2] / 2;
	at->value = at->smooth + sums[EVALUATE_L1];
	*slope = sums[EVALUATE_SLOPE];
	return true;
}

static void judge_chunk(const struct lbfgs *s, const double *p, size_t from, size_t to, double *sums)
{
	const double *l2 = s->problem.l2;
	double gap = 0;
	for (size_t i = from; s->options.certify && i < to; i++)
		gap += p[i] * p[i] / (2 * (l2 && l2[i] > 0 ? l2[i] : s->options.curvature));
	sums[ACCEPT_NORM] = slices_dot(p + from, p + from, to - from);
	sums[ACCEPT_GAP] = gap;
}

static void take_judgement(struct lbfgs *s, const double *sums)
{
	s->norm = sqrt(sums[ACCEPT_NORM]);
	s->gap = s->options.certify ? sums[ACCEPT_GAP] : INFINITY;
	record_value(s);
}

static bool begin(struct lbfgs *s, struct err *e)
{
	double slope, sums[ACCEPT_SUMS];
	if (!evaluate(s, &s->now, &slope, e)) return false;
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		judge_chunk(s, s->now.p, from, to, slices_partial(&s->slices, k, ACCEPT_SUMS));
	}
	if (!slices_sum(&s->slices, ACCEPT_SUMS, sums, e)) return false;
	take_judgement(s, sums);
	return true;
}

/* The step that was tried last becomes the iterate, and its pair joins the history. One walk through memory. */
static bool accept(struct lbfgs *s, struct err *e)
{
	double *ps, *py, sums[WIDTH_MAX];
	history_room(&s->history, &ps, &py);
	size_t width = ACCEPT_SUMS + history_width(&s->history);
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		for (size_t i = from; i < to; i++) {
			ps[i] = s->next.x[i] - s->now.x[i];
			py[i] = s->next.g[i] - s->now.g[i];
		}
		double *partial = slices_partial(&s->slices, k, width);
		judge_chunk(s, s->next.p, from, to, partial);
		history_measure(&s->history, s->next.p, from, to, partial + ACCEPT_SUMS);
	}
	if (!slices_sum(&s->slices, width, sums, e)) return false;
	history_commit(&s->history, sums + ACCEPT_SUMS);
	struct lbfgs_point was = s->now;
	s->now = s->next;
	s->next = was;
	s->iteration++;
	s->failed_once = false;
	take_judgement(s, sums);
	return true;
}

/* --- On the way -------------------------------------------------------------------------------------------------- */

/* d = -H·p and its slope p·d. */
static bool direct(struct lbfgs *s, double *slope, struct err *e)
{
	struct history_coefficients c;
	history_coefficients(&s->history, &c);
	for (size_t k = 0; k < s->slices.chunks; k++) {
		size_t from, to;
		slices_chunk(&s->slices, k, &from, &to);
		history_combine(&s->history, &c, s->now.p, from, to, s->d);
		if (s->problem.l1) orthant_align(s->now.p + from, to - from, s->d + from);
		*slices_partial(&s->slices, k, 1) = slices_dot(s->now.p + from, s->d + from, to - from);
	}
	return slices_sum(&s->slices, 1, slope, e);
}

static bool try_step(struct lbfgs *s, double t, double *slope, struct err *e)
{
	const double *x = s->now.x;
	if (s->problem.l1) orthant_step(x, s->now.p, s->d, t, s->slices.len, s->next.x);
	else
		for (size_t i = 0; i < s->slices.len; i++) s->next.x[i] = x[i] + t * s->d[i];
	return evaluate(s, &s->next, slope, e);
}

/* *found: next is the step. */
static bool search_smooth(struct lbfgs *s, double slope, double t, bool *found, struct err *e)
{
	struct line_search ls;
	enum line_search_verdict verdict = LINE_SEARCH_TRY;
	for (line_search_begin(&ls, s->now.value, slope, t); verdict == LINE_SEARCH_TRY;) {
		double at;
		if (!try_step(s, ls.t, &at, e)) return false;
		verdict = line_search_feed(&ls, s->next.value, at);
	}
	*found = verdict == LINE_SEARCH_DONE && ls.t * s->norm >= STEP_FLOOR;
	return true;
}

/* The first step is judged by its slope alone, for Breeze holds the smooth part of f now against the bound: that
 * passes once there is an l1 part to speak of, and fails at the start. So a step may climb a little; the next one
 * makes it good. */
static bool search_orthant(struct lbfgs *s, double slope, double t, bool *found, struct err *e)
{
	struct backtracking b;
	enum line_search_verdict verdict = LINE_SEARCH_TRY;
	backtracking_begin(&b, s->now.value, slope, t, s->iteration == 0 ? FIRST_SHRINK : SHRINK);
	for (bool first = true; verdict == LINE_SEARCH_TRY; first = false) {
		double at;
		if (!try_step(s, b.t, &at, e)) return false;
		verdict = backtracking_feed(&b, first ? s->now.smooth : s->next.value, at);
	}
	*found = verdict == LINE_SEARCH_DONE;
	return true;
}

/* One iteration, or one failure of the line search, which first costs the history, then ends it all. */
static bool iterate(struct lbfgs *s, struct err *e)
{
	double slope;
	bool found = false;
	if (!direct(s, &slope, e)) return false;
	double t = s->iteration > 0 ? 1 : s->problem.l1 ? 0.5 / s->start_norm : 1 / s->norm;
	bool descends = slope < 0, ok = true;
	if (descends)
		ok = s->problem.l1 ? search_orthant(s, slope, t, &found, e) : search_smooth(s, slope, t, &found, e);
	if (!ok) return false;
	if (found) return accept(s, e) && (!s->problem.stepped || s->problem.stepped(s->problem.ctx, s, e));
	if (s->failed_once || s->history.count == 0) s->end = LBFGS_SEARCH_FAILED;
	s->failed_once = true;
	history_clear(&s->history);
	return true;
}

static bool values_converged(const struct lbfgs *s)
{
	if (s->iteration < VALUES_WINDOW) return false;
	double highest = s->now.value;
	for (size_t k = 0; k < VALUES_WINDOW; k++) highest = fmax(highest, s->values[s->iteration - k]);
	return highest - s->now.value <= s->options.tol * fabs(s->values[0]);
}

static enum lbfgs_end ending(const struct lbfgs *s)
{
	if (s->iteration >= s->options.max_iter) return LBFGS_MAX_ITERATIONS;
	if (values_converged(s)) return LBFGS_VALUES;
	if (s->norm <= fmax(s->options.tol * fabs(s->now.value), GRADIENT_FLOOR)) return LBFGS_GRADIENT;
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

/* --- Checkpoints ------------------------------------------------------------------------------------------------- */

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
	buf_f64(out, s->now.smooth);
	for (size_t i = 0; i <= s->iteration; i++) buf_f64(out, s->values[i]);
	history_pack(&s->history, out);
	bool ok = pack_vector(s, s->now.x, &whole, out, e) && pack_vector(s, s->now.g, &whole, out, e);
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
	s->now.smooth = cursor_f64(in);
	if (in->bad || s->iteration >= cursor_left(in) / sizeof(double)) return false;
	MEM_GROW(s->values, s->values_cap, s->iteration + 1);
	for (size_t i = 0; i <= s->iteration; i++) s->values[i] = cursor_f64(in);
	s->now.value = s->values[s->iteration];
	if (!history_unpack(&s->history, in) || !unpack_vector(s, s->now.x, in) || !unpack_vector(s, s->now.g, in))
		return false;
	for (size_t k = 0; k < s->history.count; k++) {
		double *ps, *py;
		history_pair(&s->history, k, &ps, &py);
		if (!unpack_vector(s, ps, in) || !unpack_vector(s, py, in)) return false;
	}
	if (s->problem.l1) orthant_gradient(s->now.x, s->now.g, s->problem.l1, s->slices.len, s->now.p);
	return true;
}
