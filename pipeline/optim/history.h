/* The last pairs (s, y) = (change of x, change of gradient) of a quasi-Newton method over distributed vectors, and the
 * direction -H·p they stand for.
 *
 * H is never applied vector by vector. All that the two-loop recursion asks of the vectors are inner products, so it
 * runs on numbers alone and ends in coefficients; one walk over the pairs then combines them (Chen, Wang, Zhou:
 * "Large-scale L-BFGS using MapReduce", NIPS 2014). That is two walks over the pairs and one gather a step, instead of
 * 2·memory gathers.
 *
 * Life of a step: history_direction → (x moves) → history_room: the caller writes s and y → history_measure on every
 * chunk → slices_sum → history_commit. /
 */
#ifndef QUERN_PIPELINE_HISTORY_H
#define QUERN_PIPELINE_HISTORY_H

#include "pipeline/optim/slices.h"

enum { HISTORY_MEMORY_MAX = 32, HISTORY_SUMS_A_PAIR = 5 };

struct history {
	size_t memory, len; /* most pairs; elements of this rank's slice */
	size_t count;       /* pairs held */
	size_t newest;      /* slot of the newest one, where count > 0 */
	double *s, *y;      /* [memory][len] */
	double sy[HISTORY_MEMORY_MAX][HISTORY_MEMORY_MAX]; /* by slot: s_i·y_j */
	double yy[HISTORY_MEMORY_MAX][HISTORY_MEMORY_MAX];
	double sp[HISTORY_MEMORY_MAX], yp[HISTORY_MEMORY_MAX]; /* with the current (pseudo-)gradient p */
};

void history_init(struct history *h, size_t memory, size_t len);
void history_release(struct history *h);
void history_clear(struct history *h); /* no pairs: the direction is steepest descent */
/* Where the next pair goes: the slot of the oldest one when all are taken, which is then forgotten. */
void history_room(struct history *h, double **s, double **y);
/* Sums that history_measure leaves for each pair held and the new one. */
size_t history_width(const struct history *h);
/* With the new pair (at history_room) and p over elements [from, to): HISTORY_SUMS_A_PAIR sums a pair. */
void history_measure(const struct history *h, const double *p, size_t from, size_t to, double *sums);
/* Takes the sums over all chunks; the new pair joins when its curvature s·y is positive, else it is dropped. */
void history_commit(struct history *h, const double *sums);
/* d[from, to) = -H·p, to be called chunk by chunk with the coefficients of history_coefficients. */
struct history_coefficients {
	double s[HISTORY_MEMORY_MAX], y[HISTORY_MEMORY_MAX], p;
};
void history_coefficients(const struct history *h, struct history_coefficients *c);
void history_combine(const struct history *h, const struct history_coefficients *c, const double *p, size_t from,
		     size_t to, double *d);

/* The k-th newest pair, k < count. */
void history_pair(const struct history *h, size_t k, double **s, double **y);
/* Numbers and counts (not the vectors), for checkpoints. */
void history_pack(const struct history *h, struct buf *out);
QN_MUST bool history_unpack(struct history *h, struct cursor *in);

#endif
