#include "server/waiters.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/monitor.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
enum { MARKS = 256 };

struct waiters {
	void (*wake)(void *ctx, struct waiter *w);
	void *ctx;
	struct monitor monitor; /* news: the earliest time has changed, or closed */
	struct waiter *first;
	size_t count;
	uint64_t marks[MARKS]; /* changes so far, by hash of the key */
	bool closed;
	pthread_t thread;
};

static uint64_t *mark_of(struct waiters *ws, const char *key)
{
	return &ws->marks[hash_xxh3(key, strlen(key)) % MARKS];
}

/* Under the lock: moves the waiters that `due` chooses to a list of their own. */
static struct waiter *pick(struct waiters *ws, bool (*due)(const struct waiter *w, const void *what), const void *what)
{
	struct waiter *picked = NULL, *next;
	for (struct waiter *w = ws->first; w; w = next) {
		next = w->next;
		if (!due(w, what)) continue;
		if (w->prev) w->prev->next = w->next;
		else ws->first = w->next;
		if (w->next) w->next->prev = w->prev;
		w->next = picked;
		picked = w;
		ws->count--;
	}
	return picked;
}

static void wake_all(struct waiters *ws, struct waiter *picked)
{
	while (picked) {
		struct waiter *w = picked;
		picked = w->next;
		ws->wake(ws->ctx, w);
	}
}

static bool is_due(const struct waiter *w, const void *now) { return w->due_ns <= *(const int64_t *)now; }
static bool has_key(const struct waiter *w, const void *key) { return !key || strcmp(w->key, key) == 0; }

static int64_t earliest(const struct waiters *ws, int64_t now)
{
	int64_t at = now + WAITERS_LOOK_MS * NS_PER_MS;
	for (const struct waiter *w = ws->first; w; w = w->next) at = MIN(at, w->due_ns);
	return at;
}

static void *timer_main(void *ctx)
{
	struct waiters *ws = ctx;
	pthread_setname_np(pthread_self(), "waiters");
	monitor_enter(&ws->monitor);
	while (!ws->closed) {
		int64_t now = clock_mono_ns();
		struct waiter *picked = pick(ws, is_due, &now);
		if (picked) {
			monitor_leave(&ws->monitor);
			wake_all(ws, picked);
			monitor_enter(&ws->monitor);
		} else {
			monitor_wait(&ws->monitor, earliest(ws, now));
		}
	}
	monitor_leave(&ws->monitor);
	return NULL;
}

bool waiters_start(void (*wake)(void *ctx, struct waiter *w), void *ctx, struct waiters **out, struct err *e)
{
	struct waiters *ws = mem_zalloc(1, sizeof *ws);
	ws->wake = wake;
	ws->ctx = ctx;
	monitor_init(&ws->monitor);
	if (pthread_create(&ws->thread, NULL, timer_main, ws) != 0) {
		mem_free(ws);
		return err_set(e, ERR_io, "the timer's thread cannot be started");
	}
	*out = ws;
	return true;
}

uint64_t waiters_mark(struct waiters *ws, const char *key)
{
	monitor_enter(&ws->monitor);
	uint64_t mark = *mark_of(ws, key);
	monitor_leave(&ws->monitor);
	return mark;
}

/* Under the lock. */
static void insert(struct waiters *ws, struct waiter *w, const char *key, int64_t deadline_ns)
{
	int64_t look_ms = MAX((int64_t)WAITERS_LOOK_MS, (int64_t)ws->count * 1000 / WAITERS_LOOKS_A_SECOND);
	memmove(w->key, key, strlen(key) + 1);
	w->due_ns = MIN(deadline_ns, clock_mono_ns() + look_ms * NS_PER_MS);
	w->prev = NULL;
	w->next = ws->first;
	if (w->next) w->next->prev = w;
	ws->first = w;
	ws->count++;
	monitor_signal(&ws->monitor);
}

bool waiters_park(struct waiters *ws, struct waiter *w, const char *key, uint64_t mark, int64_t deadline_ns)
{
	CHECK(strlen(key) < sizeof w->key);
	monitor_enter(&ws->monitor);
	bool closed = ws->closed, changed = *mark_of(ws, key) != mark;
	if (!closed && !changed) insert(ws, w, key, deadline_ns);
	monitor_leave(&ws->monitor);
	if (!closed && changed) ws->wake(ws->ctx, w);
	return !closed;
}

void waiters_notify(struct waiters *ws, const char *key)
{
	monitor_enter(&ws->monitor);
	if (key) ++*mark_of(ws, key);
	for (size_t i = 0; !key && i < MARKS; i++) ws->marks[i]++;
	struct waiter *picked = pick(ws, has_key, key);
	monitor_leave(&ws->monitor);
	wake_all(ws, picked);
}

size_t waiters_count(struct waiters *ws)
{
	monitor_enter(&ws->monitor);
	size_t n = ws->count;
	monitor_leave(&ws->monitor);
	return n;
}

void waiters_close(struct waiters *ws)
{
	monitor_enter(&ws->monitor);
	bool first = !ws->closed;
	ws->closed = true;
	monitor_signal(&ws->monitor);
	monitor_leave(&ws->monitor);
	waiters_notify(ws, NULL);
	if (first) pthread_join(ws->thread, NULL);
}

void waiters_destroy(struct waiters *ws)
{
	if (!ws) return;
	waiters_close(ws);
	monitor_destroy(&ws->monitor);
	mem_free(ws);
}
