/* Distinct numbers, numbered in the order they are met: labels and categories of a fit. 0.0 and -0.0 are one; NaN must
 * not be asked for. At most NUMBERING_MAX, which callers bound as they need. */
#ifndef QUERN_PIPELINE_NUMBERING_H
#define QUERN_PIPELINE_NUMBERING_H

#include "base/mem.h"

#define NUMBERING_MAX (UINT32_MAX - 1)

struct numbering {
	double *values; /* [count] */
	size_t count, values_cap;
	uint32_t *slots; /* number + 1 by hash; 0: free */
	size_t slots_cap;
};

void numbering_release(struct numbering *n);
/* The value's number; one that is new gets the next. */
uint32_t numbering_of(struct numbering *n, double value);
/* order[k] is the number of the k-th value, ascending; mem_free it. */
uint32_t *numbering_order(const struct numbering *n);

uint64_t numbering_hash(double value);

#endif
