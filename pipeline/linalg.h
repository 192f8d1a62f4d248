/* Dense linear algebra: the only door to BLAS and LAPACK (OpenBLAS). One thread, whatever the machine has: the same
 * operands give the same bits on the same kind of processor, and workers do not fight for cores. */
#ifndef QUERN_PIPELINE_LINALG_H
#define QUERN_PIPELINE_LINALG_H

#include "base/err.h"

enum { LINALG_SVD_MAX = 23000 }; /* columns: LAPACK counts its 4·n² of working memory in 32 bits */

/* A block of a matrix whose rows lie `stride` doubles apart. */
struct linalg_block {
	double *at;
	size_t stride;
};

/* c += aᵀ b, where a is rows × m, b rows × n, c m × n. c overlaps neither. Sizes up to INT32_MAX. */
void linalg_add_products(size_t rows, size_t m, size_t n, struct linalg_block a, struct linalg_block b,
			 struct linalg_block c);

/* What linalg_svd holds at most, its operands included, in bytes. */
uint64_t linalg_svd_bytes(size_t n);
/* The singular values (descending) and left singular vectors of an n × n symmetric matrix: u + k·n is the k-th vector.
 * LAPACK's dgesdd with all vectors, which decides their signs as Spark's Breeze gets them. a is destroyed.
 * ERR_data where a holds NaN or infinities, or where the iteration does not converge. */
QN_MUST bool linalg_svd(size_t n, double *a, double *u, double *values, struct err *e);

#endif
