#include "server/sightings.h"

#include "base/hash.h"

#include <pthread.h>

struct sighting {
	uint64_t target, body;
	int64_t since_s;
	bool doubtful;
};

struct sightings {
	pthread_mutex_t lock;
	struct sighting slots[SIGHTINGS_SLOTS];
};

struct sightings *sightings_create(void)
{
	struct sightings *t = mem_zalloc(1, sizeof *t);
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void sightings_destroy(struct sightings *t)
{
	if (!t) return;
	pthread_mutex_destroy(&t->lock);
	mem_free(t);
}

bool sightings_look(struct sightings *t, struct str target, uint64_t body, int64_t now_s, int64_t *since_s)
{
	uint64_t hash = hash_xxh3(target.data, target.len);
	struct sighting *s = &t->slots[hash % SIGHTINGS_SLOTS];
	pthread_mutex_lock(&t->lock);
	if (s->target != hash || s->body != body)
		*s = (struct sighting){hash, body, now_s, .doubtful = s->since_s == now_s};
	else if (s->doubtful && now_s > s->since_s) *s = (struct sighting){hash, body, now_s, .doubtful = false};
	*since_s = s->since_s;
	bool certain = !s->doubtful;
	pthread_mutex_unlock(&t->lock);
	return certain;
}
