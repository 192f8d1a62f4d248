/* Discrete Fourier transforms of real rows of any length in O(n log n), FFT_LANES rows side by side.
 *
 * Lengths whose prime factors are at most FFT_RADIX_MAX go through one pass for each factor, from the inputs in their
 * own order to the spectrum in its own (J. W. Cooley and J. W. Tukey, 1965; T. G. Stockham, 1966), and of each spectrum
 * only the half that is not the other one's mirror is worked out. Other lengths are a convolution of such a length
 * (L. I. Bluestein, 1970).
 *
 * A lane's result depends on that lane alone. A plan holds the tables of one length and its working memory; it belongs
 * to one thread. Planning the length that is planned does nothing, a length that needs no more room than one before
 * allocates nothing. */
#ifndef QUERN_PIPELINE_FFT_H
#define QUERN_PIPELINE_FFT_H

#include <stddef.h>

enum {
	FFT_LENGTH_MAX = 1 << 24,
	FFT_LANES = 2,
	FFT_RADIX_MAX = 89,
	FFT_PASSES_MAX = 32,
};

struct fft_number {
	double re, im;
};

typedef double fft_lanes __attribute__((vector_size(FFT_LANES * sizeof(double))));

struct fft_cell {
	fft_lanes re, im;
};

/* The spectra of re and im of the chirp's conjugate, over the convolution's length. */
struct fft_filter {
	struct fft_number re, im;
};

/* The passes of one length, a product of small factors. */
struct fft_core {
	size_t length;
	size_t passes;
	unsigned radix[FFT_PASSES_MAX];
	struct fft_number *table;  /* of each pass its roots, then its turns */
	struct fft_cell *cells[2]; /* [length] each: what a pass reads and what it writes */
	size_t table_cap, cells_cap[2];
};

struct fft {
	size_t length;
	struct fft_core core;      /* of this length, or of the convolution's */
	struct fft_number *chirp;  /* [length] exp(-πi k² / length); where there is a convolution, as all below */
	struct fft_filter *filter; /* [core.length / 2 + 1] */
	fft_lanes *row;            /* [core.length] */
	struct fft_cell *kept;     /* [core.length / 2 + 1] */
	size_t chirp_cap, filter_cap, row_cap, kept_cap;
};

#define FFT_INIT ((struct fft){0})
void fft_release(struct fft *f);
/* 1 <= length <= FFT_LENGTH_MAX. */
void fft_plan(struct fft *f, size_t length);
/* Σ_j x[j] exp(-2πi jk / length) for k <= length / 2, the others being their mirrored conjugates; x: [length]. The
 * result stays until the plan is used again. */
const struct fft_cell *fft_real(struct fft *f, const fft_lanes *x);

/* exp(-πi · halves / length); exact at the multiples of a quarter turn. */
struct fft_number fft_root(size_t halves, size_t length);

static inline struct fft_cell fft_turn(struct fft_cell a, struct fft_number by)
{
	return (struct fft_cell){a.re * by.re - a.im * by.im, a.re * by.im + a.im * by.re};
}

#endif
