/* The distinct values of each entry of a vector column, over all ranks, for entries that have few: what VectorIndexer
 * takes for categories. Zeros that sparse rows do not store count, NaN is one value, -0.0 is 0.0. */
#ifndef QUERN_PIPELINE_CATEGORIES_H
#define QUERN_PIPELINE_CATEGORIES_H

#include "pipeline/stage.h"

/* Those of one entry: 0.0 first where it occurs, then ascending, NaN last. */
struct category_list {
	uint32_t entry;
	uint32_t count;
	double *values; /* [count] */
};

struct categories {
	size_t size;                 /* of the vectors */
	size_t count;                /* of the lists */
	struct category_list *lists; /* ascending by entry */
};

/* An accumulator that keeps the entries with at most `most` values. */
void *categories_tally(uint32_t most);
/* Of the stage's first input; create is categories_tally with the stage's bound. The lists are in a. ERR_data where a
 * row is null or of another length than the rows before, or where there are no rows. Collective. */
QN_MUST bool categories_fit(struct stage *s, struct fit *f, void *(*create)(const struct stage *s), struct arena *a,
			    struct categories *out, struct err *e);
/* The list of an entry, looked for from lists[from] on; NULL where it has none. */
const struct category_list *categories_of(const struct categories *c, uint32_t entry, size_t from);
/* The value's index; list->count where it is none of them, as NaN always is. */
uint32_t category_index(const struct category_list *list, double value);

void categories_encode(const struct categories *c, struct buf *out);
/* Bytes are hostile. */
QN_MUST bool categories_decode(struct categories *c, struct arena *a, struct cursor *in, struct err *e);

#endif
