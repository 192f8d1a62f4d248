/* A set of words that text after text is asked for, most of whose words are short.
 *
 * A short word is two overlapping machine words and its length, and lies in one of two neighbouring places of a table that was
 * made large enough for that: whether it is a member takes no branch, and which words a text has no branch could foresee. Longer
 * words, and sets for which no such table was found, are a map's business. */
#ifndef QUERN_PIPELINE_WORD_SET_H
#define QUERN_PIPELINE_WORD_SET_H

#include "base/map.h"

enum { WORD_SET_SHORT = 16 };

struct word_set {
	struct map words; /* all of them */
	struct word_set_place {
		uint64_t head, tail; /* the first and the last bytes; 0 length: nothing is here */
		size_t len;
	} *places; /* [1 << bits and one more]; NULL: there is only the map */
	unsigned bits;
	uint64_t multiplier;
	size_t longest;
};

/* Before word_set_prepare. */
void word_set_add(struct word_set *s, struct str word);
void word_set_prepare(struct word_set *s);
void word_set_release(struct word_set *s);
/* Any number of threads at once. */
bool word_set_has(const struct word_set *s, struct str word);

#endif
