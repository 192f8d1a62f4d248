/* A hash map from byte strings to uint64 values, insertion order kept. Keys are copied. Hash: XXH3 with a per-process
 * random seed (hostile keys), so never depend on bucket order: iterate entries [0, count) instead.
 * Not thread-safe for writers; lookups on a map nobody writes are. */
#ifndef QUERN_BASE_MAP_H
#define QUERN_BASE_MAP_H

#include "base/str.h"

struct map_entry {
	struct str key;
	uint64_t hash;
	uint64_t value;
};
struct map {
	struct map_entry *entries;
	size_t count, entries_cap;
	uint32_t *slots; /* index + 1; 0 empty */
	size_t slots_cap;
	struct arena keys;
};

#define MAP_INIT ((struct map){0})
void map_release(struct map *m);
void map_clear(struct map *m);
/* The entry with this key, made with value 0 when absent (*made says so, may be NULL). Pointer valid until the next
 * insert. */
struct map_entry *map_put(struct map *m, struct str key, bool *made);
struct map_entry *map_find(const struct map *m, struct str key); /* NULL: absent */

#endif
