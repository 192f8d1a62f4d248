/* Which predictors the cache holds, and the tables that show them. All on the cache's thread. */
#include "base/log.h"
#include "serving/model_cache_private.h"

/* --- Holding ------------------------------------------------------------------------------------------------------ */

static struct model_held *hold(struct model_cache *c, struct predictor *p, size_t bytes)
{
	struct model_held *h = mem_zalloc(1, sizeof *h);
	size_t slot = 0;
	while (slot < c->held_count && c->held[slot]) slot++;
	MEM_GROW(c->held, c->held_cap, slot + 1);
	c->held_count = MAX(c->held_count, slot + 1);
	h->predictor = p;
	h->bytes = bytes;
	h->slot = slot;
	h->serial = ++c->serial;
	h->refs = 1;
	atomic_init(&h->used, atomic_load(&c->tick));
	c->held[slot] = h;
	c->bytes += bytes;
	return h;
}

static void unref(struct model_held *h)
{
	if (--h->refs > 0) return;
	predictor_destroy(h->predictor);
	mem_free(h);
}

static void let_go(struct model_cache *c, struct model_held *h)
{
	c->held[h->slot] = NULL;
	c->bytes -= h->bytes;
	unref(h);
}

bool model_hold_load(struct model_cache *c, const char *name, int version, struct model_held **out, struct err *e)
{
	struct buf bytes = BUF_INIT(c->memory_max);
	struct predictor *p = NULL;
	bool ok = model_load(c->store, name, version, &bytes, e) &&
		  predictor_create(bytes.data, bytes.len, name, version, &p, e);
	size_t len = bytes.len;
	buf_release(&bytes);
	if (!ok) {
		if (e->code == ERR_too_large)
			err_wrap(e, "serving.memory is %llu bytes", (unsigned long long)c->memory_max);
		/* To whoever predicts, such a container is the service's fault, not the request's. */
		if (e->code == ERR_bad_model || e->code == ERR_too_large) e->code = ERR_internal;
		return err_wrap(e, "loading model %s:%d", name, version);
	}
	predictor_warm(p);
	*out = hold(c, p, len);
	return true;
}

static struct model_held *least_used(const struct model_cache *c, const struct model_held *keep,
				     const struct model_table *wants)
{
	struct model_held *least = NULL;
	for (size_t i = 0; i < c->held_count; i++) {
		struct model_held *h = c->held[i];
		if (!h || h == keep || (wants && model_table_wants(wants, h->predictor))) continue;
		if (!least || atomic_load(&h->used) < atomic_load(&least->used)) least = h;
	}
	return least;
}

bool model_hold_room(struct model_cache *c, const struct model_held *keep, const struct model_table *wants)
{
	while (c->bytes > c->memory_max) {
		struct model_held *h = least_used(c, keep, wants);
		if (!h) return false;
		let_go(c, h);
	}
	return true;
}

/* --- Tables ------------------------------------------------------------------------------------------------------- */

static struct model_table *draw_up(struct model_cache *c)
{
	return model_table_create(c->targets, c->target_count, c->held, c->held_count, c->default_model);
}

static void free_table(struct model_table *t)
{
	for (size_t i = 0; i < t->held_count; i++)
		if (t->held[i]) unref(t->held[i]);
	model_table_free(t);
}

void model_hold_publish(struct model_cache *c)
{
	struct model_table *old = atomic_exchange(&c->table, draw_up(c));
	old->retired_at = atomic_fetch_add(&c->epoch, 1) + 1;
	old->next_retired = c->retired;
	c->retired = old;
}

static uint64_t oldest_pinned(struct model_cache *c)
{
	uint64_t oldest = UINT64_MAX;
	pthread_mutex_lock(&c->lock);
	for (struct model_reader *r = c->readers; r; r = r->next) {
		uint64_t pinned = atomic_load(&r->pinned);
		if (pinned && pinned < oldest) oldest = pinned;
	}
	pthread_mutex_unlock(&c->lock);
	return oldest;
}

bool model_hold_reclaim(struct model_cache *c)
{
	uint64_t oldest = oldest_pinned(c);
	for (struct model_table **link = &c->retired; *link;) {
		struct model_table *t = *link;
		if (oldest < t->retired_at) {
			link = &t->next_retired;
			continue;
		}
		*link = t->next_retired;
		free_table(t);
	}
	return !c->retired;
}

void model_hold_release(struct model_cache *c)
{
	model_hold_publish(c);
	CHECK(model_hold_reclaim(c));
	for (size_t i = 0; i < c->held_count; i++)
		if (c->held[i]) let_go(c, c->held[i]);
	free_table(atomic_load(&c->table));
	mem_free(c->held);
}

/* --- What should be held ------------------------------------------------------------------------------------------ */

static bool load_wanted(struct model_cache *c, const struct model_table *draft, const struct table_model *m,
			const struct table_version *v, struct err *e)
{
	struct model_held *h;
	struct err why;
	err_init(&why);
	if (!model_hold_load(c, m->name.data, v->version, &h, &why)) {
		if (why.code == ERR_unavailable) {
			*e = why;
			return false;
		}
		log_err(LOG_ERROR, "model-load", &why);
	} else if (!model_hold_room(c, h, draft)) {
		log_warn("model-memory", "model %s:%d does not fit serving.memory; it is loaded when asked for",
			 m->name.data, v->version);
		let_go(c, h);
	}
	return true;
}

bool model_hold_wanted(struct model_cache *c, struct err *e)
{
	struct model_table *draft = draw_up(c);
	bool ok = true;
	for (size_t i = 0; i < c->held_count; i++)
		if (c->held[i] && !draft->held[i]) let_go(c, c->held[i]);
	for (size_t i = 0; ok && i < draft->count; i++) {
		const struct table_model *m = &draft->models[i];
		for (size_t k = 0; ok && k < m->version_count; k++)
			if (!m->versions[k].held && model_table_points_to(m, &m->versions[k]))
				ok = load_wanted(c, draft, m, &m->versions[k], e);
	}
	free_table(draft);
	return ok;
}
