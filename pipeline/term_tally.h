/* How often the terms of an array<string> column occur, over all ranks: the first pass of CountVectorizer and Word2Vec. */
#ifndef QUERN_PIPELINE_TERM_TALLY_H
#define QUERN_PIPELINE_TERM_TALLY_H

#include "pipeline/term.h"

struct term_tally {
	struct map totals;  /* value: how often the term occurs */
	uint64_t *rows;     /* [totals.count]: in how many rows */
	uint64_t row_count;
	/* Private from here. */
	uint64_t *last; /* row that counted the term last, + 1 */
	size_t rows_cap, last_cap;
	struct buf key;
};

/* Of the stage's first input. A null array is refused. Collective. To be released in any case. */
QN_MUST bool term_tally_fit(struct term_tally *t, struct stage *s, struct fit *f, struct err *e);
void term_tally_release(struct term_tally *t);

#endif
