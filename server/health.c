#include "server/health.h"

#include "server/server.h"
#include "store/migrate.h"

#include <pthread.h>
#include <time.h>

enum {
	LOOK_MS = 1000,
	LOOK_STARTING_MS = 10, /* until all is there for the first time */
	COUNT_EVERY_MS = 5000,
};

struct health {
	struct server *server;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool stopping, ready;
	bool migrated; /* once true it stays so: migrations only go forward */
	struct err missing;
	struct job_counts counts;
	bool counted;
	int64_t count_at_ns;
};

/* --- Parts -------------------------------------------------------------------------------------------------------- */

static bool look_postgres(struct health *h, struct err *e)
{
	struct store *store;
	return server_store(h->server, &store, e) && store_ping(store, e);
}

static bool look_migrations(struct health *h, struct err *e)
{
	struct store *store;
	if (!h->migrated && (!server_store(h->server, &store, e) || !migrate_current(store, &h->migrated, e)))
		return false;
	return h->migrated || err_set(e, ERR_unavailable, "the database's schema is not this program's yet");
}

static bool look_models(struct health *h, struct err *e)
{
	struct model_cache *cache = h->server->cache;
	if (!config_has_role(h->server->config, "api")) return true;
	return (cache && model_cache_ready(cache)) || err_set(e, ERR_unavailable, "the models are not loaded yet");
}

static bool look_scheduler(struct health *h, struct err *e)
{
	return h->server->scheduler != NULL || err_set(e, ERR_unavailable, "the scheduler has not started yet");
}

/* In the order in which they come up. */
static const struct {
	const char *pointer;
	bool (*look)(struct health *h, struct err *e);
} parts[] = {
	{"/postgres", look_postgres},
	{"/migrations", look_migrations},
	{"/models", look_models},
	{"/scheduler", look_scheduler},
};

/* --- The thread --------------------------------------------------------------------------------------------------- */

/* No error when nothing is missing; else a fault for each part, and their names in the sentence. */
static void look(struct health *h, struct err *missing)
{
	struct buf names = BUF_INIT(ERR_DETAIL_MAX);
	err_init(missing);
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		struct err e;
		err_init(&e);
		if (parts[i].look(h, &e)) continue;
		err_fault(missing, parts[i].pointer, "%s", e.detail);
		buf_printf(&names, "%s%s", names.len ? ", " : "", parts[i].pointer + 1);
	}
	if (names.len) err_set(missing, ERR_unavailable, "not there: %s", buf_cstr(&names));
	missing->retry_after_s = names.len ? 1 : 0;
	buf_release(&names);
}

static void count(struct health *h, bool reachable)
{
	struct store *store;
	struct job_counts counts;
	struct err e;
	int64_t now = clock_mono_ns();
	err_init(&e);
	if (reachable && now < h->count_at_ns) return;
	bool ok = reachable && server_store(h->server, &store, &e) && job_counts(store, &counts, &e);
	pthread_mutex_lock(&h->lock);
	h->counted = ok;
	if (ok) h->counts = counts;
	pthread_mutex_unlock(&h->lock);
	h->count_at_ns = now + COUNT_EVERY_MS * INT64_C(1000000);
}

static void rest(struct health *h)
{
	int64_t until = clock_mono_ns() + (h->ready ? LOOK_MS : LOOK_STARTING_MS) * INT64_C(1000000);
	struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
	if (!h->stopping) pthread_cond_timedwait(&h->woken, &h->lock, &at);
}

static void *health_main(void *ctx)
{
	struct health *h = ctx;
	pthread_setname_np(pthread_self(), "health");
	pthread_mutex_lock(&h->lock);
	while (!h->stopping) {
		struct err missing;
		pthread_mutex_unlock(&h->lock);
		look(h, &missing);
		if (!err_is(&missing) || h->ready) count(h, !err_is(&missing));
		pthread_mutex_lock(&h->lock);
		h->missing = missing;
		h->ready |= !err_is(&missing);
		rest(h);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

bool health_start(struct server *s, struct health **out, struct err *e)
{
	struct health *h = mem_zalloc(1, sizeof *h);
	pthread_condattr_t attr;
	h->server = s;
	err_init(&h->missing);
	err_set(&h->missing, ERR_unavailable, "the service is starting");
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->woken, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&h->thread, NULL, health_main, h) != 0) {
		mem_free(h);
		return err_set(e, ERR_io, "the health check's thread cannot be started");
	}
	*out = h;
	return true;
}

void health_stop(struct health *h)
{
	if (!h) return;
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_signal(&h->woken);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->woken);
	pthread_mutex_destroy(&h->lock);
	mem_free(h);
}

bool health_ready(struct health *h, struct err *e)
{
	pthread_mutex_lock(&h->lock);
	bool ready = !err_is(&h->missing);
	if (!ready) *e = h->missing;
	pthread_mutex_unlock(&h->lock);
	return ready;
}

bool health_counts(struct health *h, struct job_counts *out)
{
	pthread_mutex_lock(&h->lock);
	bool counted = h->counted;
	if (counted) *out = h->counts;
	pthread_mutex_unlock(&h->lock);
	return counted;
}
