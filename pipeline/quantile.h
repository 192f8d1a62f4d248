/* Exact quantiles of many columns over all ranks' rows, in memory that does not grow with the rows.
 *
 * Doubles are taken as 64-bit keys that sort as the numbers do. Each pass counts, for every interval of keys in which a
 * quantile is still sought, how many values fall into each part of it, and goes on with the parts that hold the ranks;
 * quantiles that lie in one part share it. Once few values are left in the intervals they are gathered and sorted. The
 * counts are sums over logical shards, so the answers do not depend on the number of ranks. Two counting passes and one
 * that gathers serve for some 10^8 values of a column; six serve for any. Source of the idea: J. I. Munro, M. S.
 * Paterson, "Selection and sorting with limited storage" (1980).
 *
 * The answer is always an observed value: the one of rank ceil(q·n), as Spark's approxQuantile below 500 rows; q at or
 * below relative_error gives the least value and q at or above 1 - relative_error the largest. NaN is not counted; -0.0
 * is 0.0.
 */
#ifndef QUERN_PIPELINE_QUANTILE_H
#define QUERN_PIPELINE_QUANTILE_H

#include "pipeline/stage.h"

/* The row of a stage's table; offset_: of a double in its parameters. */
#define QUANTILE_RELATIVE_ERROR(offset_)                                                                               \
	{.name = "relativeError",                                                                                      \
	 .type = FIELD_DOUBLE,                                                                                         \
	 .offset = offset_,                                                                                            \
	 .fallback = "0.001",                                                                                          \
	 .min = 0,                                                                                                     \
	 .max = 1,                                                                                                     \
	 .help = "Of Spark's quantiles; here they are exact, but one within it of 0 or 1 is the least or largest value."}

struct quantile_sink;

struct quantiles {
	size_t columns;
	struct f64_list probabilities;     /* each in [0, 1], for every column */
	const struct f64_list *of_columns; /* or, where not NULL, such a list for each */
	double relative_error;
	/* Hands every value of the batch to quantile_add. */
	void (*each)(void *ctx, const struct batch *b, struct quantile_sink *to);
	void *ctx;
};

/* A value that stands there so many times. */
void quantile_add(struct quantile_sink *to, size_t column, double value, double times);
/* Collective. out: one number for each probability, column after column; NaN where a column has no value. */
QN_MUST bool quantiles_fit(struct fit *f, const struct quantiles *q, double *out, struct err *e);

#endif
