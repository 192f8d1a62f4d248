#include "serving/model_cache_private.h"

#include "base/clock.h"
#include "base/log.h"

#include <time.h>

enum { RECLAIM_MS = 50, POLL_S_DEFAULT = 2 };

void model_cache_stopping(struct err *e) { err_set(e, ERR_unavailable, "the service is stopping"); }

/* --- Looking at Postgres ------------------------------------------------------------------------------------------ */

/* The targets of now take the place of the old ones once all that they serve was loaded. */
static bool take_targets(struct model_cache *c, struct arena *a, struct model_target *targets, size_t count,
			 struct err *e)
{
	struct arena old_arena = c->targets_arena;
	struct model_target *old = c->targets;
	size_t old_count = c->target_count;
	c->targets_arena = *a;
	c->targets = targets;
	c->target_count = count;
	if (model_hold_wanted(c, e)) {
		arena_release(&old_arena);
		return true;
	}
	*a = c->targets_arena;
	c->targets_arena = old_arena;
	c->targets = old;
	c->target_count = old_count;
	return false;
}

static bool refresh(struct model_cache *c, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct model_target *targets;
	size_t count;
	int64_t revision;
	bool ok = model_targets(c->store, &a, &targets, &count, &revision, e);
	if (ok && revision != c->revision) {
		ok = take_targets(c, &a, targets, count, e);
		if (ok) {
			a = ARENA_INIT;
			c->revision = revision;
			model_hold_publish(c);
		}
	}
	arena_release(&a);
	if (ok) atomic_store(&c->ready, true);
	return ok;
}

/* --- Who waits ---------------------------------------------------------------------------------------------------- */

/* A model that cannot be loaded is not read from Postgres for each request that asks for it. */
static bool failed_lately(const struct model_cache *c, struct str name, int version, struct err *e)
{
	const struct model_failure *f = &c->failure;
	if (!f->name || f->version != version || !str_is(name, f->name)) return false;
	if (clock_mono_ns() - f->at_ns > (int64_t)c->poll_s * 1000000000) return false;
	*e = f->e;
	return true;
}

static void remember_failure(struct model_cache *c, struct str name, int version, const struct err *e)
{
	mem_free(c->failure.name);
	c->failure = (struct model_failure){mem_strdup(name.data), version, clock_mono_ns(), *e};
}

static bool satisfy(struct model_cache *c, const struct model_ref *ref, struct err *e)
{
	const struct table_model *m;
	const struct table_version *v;
	struct model_held *h;
	if (!model_table_find(atomic_load(&c->table), ref, &m, &v, e)) return false;
	if (v->held) return true;
	if (failed_lately(c, m->name, v->version, e)) return false;
	if (!model_hold_load(c, m->name.data, v->version, &h, e)) {
		remember_failure(c, m->name, v->version, e);
		return false;
	}
	/* What is served goes last. One container alone always fits: a longer one was not loaded. */
	if (!model_hold_room(c, h, atomic_load(&c->table))) model_hold_room(c, h, NULL);
	model_hold_publish(c);
	return true;
}

static void answer(struct model_cache *c, struct model_wait *waits)
{
	pthread_mutex_lock(&c->lock);
	for (struct model_wait *w = waits; w; w = w->next) w->done = true;
	pthread_cond_broadcast(&c->answered);
	pthread_mutex_unlock(&c->lock);
}

/* why: what kept us from asking Postgres, NULL: nothing did. What is not known may exist then nevertheless. */
static void serve(struct model_cache *c, struct model_wait *waits, const struct err *why)
{
	for (struct model_wait *w = waits; w; w = w->next) {
		w->ok = satisfy(c, w->ref, w->e);
		if (!w->ok && why && err_status(w->e->code) == 404) *w->e = *why;
	}
	answer(c, waits);
}

static void refuse(struct model_cache *c, struct model_wait *waits)
{
	for (struct model_wait *w = waits; w; w = w->next) {
		w->ok = false;
		model_cache_stopping(w->e);
	}
	answer(c, waits);
}

