/* Vectors that the ranks hold together: each owns the slice [lo, hi) that comm_slice gives it.
 *
 * Sums over such a vector have the same bits for any number of ranks: every chunk of COMM_CHUNK elements is summed
 * alone, by the same code, and the chunks' sums are added in order on every rank. A pass over the slice may leave
 * several sums a chunk (width), so that one walk through memory and one gather serve all inner products of a step. /
 */
#ifndef QUERN_PIPELINE_SLICES_H
#define QUERN_PIPELINE_SLICES_H

#include "pipeline/comm.h"

struct slices {
	struct comm *comm;
	size_t n, lo, hi;   /* elements in all; this rank's are [lo, hi) */
	size_t len, chunks; /* of this rank */
	size_t width_max;
	double *partial; /* [chunks × width_max] */
	struct buf all;
};

/* width_max: the most sums a pass leaves. */
void slices_init(struct slices *s, struct comm *c, size_t n, size_t width_max);
void slices_release(struct slices *s);
/* Elements [*from, *to) of this rank's slice (numbered from 0 = lo) that chunk k covers. */
static inline void slices_chunk(const struct slices *s, size_t k, size_t *from, size_t *to)
{
	*from = k * COMM_CHUNK;
	*to = *from + COMM_CHUNK < s->len ? *from + COMM_CHUNK : s->len;
}
/* Where chunk k leaves its `width` sums (not cleared). */
static inline double *slices_partial(const struct slices *s, size_t k, size_t width) { return s->partial + k * width; }
/* Collective: out[0..width) become the sums over all chunks of all ranks, in order. */
QN_MUST bool slices_sum(struct slices *s, size_t width, double *out, struct err *e);
/* Collective: the ranks' slices of v as one vector of n doubles, for checkpoints. */
QN_MUST bool slices_collect(struct slices *s, const double *v, struct buf *out, struct err *e);

/* Σ a[i]·b[i] in a fixed order that SIMD can follow: four interleaved sums. */
double slices_dot(const double *a, const double *b, size_t n);

#endif
