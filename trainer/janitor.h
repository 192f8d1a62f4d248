/* Upkeep beside the scheduler, in a thread of its own: rescues attempts whose lease ran out, gives up at once what
 * earlier processes of this data dir held, sweeps the store, removes folders of jobs that are over, and keeps the
 * embedded Postgres alive. Every duty is safe when several processes do it. */
#ifndef QUERN_TRAINER_JANITOR_H
#define QUERN_TRAINER_JANITOR_H

#include "trainer/owner.h"
#include "trainer/scheduler.h"

struct janitor;

/* o and owner are borrowed until janitor_stop. rescued: attempts went back to the queue; runs_here: is an attempt at
 * this job under way in this process? */
struct janitor_events {
	void *ctx;
	void (*rescued)(void *ctx);
	bool (*runs_here)(void *ctx, const char *job_id);
};
QN_MUST bool janitor_start(const struct scheduler_options *o, struct owner *owner, const struct janitor_events *ev,
			   struct janitor **out, struct err *e);
void janitor_stop(struct janitor *j);

#endif
