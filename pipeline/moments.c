#include "pipeline/moments.h"
#include "pipeline/entry_fold.h"

#include <math.h>

/* Of the non-zero values of one entry. */
struct running {
	double count, mean, squares; /* squares: Σ (x - mean)² */
};

static void add_value(struct running *r, double x)
{
	if (x == 0) return;
	double d = x - r->mean;
	r->mean += d / (r->count + 1);
	r->squares += (x - r->mean) * d;
	r->count++;
}

typedef double pair __attribute__((vector_size(16)));

/* The same for two neighbours: one division does for both, and divisions are what a row costs. */
static void add_values(struct running *r, double x, double y)
{
	if (x == 0 || y == 0) {
		add_value(r, x);
		add_value(r + 1, y);
		return;
	}
	pair values = {x, y}, mean = {r[0].mean, r[1].mean}, count = {r[0].count, r[1].count};
	pair squares = {r[0].squares, r[1].squares}, d = values - mean;
	count += 1;
	mean += d / count;
	squares += (values - mean) * d;
	for (int i = 0; i < 2; i++) r[i] = (struct running){count[i], mean[i], squares[i]};
}

static void add_row(void *records, struct vec v)
{
	struct running *entries = records;
	uint32_t k = 0;
	for (; !v.idx && k + 1 < v.nnz; k += 2) add_values(&entries[k], v.val[k], v.val[k + 1]);
	for (; k < v.nnz; k++) add_value(&entries[v.idx ? v.idx[k] : k], v.val[k]);
}

static void merge_entry(void *record, const void *more)
{
	struct running *into = record;
	const struct running *other = more;
	if (into->count == 0) {
		*into = *other;
		return;
	}
	double count = into->count + other->count, d = other->mean - into->mean;
	into->squares += other->squares + d * d * into->count * other->count / count;
	into->mean += d * other->count / count;
	into->count = count;
}

static void *create(const struct stage *s)
{
	static const struct entry_kind kind = {sizeof(struct running), add_row, merge_entry};
	(void)s;
	return entry_records_create(&kind);
}

/* The zeros join in: count of them, mean 0. */
static void finish(const struct entry_records *m, struct moments *out)
{
	const struct running *entries = m->records;
	size_t room = MAX(m->size, (size_t)1);
	*out = (struct moments){.size = m->size,
				.rows = m->rows,
				.mean = mem_zalloc(room, sizeof(double)),
				.variance = mem_zalloc(room, sizeof(double)),
				.std = mem_zalloc(room, sizeof(double))};
	for (size_t j = 0; j < m->size; j++) {
		const struct running *r = &entries[j];
		double squares = r->squares + r->mean * r->mean * r->count * (m->rows - r->count) / m->rows;
		double variance = m->rows > 1 ? squares / (m->rows - 1) : 0;
		out->mean[j] = r->mean * (r->count / m->rows);
		out->variance[j] = variance > 0 || isnan(variance) ? variance : 0;
		out->std[j] = sqrt(out->variance[j]);
	}
}

bool moments_fit(struct stage *s, struct fit *f, struct moments *out, struct err *e)
{
	struct entry_records *all;
	bool ok = entry_fold(s, f, create, &all, e);
	if (ok) finish(all, out);
	entry_records_destroy(all);
	return ok;
}

void moments_release(struct moments *m)
{
	mem_free(m->mean);
	mem_free(m->variance);
	mem_free(m->std);
}
