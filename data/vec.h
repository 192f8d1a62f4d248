/* Kernels over dense and sparse vectors. Each sums in index order with one accumulator, so that a row gives the same bits
 * wherever it is computed: one at a time, in a batch, in training or serving. Functions of sizes and pointers only. */
#ifndef QUERN_DATA_VEC_H
#define QUERN_DATA_VEC_H

#include "data/batch.h"

/* Σ w[i]·x[i]; w has at least x.size entries. */
double vec_dot(struct vec x, const double *w);
/* y[i] += a·x[i]. */
void vec_axpy(double a, struct vec x, double *y);
/* (Σ|x|^p)^(1/p); p = INFINITY: the largest |x|. p 1 and 2 as Spark computes them. */
double vec_norm(struct vec x, double p);
/* Every entry, the zeros too, to x.size doubles. */
void vec_spread(struct vec x, double *to);
/* Appends row i of a column of vectors to another, each stored entry times the weight at its place; in place where both
 * are one. */
void vec_times(struct column *to, const struct column *from, size_t i, const double *w);
/* to[k] = (x[k] - shift[k]) * scale[k]; scale NULL: left out. to may be x. */
void vec_shift(const double *x, const double *shift, const double *scale, size_t n, double *to);
/* to[k] = (x[k] - shift[k]) * scale[k] + plus. */
void vec_rescale(const double *x, const double *shift, const double *scale, double plus, size_t n, double *to);
size_t vec_nonzeros(struct vec x);
double vec_at(struct vec x, uint32_t i);
/* Of a sparse vector: the first stored entry whose index is at least i; nnz where there is none. */
uint32_t vec_place(struct vec x, uint32_t i);
/* First index of the maximum, as Spark's argmax (implicit zeros count); 0 of an empty vector. */
uint32_t vec_argmax(struct vec x);

#endif
