#include "pipeline/models/logistic_moments.h"

#include "data/dataset.h"

#include <math.h>

/* Below this part of the mean square, a variance from sums has lost too many digits to be trusted. */
static const double CANCELLED = 1e-6;
enum { LABEL_BYTES_MAX = 1 << 30 };

/* What a shard tells beside its features' sums. */
struct shard_sums {
	double rows, weight, weight_squares, stored;
	uint64_t classes;
	double *class_weight;
	size_t class_cap;
	uint64_t all_stored; /* rows without weight too */
};

/* A feature's sums lie side by side: one row touches each cache line once. */
enum { SUM_COUNT, SUM_FIRST, SUM_SECOND, SUMS };

struct pass {
	struct stage *stage;
	const struct logistic_columns *columns;
	size_t features;
	double *leaf; /* [features][SUMS] */
	struct shard_sums shard;
};

/* --- Rows -------------------------------------------------------------------------------------------------------------- */

static bool check_label(const struct stage *s, const struct batch *b, size_t i, int slot, struct err *e)
{
	const struct column *c = &b->columns[slot];
	if (!column_valid(c, i) || isnan(column_number_at(c, i)))
		return stage_data_error(s, b, i, e, "the label is null or NaN");
	double v = column_number_at(c, i);
	if (v != floor(v)) return stage_data_error(s, b, i, e, "labels must be integers 0, 1, …, not %g", v);
	if (v < 0) return stage_data_error(s, b, i, e, "labels must not be negative, as %g is", v);
	if (v >= LOGISTIC_CLASSES_MAX)
		return stage_data_error(s, b, i, e, "label %g would make more than %d classes", v, LOGISTIC_CLASSES_MAX);
	return true;
}

static bool check_weight(const struct stage *s, const struct batch *b, size_t i, int slot, struct err *e)
{
	if (slot < 0) return true;
	const struct column *c = &b->columns[slot];
	if (!column_valid(c, i) || isnan(column_number_at(c, i)))
		return stage_data_error(s, b, i, e, "the weight is null or NaN");
	double v = column_number_at(c, i);
	if (v < 0 || isinf(v)) return stage_data_error(s, b, i, e, "the weight %g is negative or infinite", v);
	return true;
}

static bool check_features(const struct stage *s, const struct batch *b, size_t i, int slot, size_t size, struct err *e)
{
	const struct column *c = &b->columns[slot];
	if (!column_valid(c, i)) return stage_data_error(s, b, i, e, "the features are null");
	struct vec v = column_vec_at(c, i);
	if (v.size != size)
		return stage_data_error(s, b, i, e, "the features have %u entries, those of other rows %zu", v.size, size);
	double poison = 0; /* x·0 is NaN for NaN and infinities, and stays so */
	for (uint32_t k = 0; k < v.nnz; k++) poison += v.val[k] * 0;
	return poison == 0 || stage_data_error(s, b, i, e, "a feature is NaN or infinite");
}

static void add_row(struct pass *p, struct vec v, double label, double weight)
{
	struct shard_sums *t = &p->shard;
	size_t class = (size_t)label, had = t->class_cap;
	MEM_GROW(t->class_weight, t->class_cap, class + 1);
	for (; had < t->class_cap; had++) t->class_weight[had] = 0;
	t->classes = MAX(t->classes, class + 1);
	t->class_weight[class] += weight;
	t->rows++;
	t->weight += weight;
	t->weight_squares += weight * weight;
	t->stored += v.nnz;
	for (uint32_t k = 0; k < v.nnz; k++) {
		double *sums = p->leaf + SUMS * (size_t)(v.idx ? v.idx[k] : k), wx = weight * v.val[k];
		sums[SUM_COUNT]++;
		sums[SUM_FIRST] += wx;
		sums[SUM_SECOND] += wx * v.val[k];
	}
}

