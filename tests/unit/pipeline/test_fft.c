/* Transforms against their definition; a lane alone. */
#include "base/mem.h"
#include "pipeline/fft.h"
#include "tests/support/support.h"

#include <math.h>

enum { LENGTH_MAX = 2 * 1009 };
#define CLOSE 1e-14

static double value(size_t j, size_t lane)
{
	return (double)(j * j % 31 + 7 * lane) - 12.5;
}

static void fill(fft_lanes *x, size_t n)
{
	for (size_t j = 0; j < n; j++) x[j] = (fft_lanes){value(j, 0), value(j, 1)};
}

static void is_transform(const struct fft_cell *s, size_t n)
{
	for (size_t lane = 0; lane < FFT_LANES; lane++)
		for (size_t k = 0; k <= n / 2; k++) {
			double re = 0, im = 0, size = 0;
			for (size_t j = 0; j < n; j++) {
				struct fft_number root = fft_root(2 * (j * k % n), n);
				re += value(j, lane) * root.re;
				im += value(j, lane) * root.im;
				size += fabs(value(j, lane));
			}
			double off = hypot(s[k].re[lane] - re, s[k].im[lane] - im);
			if (!(off <= CLOSE * size)) fail_msg("length %zu, entry %zu: off by %g", n, k, off);
		}
}

/* One plan for all: its tables follow the length. Short lengths are all there, of the long ones some of each way. */
static void test_lengths(void **state)
{
	static const size_t long_ones[] = {178, 192, 194, 243, 256, 343, 625, 1000, 1009, 1024, LENGTH_MAX};
	fft_lanes x[LENGTH_MAX];
	struct fft f = FFT_INIT;
	(void)state;
	for (size_t i = 0; i < 130 + ARRAY_COUNT(long_ones); i++) {
		size_t n = i < 130 ? i + 1 : long_ones[i - 130];
		fill(x, n);
		fft_plan(&f, n);
		is_transform(fft_real(&f, x), n);
	}
	fft_release(&f);
}

/* What its neighbour has changes no bit of a lane. */
static void test_lanes_apart(void **state)
{
	static const size_t lengths[] = {1, 2, 12, 35, 64, 90, 97, 120};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		size_t n = lengths[i];
		fft_lanes x[120];
		struct fft f = FFT_INIT;
		double alone[2][61];
		fft_plan(&f, n);
		for (int with = 0; with < 2; with++) {
			fill(x, n);
			for (size_t j = 0; j < n; j++) x[j][1] = with ? INFINITY : 0;
			const struct fft_cell *s = fft_real(&f, x);
			for (size_t k = 0; k <= n / 2; k++) alone[with][k] = s[k].re[0] + s[k].im[0];
		}
		assert_memory_equal(alone[0], alone[1], (n / 2 + 1) * sizeof **alone);
		fft_release(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lengths), cmocka_unit_test(test_lanes_apart)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
