/* Mean and unbiased standard deviation of each entry of a vector column, over all ranks (Spark's Summarizer with unit weights).
 * Two passes, the second over deviations from the mean, so large offsets cost no digits. */
#ifndef QUERN_PIPELINE_MOMENTS_H
#define QUERN_PIPELINE_MOMENTS_H

#include "pipeline/stage.h"

/* mean and std: size doubles each, from fit_vector_size. Null rows and rows of another length are ERR_data of stage s. Collective. */
QN_MUST bool moments_fit(struct stage *s, struct fit *f, int slot, size_t size, double *mean, double *std, struct err *e);

#endif
