#include "pipeline/models/logistic_moments.h"

#include "data/dataset.h"

#include <math.h>

/* Below this part of the mean square, a variance from sums has lost too many digits to be trusted. */
static const double CANCELLED = 1e-6;
enum { FIRST_BYTES_MAX = 1 << 30 };

/* A place's sums lie side by side: a row touches one cache line for both. */
enum { SUM_FIRST, SUM_SECOND, SUMS };

static void clear(void *ctx, double *leaf) { memset(leaf, 0, SUMS * *(const size_t *)ctx * sizeof *leaf); }

static void add_row(void *ctx, const struct logistic_row *row, double *leaf)
{
	(void)ctx;
	for (size_t k = 0; k < row->n; k++) {
		double *sums = leaf + SUMS * (row->at ? (size_t)row->at[k] : k), wx = row->weight * row->x[k];
		sums[SUM_FIRST] += wx;
		sums[SUM_SECOND] += wx * row->x[k];
	}
}

/* The same in many places, whose lines are asked for ahead of their use. */
static void add_placed_row(void *ctx, const struct logistic_row *row, double *leaf)
{
	const uint32_t *at = row->at;
	const double *x = row->x, weight = row->weight;
	(void)ctx;
	for (size_t k = 0; k < row->n; k++) {
		__builtin_prefetch(&leaf[SUMS * (size_t)at[k + LOGISTIC_AHEAD - 1]], 1);
		double *sums = leaf + SUMS * (size_t)at[k], wx = weight * x[k];
		sums[SUM_FIRST] += wx;
		sums[SUM_SECOND] += wx * x[k];
	}
}

/* Degrees of freedom under reliability weights; n - 1 where every weight is 1. */
static double degrees(const struct logistic_rows *r) { return r->weight - r->weight_squares / r->weight; }

static double variance(double squares, const struct logistic_rows *r)
{
	return degrees(r) > 0 ? (squares < 0 ? 0 : squares) / degrees(r) : 0;
}

/* --- Features that may be constant ------------------------------------------------------------------------------- */

struct doubtful {
	const struct logistic_columns *columns;
	size_t *features, count;
	double *value; /* [count] of the first row that weighs something */
	bool found;
};

/* Stored in every row, and the sums cancel: constant, or far from zero for their spread. */
static void find_doubtful(const struct logistic_walk *w, const struct logistic_rows *r, const double *sums,
			  struct doubtful *d)
{
	d->features = mem_alloc(MAX(r->features, (size_t)1) * sizeof *d->features);
	for (size_t j = 0; j < r->features; j++) {
		if (r->count[j] != r->rows) continue;
		const double *at = sums + SUMS * (w->place ? w->place[j] : j);
		double about_mean = at[SUM_SECOND] - at[SUM_FIRST] * at[SUM_FIRST] / r->weight;
		if (at[SUM_SECOND] > 0 && about_mean <= CANCELLED * at[SUM_SECOND]) d->features[d->count++] = j;
	}
	d->value = mem_zalloc(MAX(d->count, (size_t)1), sizeof *d->value);
}

static double value_at(struct vec v, size_t j) { return v.idx ? vec_at(v, (uint32_t)j) : v.val[j]; }

static bool take_first(void *ctx, const struct batch *b, struct err *e)
{
	struct doubtful *d = ctx;
	(void)e;
	for (size_t i = 0; !d->found && i < b->rows; i++) {
		if (!(logistic_weight(d->columns, b, i) > 0)) continue;
		struct vec v = column_vec_at(&b->columns[d->columns->features], i);
		for (size_t k = 0; k < d->count; k++) d->value[k] = value_at(v, d->features[k]);
		d->found = true;
	}
	return true;
}

