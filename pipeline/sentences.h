/* A corpus for skip_gram: the rows' terms as numbers of a vocabulary, in row order over all shards, on every rank. */
#ifndef QUERN_PIPELINE_SENTENCES_H
#define QUERN_PIPELINE_SENTENCES_H

#include "pipeline/skip_gram.h"
#include "pipeline/term.h"

struct sentences {
	uint32_t *words;
	uint64_t *ends;
	size_t word_count, count;
};

/* Of the stage's input column, over terms whose map entries hold their numbers; others are left out. A row is cut every
 * `longest` words. Collective. ERR_too_large where they do not fit f->memory_max. */
QN_MUST bool sentences_gather(struct fit *f, const struct stage *s, const struct map *vocabulary, size_t longest,
			      struct sentences *out, struct err *e);
void sentences_release(struct sentences *s);
struct skip_gram_corpus sentences_corpus(const struct sentences *s);

#endif