static bool add_batch(void *ctx, const struct batch *b, struct err *e)
{
	struct pass *p = ctx;
	const struct logistic_columns *c = p->columns;
	for (size_t i = 0; i < b->rows; i++) {
		if (!check_label(p->stage, b, i, c->label, e) || !check_weight(p->stage, b, i, c->weight, e) ||
		    !check_features(p->stage, b, i, c->features, p->features, e))
			return false;
		struct vec v = column_vec_at(&b->columns[c->features], i);
		double weight = logistic_weight(c, b, i);
		p->shard.all_stored += v.nnz;
		if (weight > 0) add_row(p, v, logistic_label(c, b, i), weight);
	}
	return true;
}

/* --- Shards ------------------------------------------------------------------------------------------------------------ */

static void pack_shard(const struct shard_sums *t, struct buf *out)
{
	buf_f64(out, t->rows);
	buf_f64(out, t->weight);
	buf_f64(out, t->weight_squares);
	buf_f64(out, t->stored);
	buf_u64(out, t->classes);
	for (size_t k = 0; k < t->classes; k++) buf_f64(out, t->class_weight[k]);
}

static void merge_shard(struct logistic_moments *m, struct cursor *in)
{
	m->rows += cursor_f64(in);
	m->weight += cursor_f64(in);
	m->weight_squares += cursor_f64(in);
	m->stored += cursor_f64(in);
	uint64_t classes = cursor_u64(in);
	CHECK(!in->bad && classes <= LOGISTIC_CLASSES_MAX);
	if (classes > m->classes) {
		m->class_weight = mem_realloc(m->class_weight, classes, sizeof *m->class_weight);
		for (; m->classes < classes; m->classes++) m->class_weight[m->classes] = 0;
	}
	for (size_t k = 0; k < classes; k++) m->class_weight[k] += cursor_f64(in);
}

/* Every rank adds all shards' sums in shard order. */
static bool merge_all(struct comm *c, struct logistic_moments *m, const struct buf *mine, struct err *e)
{
	struct buf all = BUF_INIT(LABEL_BYTES_MAX);
	struct str parts[COMM_RANKS_MAX];
	bool ok = c->ops->gather(c, mine->data, mine->len, &all, parts, e);
	for (unsigned r = 0; ok && r < c->size; r++)
		for (struct cursor in = CURSOR(parts[r].data, parts[r].len); cursor_left(&in) > 0;) merge_shard(m, &in);
	buf_release(&all);
	return ok;
}

static bool scan_shards(struct stage *s, struct fit *f, const struct logistic_columns *columns, struct logistic_moments *m,
			struct buf *mine, struct err *e)
{
	struct comm *c = f->comm;
	size_t first = comm_shard_first(c, c->rank), end = comm_shard_end(c, c->rank);
	bool ok = true;
	for (size_t shard = first; ok && shard < end; shard++) {
		struct pass p = {.stage = s,
				 .columns = columns,
				 .features = m->features,
				 .leaf = c->ops->leaf(c, shard - first, m->features * SUMS)};
		memset(p.leaf, 0, m->features * SUMS * sizeof *p.leaf);
		ok = fit_scan(f, shard, add_batch, &p, e);
		if (ok) pack_shard(&p.shard, mine);
		m->shard_stored[shard - first] = p.shard.all_stored;
		mem_free(p.shard.class_weight);
	}
	return comm_agree(c, ok, e);
}

/* --- Features that may be constant --------------------------------------------------------------------------------------- */

struct doubtful {
	size_t *features, count;
	double *value; /* [count] of the first row that weighs something */
	bool found;
	const struct logistic_columns *columns;
};

