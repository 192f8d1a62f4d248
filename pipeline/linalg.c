#include "pipeline/linalg.h"
#include "base/mem.h"

#include <cblas.h>
#include <lapack.h>
#include <math.h>
#include <pthread.h>

static void one_thread(void)
{
	openblas_set_num_threads(1);
}

static void prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, one_thread);
}

void linalg_add_products(size_t rows, size_t m, size_t n, struct linalg_block a, struct linalg_block b,
			 struct linalg_block c)
{
	prepare();
	cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)rows, 1, a.at,
		    (blasint)a.stride, b.at, (blasint)b.stride, 1, c.at, (blasint)c.stride);
}

/* a, u, the right vectors; LAPACK documents 4·n² + 7·n of work, and asks for some blocks of n more. */
uint64_t linalg_svd_bytes(size_t n)
{
	enum { MATRICES = 7, BLOCKS = 256 };
	return (MATRICES * (uint64_t)n + BLOCKS) * n * sizeof(double);
}

static bool all_finite(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i])) return false;
	return true;
}

bool linalg_svd(size_t n, double *a, double *u, double *values, struct err *e)
{
	lapack_int size = (lapack_int)n, query = -1, info = 0;
	double wanted = 0;
	CHECK(n > 0 && n <= LINALG_SVD_MAX);
	if (!all_finite(a, n * n)) return err_set(e, ERR_data, "a matrix of %zu columns is not finite", n);
	prepare();
	double *right = mem_alloc(n * n * sizeof *right);
	lapack_int *marks = mem_alloc(8 * n * sizeof *marks);
	LAPACK_dgesdd("A", &size, &size, a, &size, values, u, &size, right, &size, &wanted, &query, marks, &info);
	CHECK(info == 0);
	lapack_int room = (lapack_int)wanted;
	double *work = mem_alloc((size_t)room * sizeof *work);
	LAPACK_dgesdd("A", &size, &size, a, &size, values, u, &size, right, &size, work, &room, marks, &info);
	mem_free(work);
	mem_free(marks);
	mem_free(right);
	CHECK(info >= 0);
	return info == 0 || err_set(e, ERR_data, "the singular values of a matrix of %zu columns do not converge", n);
}
