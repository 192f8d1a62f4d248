#include "pipeline/moments.h"

#include <math.h>

/* Of the non-zero values of one entry. */
struct running {
	double count, mean, squares; /* squares: Σ (x - mean)² */
};

struct summary {
	bool sized;
	size_t size;
	double rows;
	struct running *entries; /* [size] */
};

static void *summary_create(const struct stage *s)
{
	(void)s;
	return mem_zalloc(1, sizeof(struct summary));
}

static void summary_destroy(void *acc)
{
	struct summary *m = acc;
	mem_free(m->entries);
	mem_free(m);
}

/* The first row decides the length. False: this one has another. */
static bool summary_size(struct summary *m, size_t size)
{
	if (!m->sized) m->entries = mem_zalloc(MAX(size, (size_t)1), sizeof *m->entries);
	if (!m->sized) m->size = size;
	m->sized = true;
	return m->size == size;
}

static void add_value(struct running *r, double x)
{
	if (x == 0) return;
	double d = x - r->mean;
	r->mean += d / (r->count + 1);
	r->squares += (x - r->mean) * d;
	r->count++;
}

static bool summary_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct summary *m = acc;
	const struct column *c = &b->columns[s->in[0].slot];
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(c, i)) return stage_data_error(s, b, i, e, "the vector is null");
		struct vec v = column_vec_at(c, i);
		if (!summary_size(m, v.size))
			return stage_data_error(s, b, i, e, "the vector has %u entries, those of other rows %zu",
						v.size, m->size);
		m->rows++;
		for (uint32_t k = 0; k < v.nnz; k++) add_value(&m->entries[v.idx ? v.idx[k] : k], v.val[k]);
	}
	return true;
}

/* Entries without a value are left out. */
static void summary_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct summary *m = acc;
	(void)s;
	buf_f64(out, m->rows);
	if (m->rows == 0) return;
	buf_u64(out, m->size);
	for (size_t j = 0; j < m->size; j++) {
		if (m->entries[j].count == 0) continue;
		buf_u64(out, j);
		buf_append(out, &m->entries[j], sizeof m->entries[j]);
	}
}

static void merge_entry(struct running *into, const struct running *other)
{
	if (into->count == 0) {
		*into = *other;
		return;
	}
	double count = into->count + other->count, d = other->mean - into->mean;
	into->squares += other->squares + d * d * into->count * other->count / count;
	into->mean += d * other->count / count;
	into->count = count;
}

static bool summary_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct summary *m = into;
	double rows = cursor_f64(in);
	if (rows == 0) return true;
	size_t size = cursor_u64(in);
	if (!summary_size(m, size))
		return err_set(e, ERR_data, "%s (stage %zu): some rows have vectors of %zu entries, others of %zu",
			       s->type->name, s->index, m->size, size);
	m->rows += rows;
	while (cursor_left(in) > 0) {
		uint64_t j = cursor_u64(in);
		struct running other;
		memcpy(&other, cursor_bytes(in, sizeof other), sizeof other);
		merge_entry(&m->entries[j], &other);
	}
	return true;
}

/* The zeros join in: count of them, mean 0. */
static void finish(const struct summary *m, struct moments *out)
{
	size_t room = MAX(m->size, (size_t)1);
	*out = (struct moments){.size = m->size,
				.mean = mem_zalloc(room, sizeof(double)),
				.variance = mem_zalloc(room, sizeof(double)),
				.std = mem_zalloc(room, sizeof(double))};
	for (size_t j = 0; j < m->size; j++) {
		const struct running *r = &m->entries[j];
		double squares = r->squares + r->mean * r->mean * r->count * (m->rows - r->count) / m->rows;
		double variance = m->rows > 1 ? squares / (m->rows - 1) : 0;
		out->mean[j] = r->mean * (r->count / m->rows);
		out->variance[j] = variance > 0 || isnan(variance) ? variance : 0;
		out->std[j] = sqrt(out->variance[j]);
	}
}

bool moments_fit(struct stage *s, struct fit *f, struct moments *out, struct err *e)
{
	static const struct fit_fold fold = {summary_create, summary_each, summary_pack, summary_destroy,
					     summary_merge};
	struct summary *all = summary_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok && all->rows == 0)
		ok = err_set(e, ERR_data, "%s (stage %zu): there are no rows to fit on", s->type->name, s->index);
	if (ok) finish(all, out);
	summary_destroy(all);
	return ok;
}

void moments_release(struct moments *m)
{
	mem_free(m->mean);
	mem_free(m->variance);
	mem_free(m->std);
}
