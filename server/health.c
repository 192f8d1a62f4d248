#include "server/health.h"

#include "base/monitor.h"
#include "server/server.h"
#include "store/migrate.h"

enum {
	LOOK_MS = 1000,
	LOOK_STARTING_MS = 10, /* until all is there for the first time */
	COUNT_EVERY_MS = 5000,
};

struct health {
	struct server *server;
	pthread_t thread;
	struct monitor monitor;
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
	monitor_enter(&h->monitor);
	h->counted = ok;
	if (ok) h->counts = counts;
	monitor_leave(&h->monitor);
	h->count_at_ns = now + COUNT_EVERY_MS * INT64_C(1000000);
}

static void *health_main(void *ctx)
{
	struct health *h = ctx;
	pthread_setname_np(pthread_self(), "health");
	monitor_enter(&h->monitor);
	while (!h->stopping) {
		struct err missing;
		monitor_leave(&h->monitor);
		look(h, &missing);
		if (!err_is(&missing) || h->ready) count(h, !err_is(&missing));
		monitor_enter(&h->monitor);
		h->missing = missing;
		h->ready |= !err_is(&missing);
		int64_t rest_ms = h->ready ? LOOK_MS : LOOK_STARTING_MS;
		if (!h->stopping) monitor_wait(&h->monitor, clock_mono_ns() + rest_ms * INT64_C(1000000));
	}
	monitor_leave(&h->monitor);
	return NULL;
}

bool health_start(struct server *s, struct health **out, struct err *e)
{
	struct health *h = mem_zalloc(1, sizeof *h);
	h->server = s;
	err_init(&h->missing);
	err_set(&h->missing, ERR_unavailable, "the service is starting");
	monitor_init(&h->monitor);
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
	monitor_enter(&h->monitor);
	h->stopping = true;
	monitor_signal(&h->monitor);
	monitor_leave(&h->monitor);
	pthread_join(h->thread, NULL);
	monitor_destroy(&h->monitor);
	mem_free(h);
}

bool health_ready(struct health *h, struct err *e)
{
	monitor_enter(&h->monitor);
	bool ready = !err_is(&h->missing);
	if (!ready) *e = h->missing;
	monitor_leave(&h->monitor);
	return ready;
}

bool health_counts(struct health *h, struct job_counts *out)
{
	monitor_enter(&h->monitor);
	bool counted = h->counted;
	if (counted) *out = h->counts;
	monitor_leave(&h->monitor);
	return counted;
}
