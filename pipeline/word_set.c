#include "pipeline/word_set.h"

enum { BITS_MIN = 6, BITS_MAX = 16, TRIES = 8 };
static const uint64_t multipliers[TRIES] = {
	0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu, 0xd6e8feb86659fd93u,
	0xc2b2ae3d27d4eb4fu, 0x165667b19e3779f9u, 0xff51afd7ed558ccdu, 0xc4ceb9fe1a85ec53u,
};

/* Of 1 to WORD_SET_SHORT bytes. */
static inline struct word_set_place place_of(struct str word)
{
	struct word_set_place p = {.len = word.len};
	const unsigned char *b = (const unsigned char *)word.data;
	uint32_t head, tail;
	if (word.len >= 8) {
		memcpy(&p.head, b, 8);
		memcpy(&p.tail, b + word.len - 8, 8);
	} else if (word.len >= 4) {
		memcpy(&head, b, 4);
		memcpy(&tail, b + word.len - 4, 4);
		p.head = head;
		p.tail = tail;
	} else {
		p.head = b[0];
		p.tail = b[word.len / 2] | (uint64_t)b[word.len - 1] << 8;
	}
	return p;
}

static inline size_t index_of(const struct word_set_place *p, uint64_t multiplier, unsigned bits)
{
	uint64_t mixed = (p->head + p->len) * multiplier ^ p->tail;
	return (size_t)(mixed * multiplier >> (64 - bits));
}

static inline bool same(const struct word_set_place *a, const struct word_set_place *b)
{
	return ((a->head ^ b->head) | (a->tail ^ b->tail) | (a->len ^ b->len)) == 0;
}

void word_set_add(struct word_set *s, struct str word)
{
	map_put(&s->words, word, NULL);
	s->longest = MAX(s->longest, word.len);
}

/* Every short word into one of its two places; false: there is one for which both are taken. */
static bool fill(struct word_set *s)
{
	memset(s->places, 0, (((size_t)1 << s->bits) + 1) * sizeof *s->places);
	for (size_t k = 0; k < s->words.count; k++) {
		struct str word = s->words.entries[k].key;
		if (word.len == 0 || word.len > WORD_SET_SHORT) continue;
		struct word_set_place p = place_of(word), *to = &s->places[index_of(&p, s->multiplier, s->bits)];
		if (to->len) to++;
		if (to->len) return false;
		*to = p;
	}
	return true;
}

void word_set_prepare(struct word_set *s)
{
	for (s->bits = BITS_MIN; s->bits <= BITS_MAX; s->bits++) {
		if ((size_t)1 << s->bits < 2 * s->words.count) continue;
		s->places = mem_realloc(s->places, ((size_t)1 << s->bits) + 1, sizeof *s->places);
		for (unsigned k = 0; k < TRIES; k++) {
			s->multiplier = multipliers[k];
			if (fill(s)) return;
		}
	}
	mem_free(s->places);
	s->places = NULL;
}

void word_set_release(struct word_set *s)
{
	map_release(&s->words);
	mem_free(s->places);
	*s = (struct word_set){0};
}

bool word_set_has(const struct word_set *s, struct str word)
{
	if (word.len > s->longest) return false;
	if (!s->places || word.len - 1 >= WORD_SET_SHORT) return map_find(&s->words, word) != NULL;
	struct word_set_place p = place_of(word);
	const struct word_set_place *at = &s->places[index_of(&p, s->multiplier, s->bits)];
	return same(&p, at) | same(&p, at + 1);
}
