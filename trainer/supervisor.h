/* The rules by which a running gang is judged: has a rank stopped making progress, does the gang use more memory than
 * its job may, has it run too long, and of what did a rank die? Looks only; ending the gang is the launcher's.
 *
 * Memory of a gang is what its ranks hold privately (resident less shared) and what the shared segment and the outbox
 * hold, once. It is sampled; RLIMIT_DATA in the worker stops one that grows between two looks.
 */
#ifndef QUERN_TRAINER_SUPERVISOR_H
#define QUERN_TRAINER_SUPERVISOR_H

#include "trainer/gang.h"
#include "pipeline/comm.h"

#include <sys/types.h>

struct supervisor_limits {
	uint64_t memory_max;
	unsigned hang_s, timeout_s; /* timeout 0: none */
};

struct supervisor {
	struct supervisor_limits limits;
	unsigned ranks;
	int64_t start_ns;
	uint64_t beats[COMM_RANKS_MAX];
	int64_t changed_ns[COMM_RANKS_MAX]; /* when a rank's beats last grew */
	uint64_t peak_bytes;
	uint64_t oom_kills; /* of the system when the gang started */
};

void supervisor_init(struct supervisor *s, unsigned ranks, const struct supervisor_limits *limits, int64_t now_ns);
/* Fills e with ERR_out_of_memory, ERR_timed_out or ERR_worker_hung where a rule is broken. pids[rank] 0: has ended.
 * extra_bytes: held for the gang outside of it. */
QN_MUST bool supervisor_check(struct supervisor *s, const struct gang *g, const pid_t *pids, uint64_t extra_bytes,
			      int64_t now_ns, struct err *e);
/* A rank waited for the launcher: that is no hang. */
void supervisor_excuse(struct supervisor *s, unsigned rank, int64_t now_ns);

/* What a rank died of, from its wait status. */
enum obituary { OBITUARY_DONE, OBITUARY_FAILED, OBITUARY_CRASHED, OBITUARY_OVER_LIMIT, OBITUARY_SYSTEM_OOM };
/* DONE and FAILED (it reported why) leave e alone. */
enum obituary supervisor_obituary(const struct supervisor *s, unsigned rank, int status, struct err *e);

#endif
