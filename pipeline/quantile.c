#include "pipeline/quantile.h"

#include <math.h>

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS, PASSES = 64 / DIGIT_BITS };

/* Order of the bits = order of the numbers; -0.0 is 0.0. */
static uint64_t ordered(double v)
{
	uint64_t bits;
	v += 0.0;
	memcpy(&bits, &v, sizeof bits);
	return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double unordered(uint64_t bits)
{
	double v;
	bits = bits >> 63 ? bits & ~((uint64_t)1 << 63) : ~bits;
	memcpy(&v, &bits, sizeof v);
	return v;
}

struct pass {
	const struct quantile_values *values;
	uint64_t prefix; /* the digits found so far */
	unsigned shift;  /* of the digit that is counted now */
};

static void count_digits(void *ctx, const struct batch *b, double *histogram)
{
	const struct pass *p = ctx;
	const struct column *c = &b->columns[p->values->slot];
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(c, i)) continue;
		double v = column_number_at(c, i);
		if (isnan(v) || (p->values->accepts && !p->values->accepts(p->values->ctx, v))) continue;
		uint64_t bits = ordered(v);
		bool candidate = p->shift + DIGIT_BITS == 64 || bits >> (p->shift + DIGIT_BITS) == p->prefix;
		if (candidate) histogram[bits >> p->shift & (DIGITS - 1)]++;
	}
}

bool quantile_exact(struct fit *f, const struct quantile_values *v, double q, double *value, uint64_t *count, struct err *e)
{
	double *histogram = mem_zalloc(DIGITS, sizeof *histogram), rank = 0, total = 0;
	struct pass pass = {.values = v};
	bool ok = true;
	for (unsigned n = 0; ok && n < PASSES; n++) {
		pass.shift = 64 - DIGIT_BITS * (n + 1);
		ok = fit_sum_with(f, DIGITS, count_digits, &pass, histogram, e);
		if (ok && n == 0) {
			for (size_t d = 0; d < DIGITS; d++) total += histogram[d];
			rank = fmax(ceil(q * total), 1);
			if (total == 0) break;
		}
		uint64_t digit = 0;
		for (; ok && digit < DIGITS - 1 && rank > histogram[digit]; digit++) rank -= histogram[digit];
		pass.prefix = pass.prefix << DIGIT_BITS | digit;
	}
	mem_free(histogram);
	if (!ok) return false;
	*count = (uint64_t)total;
	if (total > 0) *value = unordered(pass.prefix);
	return true;
}
