#include "pipeline/models/logistic_loss.h"

#include "data/dataset.h"
#include "pipeline/optim/slices.h"

#include <math.h>

void logistic_loss_init(struct logistic_loss *l, struct fit *f, const struct logistic_columns *c,
			const struct logistic_space *space, const struct logistic_moments *m)
{
	struct comm *comm = f->comm;
	size_t shards = comm_shard_end(comm, comm->rank) - comm_shard_first(comm, comm->rank);
	*l = (struct logistic_loss){
		.fit = f,
		.columns = *c,
		.space = space,
		.leaf_len = space->coefficients + space->sets + 1,
		.offset = mem_zalloc(space->sets, sizeof *l->offset),
		.margin = mem_zalloc(space->sets, sizeof *l->margin),
		.shards = mem_zalloc(MAX(shards, (size_t)1), sizeof *l->shards),
	};
	l->w = comm->ops->alloc(comm, MAX(space->n, (size_t)1));
	l->sum = comm->ops->alloc(comm, l->leaf_len);
	uint64_t stored = 0;
	for (size_t s = 0; s < shards; s++) stored += m->shard_stored[s];
	bool kept = space->place && stored * sizeof *l->shards->places <= f->memory_max / 2;
	for (size_t s = 0; kept && s < shards; s++)
		l->shards[s].places = mem_alloc(MAX(m->shard_stored[s], (uint64_t)1) * sizeof *l->shards->places);
}

void logistic_loss_release(struct logistic_loss *l)
{
	struct comm *comm = l->fit->comm;
	size_t shards = comm_shard_end(comm, comm->rank) - comm_shard_first(comm, comm->rank);
	for (size_t s = 0; s < shards; s++) mem_free(l->shards[s].places);
	mem_free(l->shards);
	mem_free(l->row_places);
	mem_free(l->offset);
	mem_free(l->margin);
	comm->ops->release(comm, l->sum);
	comm->ops->release(comm, l->w);
	*l = (struct logistic_loss){0};
}

/* --- A row in the solver's space --------------------------------------------------------------------------------------- */

static void place_entries(const uint32_t *place, struct vec v, uint32_t *out)
{
	for (uint32_t k = 0; k < v.nnz; k++) out[k] = place[v.idx ? v.idx[k] : k];
}

/* The places of a row's entries; NULL: they are 0, 1, 2, … Kept ones are made on the first walk. */
static const uint32_t *row_places(struct logistic_loss *l, struct vec v)
{
	const uint32_t *place = l->space->place;
	uint32_t *kept = l->shards[l->shard].places;
	if (!place) return v.idx;
	if (kept) {
		kept += l->entry;
		l->entry += v.nnz;
		if (!l->shards[l->shard].filled) place_entries(place, v, kept);
		return kept;
	}
	MEM_GROW(l->row_places, l->row_places_cap, (size_t)v.nnz + 1);
	place_entries(place, v, l->row_places);
	return l->row_places;
}

/* Entries whose memory is asked for ahead of their use. */
enum { AHEAD = 16 };

/* Four interleaved sums, so that the additions do not wait for each other. The gradient g is scattered to at the same places
 * next: its lines come while the sum runs. */
static double dot(const double *w, const uint32_t *at, const double *x, size_t n, const double *g)
{
	double a = 0, b = 0, c = 0, d = 0;
	size_t k = 0;
	if (!at) return slices_dot(w, x, n);
	for (size_t i = 0; i < n && i < AHEAD; i++) __builtin_prefetch(&w[at[i]]);
	for (; k + 4 <= n; k += 4) {
		for (size_t i = 0; i < 4; i++) __builtin_prefetch(&g[at[k + i]], 1);
		for (size_t i = k + AHEAD; i < n && i < k + AHEAD + 4; i++) __builtin_prefetch(&w[at[i]]);
		a += w[at[k]] * x[k];
		b += w[at[k + 1]] * x[k + 1];
		c += w[at[k + 2]] * x[k + 2];
		d += w[at[k + 3]] * x[k + 3];
	}
	for (; k < n; k++) a += w[at[k]] * x[k];
	return (a + b) + (c + d);
}

