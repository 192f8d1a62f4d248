#include "pipeline/extremes.h"
#include "pipeline/entry_fold.h"

#include <float.h>

/* Of the non-zero values of one entry. */
struct extreme {
	double count, min, max;
};

/* Without a branch on which is more: the compiler has instructions for it. */
static void add_value(struct extreme *x, double value)
{
	if (value == 0) return;
	struct extreme now = x->count > 0 ? *x : (struct extreme){0, DBL_MAX, -DBL_MAX};
	now.count++;
	now.min = value < now.min ? value : now.min;
	now.max = value > now.max ? value : now.max;
	*x = now;
}

static void add_row(void *records, struct vec v)
{
	struct extreme *entries = records;
	if (v.idx)
		for (uint32_t k = 0; k < v.nnz; k++) add_value(&entries[v.idx[k]], v.val[k]);
	else
		for (uint32_t k = 0; k < v.nnz; k++) add_value(&entries[k], v.val[k]);
}

static void merge_entry(void *into, const void *other)
{
	struct extreme *x = into;
	const struct extreme *y = other;
	if (x->count == 0) {
		*x = *y;
		return;
	}
	x->count += y->count;
	x->min = MIN(x->min, y->min);
	x->max = MAX(x->max, y->max);
}

static void *create(const struct stage *s)
{
	static const struct entry_kind kind = {sizeof(struct extreme), add_row, merge_entry};
	(void)s;
	return entry_records_create(&kind);
}

/* The zeros join in. */
static void finish(const struct entry_records *all, struct extremes *out)
{
	const struct extreme *entries = all->records;
	size_t room = MAX(all->size, (size_t)1);
	*out = (struct extremes){all->size, mem_zalloc(room, sizeof(double)), mem_zalloc(room, sizeof(double))};
	for (size_t j = 0; j < all->size; j++) {
		bool zeros = entries[j].count < all->rows;
		out->min[j] = zeros ? MIN(entries[j].min, 0.0) : entries[j].min;
		out->max[j] = zeros ? MAX(entries[j].max, 0.0) : entries[j].max;
	}
}

bool extremes_fit(struct stage *s, struct fit *f, struct extremes *out, struct err *e)
{
	struct entry_records *all;
	bool ok = entry_fold(s, f, create, &all, e);
	if (ok) finish(all, out);
	entry_records_destroy(all);
	return ok;
}

void extremes_release(struct extremes *x)
{
	mem_free(x->min);
	mem_free(x->max);
}
