/* Launches the gang of a job as quern-worker processes, supervises it and relays what it says. The launcher owns no database:
 * the scheduler and `quern fit` both use it.
 *
 * Each rank is a child in its own session (PDEATHSIG, RLIMIT_AS from its memory share, no core files), joined by one shared
 * memory segment, with one socket to the launcher that carries length-prefixed frames (trainer/frame.h): job in; progress,
 * log lines, checkpoints and the result out. Any rank lost ends the gang.
 */
#ifndef QUERN_TRAINER_LAUNCHER_H
#define QUERN_TRAINER_LAUNCHER_H

#include "trainer/train.h"

struct launch;

struct launch_options {
	const char *worker_path; /* quern-worker */
	const char *spec_text;   /* as spec_write gives it */
	size_t spec_len;
	unsigned workers;
	uint64_t memory_max;
	const char *work_dir; /* of this attempt: spool and checkpoints; made by the caller */
	const char *checkpoint_dir; /* of the job: survives attempts; NULL: none */
	const char *const *file_roots;
	unsigned checkpoint_s, hang_s, grace_s, timeout_s;
};

/* What a gang says, delivered by launch_poll on the caller's thread. */
struct launch_events {
	void *ctx;
	void (*progress)(void *ctx, const struct launch *l);
	void (*log)(void *ctx, const char *line, size_t len);
};

enum launch_end { LAUNCH_RUNNING, LAUNCH_SUCCEEDED, LAUNCH_FAILED, LAUNCH_STOPPED };

QN_MUST bool launch_start(const struct launch_options *o, const struct launch_events *ev, struct launch **out, struct err *e);
/* Handles what has come, waiting at most timeout_ms. Never blocks longer. */
enum launch_end launch_poll(struct launch *l, int timeout_ms);
/* Asks the gang to checkpoint and end (grace_s, then SIGKILL). Idempotent. */
void launch_stop(struct launch *l);
/* After the end: what went wrong (ERR_out_of_memory, ERR_worker_crashed, ERR_worker_hung, ERR_timed_out or the job's own). */
const struct err *launch_error(const struct launch *l);
bool launch_worker_lost(const struct launch *l); /* a worker died, rather than reporting an error */
const struct train_result *launch_result(const struct launch *l);
/* Progress as the API shows it. */
double launch_fraction(const struct launch *l);
const char *launch_phase(const struct launch *l);
void launch_rows(const struct launch *l, uint64_t *done, uint64_t *total);
void launch_stages_json(const struct launch *l, struct json_writer *w);
void launch_shards_json(const struct launch *l, struct json_writer *w);
void launch_resources_json(const struct launch *l, struct json_writer *w);
void launch_destroy(struct launch *l); /* kills what still runs and reaps it */

#endif
