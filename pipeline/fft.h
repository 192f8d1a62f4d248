/* Discrete Fourier transforms of any length, in O(n log n): powers of two by the iterated butterflies of J. W. Cooley
 * and J. W. Tukey (1965), other lengths as a convolution of such a length (L. I. Bluestein, 1970).
 *
 * A plan holds the tables of one length and its working memory; it belongs to one thread. Planning the length that is
 * planned does nothing, a length that is no longer than one before allocates nothing. */
#ifndef QUERN_PIPELINE_FFT_H
#define QUERN_PIPELINE_FFT_H

#include <stddef.h>

enum { FFT_LENGTH_MAX = 1 << 24 };

struct fft_number {
	double re, im;
};

struct fft {
	size_t length;
	size_t rounded;            /* the power of two that is transformed; length where that is one */
	struct fft_number *roots;  /* [rounded / 2] exp(-2πi k / rounded) */
	struct fft_number *chirp;  /* [length] exp(-πi k² / length); where length is no power of two */
	struct fft_number *filter; /* [rounded] the transform of the chirp's conjugate, over rounded */
	struct fft_number *work;   /* [rounded] */
	size_t roots_cap, chirp_cap, filter_cap, work_cap;
};

#define FFT_INIT ((struct fft){0})
void fft_release(struct fft *f);
/* 1 <= length <= FFT_LENGTH_MAX. */
void fft_plan(struct fft *f, size_t length);
/* x[k] becomes Σ_j x[j] exp(-2πi jk / length); [length]. */
void fft_forward(struct fft *f, struct fft_number *x);

/* exp(-πi · halves / length); exact at the multiples of a quarter turn. */
struct fft_number fft_root(size_t halves, size_t length);

static inline struct fft_number fft_times(struct fft_number a, struct fft_number b)
{
	return (struct fft_number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

#endif
