/* How often each index below n occurs in a row, without a sort and without a map: counts lie in an array, a two-level
 * bitmap remembers which were touched, and walking the bitmap gives the indices ascending while it clears them. The
 * memory is a stage's scratch; between rows it is zero. Inline: a corpus is counted term by term. */
#ifndef QUERN_PIPELINE_COUNTER_H
#define QUERN_PIPELINE_COUNTER_H

#include "pipeline/stage.h"

enum { COUNTER_SLOTS = 3, COUNTER_WORD = 64 };

struct counter {
	uint32_t *counts; /* [n] */
	uint64_t *low;    /* bit i: counts[i] > 0 */
	uint64_t *high;   /* bit w: low[w] != 0 */
	size_t high_words;
};

/* Takes COUNTER_SLOTS slots of the scratch from `slot` on. */
static inline struct counter counter_of(struct scratch *sc, unsigned slot, size_t n)
{
	size_t low = (n + COUNTER_WORD - 1) / COUNTER_WORD, high = (low + COUNTER_WORD - 1) / COUNTER_WORD;
	return (struct counter){
		.counts = scratch_room(sc, slot, n * sizeof(uint32_t)),
		.low = scratch_room(sc, slot + 1, low * sizeof(uint64_t)),
		.high = scratch_room(sc, slot + 2, high * sizeof(uint64_t)),
		.high_words = high,
	};
}

/* 1 where the index is met for the first time, else 0. */
static inline size_t counter_add(const struct counter *c, uint32_t i)
{
	c->low[i / COUNTER_WORD] |= (uint64_t)1 << (i % COUNTER_WORD);
	c->high[i / COUNTER_WORD / COUNTER_WORD] |= (uint64_t)1 << (i / COUNTER_WORD % COUNTER_WORD);
	return c->counts[i]++ == 0;
}

/* Writes the indices whose count is at least `least`, with their counts (binary: with 1), and leaves the counter zero.
 * Returns how many. */
static inline size_t counter_drain(const struct counter *c, double least, bool binary, uint32_t *idx, double *val)
{
	size_t n = 0;
	for (size_t h = 0; h < c->high_words; h++) {
		for (uint64_t words = c->high[h]; words; words &= words - 1) {
			size_t w = h * COUNTER_WORD + (size_t)__builtin_ctzll(words);
			for (uint64_t bits = c->low[w]; bits; bits &= bits - 1) {
				size_t i = w * COUNTER_WORD + (size_t)__builtin_ctzll(bits);
				double count = c->counts[i];
				idx[n] = (uint32_t)i;
				val[n] = binary ? 1 : count;
				n += count >= least;
				c->counts[i] = 0;
			}
			c->low[w] = 0;
		}
		c->high[h] = 0;
	}
	return n;
}

#endif