static void scatter(double *g, const uint32_t *at, const double *x, size_t n, double r)
{
	if (at)
		for (size_t k = 0; k < n; k++) g[at[k]] += r * x[k];
	else
		for (size_t k = 0; k < n; k++) g[k] += r * x[k];
}

/* label 1 or 0; loss = ln(1 + e^∓margin). */
static void binomial_row(struct logistic_loss *l, const uint32_t *at, struct vec v, double label, double weight)
{
	double *by_class = l->leaf + l->space->coefficients, *loss = by_class + 1;
	double margin = l->offset[0] + dot(l->w, at, v.val, v.nnz, l->leaf);
	double e = exp(-fabs(margin)), p = margin > 0 ? 1 / (1 + e) : e / (1 + e);
	double against = label > 0 ? -margin : margin, r = weight * (label > 0 ? p - 1 : p);
	*loss += weight * (log1p(e) + fmax(against, 0));
	by_class[0] += r;
	scatter(l->leaf, at, v.val, v.nnz, r);
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

static void multinomial_row(struct logistic_loss *l, const uint32_t *at, struct vec v, double label, double weight)
{
	size_t sets = l->space->sets;
	double *m = l->margin, *by_class = l->leaf + l->space->coefficients;
	memcpy(m, l->offset, sets * sizeof *m);
	for (uint32_t k = 0; k < v.nnz; k++) {
		const double *w = l->w + (at ? at[k] : k) * sets;
		for (size_t c = 0; c < sets; c++) m[c] += v.val[k] * w[c];
	}
	by_class[sets] += softmax_loss(m, sets, (size_t)label, weight);
	for (size_t c = 0; c < sets; c++) by_class[c] += m[c];
	for (uint32_t k = 0; k < v.nnz; k++) {
		double *g = l->leaf + (at ? at[k] : k) * sets;
		for (size_t c = 0; c < sets; c++) g[c] += v.val[k] * m[c];
	}
}

static bool add_batch(void *ctx, const struct batch *b, struct err *e)
{
	struct logistic_loss *l = ctx;
	const struct column *features = &b->columns[l->columns.features];
	(void)e;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(features, i);
		double label = logistic_label(&l->columns, b, i), weight = logistic_weight(&l->columns, b, i);
		const uint32_t *at = row_places(l, v);
		if (!(weight > 0)) continue;
		if (l->space->sets == 1) binomial_row(l, at, v, label, weight);
		else multinomial_row(l, at, v, label, weight);
	}
	return true;
}

/* --- All rows ------------------------------------------------------------------------------------------------------------ */

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
	struct comm *c = l->fit->comm;
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

static bool walk(struct logistic_loss *l, struct err *e)
{
	struct comm *c = l->fit->comm;
	size_t first = comm_shard_first(c, c->rank), end = comm_shard_end(c, c->rank);
	bool ok = true;
	for (size_t shard = first; ok && shard < end; shard++) {
		l->leaf = c->ops->leaf(c, shard - first, l->leaf_len);
		l->shard = shard - first;
		l->entry = 0;
		memset(l->leaf, 0, l->leaf_len * sizeof *l->leaf);
		ok = fit_scan(l->fit, shard, add_batch, l, e);
		l->shards[l->shard].filled = true;
	}
	return comm_agree(c, ok, e) && c->ops->sum_shards(c, l->leaf_len, l->sum, e);
}

bool logistic_loss(struct logistic_loss *l, const double *x, double *g, double *value, struct err *e)
{
	const struct logistic_space *s = l->space;
	const double *by_class = l->sum + s->coefficients;
	size_t lo, hi;
	comm_slice(l->fit->comm, s->n, &lo, &hi);
	if (!logistic_loss_place(l, x, e) || !walk(l, e)) return false;
	for (struct variable v = variable_at(s, lo); v.i < hi; variable_next(s, &v)) {
		double sum = l->sum[v.i];
		if (v.i < s->coefficients) {
			if (s->mean) sum -= s->mean[v.place] * by_class[v.class];
			sum *= s->unscale[v.place];
		}
		g[v.i - lo] = sum / s->weight;
	}
	*value = by_class[s->sets] / s->weight;
	return true;
}
