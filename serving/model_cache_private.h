/* The cache's thread (model_cache.c), what it holds (model_hold.c), and its readers (model_reader.c).
 *
 * Epochs: a reader stores the epoch of now in `pinned`, then loads the table; the thread swaps the table, then
 * advances the epoch. A table retired at epoch r may be seen only by readers with 0 < pinned < r, so it is freed
 * once there are none. */
#ifndef QUERN_SERVING_MODEL_CACHE_PRIVATE_H
#define QUERN_SERVING_MODEL_CACHE_PRIVATE_H

#include "serving/model_cache.h"
#include "serving/model_table.h"

#include <pthread.h>

/* A version that somebody waits for; on the waiter's stack. */
struct model_wait {
	const struct model_ref *ref;
	bool done, ok;
	struct err *e;
	struct model_wait *next;
};

/* A reader's scratch for one held predictor. */
struct reader_scratch {
	uint64_t serial; /* of the predictor it was made for */
	struct predictor_scratch *scratch;
};

enum { CACHE_LINE = 64 };

struct model_reader {
	char before[CACHE_LINE];     /* pinned is written at every request: no neighbour shares its line */
	atomic_ulong pinned;         /* epoch; 0: none */
	char after[CACHE_LINE];
	struct model_cache *cache;
	uint64_t seen;               /* id of the table that stale scratches were last looked for in */
	struct reader_scratch *scratch; /* [scratch_count], by slot */
	size_t scratch_count;
	struct model_reader *next;   /* under the cache's lock */
};

/* The version that failed to load last. */
struct model_failure {
	char *name; /* NULL: none */
	int version;
	int64_t at_ns;
	struct err e;
};

struct model_cache {
	struct store *store;
	char *default_model;
	unsigned poll_s;
	uint64_t memory_max;

	_Atomic(struct model_table *) table;
	atomic_ulong epoch; /* from 1 */
	atomic_ulong tick;  /* advances with every round of the thread; how lately a model was used */
	atomic_bool ready;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, answered;
	bool stop, woken;          /* these four under the lock */
	struct model_wait *waits;
	struct model_reader *readers;

	/* The thread's own. */
	struct arena targets_arena;
	struct model_target *targets;
	size_t target_count;
	int64_t revision;          /* of targets; negative: none */
	struct model_held **held;  /* [held_count], holes are NULL */
	size_t held_count, held_cap;
	uint64_t serial, bytes;
	struct model_table *retired;
	struct model_failure failure;
};

void model_cache_stopping(struct err *e); /* ERR_unavailable */

/* Makes a table of the targets and what is held, and swaps it in. */
void model_hold_publish(struct model_cache *c);
/* Frees retired tables, and predictors that no table has, as far as no reader is in the way. False: some are left. */
bool model_hold_reclaim(struct model_cache *c);
/* Loads a version beside what is held; publishing is the caller's. ERR_unavailable, ERR_not_found, ERR_internal. */
QN_MUST bool model_hold_load(struct model_cache *c, const char *name, int version, struct model_held **out,
			     struct err *e);
/* Lets go what the targets do not have any more, and loads what they serve. False: Postgres went away (nothing is
 * lost). Other failures are logged and left to whoever asks for the version. */
QN_MUST bool model_hold_wanted(struct model_cache *c, struct err *e);
/* Lets the least recently used others go until memory_max holds, but none that `wants` (may be NULL) points to.
 * False: that is not enough. */
bool model_hold_room(struct model_cache *c, const struct model_held *keep, const struct model_table *wants);
/* Lets go of everything, the table too; there are no readers. */
void model_hold_release(struct model_cache *c);

#endif
