#include "pipeline/moments.h"

#include <math.h>

struct pass {
	int slot;
	size_t size;
	const double *mean; /* second pass */
};

/* Behind the size sums: rows, null rows, rows of another length. */
enum { EXTRA_ROWS, EXTRA_NULLS, EXTRA_OTHER, EXTRA_COUNT };

static void sum_values(void *ctx, const struct batch *b, double *acc)
{
	const struct pass *p = ctx;
	const struct column *c = &b->columns[p->slot];
	double *extra = acc + p->size;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(c, i);
		extra[EXTRA_ROWS]++;
		if (!column_valid(c, i)) extra[EXTRA_NULLS]++;
		else if (v.size != p->size) extra[EXTRA_OTHER]++;
		else vec_axpy(1, v, acc);
	}
}

/* acc: squared deviations of stored values, then how many values each entry stored; the others are zeros, added at the end. */
static void sum_squares(void *ctx, const struct batch *b, double *acc)
{
	const struct pass *p = ctx;
	const struct column *c = &b->columns[p->slot];
	double *stored = acc + p->size;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(c, i);
		for (uint32_t k = 0; k < v.nnz; k++) {
			uint32_t j = v.idx ? v.idx[k] : k;
			double d = v.val[k] - p->mean[j];
			acc[j] += d * d;
			stored[j]++;
		}
	}
}

static bool check_rows(const struct stage *s, const double *extra, size_t size, struct err *e)
{
	if (extra[EXTRA_NULLS] > 0)
		return err_set(e, ERR_data, "%s (stage %zu): %.0f rows are null", s->type->name, s->index, extra[EXTRA_NULLS]);
	if (extra[EXTRA_OTHER] > 0)
		return err_set(e, ERR_data, "%s (stage %zu): %.0f rows have another length than %zu", s->type->name, s->index,
			       extra[EXTRA_OTHER], size);
	if (extra[EXTRA_ROWS] == 0)
		return err_set(e, ERR_data, "%s (stage %zu): there are no rows to fit on", s->type->name, s->index);
	return true;
}

bool moments_fit(struct stage *s, struct fit *f, int slot, size_t size, double *mean, double *std, struct err *e)
{
	struct pass pass = {slot, size, mean};
	double *sums = mem_zalloc(size * 2 + EXTRA_COUNT, sizeof *sums);
	bool ok = fit_sum_with(f, size + EXTRA_COUNT, sum_values, &pass, sums, e) && check_rows(s, sums + size, size, e);
	double rows = ok ? sums[size + EXTRA_ROWS] : 0;
	for (size_t j = 0; ok && j < size; j++) mean[j] = sums[j] / rows;
	ok = ok && fit_sum_with(f, size * 2, sum_squares, &pass, sums, e);
	for (size_t j = 0; ok && j < size; j++) {
		double squares = sums[j] + (rows - sums[size + j]) * mean[j] * mean[j];
		std[j] = rows > 1 ? sqrt(squares / (rows - 1)) : 0;
	}
	mem_free(sums);
	return ok;
}
