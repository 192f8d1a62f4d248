/* Keeps the lease of one attempt, in a thread that does no computing: extends it, reports progress, appends events, and
 * learns whether the job shall be cancelled or was lost to another attempt.
 *
 * Self-fencing (docs/jobs.md, 4): the lease is trusted until a little before it could run out, counted from when the
 * last successful heartbeat was sent. keeper_says looks at the clock, so it tells LOST in time even while the thread
 * hangs in a call to a Postgres that does not answer.
 */
#ifndef QUERN_TRAINER_KEEPER_H
#define QUERN_TRAINER_KEEPER_H

#include "store/job.h"

struct keeper;

enum { KEEPER_MESSAGE_MAX = 256, KEEPER_EVENTS_MAX = 2000 };

struct keeper_options { /* borrowed until keeper_stop */
	struct store *store;
	unsigned lease_s, heartbeat_s;
	void (*job_changed)(void *ctx, const char *job_id); /* after a report was stored; may be NULL */
	void *ctx;
};

/* Copied by keeper_report. */
struct keeper_report {
	double fraction, eta_s; /* eta NaN: unknown */
	const char *phase;      /* static */
	int64_t rows_done, rows_total;
	struct str stages, shards, resources; /* JSON */
};

enum keeper_says { KEEPER_HOLDS, KEEPER_CANCEL, KEEPER_LOST };

QN_MUST bool keeper_start(const struct keeper_options *o, const struct job_lease *lease, struct keeper **out,
			  struct err *e);
/* All but start and stop: any thread. What is told goes out with the next call to the store, soon. */
void keeper_report(struct keeper *k, const struct keeper_report *r);
void keeper_event(struct keeper *k, const char *type, const char *json); /* type is static; json is copied */
/* A line of the job's log, clean UTF-8; the last one is also the progress's message. */
void keeper_log(struct keeper *k, struct str line);
void keeper_poke(struct keeper *k); /* somebody says that something changed: look now */
enum keeper_says keeper_says(const struct keeper *k);
/* Hands over the events that are left, ends the thread and frees. The lease stays as it is. */
void keeper_stop(struct keeper *k);

#endif
