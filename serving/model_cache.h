/* Which models are in memory: name → immutable predictors, swapped by one atomic pointer. Readers never lock and
 * never wait: they pin the current table for the length of a request (an epoch per reader); a replaced table is
 * freed when no reader can see it. Loading, warming and freeing happen on the cache's own thread, told by
 * model_cache_wake (NOTIFY) and by polling. While Postgres is away the last table serves on.
 *
 * In memory are the version that each model serves, the versions that aliases point to, and what was asked for
 * lately, up to memory_max: past it the least recently used others go. */
#ifndef QUERN_SERVING_MODEL_CACHE_H
#define QUERN_SERVING_MODEL_CACHE_H

#include "serving/predictor.h"
#include "store/store.h"

struct model_cache;

struct model_cache_options {
	struct store *store;       /* borrowed */
	const char *default_model; /* NULL or "": none */
	unsigned poll_s;
	uint64_t memory_max;       /* of containers held */
};

/* Loads what there is (or leaves it to the thread when Postgres is away) and starts the thread. */
QN_MUST bool model_cache_start(const struct model_cache_options *o, struct model_cache **out, struct err *e);
/* After every reader was destroyed. NULL is fine. */
void model_cache_stop(struct model_cache *c);
void model_cache_wake(struct model_cache *c);
/* False until the first full load from Postgres has finished. */
bool model_cache_ready(const struct model_cache *c);

/* A reader: one a serving thread (or one a request off the hot path). */
struct model_reader;
struct model_reader *model_reader_create(struct model_cache *c);
void model_reader_destroy(struct model_reader *r); /* NULL is fine */

/* The predictor for a reference: name NULL with the rules of API.md (default, the only one, 409 naming the
 * candidates), version 0: alias or production or newest; alias NULL: none. Pinned until model_release; its scratch
 * belongs to this reader. One at a time. *loading: the version is not in memory, or is not known of yet (a model may
 * have been made just now): the caller tries again off the hot path with model_acquire_wait, which asks Postgres.
 * Otherwise e has ERR_ambiguous_model or ERR_conflict (an alias that splits over versions). */
QN_MUST bool model_acquire(struct model_reader *r, struct str name, int version, struct str alias,
			   const struct predictor **p, struct predictor_scratch **s, bool *loading, struct err *e);
/* Waits for the cache's thread, as long as Postgres takes. Also ERR_no_model, ERR_not_found, ERR_unavailable. */
QN_MUST bool model_acquire_wait(struct model_reader *r, struct str name, int version, struct str alias,
				const struct predictor **p, struct predictor_scratch **s, struct err *e);
void model_release(struct model_reader *r);

#endif
