/* Spark's DCT: the orthonormal cosine transform (DCT-II) of each vector, or its inverse (DCT-III).
 *
 * By a Fourier transform of the vector's own length: J. Makhoul, A fast cosine transform in one and two dimensions
 * (1980). */
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

struct dct_plan {
	size_t length;
	fft_lanes *x;             /* [length] what goes into the Fourier transform */
	double *spread;           /* [FFT_LANES][length] sparse rows */
	struct fft_number *turns; /* [length / 2 + 1] exp(-πi k / 2 length) in the weight of coefficient k */
	struct fft fft;
	size_t x_cap, spread_cap, turns_cap;
};

static void plan_drop(void *p)
{
	struct dct_plan *plan = p;
	mem_free(plan->x);
	mem_free(plan->spread);
	mem_free(plan->turns);
	fft_release(&plan->fft);
	mem_free(plan);
}

static struct dct_plan *plan_for(struct scratch *sc, size_t n)
{
	struct dct_plan *plan = scratch_room(sc, 0, sizeof *plan);
	sc->drop[0] = plan_drop;
	if (plan->length == n) return plan;
	plan->length = n;
	MEM_GROW(plan->x, plan->x_cap, n);
	MEM_GROW(plan->spread, plan->spread_cap, FFT_LANES * n);
	MEM_GROW(plan->turns, plan->turns_cap, n / 2 + 1);
	for (size_t k = 0; k <= n / 2; k++) {
		struct fft_number root = fft_root(k, 2 * n);
		double weight = sqrt((k ? 2.0 : 1.0) / (double)n);
		plan->turns[k] = (struct fft_number){weight * root.re, weight * root.im};
	}
	fft_plan(&plan->fft, n);
	return plan;
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

/* Rows that are transformed side by side. */
struct dct_rows {
	const double *from[FFT_LANES];
	double *to[FFT_LANES];
};

_Static_assert(FFT_LANES == 2, "get and put name the lanes");

static inline fft_lanes get(const struct dct_rows *r, size_t j)
{
	return (fft_lanes){r->from[0][j], r->from[1][j]};
}

static inline void put(const struct dct_rows *r, size_t j, fft_lanes x)
{
	r->to[0][j] = x[0];
	r->to[1][j] = x[1];
}

/* Makhoul's order of the entries: the even ones, then the odd ones backwards. */
static void forward(struct dct_plan *plan, const struct dct_rows *rows)
{
	size_t n = plan->length;
	plan->x[0] = get(rows, 0);
	for (size_t j = 1; j <= n / 2; j++) {
		plan->x[n - j] = get(rows, 2 * j - 1);
		if (2 * j < n) plan->x[j] = get(rows, 2 * j);
	}
	const struct fft_cell *spectrum = fft_real(&plan->fft, plan->x);
	put(rows, 0, spectrum[0].re * plan->turns[0].re);
	for (size_t k = 1; k <= n / 2; k++) {
		struct fft_cell c = fft_turn(spectrum[k], plan->turns[k]);
		put(rows, n - k, -c.im);
		put(rows, k, c.re);
	}
}

/* From the coefficients to the spectrum that forward had; the transform of re + im leads back from there, for that is a
 * Hartley transform, its own inverse. */
static void backward(struct dct_plan *plan, const struct dct_rows *rows)
{
	size_t n = plan->length;
	plan->x[0] = get(rows, 0) * plan->turns[0].re;
	for (size_t k = 1; k <= n / 2; k++) {
		struct fft_cell c = fft_turn((struct fft_cell){get(rows, k), get(rows, n - k)}, plan->turns[k]);
		plan->x[k] = (c.re - c.im) / 2;
		plan->x[n - k] = (c.re + c.im) / 2;
	}
	const struct fft_cell *r = fft_real(&plan->fft, plan->x);
	put(rows, 0, r[0].re);
	for (size_t j = 1; j <= n / 2; j++) {
		put(rows, 2 * j - 1, r[j].re - r[j].im);
		if (2 * j < n) put(rows, 2 * j, r[j].re + r[j].im);
	}
}

static const double *dense(struct dct_plan *plan, struct vec v, unsigned lane)
{
	if (!v.idx) return v.val;
	double *x = plan->spread + lane * plan->length;
	memset(x, 0, plan->length * sizeof *x);
	for (uint32_t k = 0; k < v.nnz; k++) x[v.idx[k]] = v.val[k];
	return x;
}

/* Row i and, where they are as long, those after it; how many these were. A lane that is left does what the first does,
 * to the same place. */
static size_t transform_rows(struct scratch *sc, const struct column *in, size_t i, size_t end, bool inverse,
			     struct column *out)
{
	uint32_t *idx, size = in->size[i];
	double *val;
	unsigned count = 1;
	while (count < FFT_LANES && i + count < end && in->size[i + count] == size) count++;
	struct dct_plan *plan = plan_for(sc, size);
	struct dct_rows rows;
	column_vec_room(out, (size_t)count * size, &idx, &val);
	for (unsigned l = 0; l < FFT_LANES; l++) {
		unsigned row = l < count ? l : 0;
		rows.from[l] = dense(plan, column_vec_at(in, i + row), l);
		rows.to[l] = val + (size_t)row * size;
	}
	if (inverse)
		backward(plan, &rows);
	else
		forward(plan, &rows);
	for (unsigned l = 0; l < count; l++) column_vec_end(out, size, size, true);
	return count;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct dct_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	for (size_t i = 0; i < b->rows;) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in->size[i] > FFT_LENGTH_MAX)
			return stage_data_error(s, b, i, e, "the vector has %u entries; at most %d are transformed",
						in->size[i], FFT_LENGTH_MAX);
		if (in->size[i] == 0) return stage_data_error(s, b, i, e, "the vector has no entries");
		i += transform_rows(sc, in, i, b->rows, p->inverse, out);
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
