/* Least and largest number of each entry of a vector column, over all ranks, as Spark's Summarizer has them: NaN does
 * not count, and what no number is below stays at the largest double, what none is above at the least one.
 */
#ifndef QUERN_PIPELINE_EXTREMES_H
#define QUERN_PIPELINE_EXTREMES_H

#include "pipeline/stage.h"

struct extremes {
	size_t size;
	double *min, *max; /* [size] */
};

/* Of the stage's first input. ERR_data where a row is null or of another length than the rows before, or where there
 * are no rows. Collective. */
QN_MUST bool extremes_fit(struct stage *s, struct fit *f, struct extremes *out, struct err *e);
void extremes_release(struct extremes *x);

#endif
