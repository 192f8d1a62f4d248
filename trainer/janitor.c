#include "trainer/janitor.h"

#include "base/log.h"
#include "base/monitor.h"
#include "store/job.h"
#include "trainer/workdir.h"

#include <pthread.h>

enum { TICK_MS = 1000, SWEEP_S = 60 };

struct janitor {
	const struct scheduler_options *o;
	struct owner *owner;
	struct janitor_events events;
	pthread_t thread;
	struct monitor monitor;
	bool stops;
};

/* --- Duties: each returns false when it wants to be tried again soon --------------------------------------------- */

static bool keep_postgres(struct janitor *j)
{
	struct err e;
	err_init(&e);
	if (!j->o->embedded || embedded_check(j->o->embedded, &e)) return true;
	log_err(LOG_ERROR, "the private Postgres does not run", &e);
	return true; /* the next tick looks again */
}

static bool report_failure(const char *event, const struct err *e)
{
	if (e->code != ERR_unavailable) log_err(LOG_WARN, event, e);
	return false;
}

static bool release_previous(struct janitor *j)
{
	struct err e;
	unsigned released = 0;
	err_init(&e);
	for (size_t i = 0; i < j->owner->previous_count; i++) {
		unsigned count;
		if (!job_release_owner(j->o->store, j->owner->previous[i], &count, &e))
			return report_failure("leases not released", &e);
		released += count;
	}
	if (j->owner->previous_count) owner_forget_previous(j->owner);
	if (released) {
		log_info("leases released", "%u attempts of an earlier process go back to the queue", released);
		j->events.rescued(j->events.ctx);
	}
	return true;
}

static bool rescue(struct janitor *j)
{
	struct err e;
	unsigned count;
	err_init(&e);
	if (!job_rescue(j->o->store, j->o->backoff_s, j->o->max_worker_losses, &count, &e))
		return report_failure("rescue failed", &e);
	if (count) {
		log_warn("rescue", "%u attempts had lost their lease", count);
		j->events.rescued(j->events.ctx);
	}
	return true;
}

/* Only the holder of the data dir knows that a folder is nobody's. */
static void remove_stale_work(void *ctx, const char *job_id)
{
	struct janitor *j = ctx;
	if (!j->events.runs_here(j->events.ctx, job_id)) workdir_remove(j->o->data_dir, job_id);
}

static void remove_stale_checkpoints(void *ctx, const char *job_id)
{
	struct janitor *j = ctx;
	struct arena a = ARENA_INIT;
	struct job job;
	struct err e;
	err_init(&e);
	bool found = job_get(j->o->store, job_id, &a, &job, &e);
	if (found ? job_state_final(job.state) : e.code == ERR_not_found)
		workdir_remove_checkpoints(j->o->data_dir, job_id);
	arena_release(&a);
}

static bool sweep(struct janitor *j)
{
	struct err e;
	err_init(&e);
	if (j->owner->fd >= 0) {
		workdir_each_work(j->o->data_dir, remove_stale_work, j);
		workdir_each_checkpoints(j->o->data_dir, remove_stale_checkpoints, j);
	}
	return job_sweep(j->o->store, &e) || report_failure("sweep failed", &e);
}

/* --- The thread -------------------------------------------------------------------------------------------------- */

static bool wait_tick(struct janitor *j)
{
	monitor_enter(&j->monitor);
	if (!j->stops) (void)!monitor_wait(&j->monitor, clock_mono_ns() + TICK_MS * INT64_C(1000000));
	bool stops = j->stops;
	monitor_leave(&j->monitor);
	return !stops;
}

static void *janitor_main(void *arg)
{
	struct janitor *j = arg;
	struct {
		bool (*run)(struct janitor *j);
		int64_t every_ns, due_ns;
	} duties[] = {
		{keep_postgres, 0, 0},
		{release_previous, INT64_MAX, 0}, /* once */
		{rescue, (int64_t)j->o->rescue_s * INT64_C(1000000000), 0},
		{sweep, SWEEP_S * INT64_C(1000000000), 0},
	};
	do
		for (size_t i = 0; i < ARRAY_COUNT(duties); i++) {
			int64_t now = clock_mono_ns();
			if (now < duties[i].due_ns || !duties[i].run(j)) continue;
			duties[i].due_ns = duties[i].every_ns == INT64_MAX ? INT64_MAX : now + duties[i].every_ns;
		}
	while (wait_tick(j));
	return NULL;
}

bool janitor_start(const struct scheduler_options *o, struct owner *owner, const struct janitor_events *ev,
		   struct janitor **out, struct err *e)
{
	struct janitor *j = mem_zalloc(1, sizeof *j);
	*j = (struct janitor){.o = o, .owner = owner, .events = *ev};
	monitor_init(&j->monitor);
	if (pthread_create(&j->thread, NULL, janitor_main, j) != 0) {
		mem_free(j);
		return err_set(e, ERR_internal, "no thread for the janitor");
	}
	*out = j;
	return true;
}

void janitor_stop(struct janitor *j)
{
	if (!j) return;
	monitor_enter(&j->monitor);
	j->stops = true;
	monitor_signal(&j->monitor);
	monitor_leave(&j->monitor);
	pthread_join(j->thread, NULL);
	monitor_destroy(&j->monitor);
	mem_free(j);
}
