#include "pipeline/fft.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

void fft_release(struct fft *f)
{
	mem_free(f->roots);
	mem_free(f->chirp);
	mem_free(f->filter);
	mem_free(f->work);
	*f = FFT_INIT;
}

struct fft_number fft_root(size_t halves, size_t length)
{
	/* cos and sin of the angle from the nearest axis, so that the axes themselves are exact. */
	size_t quarters = (4 * halves + length) / (2 * length);
	double angle = M_PI * ((double)halves - (double)(quarters * length) / 2) / (double)length;
	double c = cos(angle), s = sin(angle);
	switch (quarters % 4) {
	case 0: return (struct fft_number){c, -s};
	case 1: return (struct fft_number){-s, -c};
	case 2: return (struct fft_number){-c, s};
	default: return (struct fft_number){s, c};
	}
}

/* --- Powers of two ------------------------------------------------------------------------------------------- */

static void swap_reversed(struct fft_number *x, size_t n)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;
		for (; j & bit; bit >>= 1) j ^= bit;
		j ^= bit;
		if (i >= j) continue;
		struct fft_number t = x[i];
		x[i] = x[j];
		x[j] = t;
	}
}

static void transform(const struct fft *f, struct fft_number *x)
{
	size_t n = f->rounded;
	swap_reversed(x, n);
	for (size_t half = 1; half < n; half *= 2) {
		size_t step = n / (2 * half);
		for (size_t at = 0; at < n; at += 2 * half)
			for (size_t k = 0; k < half; k++) {
				struct fft_number a = x[at + k], b = fft_times(x[at + half + k], f->roots[k * step]);
				x[at + k] = (struct fft_number){a.re + b.re, a.im + b.im};
				x[at + half + k] = (struct fft_number){a.re - b.re, a.im - b.im};
			}
	}
}

/* --- Any length ---------------------------------------------------------------------------------------------- */

static size_t power_from(size_t least)
{
	size_t n = 1;
	while (n < least) n *= 2;
	return n;
}

static void plan_chirp(struct fft *f)
{
	MEM_GROW(f->chirp, f->chirp_cap, f->length);
	MEM_GROW(f->filter, f->filter_cap, f->rounded);
	MEM_GROW(f->work, f->work_cap, f->rounded);
	memset(f->filter, 0, f->rounded * sizeof *f->filter);
	for (size_t k = 0; k < f->length; k++) {
		struct fft_number c = fft_root(k * k % (2 * f->length), f->length);
		f->chirp[k] = c;
		f->filter[k] = f->filter[k ? f->rounded - k : 0] =
		    (struct fft_number){c.re / (double)f->rounded, -c.im / (double)f->rounded};
	}
	transform(f, f->filter);
}

void fft_plan(struct fft *f, size_t length)
{
	if (f->length == length) return;
	CHECK(length >= 1 && length <= FFT_LENGTH_MAX);
	f->length = length;
	f->rounded = power_from(length);
	if (f->rounded != length) f->rounded = power_from(2 * length - 1);
	MEM_GROW(f->roots, f->roots_cap, f->rounded / 2);
	for (size_t k = 0; k < f->rounded / 2; k++) f->roots[k] = fft_root(2 * k, f->rounded);
	if (f->rounded != length) plan_chirp(f);
}

void fft_forward(struct fft *f, struct fft_number *x)
{
	if (f->rounded == f->length) {
		transform(f, x);
		return;
	}
	memset(f->work, 0, f->rounded * sizeof *f->work);
	for (size_t k = 0; k < f->length; k++) f->work[k] = fft_times(x[k], f->chirp[k]);
	transform(f, f->work);
	/* Backwards: the transform of the conjugate, conjugated. */
	for (size_t k = 0; k < f->rounded; k++) {
		f->work[k] = fft_times(f->work[k], f->filter[k]);
		f->work[k].im = -f->work[k].im;
	}
	transform(f, f->work);
	for (size_t k = 0; k < f->length; k++) {
		f->work[k].im = -f->work[k].im;
		x[k] = fft_times(f->work[k], f->chirp[k]);
	}
}
