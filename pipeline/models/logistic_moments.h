/* Each feature's mean and variance as Spark's Summarizer has them (variance unbiased, with reliability weights), by its
 * place in the solver's space.
 *
 * One pass, and a second one over features that may be constant: sums of squares cannot tell a constant from a large
 * offset. */
#ifndef QUERN_PIPELINE_LOGISTIC_MOMENTS_H
#define QUERN_PIPELINE_LOGISTIC_MOMENTS_H

#include "pipeline/models/logistic_walk.h"

struct logistic_moments {
	double *mean, *variance; /* [active]; variance exactly 0 for a constant, and where it is beyond double */
};

/* Collective; the same on every rank. active: the number of places. */
QN_MUST bool logistic_moments_fit(struct logistic_walk *w, const struct logistic_rows *r, size_t active,
				  struct logistic_moments *m, struct err *e);
void logistic_moments_release(struct logistic_moments *m);

#endif
