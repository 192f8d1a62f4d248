#include "pipeline/models/logistic_loss.h"

#include "pipeline/optim/slices.h"

#include <math.h>

void logistic_loss_init(struct logistic_loss *l, struct logistic_walk *walk, const struct logistic_space *space)
{
	struct comm *c = walk->fit->comm;
	*l = (struct logistic_loss){
		.walk = walk,
		.space = space,
		.leaf_len = space->coefficients + space->sets + 1,
		.offset = mem_zalloc(space->sets, sizeof *l->offset),
		.margin = mem_zalloc(space->sets, sizeof *l->margin),
	};
	l->w = c->ops->alloc(c, MAX(space->n, (size_t)1));
	l->sum = c->ops->alloc(c, l->leaf_len);
	if (space->wide) l->pairs = mem_zalloc(space->coefficients + 1, 2 * sizeof *l->pairs);
}

void logistic_loss_release(struct logistic_loss *l)
{
	struct comm *c = l->walk->fit->comm;
	mem_free(l->offset);
	mem_free(l->margin);
	mem_free(l->pairs);
	c->ops->release(c, l->sum);
	c->ops->release(c, l->w);
	*l = (struct logistic_loss){0};
}

/* --- A row ------------------------------------------------------------------------------------------------------- */

/* Σ w·x. Four interleaved sums, so that the additions do not wait for each other. */
static double dot(const double *w, const uint32_t *at, const double *x, size_t n)
{
	double a = 0, b = 0, c = 0, d = 0;
	size_t k = 0;
	if (!at) return slices_dot(w, x, n);
	for (; k + 4 <= n; k += 4) {
		a += w[at[k]] * x[k];
		b += w[at[k + 1]] * x[k + 1];
		c += w[at[k + 2]] * x[k + 2];
		d += w[at[k + 3]] * x[k + 3];
	}
	for (; k < n; k++) a += w[at[k]] * x[k];
	return (a + b) + (c + d);
}

/* The same sum in the same order over pairs, whose lines are asked for ahead of their use. */
static double dot_pairs(const double *pairs, const uint32_t *at, const double *x, size_t n)
{
	double a = 0, b = 0, c = 0, d = 0;
	size_t k = 0;
	for (; k + 4 <= n; k += 4) {
		for (size_t i = 0; i < 4; i++)
			__builtin_prefetch(&pairs[2 * (size_t)at[k + i + LOGISTIC_AHEAD - 4]], 1);
		a += pairs[2 * (size_t)at[k]] * x[k];
		b += pairs[2 * (size_t)at[k + 1]] * x[k + 1];
		c += pairs[2 * (size_t)at[k + 2]] * x[k + 2];
		d += pairs[2 * (size_t)at[k + 3]] * x[k + 3];
	}
	for (; k < n; k++) a += pairs[2 * (size_t)at[k]] * x[k];
	return (a + b) + (c + d);
}

static void scatter(double *g, const uint32_t *at, const double *x, size_t n, double r)
{
	if (at)
		for (size_t k = 0; k < n; k++) g[at[k]] += r * x[k];
	else
		for (size_t k = 0; k < n; k++) g[k] += r * x[k];
}

/* A row's places differ, so four entries are on their way at a time. */
static void scatter_pairs(double *pairs, const uint32_t *at, const double *x, size_t n, double r)
{
	size_t k = 0;
	for (; k + 4 <= n; k += 4) {
		double *g0 = &pairs[2 * (size_t)at[k] + 1], *g1 = &pairs[2 * (size_t)at[k + 1] + 1];
		double *g2 = &pairs[2 * (size_t)at[k + 2] + 1], *g3 = &pairs[2 * (size_t)at[k + 3] + 1];
		double a = *g0 + r * x[k], b = *g1 + r * x[k + 1], c = *g2 + r * x[k + 2], d = *g3 + r * x[k + 3];
		*g0 = a;
		*g1 = b;
		*g2 = c;
		*g3 = d;
	}
	for (; k < n; k++) pairs[2 * (size_t)at[k] + 1] += r * x[k];
}

/* label 1 or 0; loss = ln(1 + e^∓margin), which is added to *loss. Returns the loss's slope by the margin. */
static double logistic(double margin, double label, double weight, double *loss)
{
	double e = exp(-fabs(margin)), p = margin > 0 ? 1 / (1 + e) : e / (1 + e);
	*loss += weight * (log1p(e) + fmax(label > 0 ? -margin : margin, 0));
	return weight * (label > 0 ? p - 1 : p);
}

static void add_binomial(void *ctx, const struct logistic_row *row, double *leaf)
{
	const struct logistic_loss *l = ctx;
	double *slopes = leaf + l->space->coefficients;
	double margin = l->offset[0] +
			(l->pairs ? dot_pairs(l->pairs, row->at, row->x, row->n) : dot(l->w, row->at, row->x, row->n));
	double r = logistic(margin, row->label, row->weight, &slopes[1]);
	slopes[0] += r;
	if (l->pairs) scatter_pairs(l->pairs, row->at, row->x, row->n, r);
	else scatter(leaf, row->at, row->x, row->n, r);
}

