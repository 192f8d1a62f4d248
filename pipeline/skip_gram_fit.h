/* skip_gram over the ranks of a job. A partition is trained by one rank, on its copy of the weights; after an iteration
 * the rows that partitions changed are averaged in partition order. So the bits do not depend on the number of ranks, of
 * which g->partitions at most have work. */
#ifndef QUERN_PIPELINE_SKIP_GRAM_FIT_H
#define QUERN_PIPELINE_SKIP_GRAM_FIT_H

#include "pipeline/skip_gram.h"
#include "pipeline/stage.h"

/* Trains, from f's checkpoint where there is one. words: [g->words][g->size], the words' vectors. Every rank has the
 * same g (prepared) and corpus. Collective. */
QN_MUST bool skip_gram_fit(struct fit *f, const struct skip_gram *g, const struct skip_gram_corpus *corpus, float *words,
			   struct err *e);

#endif
