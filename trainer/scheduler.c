/* One thread claims; it never waits for a job, only for news: something queued, an attempt that ended, time to look
 * again. */
#include "trainer/scheduler.h"

#include "base/log.h"
#include "base/monitor.h"
#include "base/rng.h"
#include "trainer/attempt.h"
#include "trainer/janitor.h"

#include <pthread.h>

enum {
	IDLE_AFTER_S = 60, /* without work for so long, it looks less often */
	IDLE_FACTOR = 5,
};
static const int64_t second_ns = INT64_C(1000000000);

struct scheduler {
	struct scheduler_options o;
	struct owner owner;
	struct janitor *janitor;
	pthread_t thread;
	struct monitor monitor;
	/* In the monitor. */
	struct attempt **attempts;
	size_t count, cap;
	bool woken, drains, stops;
	/* The thread's own. */
	int64_t worked_ns;
	uint64_t looks; /* for the jitter */
	bool away;      /* Postgres was, at the last look */
};

/* --- Attempts ---------------------------------------------------------------------------------------------------- */

static void on_ended(void *ctx) { scheduler_wake(ctx); }

/* Joins what has ended. Inside the monitor, but not while joining: an ending attempt may still wake us. */
static void bury_ended(struct scheduler *s)
{
	for (size_t i = 0; i < s->count;) {
		struct attempt *t = s->attempts[i];
		if (!attempt_ended(t)) {
			i++;
			continue;
		}
		s->attempts[i] = s->attempts[--s->count];
		monitor_leave(&s->monitor);
		attempt_join(t);
		monitor_enter(&s->monitor);
		s->worked_ns = clock_mono_ns();
	}
}

static bool runs_here(void *ctx, const char *job_id)
{
	struct scheduler *s = ctx;
	bool found = false;
	monitor_enter(&s->monitor);
	for (size_t i = 0; i < s->count; i++) found |= strcmp(attempt_job_id(s->attempts[i]), job_id) == 0;
	monitor_leave(&s->monitor);
	return found;
}

static void give_back(struct scheduler *s, const struct job_lease *lease)
{
	struct err e;
	enum job_state became;
	bool lost;
	err_init(&e);
	const struct job_failure f = {.interrupted = true};
	if (!job_fail(s->o.store, lease, &f, &became, &lost, &e))
		log_err(LOG_WARN, "claimed job left to its lease", &e);
}

/* Starts the next due job. False: there is none, or it cannot be known now. */
static bool claim_one(struct scheduler *s)
{
	struct arena a = ARENA_INIT;
	struct job job;
	struct job_lease lease;
	struct attempt *t;
	struct err e;
	bool claimed = false;
	err_init(&e);
	if (!job_claim(s->o.store, s->owner.id, s->o.lease_s, &a, &job, &lease, &claimed, &e)) {
		if (!s->away) log_err(LOG_WARN, "claim failed", &e);
		s->away = true;
	} else s->away = false;
	/* In the monitor, so that the janitor never takes the new attempt's folder for a dead one's. */
	monitor_enter(&s->monitor);
	bool started = claimed && attempt_start(&s->o, &a, &job, &lease, on_ended, s, &t, &e);
	if (started) {
		MEM_GROW(s->attempts, s->cap, s->count + 1);
		s->attempts[s->count++] = t;
		if (s->drains) attempt_interrupt(t);
		s->worked_ns = clock_mono_ns();
	}
	monitor_leave(&s->monitor);
	if (started && s->o.job_changed) s->o.job_changed(s->o.ctx, lease.job_id);
	if (claimed && !started) give_back(s, &lease);
	arena_release(&a);
	return started;
}

/* --- The thread -------------------------------------------------------------------------------------------------- */

/* ± 50 %, so that many schedulers do not look at once. */
static int64_t time_to_next_look(struct scheduler *s)
{
	double jitter = 0.5 + rng_unit(rng_at((uint64_t)(uintptr_t)s ^ (uint64_t)clock_mono_ns(), s->looks++));
	bool idle = s->count == 0 && clock_mono_ns() - s->worked_ns > IDLE_AFTER_S * second_ns;
	return (int64_t)((double)s->o.poll_ms * 1e6 * jitter * (idle ? IDLE_FACTOR : 1));
}

static void wait_for_news(struct scheduler *s)
{
	int64_t until = clock_mono_ns() + time_to_next_look(s);
	while (!s->woken && monitor_wait(&s->monitor, until)) continue;
}

static void *scheduler_main(void *arg)
{
	struct scheduler *s = arg;
	monitor_enter(&s->monitor);
	while (!s->stops || s->count > 0) {
		bury_ended(s);
		bool may = s->o.claims && !s->drains && s->count < s->o.max_jobs;
		s->woken = false;
		monitor_leave(&s->monitor);
		bool more = may && claim_one(s);
		monitor_enter(&s->monitor);
		if (!more && !(s->stops && s->count == 0)) wait_for_news(s);
	}
	monitor_leave(&s->monitor);
	return NULL;
}

/* --- Interface --------------------------------------------------------------------------------------------------- */

void scheduler_wake(struct scheduler *s)
{
	monitor_enter(&s->monitor);
	s->woken = true;
	for (size_t i = 0; i < s->count; i++) attempt_poke(s->attempts[i]);
	monitor_signal(&s->monitor);
	monitor_leave(&s->monitor);
}

static void on_rescued(void *ctx) { scheduler_wake(ctx); }

unsigned scheduler_running(struct scheduler *s)
{
	monitor_enter(&s->monitor);
	unsigned n = (unsigned)s->count;
	monitor_leave(&s->monitor);
	return n;
}

static void scheduler_free(struct scheduler *s)
{
	owner_close(&s->owner);
	monitor_destroy(&s->monitor);
	mem_free(s->attempts);
	mem_free(s);
}

bool scheduler_start(const struct scheduler_options *o, struct scheduler **out, struct err *e)
{
	struct scheduler *s = mem_zalloc(1, sizeof *s);
	s->o = *o;
	s->owner.fd = -1;
	s->worked_ns = clock_mono_ns();
	monitor_init(&s->monitor);
	const struct janitor_events events = {s, on_rescued, runs_here};
	bool ok = owner_open(o->data_dir, &s->owner, e);
	if (ok && s->owner.fd < 0)
		log_warn("data dir", "another process holds %s: its leases and folders are left alone", o->data_dir);
	ok = ok && janitor_start(&s->o, &s->owner, &events, &s->janitor, e);
	if (ok && pthread_create(&s->thread, NULL, scheduler_main, s) != 0) {
		janitor_stop(s->janitor);
		ok = err_set(e, ERR_internal, "no thread for the scheduler");
	}
	if (ok) *out = s;
	else scheduler_free(s);
	return ok;
}

void scheduler_drain(struct scheduler *s)
{
	monitor_enter(&s->monitor);
	s->drains = true;
	for (size_t i = 0; i < s->count; i++) attempt_interrupt(s->attempts[i]);
	monitor_leave(&s->monitor);
}

void scheduler_stop(struct scheduler *s)
{
	if (!s) return;
	scheduler_drain(s);
	monitor_enter(&s->monitor);
	s->stops = true;
	s->woken = true;
	monitor_signal(&s->monitor);
	monitor_leave(&s->monitor);
	pthread_join(s->thread, NULL);
	janitor_stop(s->janitor);
	scheduler_free(s);
}