static bool agree_on_first(struct fit *f, struct doubtful *d, struct err *e)
{
	struct comm *c = f->comm;
	struct buf all = BUF_INIT(FIRST_BYTES_MAX);
	struct str parts[COMM_RANKS_MAX];
	bool ok = true;
	for (size_t s = comm_shard_first(c, c->rank); ok && !d->found && s < comm_shard_end(c, c->rank); s++)
		ok = fit_scan(f, s, take_first, d, e);
	ok = comm_agree(c, ok, e) &&
	     c->ops->gather(c, d->value, d->found ? d->count * sizeof *d->value : 0, &all, parts, e);
	for (unsigned r = 0; ok && r < c->size; r++)
		if (parts[r].len > 0) {
			memcpy(d->value, parts[r].data, parts[r].len);
			break;
		}
	buf_release(&all);
	return ok;
}

/* acc: Σ w·(x - first), Σ w·(x - first)² by doubtful feature; exactly 0 for a constant. */
static void add_deviations(void *ctx, const struct batch *b, double *acc)
{
	const struct doubtful *d = ctx;
	for (size_t i = 0; i < b->rows; i++) {
		double weight = logistic_weight(d->columns, b, i);
		struct vec v = column_vec_at(&b->columns[d->columns->features], i);
		for (size_t k = 0; weight > 0 && k < d->count; k++) {
			double x = value_at(v, d->features[k]) - d->value[k];
			acc[SUMS * k + SUM_FIRST] += weight * x;
			acc[SUMS * k + SUM_SECOND] += weight * x * x;
		}
	}
}

static bool refine(struct logistic_walk *w, const struct logistic_rows *r, const double *sums,
		   struct logistic_moments *m, struct err *e)
{
	struct doubtful d = {.columns = &w->columns};
	find_doubtful(w, r, sums, &d);
	double *deviations = mem_zalloc(MAX(SUMS * d.count, (size_t)1), sizeof *deviations);
	bool ok = d.count == 0 || (agree_on_first(w->fit, &d, e) &&
				   fit_sum_with(w->fit, SUMS * d.count, add_deviations, &d, deviations, e));
	for (size_t k = 0; ok && k < d.count; k++) {
		size_t at = w->place ? w->place[d.features[k]] : d.features[k];
		double first = deviations[SUMS * k + SUM_FIRST], second = deviations[SUMS * k + SUM_SECOND];
		m->mean[at] = d.value[k] + first / r->weight;
		m->variance[at] = variance(second - first * first / r->weight, r);
	}
	mem_free(deviations);
	mem_free(d.features);
	mem_free(d.value);
	return ok;
}

/* --- All --------------------------------------------------------------------------------------------------------- */

bool logistic_moments_fit(struct logistic_walk *w, const struct logistic_rows *r, size_t active,
			  struct logistic_moments *m, struct err *e)
{
	struct comm *c = w->fit->comm;
	double *sums = c->ops->alloc(c, MAX(SUMS * active, (size_t)1));
	m->mean = mem_zalloc(MAX(active, (size_t)1), sizeof *m->mean);
	m->variance = mem_zalloc(MAX(active, (size_t)1), sizeof *m->variance);
	struct logistic_adder adder = {clear, w->place ? add_placed_row : add_row, NULL};
	bool ok = logistic_walk_sum(w, SUMS * active, &adder, &active, sums, e);
	for (size_t j = 0; ok && j < active; j++) {
		double first = sums[SUMS * j + SUM_FIRST], mean = first / r->weight;
		m->mean[j] = mean;
		m->variance[j] = variance(sums[SUMS * j + SUM_SECOND] - mean * first, r);
	}
	ok = ok && refine(w, r, sums, m, e);
	/* Too large to be squared: Spark divides by an infinite deviation, which leaves nothing of the feature
	 * either. */
	for (size_t j = 0; ok && j < active; j++)
		if (!isfinite(m->variance[j])) m->mean[j] = m->variance[j] = 0;
	c->ops->release(c, sums);
	return ok;
}

void logistic_moments_release(struct logistic_moments *m)
{
	mem_free(m->mean);
	mem_free(m->variance);
	*m = (struct logistic_moments){0};
}
