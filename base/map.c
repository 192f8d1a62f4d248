#include "base/map.h"

#include "base/rng.h"

#include <pthread.h>
#include <xxhash.h>

static uint64_t map_seed;
static pthread_once_t map_seed_once = PTHREAD_ONCE_INIT;

static void draw_seed(void) { rng_system(&map_seed, sizeof map_seed); }

static uint64_t hash_key(struct str key)
{
	pthread_once(&map_seed_once, draw_seed);
	return XXH3_64bits_withSeed(key.data ? key.data : "", key.len, map_seed);
}

/* The slot where the key is, or the empty one where it would be. */
static size_t find_slot(const struct map *m, struct str key, uint64_t hash)
{
	size_t mask = m->slots_cap - 1, i = hash & mask;
	for (; m->slots[i]; i = (i + 1) & mask) {
		const struct map_entry *x = &m->entries[m->slots[i] - 1];
		if (x->hash == hash && str_eq(x->key, key)) break;
	}
	return i;
}

static void rehash(struct map *m, size_t cap)
{
	mem_free(m->slots);
	m->slots = mem_zalloc(cap, sizeof *m->slots);
	m->slots_cap = cap;
	for (size_t k = 0; k < m->count; k++) {
		size_t i = m->entries[k].hash & (cap - 1);
		while (m->slots[i]) i = (i + 1) & (cap - 1);
		m->slots[i] = (uint32_t)k + 1;
	}
}

struct map_entry *map_find(const struct map *m, struct str key)
{
	if (m->count == 0) return NULL;
	size_t i = find_slot(m, key, hash_key(key));
	return m->slots[i] ? &m->entries[m->slots[i] - 1] : NULL;
}

struct map_entry *map_put(struct map *m, struct str key, bool *made)
{
	uint64_t hash = hash_key(key);
	if (m->count * 2 >= m->slots_cap) rehash(m, MAX(m->slots_cap * 2, (size_t)16));
	size_t i = find_slot(m, key, hash);
	if (made) *made = m->slots[i] == 0;
	if (m->slots[i]) return &m->entries[m->slots[i] - 1];
	CHECK(m->count < UINT32_MAX - 1);
	MEM_GROW(m->entries, m->entries_cap, m->count + 1);
	m->entries[m->count] = (struct map_entry){
		.key = {arena_strndup(&m->keys, key.data, key.len), key.len}, .hash = hash};
	m->slots[i] = (uint32_t)++m->count;
	return &m->entries[m->count - 1];
}

void map_clear(struct map *m)
{
	if (m->slots) memset(m->slots, 0, m->slots_cap * sizeof *m->slots);
	m->count = 0;
	arena_reset(&m->keys);
}

void map_release(struct map *m)
{
	mem_free(m->entries);
	mem_free(m->slots);
	arena_release(&m->keys);
	*m = MAP_INIT;
}
