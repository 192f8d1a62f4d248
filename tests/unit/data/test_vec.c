/* Vector kernels: do they give what the definition gives, in index order? */
#include "tests/support/support.h"

#include "base/rng.h"
#include "data/vec.h"

#include <math.h>
#include <string.h>

enum { SIZE = 37 };

struct pair {
	double full[SIZE], val[SIZE];
	uint32_t idx[SIZE];
	struct vec dense, sparse;
};

static void make(struct pair *p, uint64_t seed)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < SIZE; i++) {
		uint64_t r = rng_at(seed, i);
		p->full[i] = r % 3 ? 0 : rng_unit(r) - 0.7;
		if (r % 7 == 0) p->full[i] = 0;
		if (p->full[i] == 0 && r % 7 != 0) continue;
		p->idx[n] = i;
		p->val[n++] = p->full[i];
	}
	p->dense = (struct vec){SIZE, SIZE, NULL, p->full};
	p->sparse = (struct vec){SIZE, n, p->idx, p->val};
}

static double naive_norm(const double *v, double p)
{
	double sum = 0;
	for (size_t i = 0; i < SIZE; i++) {
		if (isinf(p)) sum = fmax(sum, fabs(v[i]));
		else if (p == 2) sum += v[i] * v[i];
		else sum += p == 1 ? fabs(v[i]) : pow(fabs(v[i]), p);
	}
	return isinf(p) || p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p);
}

/* Adding zeros changes no bit, so dense and sparse agree exactly. */
static void kernels_agree_with_their_definition(void **state)
{
	(void)state;
	static const double powers[] = {1, 2, 3.5, INFINITY};
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct pair p;
		double w[SIZE], y1[SIZE], y2[SIZE], dot = 0;
		uint32_t best = 0;
		size_t nonzeros = 0;
		make(&p, seed);
		for (size_t i = 0; i < SIZE; i++) w[i] = y1[i] = y2[i] = rng_unit(rng_at(seed + 1000, i));
		for (uint32_t i = 0; i < SIZE; i++) {
			dot += w[i] * p.full[i];
			nonzeros += p.full[i] != 0;
			if (p.full[i] > p.full[best]) best = i;
			assert_true(vec_at(p.sparse, i) == p.full[i] && vec_at(p.dense, i) == p.full[i]);
		}
		assert_true(vec_dot(p.dense, w) == dot && vec_dot(p.sparse, w) == dot);
		vec_axpy(-2, p.dense, y1);
		vec_axpy(-2, p.sparse, y2);
		assert_memory_equal(y1, y2, sizeof y1);
		for (size_t k = 0; k < ARRAY_COUNT(powers); k++) {
			assert_true(vec_norm(p.dense, powers[k]) == naive_norm(p.full, powers[k]));
			assert_true(vec_norm(p.sparse, powers[k]) == naive_norm(p.full, powers[k]));
		}
		assert_int_equal(vec_nonzeros(p.sparse), nonzeros);
		assert_int_equal(vec_nonzeros(p.dense), nonzeros);
		assert_int_equal(vec_argmax(p.dense), best);
		assert_int_equal(vec_argmax(p.sparse), best);
	}
}

static void argmax_counts_implicit_zeros(void **state)
{
	(void)state;
	uint32_t idx[] = {0, 1, 3};
	double negative[] = {-1, -2, -3}, zero[] = {-1, -2, 0};
	assert_int_equal(vec_argmax((struct vec){5, 3, idx, negative}), 2);
	assert_int_equal(vec_argmax((struct vec){5, 3, idx, zero}), 2);
	assert_int_equal(vec_argmax((struct vec){5, 0, idx, zero}), 0);
	assert_int_equal(vec_argmax((struct vec){3, 3, (uint32_t[]){0, 1, 2}, negative}), 0);
	assert_int_equal(vec_argmax((struct vec){0, 0, NULL, NULL}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_agree_with_their_definition),
		cmocka_unit_test(argmax_counts_implicit_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
