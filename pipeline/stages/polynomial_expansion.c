/* Spark's PolynomialExpansion: all monomials of an input vector up to a degree, without the constant.
 *
 * Monomials of x0 … xn come in blocks: those of x0 … xn-1, then xn times those of one degree less, xn² times those of
 * two less, and so on: x, x², y, xy, y². A product is multiplied from its last variable on and is zero as soon as a
 * factor is, as in Spark. */
#include "pipeline/ports.h"

struct polynomial_expansion_params {
	struct ports ports;
	int64_t degree;
};

enum { MONOMIALS_STORED_MAX = 1 << 26 }; /* of one row */

static const struct field params[] = {
    PORTS_SINGLE,
    {.name = "degree",
     .type = FIELD_INT,
     .offset = offsetof(struct polynomial_expansion_params, degree),
     .fallback = "2",
     .min = 1,
     .max = INT32_MAX,
     .help = "The highest degree."},
    FIELD_END,
};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, NULL, e);
}

/* How many monomials of n variables have at most this degree, the constant among them: (n + degree) over degree. More
 * than INT32_MAX is INT32_MAX + 1. */
static uint64_t monomials(uint64_t n, uint64_t degree)
{
	const uint64_t too_many = (uint64_t)INT32_MAX + 1;
	if (degree == 1) return n + 1;
	if (degree == 2) return MIN((n + 1) * (n + 2) / 2, too_many);
	uint64_t few = MIN(n, degree), many = MAX(n, degree), c = 1;
	for (uint64_t i = 1; i <= few && c < too_many; i++) c = c * (many + i) / i;
	return MIN(c, too_many);
}

/* One row; positions count the constant, the vectors do not hold it. */
struct expansion {
	const uint32_t *idx; /* NULL: dense */
	const double *x;
	uint32_t *out_idx;
	double *out; /* dense: zeroed before */
	size_t stored;
};

static uint32_t place(const struct expansion *w, size_t k)
{
	return w->idx ? w->idx[k] : (uint32_t)k;
}

static void put(struct expansion *w, uint64_t at, double v)
{
	if (at == 0 || v == 0) return;
	if (w->idx) w->out_idx[w->stored] = (uint32_t)(at - 1);
	w->out[w->idx ? w->stored++ : at - 1] = v;
}

typedef double pair __attribute__((vector_size(16), aligned(8)));

/* 0.0 is added so that -0.0 is 0.0, as where a product is not taken at all. */
static void multiply(double factor, const double *x, size_t count, double *to)
{
	size_t k = 0;
	for (; k + 2 <= count; k += 2) *(pair *)(to + k) = factor * *(const pair *)(x + k) + 0.0;
	for (; k < count; k++) to[k] = factor * x[k] + 0.0;
}

static void put_linear(struct expansion *w, size_t count, double factor, uint64_t at)
{
	if (!w->idx)
		multiply(factor, w->x, count, w->out + at);
	else
		for (size_t k = 0; k < count; k++) put(w, at + 1 + w->idx[k], factor * w->x[k]);
}

/* factor times the monomials of the first count stored variables; the constant stands at `at`. As deep as the degree or
 * as the variables, whichever is less: MONOMIALS_STORED_MAX bounds that. */
static void expand(struct expansion *w, size_t count, uint64_t degree, double factor, uint64_t at)
{
	put(w, at, factor);
	if (degree == 1) put_linear(w, count, factor, at);
	for (size_t k = 0; degree > 1 && k < count; k++) {
		uint64_t to = at + monomials(place(w, k), degree);
		double power = factor * w->x[k];
		for (uint64_t left = degree; left-- > 0 && power != 0; power *= w->x[k]) {
			expand(w, k, left, power, to);
			to += monomials(place(w, k), left);
		}
	}
}

static bool expand_row(struct vec v, uint64_t degree, struct column *out)
{
	uint64_t size = monomials(v.size, degree) - 1, values = monomials(v.nnz, degree) - 1;
	struct expansion w = {.idx = v.idx, .x = v.val};
	if (size > INT32_MAX - 1 || values > MONOMIALS_STORED_MAX) return false;
	column_vec_room(out, values, &w.out_idx, &w.out);
	if (!v.idx && values) memset(w.out, 0, values * sizeof *w.out);
	expand(&w, v.nnz, degree, 1, 0);
	column_vec_end(out, (uint32_t)size, v.idx ? w.stored : values, !v.idx);
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct polynomial_expansion_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (!expand_row(column_vec_at(in, i), (uint64_t)p->degree, out))
			return stage_data_error(s, b, i, e,
						"%u entries have too many monomials of degree %lld (at most %d places, "
						"%d of them stored)",
						in->size[i], (long long)p->degree, INT32_MAX - 1, MONOMIALS_STORED_MAX);
	}
	return true;
}

const struct stage_type polynomial_expansion_stage = {
    .name = "PolynomialExpansion",
    .version = 1,
    .kind = STAGE_TRANSFORMER,
    .help = "Expands each vector into the monomials of its entries.",
    .inputs = "vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct polynomial_expansion_params),
    .check = ports_check,
    .columns = columns,
    .apply = apply,
};
