/* Spark's DCT: the orthonormal cosine transform (DCT-II) of each vector, or its inverse (DCT-III).
 *
 * Short vectors are multiplied by the matrix. Longer ones go through a Fourier transform of their own length: J.
 * Makhoul, A fast cosine transform in one and two dimensions (1980). */
#include "pipeline/fft.h"
#include "pipeline/ports.h"

#include <math.h>

struct dct_params {
	struct ports ports;
	bool inverse;
};

static const struct field params[] = {
    PORTS_SINGLE,
    {.name = "inverse",
     .type = FIELD_BOOL,
     .offset = offsetof(struct dct_params, inverse),
     .fallback = "false",
     .help = "Transform back."},
    FIELD_END,
};

/* --- Tables of one length ------------------------------------------------------------------------------------ */

enum {
	MATRIX_LENGTH_MAX = 32,
	MATRIX_ODD_LENGTH_MAX = 192, /* a Fourier transform of no power of two is three of one, and longer */
};

static bool by_matrix(size_t n)
{
	return n <= MATRIX_LENGTH_MAX || (n <= MATRIX_ODD_LENGTH_MAX && (n & (n - 1)) != 0);
}

struct dct_plan {
	size_t length;
	double *x;               /* [length] the row, spread out */
	double *matrix;          /* [from * length + to] where by_matrix(length) */
	struct fft_number *v;    /* [length] */
	struct fft_number *turn; /* [length] exp(-πi k / 2 length) */
	struct fft fft;
	size_t x_cap, matrix_cap, v_cap, turn_cap;
};

static void plan_drop(void *p)
{
	struct dct_plan *plan = p;
	mem_free(plan->x);
	mem_free(plan->matrix);
	mem_free(plan->v);
	mem_free(plan->turn);
	fft_release(&plan->fft);
	mem_free(plan);
}

/* Factor of coefficient k in the orthonormal transform. */
static double weight(size_t k, size_t n)
{
	return sqrt((k ? 2.0 : 1.0) / (double)n);
}

static void plan_matrix(struct dct_plan *plan, bool inverse)
{
	size_t n = plan->length;
	MEM_GROW(plan->matrix, plan->matrix_cap, n * n);
	for (size_t j = 0; j < n; j++)
		for (size_t k = 0; k < n; k++)
			plan->matrix[inverse ? k * n + j : j * n + k] =
			    weight(k, n) * fft_root((2 * j + 1) * k % (4 * n), 2 * n).re;
}

static struct dct_plan *plan_for(struct scratch *sc, size_t n, bool inverse)
{
	struct dct_plan *plan = scratch_room(sc, 0, sizeof *plan);
	sc->drop[0] = plan_drop;
	if (plan->length == n) return plan;
	plan->length = n;
	MEM_GROW(plan->x, plan->x_cap, n);
	if (by_matrix(n)) {
		plan_matrix(plan, inverse);
		return plan;
	}
	MEM_GROW(plan->v, plan->v_cap, n);
	MEM_GROW(plan->turn, plan->turn_cap, n);
	for (size_t k = 0; k < n; k++) plan->turn[k] = fft_root(k, 2 * n);
	fft_plan(&plan->fft, n);
	return plan;
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

typedef double pair __attribute__((vector_size(16), aligned(8)));

static void multiply(const struct dct_plan *plan, double *to)
{
	size_t n = plan->length;
	memset(to, 0, n * sizeof *to);
	for (size_t j = 0; j < n; j++) {
		const double *row = plan->matrix + j * n, x = plan->x[j];
		size_t k = 0;
		for (; k + 2 <= n; k += 2) *(pair *)(to + k) += x * *(const pair *)(row + k);
		for (; k < n; k++) to[k] += x * row[k];
	}
}

/* Where Makhoul's order has entry j: the even ones, then the odd ones backwards. */
static size_t folded(size_t j, size_t n)
{
	return j % 2 ? n - 1 - j / 2 : j / 2;
}

static void forward(struct dct_plan *plan, double *to)
{
	size_t n = plan->length;
	for (size_t j = 0; j < n; j++) plan->v[folded(j, n)] = (struct fft_number){plan->x[j], 0};
	fft_forward(&plan->fft, plan->v);
	double w = weight(1, n);
	for (size_t k = 0; k < n; k++) to[k] = w * fft_times(plan->v[k], plan->turn[k]).re;
	to[0] = weight(0, n) * plan->v[0].re;
}

/* The spectrum that `forward` turns into the coefficients, conjugated, so that the forward transform takes it back. */
static void backward(struct dct_plan *plan, double *to)
{
	size_t n = plan->length;
	double w = 1 / weight(1, n);
	plan->v[0] = (struct fft_number){plan->x[0] / weight(0, n), 0};
	for (size_t k = 1; k < n; k++)
		plan->v[k] = fft_times((struct fft_number){plan->x[k] * w, plan->x[n - k] * w}, plan->turn[k]);
	fft_forward(&plan->fft, plan->v);
	for (size_t j = 0; j < n; j++) to[j] = plan->v[folded(j, n)].re / (double)n;
}

static void transform_row(struct dct_plan *plan, struct vec v, bool inverse, struct column *out)
{
	uint32_t *idx;
	double *val;
	column_vec_room(out, v.size, &idx, &val);
	if (v.idx) {
		memset(plan->x, 0, v.size * sizeof *plan->x);
		for (uint32_t k = 0; k < v.nnz; k++) plan->x[v.idx[k]] = v.val[k];
	} else
		memcpy(plan->x, v.val, v.size * sizeof *plan->x);
	if (by_matrix(v.size))
		multiply(plan, val);
	else if (inverse)
		backward(plan, val);
	else
		forward(plan, val);
	column_vec_end(out, v.size, v.size, true);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct dct_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in->size[i] > FFT_LENGTH_MAX)
			return stage_data_error(s, b, i, e, "the vector has %u entries; at most %d are transformed",
						in->size[i], FFT_LENGTH_MAX);
		if (in->size[i] == 0)
			column_dense(out, NULL, 0);
		else
			transform_row(plan_for(sc, in->size[i], p->inverse), column_vec_at(in, i), p->inverse, out);
	}
	return true;
}

const struct stage_type dct_stage = {
    .name = "DCT",
    .version = 1,
    .kind = STAGE_TRANSFORMER,
    .help = "Takes the discrete cosine transform of each vector.",
    .inputs = "vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct dct_params),
    .check = ports_check,
    .columns = ports_bind_as_long,
    .apply = apply,
};
