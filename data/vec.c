#include "data/vec.h"

#include <math.h>

double vec_dot(struct vec x, const double *w)
{
	double sum = 0;
	if (x.idx)
		for (uint32_t k = 0; k < x.nnz; k++) sum += w[x.idx[k]] * x.val[k];
	else
		for (uint32_t k = 0; k < x.size; k++) sum += w[k] * x.val[k];
	return sum;
}

void vec_axpy(double a, struct vec x, double *y)
{
	if (x.idx)
		for (uint32_t k = 0; k < x.nnz; k++) y[x.idx[k]] += a * x.val[k];
	else
		for (uint32_t k = 0; k < x.size; k++) y[k] += a * x.val[k];
}

static double norm_max(struct vec x)
{
	double max = 0;
	for (uint32_t k = 0; k < x.nnz; k++)
		if (fabs(x.val[k]) > max) max = fabs(x.val[k]);
	return max;
}

double vec_norm(struct vec x, double p)
{
	double sum = 0;
	if (isinf(p)) return norm_max(x);
	if (p == 1) {
		for (uint32_t k = 0; k < x.nnz; k++) sum += fabs(x.val[k]);
		return sum;
	}
	if (p == 2) {
		for (uint32_t k = 0; k < x.nnz; k++) sum += x.val[k] * x.val[k];
		return sqrt(sum);
	}
	for (uint32_t k = 0; k < x.nnz; k++) sum += pow(fabs(x.val[k]), p);
	return pow(sum, 1 / p);
}

void vec_spread(struct vec x, double *to)
{
	if (!x.size) return;
	if (!x.idx) {
		memcpy(to, x.val, x.size * sizeof *to);
		return;
	}
	memset(to, 0, x.size * sizeof *to);
	for (uint32_t k = 0; k < x.nnz; k++) to[x.idx[k]] = x.val[k];
}

/* Entry by entry; a fixed number at a time, which the compiler makes vector instructions of. */
enum { BLOCK = 8 };
#define EACH(k, n, statement)                                                                                          \
	do {                                                                                                           \
		size_t whole = (n) - (n) % BLOCK;                                                                      \
		for (size_t at = 0; at < whole; at += BLOCK)                                                           \
			_Pragma("GCC ivdep") for (size_t i = 0; i < BLOCK; i++)                                        \
			{                                                                                              \
				size_t k = at + i;                                                                     \
				statement;                                                                             \
			}                                                                                              \
		for (size_t k = whole; k < (n); k++) statement;                                                        \
	} while (0)

static void times(struct vec x, const double *w, double *to)
{
	if (x.idx)
		for (uint32_t k = 0; k < x.nnz; k++) to[k] = x.val[k] * w[x.idx[k]];
	else EACH(k, x.nnz, to[k] = x.val[k] * w[k]);
}

void vec_times(struct column *to, const struct column *from, size_t i, const double *w)
{
	struct vec x = column_vec_at(from, i);
	uint32_t *idx;
	double *val;
	if (to == from) {
		times(x, w, to->f64 + to->off[i]);
		return;
	}
	column_vec_room(to, x.nnz, &idx, &val);
	if (x.idx && x.nnz) memcpy(idx, x.idx, x.nnz * sizeof *idx);
	times(x, w, val);
	column_vec_end(to, x.size, x.nnz, x.idx == NULL);
}

void vec_shift(const double *x, const double *shift, const double *scale, size_t n, double *to)
{
	if (scale) EACH(k, n, to[k] = (x[k] - shift[k]) * scale[k]);
	else EACH(k, n, to[k] = x[k] - shift[k]);
}

void vec_rescale(const double *x, const double *shift, const double *scale, double plus, size_t n, double *to)
{
	EACH(k, n, to[k] = (x[k] - shift[k]) * scale[k] + plus);
}

size_t vec_nonzeros(struct vec x)
{
	size_t n = 0;
	for (uint32_t k = 0; k < x.nnz; k++) n += x.val[k] != 0;
	return n;
}

uint32_t vec_place(struct vec x, uint32_t i)
{
	uint32_t lo = 0, hi = x.nnz;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (x.idx[mid] < i) lo = mid + 1;
		else hi = mid;
	}
	return lo;
}

double vec_at(struct vec x, uint32_t i)
{
	if (!x.idx) return x.val[i];
	uint32_t k = vec_place(x, i);
	return k < x.nnz && x.idx[k] == i ? x.val[k] : 0;
}

/* The first index that a sparse vector does not store, looking at its first n entries only. */
static uint32_t first_gap(struct vec x, uint32_t n)
{
	uint32_t k = 0;
	while (k < n && x.idx[k] == k) k++;
	return k;
}

uint32_t vec_argmax(struct vec x)
{
	if (x.nnz == 0) return 0;
	uint32_t best = 0;
	for (uint32_t k = 1; k < x.nnz; k++)
		if (x.val[k] > x.val[best]) best = k;
	if (!x.idx) return best;
	/* Zeros that are not stored beat negative values, and an equal stored zero that comes later. */
	if (x.nnz < x.size && x.val[best] < 0) return first_gap(x, x.nnz);
	if (x.nnz < x.size && x.val[best] == 0 && best < x.idx[best]) return first_gap(x, best);
	return x.idx[best];
}
