/* Skip-gram with hierarchical softmax as Spark's Word2Vec trains it (mllib.feature.Word2Vec, after Mikolov's word2vec.c):
 * float arithmetic, a table of 1,000 sigmoids looked up at (f + 6) * 83, where 1000 / 6 / 2.0 divides integers first,
 * a rate that falls after each 10,000 words. Given counts, sentences and the seed the weights are Spark's bit for bit. */
#ifndef QUERN_PIPELINE_SKIP_GRAM_H
#define QUERN_PIPELINE_SKIP_GRAM_H

#include "base/check.h"

enum { SKIP_GRAM_SIGMOIDS = 1000 };

/* Sentences of word numbers, one behind the other. */
struct skip_gram_corpus {
	const uint32_t *words;
	const uint64_t *ends; /* [count]: where each sentence ends in words */
	size_t count;
};

/* What every pass shares. The caller sets the first group; words are numbered by descending count. */
struct skip_gram {
	size_t words, size; /* of the vocabulary; of a vector */
	int32_t window;
	int64_t iterations, partitions;
	double step;
	uint64_t seed, occurrences; /* of the vocabulary's words in the corpus */
	bool unfused; /* leaves the machine's fused multiply-add alone: the same bits, slower */

	size_t *path; /* [words + 1]: word w passes the inner nodes [path[w], path[w + 1]) */
	uint32_t *inner;
	uint8_t *code; /* which way it goes there */
	float sigmoid[SKIP_GRAM_SIGMOIDS];
};

/* The Huffman tree over the words' counts, and the table. */
void skip_gram_prepare(struct skip_gram *g, const uint64_t *counts);
void skip_gram_release(struct skip_gram *g);

/* The two layers, [words][size] each, and which of their rows a pass has changed. */
struct skip_gram_weights {
	float *word, *inner;
	uint8_t *word_changed, *inner_changed; /* [words] */
};
struct skip_gram_weights skip_gram_weights(const struct skip_gram *g);
void skip_gram_weights_release(struct skip_gram_weights *w);
/* Spark's start: words drawn, inner nodes zero. */
void skip_gram_start(const struct skip_gram *g, struct skip_gram_weights *w);

/* One iteration (from 1) over the sentences of one partition (from 0): every g->partitions-th sentence. Returns false
 * once stopped says so; asked from time to time, may be NULL. */
QN_MUST bool skip_gram_pass(const struct skip_gram *g, const struct skip_gram_corpus *c, int64_t iteration,
			    int64_t partition, struct skip_gram_weights *w, bool (*stopped)(void *ctx), void *ctx);

#endif