/* margin[k] becomes weight·(p_k - [k is the label]). Returns the loss. */
static double softmax_loss(double *margin, size_t sets, size_t label, double weight)
{
	double highest = margin[0], sum = 0, of_label = margin[label];
	for (size_t k = 1; k < sets; k++) highest = fmax(highest, margin[k]);
	for (size_t k = 0; k < sets; k++) sum += margin[k] = exp(margin[k] - highest);
	for (size_t k = 0; k < sets; k++) margin[k] *= weight / sum;
	margin[label] -= weight;
	return weight * (log(sum) + highest - of_label);
}

static void add_multinomial(void *ctx, const struct logistic_row *row, double *leaf)
{
	const struct logistic_loss *l = ctx;
	size_t sets = l->space->sets, stride = l->pairs ? 2 * sets : sets;
	const double *w = l->pairs ? l->pairs : l->w;
	double *g = l->pairs ? l->pairs + sets : leaf, *m = l->margin, *slopes = leaf + l->space->coefficients;
	memcpy(m, l->offset, sets * sizeof *m);
	for (size_t k = 0; k < row->n; k++) {
		const double *at = w + (row->at ? row->at[k] : k) * stride;
		for (size_t c = 0; c < sets; c++) m[c] += row->x[k] * at[c];
	}
	slopes[sets] += softmax_loss(m, sets, (size_t)row->label, row->weight);
	for (size_t c = 0; c < sets; c++) slopes[c] += m[c];
	for (size_t k = 0; k < row->n; k++) {
		double *at = g + (row->at ? row->at[k] : k) * stride;
		for (size_t c = 0; c < sets; c++) at[c] += row->x[k] * m[c];
	}
}

/* --- Where rows add to ------------------------------------------------------------------------------------------- */

static void fill_weights(const struct logistic_loss *l)
{
	size_t sets = l->space->sets;
	for (size_t j = 0; j < l->space->active; j++)
		for (size_t k = 0; k < sets; k++) l->pairs[2 * j * sets + k] = l->w[j * sets + k];
}

static void clear(void *ctx, double *leaf)
{
	const struct logistic_loss *l = ctx;
	size_t from = l->pairs ? l->space->coefficients : 0;
	memset(leaf + from, 0, (l->leaf_len - from) * sizeof *leaf);
}

static void take_gradient(void *ctx, double *leaf)
{
	const struct logistic_loss *l = ctx;
	size_t sets = l->space->sets;
	for (size_t j = 0; l->pairs && j < l->space->active; j++)
		for (size_t k = 0; k < sets; k++) {
			double *g = &l->pairs[(2 * j + 1) * sets + k];
			leaf[j * sets + k] = *g;
			*g = 0;
		}
}

/* --- All rows ---------------------------------------------------------------------------------------------------- */

/* Walks the variables of a slice with their place and class. */
struct variable {
	size_t i, place, class;
};

static struct variable variable_at(const struct logistic_space *s, size_t i)
{
	return (struct variable){i, i / s->sets, i % s->sets};
}

static void variable_next(const struct logistic_space *s, struct variable *v)
{
	v->i++;
	if (++v->class < s->sets) return;
	v->class = 0;
	v->place++;
}

bool logistic_loss_place(struct logistic_loss *l, const double *x, struct err *e)
{
	const struct logistic_space *s = l->space;
	struct comm *c = l->walk->fit->comm;
	size_t lo, hi;
	comm_slice(c, s->n, &lo, &hi);
	for (struct variable v = variable_at(s, lo); v.i < hi; variable_next(s, &v))
		l->w[v.i] = v.i < s->coefficients ? x[v.i - lo] * s->unscale[v.place] : x[v.i - lo];
	if (!c->ops->publish(c, l->w, s->n, e)) return false;
	for (size_t k = 0; k < s->sets; k++) l->offset[k] = s->intercept ? l->w[s->coefficients + k] : 0;
	if (!s->mean) return true;
	if (s->sets == 1) l->offset[0] -= slices_dot(l->w, s->mean, s->active);
	else
		for (size_t j = 0; j < s->active; j++)
			for (size_t k = 0; k < s->sets; k++) l->offset[k] -= l->w[j * s->sets + k] * s->mean[j];
	return true;
}

bool logistic_loss(struct logistic_loss *l, const double *x, double *g, double *value, struct err *e)
{
	const struct logistic_space *s = l->space;
	const double *slopes = l->sum + s->coefficients;
	size_t lo, hi;
	comm_slice(l->walk->fit->comm, s->n, &lo, &hi);
	struct logistic_adder adder = {clear, s->sets == 1 ? add_binomial : add_multinomial, take_gradient};
	if (!logistic_loss_place(l, x, e)) return false;
	if (l->pairs) fill_weights(l);
	if (!logistic_walk_sum(l->walk, l->leaf_len, &adder, l, l->sum, e)) return false;
	for (struct variable v = variable_at(s, lo); v.i < hi; variable_next(s, &v)) {
		double sum = l->sum[v.i];
		if (v.i < s->coefficients) {
			if (s->mean) sum -= s->mean[v.place] * slopes[v.class];
			sum *= s->unscale[v.place];
		}
		g[v.i - lo] = sum / s->weight;
	}
	*value = slopes[s->sets] / s->weight;
	return true;
}
