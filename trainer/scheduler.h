/* The training half of `quern serve`: a scheduler thread claims jobs and gives each to an attempt (trainer/attempt.h),
 * which launches the gang, relays progress under the lease, and publishes; a janitor thread (trainer/janitor.h)
 * rescues, sweeps and keeps the embedded Postgres alive. */
#ifndef QUERN_TRAINER_SCHEDULER_H
#define QUERN_TRAINER_SCHEDULER_H

#include "store/embedded.h"
#include "store/store.h"
#include "trainer/launcher.h"

struct scheduler;

struct scheduler_options { /* strings are borrowed until scheduler_stop */
	struct store *store;
	struct embedded *embedded; /* may be NULL */
	const char *data_dir, *worker_path; /* worker_path NULL: launch_worker_path */
	const char *const *file_roots;
	size_t record_bytes_max, columns_max, inline_rows_max; /* as in struct source_env */
	struct spec_defaults defaults;
	unsigned max_jobs;
	unsigned lease_s, heartbeat_s, rescue_s, poll_ms, hang_s, grace_s, checkpoint_s, backoff_s, max_worker_losses;
	bool claims; /* role train; false: janitor only */
	void (*job_changed)(void *ctx, const char *job_id); /* any thread; for long polls. May be NULL */
	void (*models_changed)(void *ctx);                  /* any thread; a version was published. May be NULL */
	void *ctx;
};

QN_MUST bool scheduler_start(const struct scheduler_options *o, struct scheduler **out, struct err *e);
void scheduler_wake(struct scheduler *s);  /* something was queued or cancelled; any thread */
void scheduler_drain(struct scheduler *s); /* stop claiming; running jobs checkpoint and go back to queued */
void scheduler_stop(struct scheduler *s);  /* drain, wait, free */
unsigned scheduler_running(struct scheduler *s); /* attempts under way */

#endif
