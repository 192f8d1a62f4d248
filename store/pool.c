#include "store/pool.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

struct pool {
	char *url;
	unsigned max, statement_timeout_ms;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct pg **idle; /* a stack: the warmest is on top */
	unsigned idle_count, open_count, connecting; /* open: idle, in use, or being connected */
	bool down;
	int64_t down_until; /* monotonic ns; until then the last failure is everybody's answer */
	enum err_code down_code;
	char down_detail[ERR_DETAIL_MAX];
};

struct pool *pool_create(const char *url, unsigned max, unsigned statement_timeout_ms)
{
	struct pool *p = mem_zalloc(1, sizeof *p);
	p->url = mem_strdup(url);
	p->max = max;
	p->statement_timeout_ms = statement_timeout_ms;
	p->idle = mem_zalloc(max, sizeof *p->idle);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->freed, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

void pool_destroy(struct pool *p)
{
	CHECK(p->open_count == p->idle_count);
	for (unsigned i = 0; i < p->idle_count; i++) pg_close(p->idle[i]);
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	mem_free(p->idle);
	mem_free(p->url);
	mem_free(p);
}

/* --- Under the lock ----------------------------------------------------------------------------------------------- */

/* While Postgres is down one caller at a time tries, and not at once again. */
static bool may_connect(const struct pool *p)
{
	return p->open_count < p->max && !(p->down && clock_mono_ns() < p->down_until);
}

static bool refuse(const struct pool *p, struct err *e)
{
	e->retry_after_s = PG_RETRY_AFTER_S;
	if (p->down) return err_set(e, p->down_code, "%s", p->down_detail);
	return err_set(e, ERR_unavailable, "all %u connections to Postgres are busy", p->max);
}

/* Until there is an idle connection or room for a new one. With Postgres down there is something to wait for only where
 * somebody has a connection that still works. */
static bool wait_for_place(struct pool *p, int64_t deadline, struct err *e)
{
	struct timespec t = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
	while (p->idle_count == 0 && !may_connect(p)) {
		if (p->down && p->open_count == p->connecting) return refuse(p, e);
		if (pthread_cond_timedwait(&p->freed, &p->lock, &t) != 0) return refuse(p, e);
	}
	return true;
}

/* --- Without it --------------------------------------------------------------------------------------------------- */

static void forget(struct pool *p, struct pg *c)
{
	pg_close(c);
	pthread_mutex_lock(&p->lock);
	p->open_count--;
	/* All: where nobody has a working connection any more, all who wait are refused. */
	pthread_cond_broadcast(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

static bool connect_new(struct pool *p, struct pg **out, struct err *e)
{
	bool ok = pg_open(p->url, p->statement_timeout_ms, out, e);
	pthread_mutex_lock(&p->lock);
	p->connecting--;
	p->down = !ok;
	if (!ok) {
		p->down_until = clock_mono_ns() + (int64_t)POOL_RETRY_MS * 1000000;
		p->down_code = e->code;
		snprintf(p->down_detail, sizeof p->down_detail, "%s", e->detail);
	}
	pthread_mutex_unlock(&p->lock);
	return ok;
}

/* An idle connection, or NULL with a place counted for a new one. */
static bool take_place(struct pool *p, int64_t deadline, struct pg **idle, struct err *e)
{
	pthread_mutex_lock(&p->lock);
	bool ok = wait_for_place(p, deadline, e);
	*idle = NULL;
	if (ok && p->idle_count > 0) {
		*idle = p->idle[--p->idle_count];
	} else if (ok) {
		p->open_count++;
		p->connecting++;
		p->down_until = clock_mono_ns() + (int64_t)PG_CONNECT_TIMEOUT_S * 1000000000;
	}
	pthread_mutex_unlock(&p->lock);
	return ok;
}

bool pool_take(struct pool *p, struct pg **out, struct err *e)
{
	int64_t deadline = clock_mono_ns() + (int64_t)p->statement_timeout_ms * 1000000;
	struct pg *c;
	while (take_place(p, deadline, &c, e)) {
		if (c ? pg_renew(c) : connect_new(p, &c, e)) {
			*out = c;
			return true;
		}
		/* There may be somebody's working connection to wait for; if not, the next round says what is wrong. */
		err_init(e);
		forget(p, c);
	}
	return false;
}

void pool_give(struct pool *p, struct pg *c)
{
	if (!pg_renew(c)) {
		forget(p, c);
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->idle[p->idle_count++] = c;
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}