/* Stored in every row, and the sums cancel: constant, or far from zero for their spread. */
static void find_doubtful(const struct logistic_moments *m, const double *sums, struct doubtful *d)
{
	d->features = mem_alloc(MAX(m->features, (size_t)1) * sizeof *d->features);
	for (size_t j = 0; j < m->features; j++) {
		const double *at = sums + j * SUMS;
		double about_mean = at[SUM_SECOND] - at[SUM_FIRST] * at[SUM_FIRST] / m->weight;
		bool cancels = at[SUM_SECOND] > 0 && about_mean <= CANCELLED * at[SUM_SECOND];
		if (cancels && at[SUM_COUNT] == m->rows) d->features[d->count++] = j;
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

/* acc: Σ w·(x - first), Σ w·(x - first)² by doubtful feature; exactly 0 for a constant. */
static void add_deviations(void *ctx, const struct batch *b, double *acc)
{
	const struct doubtful *d = ctx;
	for (size_t i = 0; i < b->rows; i++) {
		double weight = logistic_weight(d->columns, b, i);
		struct vec v = column_vec_at(&b->columns[d->columns->features], i);
		for (size_t k = 0; weight > 0 && k < d->count; k++) {
			double x = value_at(v, d->features[k]) - d->value[k];
			acc[2 * k] += weight * x;
			acc[2 * k + 1] += weight * x * x;
		}
	}
}

static bool agree_on_first(struct fit *f, struct doubtful *d, struct err *e)
{
	struct comm *c = f->comm;
	struct buf all = BUF_INIT(LABEL_BYTES_MAX);
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

static bool refine(struct fit *f, const struct logistic_columns *columns, struct logistic_moments *m, const double *sums,
		   double degrees, struct err *e)
{
	struct doubtful d = {.columns = columns};
	find_doubtful(m, sums, &d);
	double *deviations = mem_zalloc(MAX(2 * d.count, (size_t)1), sizeof *deviations);
	bool ok = d.count == 0 || (agree_on_first(f, &d, e) &&
				   fit_sum_with(f, 2 * d.count, add_deviations, &d, deviations, e));
	for (size_t k = 0; ok && k < d.count; k++) {
		double first = deviations[2 * k], second = deviations[2 * k + 1];
		m->mean[d.features[k]] = d.value[k] + first / m->weight;
		m->variance[d.features[k]] = degrees > 0 ? fmax(second - first * first / m->weight, 0) / degrees : 0;
	}
	mem_free(deviations);
	mem_free(d.features);
	mem_free(d.value);
	return ok;
}

/* --- All ------------------------------------------------------------------------------------------------------------------- */

static void finish(struct logistic_moments *m, const double *sums, double degrees)
{
	m->count = mem_alloc(MAX(m->features, (size_t)1) * sizeof *m->count);
	m->mean = mem_alloc(MAX(m->features, (size_t)1) * sizeof *m->mean);
	m->variance = mem_alloc(MAX(m->features, (size_t)1) * sizeof *m->variance);
	for (size_t j = 0; j < m->features; j++) {
		const double *at = sums + j * SUMS;
		double mean = at[SUM_FIRST] / m->weight;
		m->count[j] = at[SUM_COUNT];
		m->mean[j] = mean;
		m->variance[j] = degrees > 0 ? fmax(at[SUM_SECOND] - mean * at[SUM_FIRST], 0) / degrees : 0;
	}
}

static bool sum_features(struct stage *s, struct fit *f, const struct logistic_columns *columns, struct logistic_moments *m,
			 struct err *e)
{
	struct comm *c = f->comm;
	if (!(m->weight > 0))
		return err_set(e, ERR_data, "%s (stage %zu): no row weighs anything", s->type->name, s->index);
	double *sums = c->ops->alloc(c, m->features * SUMS), degrees = m->weight - m->weight_squares / m->weight;
	bool ok = c->ops->sum_shards(c, m->features * SUMS, sums, e);
	if (ok) finish(m, sums, degrees);
	ok = ok && refine(f, columns, m, sums, degrees, e);
	c->ops->release(c, sums);
	return ok;
}

bool logistic_moments_fit(struct stage *s, struct fit *f, const struct logistic_columns *c, struct logistic_moments *m,
			  struct err *e)
{
	struct buf mine = BUF_INIT(LABEL_BYTES_MAX);
	*m = (struct logistic_moments){0};
	m->shard_stored = mem_zalloc(MAX(f->comm->shard_count, (size_t)1), sizeof *m->shard_stored);
	bool ok = fit_vector_size(f, c->features, &m->features, e) && scan_shards(s, f, c, m, &mine, e) &&
		  merge_all(f->comm, m, &mine, e) && sum_features(s, f, c, m, e);
	buf_release(&mine);
	return ok;
}

void logistic_moments_release(struct logistic_moments *m)
{
	mem_free(m->class_weight);
	mem_free(m->count);
	mem_free(m->mean);
	mem_free(m->variance);
	mem_free(m->shard_stored);
	*m = (struct logistic_moments){0};
}
