#include "pipeline/models/logistic_rows.h"

#include "data/dataset.h"

#include <math.h>

enum { LABEL_BYTES_MAX = 1 << 30 };

/* What a shard tells beside its features' counts. */
struct shard_sums {
	double rows, weight, weight_squares, stored;
	uint64_t classes;
	double *class_weight;
	size_t class_cap;
	uint64_t all_stored; /* rows without weight too */
};

struct pass {
	struct stage *stage;
	const struct logistic_columns *columns;
	size_t features;
	double *leaf; /* [features] */
	struct shard_sums shard;
};

/* --- Rows -------------------------------------------------------------------------------------------------------- */

static bool check_label(const struct stage *s, const struct batch *b, size_t i, int slot, struct err *e)
{
	const struct column *c = &b->columns[slot];
	if (!column_valid(c, i) || isnan(column_number_at(c, i)))
		return stage_data_error(s, b, i, e, "the label is null or NaN");
	double v = column_number_at(c, i);
	if (v != floor(v)) return stage_data_error(s, b, i, e, "labels must be integers 0, 1, …, not %g", v);
	if (v < 0) return stage_data_error(s, b, i, e, "labels must not be negative, as %g is", v);
	if (v >= LOGISTIC_CLASSES_MAX)
		return stage_data_error(s, b, i, e, "label %g would make more than %d classes", v,
					LOGISTIC_CLASSES_MAX);
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

/* NaN and infinities have all exponent bits set. No early end: the loop is one the compiler can vectorise. */
static bool all_finite(const double *v, size_t n)
{
	const uint64_t exponent = UINT64_C(0x7ff) << 52;
	uint64_t found = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;
		memcpy(&bits, v + i, sizeof bits);
		found |= (bits & exponent) == exponent;
	}
	return !found;
}

static bool check_features(const struct stage *s, const struct batch *b, size_t i, int slot, size_t size, struct err *e)
{
	const struct column *c = &b->columns[slot];
	if (!column_valid(c, i)) return stage_data_error(s, b, i, e, "the features are null");
	struct vec v = column_vec_at(c, i);
	if (v.size != size)
		return stage_data_error(s, b, i, e, "the features have %u entries, those of other rows %zu", v.size,
					size);
	return all_finite(v.val, v.nnz) || stage_data_error(s, b, i, e, "a feature is NaN or infinite");
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
	for (uint32_t k = 0; k < v.nnz; k++) p->leaf[v.idx ? v.idx[k] : k]++;
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

/* --- Shards ------------------------------------------------------------------------------------------------------ */

static void pack_shard(const struct shard_sums *t, struct buf *out)
{
	buf_f64(out, t->rows);
	buf_f64(out, t->weight);
	buf_f64(out, t->weight_squares);
	buf_f64(out, t->stored);
	buf_u64(out, t->classes);
	for (size_t k = 0; k < t->classes; k++) buf_f64(out, t->class_weight[k]);
}

static void merge_shard(struct logistic_rows *r, struct cursor *in)
{
	r->rows += cursor_f64(in);
	r->weight += cursor_f64(in);
	r->weight_squares += cursor_f64(in);
	r->stored += cursor_f64(in);
	uint64_t classes = cursor_u64(in);
	CHECK(!in->bad && classes <= LOGISTIC_CLASSES_MAX);
	if (classes > r->classes) {
		r->class_weight = mem_realloc(r->class_weight, classes, sizeof *r->class_weight);
		for (; r->classes < classes; r->classes++) r->class_weight[r->classes] = 0;
	}
	for (size_t k = 0; k < classes; k++) r->class_weight[k] += cursor_f64(in);
}

/* Every rank adds all shards' sums in shard order. */
static bool merge_all(struct comm *c, struct logistic_rows *r, const struct buf *mine, struct err *e)
{
	struct buf all = BUF_INIT(LABEL_BYTES_MAX);
	struct str parts[COMM_RANKS_MAX];
	bool ok = c->ops->gather(c, mine->data, mine->len, &all, parts, e);
	for (unsigned k = 0; ok && k < c->size; k++)
		for (struct cursor in = CURSOR(parts[k].data, parts[k].len); cursor_left(&in) > 0;) merge_shard(r, &in);
	buf_release(&all);
	return ok;
}

static bool scan_shards(struct stage *s, struct fit *f, const struct logistic_columns *columns, struct logistic_rows *r,
			struct buf *mine, struct err *e)
{
	struct comm *c = f->comm;
	size_t first = comm_shard_first(c, c->rank), end = comm_shard_end(c, c->rank);
	bool ok = true;
	for (size_t shard = first; ok && shard < end; shard++) {
		struct pass p = {.stage = s,
				 .columns = columns,
				 .features = r->features,
				 .leaf = c->ops->leaf(c, shard - first, r->features)};
		memset(p.leaf, 0, r->features * sizeof *p.leaf);
		ok = fit_scan(f, shard, add_batch, &p, e);
		if (ok) pack_shard(&p.shard, mine);
		r->shard_stored[shard - first] = p.shard.all_stored;
		mem_free(p.shard.class_weight);
	}
	return comm_agree(c, ok, e);
}

bool logistic_rows_count(struct stage *s, struct fit *f, const struct logistic_columns *c, struct logistic_rows *r,
			 struct err *e)
{
	struct comm *comm = f->comm;
	struct buf mine = BUF_INIT(LABEL_BYTES_MAX);
	*r = (struct logistic_rows){0};
	r->shard_stored = mem_zalloc(MAX(comm->shard_count, (size_t)1), sizeof *r->shard_stored);
	bool ok = fit_vector_size(f, c->features, &r->features, e) && scan_shards(s, f, c, r, &mine, e) &&
		  merge_all(comm, r, &mine, e);
	buf_release(&mine);
	if (ok && !(r->weight > 0))
		return err_set(e, ERR_data, "%s (stage %zu): no row weighs anything", s->type->name, s->index);
	double *sum = ok ? comm->ops->alloc(comm, r->features) : NULL;
	ok = ok && comm->ops->sum_shards(comm, r->features, sum, e);
	r->count = mem_zalloc(MAX(r->features, (size_t)1), sizeof *r->count);
	if (ok) memcpy(r->count, sum, r->features * sizeof *r->count);
	if (sum) comm->ops->release(comm, sum);
	return ok;
}

void logistic_rows_release(struct logistic_rows *r)
{
	mem_free(r->class_weight);
	mem_free(r->count);
	mem_free(r->shard_stored);
	*r = (struct logistic_rows){0};
}
