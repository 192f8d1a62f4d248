/* Mean, unbiased variance and standard deviation of each entry of a vector column, over all ranks: Spark's Summarizer with unit
 * weights.
 *
 * Running means over the values that are not zero, zeros accounted for at the end, as Spark computes them: an entry
 * that holds one value in every row has exactly that mean and a deviation of exactly 0, whatever the value. Shards are
 * merged in order. Source: B. P. Welford (1962), merged as in T. F. Chan, G. H. Golub, R. J. LeVeque (1979).
 */
#ifndef QUERN_PIPELINE_MOMENTS_H
#define QUERN_PIPELINE_MOMENTS_H

#include "pipeline/stage.h"

struct moments {
	size_t size;
	double rows;
	double *mean, *variance, *std; /* [size] */
};

/* Of the stage's first input. ERR_data where a row is null or of another length than the rows before, or where there
 * are no rows. Collective. */
QN_MUST bool moments_fit(struct stage *s, struct fit *f, struct moments *out, struct err *e);
void moments_release(struct moments *m);

#endif
