/* Launches the gang of a job as quern-worker processes, supervises it and relays what it says. The launcher owns no
 * database: the scheduler and `quern fit` both use it.
 *
 * Each rank is a child in its own session that dies with the thread that launched it, joined to the others by one
 * shared memory segment, with one socket to the launcher (trainer/frame.h): progress, log lines, checkpoints and the
 * result come out. Any rank lost ends the gang; the next attempt goes on from the newest intact checkpoint.
 *
 * One thread makes all calls for a launch, and lives until launch_destroy.
 */
#ifndef QUERN_TRAINER_LAUNCHER_H
#define QUERN_TRAINER_LAUNCHER_H

#include "trainer/train.h"

#include <sys/types.h>

struct launch;

struct launch_options { /* borrowed during launch_start only */
	const char *worker_path; /* quern-worker; NULL: launch_worker_path */
	const char *spec_text;   /* as spec_write gives it */
	size_t spec_len;
	unsigned workers;
	uint64_t memory_max;
	const char *work_dir; /* of this attempt: spool files; made by the caller */
	const char *checkpoint_dir; /* of the job: survives attempts; NULL: none */
	const char *const *file_roots; /* as in struct source_env, and so the limits */
	size_t record_bytes_max, columns_max, inline_rows_max;
	unsigned checkpoint_s, hang_s, grace_s, timeout_s; /* timeout 0: none */
};

/* What a gang says, delivered by launch_poll on the caller's thread. */
struct launch_events {
	void *ctx;
	void (*progress)(void *ctx, const struct launch *l); /* something visible changed */
	void (*log)(void *ctx, const char *line, size_t len); /* clean UTF-8, one line, no newline */
};

enum launch_end { LAUNCH_RUNNING, LAUNCH_SUCCEEDED, LAUNCH_FAILED, LAUNCH_STOPPED };

/* $QUERN_WORKER, or quern-worker beside the running program. */
void launch_worker_path(char *out, size_t size);
QN_MUST bool launch_start(const struct launch_options *o, const struct launch_events *ev, struct launch **out,
			  struct err *e);
/* Handles what has come, waiting at most timeout_ms for something (and as long as the disk takes when a checkpoint
 * came). */
enum launch_end launch_poll(struct launch *l, int timeout_ms);
/* Asks the gang to checkpoint and end (grace_s, then SIGKILL). Idempotent. */
void launch_stop(struct launch *l);
/* After the end: what went wrong (ERR_out_of_memory, ERR_worker_crashed, ERR_worker_hung, ERR_timed_out or the job's
 * own). */
const struct err *launch_error(const struct launch *l);
bool launch_worker_lost(
    const struct launch *l); /* a worker died or hung, rather than reporting an error or passing its limits */
bool launch_retryable(const struct launch *l);   /* another attempt may fare better */
const struct train_result *launch_result(const struct launch *l);
/* Progress as the API shows it. */
double launch_fraction(const struct launch *l);
const char *launch_phase(const struct launch *l); /* static */
void launch_rows(const struct launch *l, uint64_t *done, uint64_t *total); /* total 0: unknown yet */
void launch_stages_json(const struct launch *l, struct json_writer *w);
void launch_shards_json(const struct launch *l, struct json_writer *w);
/* {"workers","executor","cpuSeconds","peakMemoryBytes"} */
void launch_resources_json(const struct launch *l, struct json_writer *w);
pid_t launch_pid(const struct launch *l, unsigned rank); /* 0: it has ended */
void launch_destroy(struct launch *l); /* kills what still runs and reaps it; NULL is fine */

#endif