/* --- The thread --------------------------------------------------------------------------------------------------- */

static void deadline(unsigned ms, struct timespec *out)
{
	clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += ms / 1000;
	out->tv_nsec += (long)(ms % 1000) * 1000000;
	if (out->tv_nsec >= 1000000000) {
		out->tv_nsec -= 1000000000;
		out->tv_sec++;
	}
}

struct round {
	bool stop, woken;
	struct model_wait *waits;
};

/* Sleeps until there is something to do, or ms have passed. */
static struct round sleep_until(struct model_cache *c, unsigned ms)
{
	struct timespec until;
	int rc = 0;
	deadline(ms, &until);
	pthread_mutex_lock(&c->lock);
	while (!c->stop && !c->woken && !c->waits && rc == 0) rc = pthread_cond_timedwait(&c->work, &c->lock, &until);
	struct round r = {c->stop, c->woken, c->waits};
	c->waits = NULL;
	c->woken = false;
	pthread_mutex_unlock(&c->lock);
	return r;
}

static void say_once(bool ok, bool *was_ok, const struct err *e)
{
	if (!ok && *was_ok) log_err(LOG_WARN, "model-cache", e);
	if (ok && !*was_ok) log_info("model-cache", "models can be looked up again");
	*was_ok = ok;
}

static void *cache_main(void *ctx)
{
	struct model_cache *c = ctx;
	bool was_ok = atomic_load(&c->ready), clean = true;
	unsigned poll_ms = c->poll_s * 1000;
	int64_t polled_ns = clock_mono_ns();
	for (;;) {
		struct round r = sleep_until(c, clean ? poll_ms : MIN(poll_ms, (unsigned)RECLAIM_MS));
		if (r.stop) {
			refuse(c, r.waits);
			return NULL;
		}
		/* Rounds that only reclaim do not ask Postgres. */
		if (r.woken || r.waits || clock_mono_ns() - polled_ns >= (int64_t)poll_ms * 1000000) {
			struct err e;
			err_init(&e);
			atomic_fetch_add(&c->tick, 1);
			bool ok = refresh(c, &e);
			say_once(ok, &was_ok, &e);
			polled_ns = clock_mono_ns();
			serve(c, r.waits, ok ? NULL : &e);
		}
		clean = model_hold_reclaim(c);
	}
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static void init_sync(struct model_cache *c)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->work, &attr);
	pthread_cond_init(&c->answered, NULL);
	pthread_condattr_destroy(&attr);
}

static void destroy(struct model_cache *c)
{
	CHECK(!c->readers);
	model_hold_release(c);
	pthread_cond_destroy(&c->answered);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	arena_release(&c->targets_arena);
	mem_free(c->failure.name);
	mem_free(c->default_model);
	mem_free(c);
}

bool model_cache_start(const struct model_cache_options *o, struct model_cache **out, struct err *e)
{
	struct model_cache *c = mem_zalloc(1, sizeof *c);
	struct err why;
	c->store = o->store;
	c->default_model = mem_strdup(o->default_model ? o->default_model : "");
	c->poll_s = o->poll_s ? o->poll_s : POLL_S_DEFAULT;
	c->memory_max = o->memory_max;
	c->revision = -1;
	atomic_init(&c->epoch, 1);
	atomic_init(&c->tick, 1);
	atomic_init(&c->table, model_table_create(NULL, 0, NULL, 0, c->default_model));
	init_sync(c);
	err_init(&why);
	if (!refresh(c, &why)) log_err(LOG_WARN, "model-cache", &why);
	if (pthread_create(&c->thread, NULL, cache_main, c) != 0) {
		destroy(c);
		return err_set(e, ERR_internal, "the model cache's thread cannot be started");
	}
	*out = c;
	return true;
}

void model_cache_stop(struct model_cache *c)
{
	if (!c) return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	destroy(c);
}

void model_cache_wake(struct model_cache *c)
{
	pthread_mutex_lock(&c->lock);
	c->woken = true;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}

bool model_cache_ready(const struct model_cache *c) { return atomic_load(&c->ready); }
