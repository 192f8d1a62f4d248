/* The hot path of the cache: no lock, no wait, no allocation once a model's scratch is there. */
#include "serving/model_cache_private.h"

enum { WAIT_TRIES = 4 };

struct model_reader *model_reader_create(struct model_cache *c)
{
	struct model_reader *r = mem_zalloc(1, sizeof *r);
	r->cache = c;
	pthread_mutex_lock(&c->lock);
	r->next = c->readers;
	c->readers = r;
	pthread_mutex_unlock(&c->lock);
	return r;
}

void model_reader_destroy(struct model_reader *r)
{
	if (!r) return;
	CHECK(atomic_load(&r->pinned) == 0);
	pthread_mutex_lock(&r->cache->lock);
	struct model_reader **link = &r->cache->readers;
	while (*link != r) link = &(*link)->next;
	*link = r->next;
	pthread_mutex_unlock(&r->cache->lock);
	for (size_t i = 0; i < r->scratch_count; i++) predictor_scratch_destroy(r->scratch[i].scratch);
	mem_free(r->scratch);
	mem_free(r);
}

/* --- Scratches ---------------------------------------------------------------------------------------------------- */

static void drop_scratch(struct reader_scratch *rs)
{
	predictor_scratch_destroy(rs->scratch);
	*rs = (struct reader_scratch){0};
}

/* Those whose predictor the table does not have any more. */
static void drop_stale(struct model_reader *r, const struct model_table *t)
{
	for (size_t i = 0; i < r->scratch_count; i++) {
		struct reader_scratch *rs = &r->scratch[i];
		bool live = i < t->held_count && t->held[i] && t->held[i]->serial == rs->serial;
		if (rs->scratch && !live) drop_scratch(rs);
	}
}

static struct predictor_scratch *scratch_for(struct model_reader *r, const struct model_held *h)
{
	if (h->slot >= r->scratch_count) {
		size_t had = r->scratch_count;
		MEM_GROW(r->scratch, r->scratch_count, h->slot + 1);
		memset(r->scratch + had, 0, (r->scratch_count - had) * sizeof *r->scratch);
	}
	struct reader_scratch *rs = &r->scratch[h->slot];
	if (rs->serial != h->serial) {
		drop_scratch(rs);
		*rs = (struct reader_scratch){h->serial, predictor_scratch_create(h->predictor)};
	}
	return rs->scratch;
}

/* --- Acquiring ---------------------------------------------------------------------------------------------------- */

static bool acquire(struct model_reader *r, const struct model_ref *ref, const struct predictor **p,
			struct predictor_scratch **s, bool *loading, struct err *e)
{
	struct model_cache *c = r->cache;
	const struct table_model *m;
	const struct table_version *v;
	CHECK(atomic_load_explicit(&r->pinned, memory_order_relaxed) == 0);
	uint64_t epoch = atomic_load(&c->epoch);
	atomic_store(&r->pinned, epoch);
	const struct model_table *t = atomic_load(&c->table);
	bool found = model_table_find(t, ref, &m, &v, e);
	*loading = found ? !v->held : err_status(e->code) == 404;
	if (!found || !v->held) {
		model_release(r);
		return false;
	}
	if (t->id != r->seen) {
		drop_stale(r, t);
		r->seen = t->id;
	}
	unsigned long tick = atomic_load_explicit(&c->tick, memory_order_relaxed);
	if (atomic_load_explicit(&v->held->used, memory_order_relaxed) != tick)
		atomic_store_explicit(&v->held->used, tick, memory_order_relaxed);
	*p = v->held->predictor;
	*s = scratch_for(r, v->held);
	return true;
}

bool model_acquire(struct model_reader *r, struct str name, int version, struct str alias, const struct predictor **p,
		   struct predictor_scratch **s, bool *loading, struct err *e)
{
	struct model_ref ref = {name, version, alias};
	return acquire(r, &ref, p, s, loading, e);
}

void model_release(struct model_reader *r) { atomic_store_explicit(&r->pinned, 0, memory_order_release); }

static bool wait_for(struct model_cache *c, const struct model_ref *ref, struct err *e)
{
	struct model_wait w = {.ref = ref, .e = e};
	pthread_mutex_lock(&c->lock);
	if (c->stop) {
		pthread_mutex_unlock(&c->lock);
		model_cache_stopping(e);
		return false;
	}
	w.next = c->waits;
	c->waits = &w;
	pthread_cond_signal(&c->work);
	while (!w.done) pthread_cond_wait(&c->answered, &c->lock);
	pthread_mutex_unlock(&c->lock);
	return w.ok;
}

bool model_acquire_wait(struct model_reader *r, struct str name, int version, struct str alias,
			const struct predictor **p, struct predictor_scratch **s, struct err *e)
{
	struct model_ref ref = {name, version, alias};
	bool loading;
	for (int i = 0; i < WAIT_TRIES; i++) {
		struct err why;
		err_init(&why);
		if (acquire(r, &ref, p, s, &loading, &why)) return true;
		if (!loading) {
			*e = why;
			return false;
		}
		if (!wait_for(r->cache, &ref, e)) return false;
	}
	e->retry_after_s = 1;
	return err_set(e, ERR_unavailable, "models go from memory faster than they are used; raise serving.memory");
}
