/* Terms as keys of a map: elements of array<string> columns, of which a null is one too. The key is the term behind one
 * byte, so keys sort as the terms do by their UTF-8 bytes, null first. */
#ifndef QUERN_PIPELINE_TERM_H
#define QUERN_PIPELINE_TERM_H

#include "base/map.h"
#include "pipeline/stage.h"

/* The key of element k, written to room. */
struct str term_key(const struct column *c, uint64_t k, struct buf *room);
/* A buffer for a term that an apply keeps in this slot: term_key's, or what a token is lower-cased in. */
struct buf *term_room(struct scratch *sc, unsigned slot);
/* Is this, from a model's bytes, a key? */
bool term_is_key(struct str key);
void term_write(struct str key, struct json_writer *w);
/* For qsort over map entries whose values are counts: the most frequent first, terms in order where they are alike. */
int term_by_count(const void *entry_a, const void *entry_b);

#endif
