/* Exact quantiles of a column's numbers, over all ranks, in bounded memory: the value of a given rank is found 16 bits at a time, a
 * histogram of 65,536 counts a pass, over the order-preserving bits of doubles. Always an observed value, the same for any number
 * of ranks. Spark's approxQuantile with relativeError 0 (docs/spark-differences.md). */
#ifndef QUERN_PIPELINE_QUANTILE_H
#define QUERN_PIPELINE_QUANTILE_H

#include "pipeline/stage.h"

struct quantile_values {
	int slot; /* a double or int64 column */
	/* Which numbers count; NaN and nulls never do. NULL: all. */
	bool (*accepts)(const void *ctx, double v);
	const void *ctx;
};

/* The value of rank ceil(q·n), 1-based (q 0: the least); *count: n. n 0 leaves *value alone. Collective. */
QN_MUST bool quantile_exact(struct fit *f, const struct quantile_values *v, double q, double *value, uint64_t *count,
			    struct err *e);

#endif
