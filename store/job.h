/* Jobs in Postgres, by the contract of docs/jobs.md: guarded transitions, a lease with heartbeat and fencing token on
 * the job row itself, at-least-once execution with an effectively-once result. */
#ifndef QUERN_STORE_JOB_H
#define QUERN_STORE_JOB_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"

enum {
	JOB_LIST_MAX = 1000,      /* rows of one page of jobs or events */
	JOB_LOG_MAX = 10000,      /* lines that job_log looks back */
	JOB_EVENTS_AT_ONCE = 200, /* events of one statement */
	JOB_RESCUE_MAX = 100,     /* attempts ended by one job_rescue */
	JOB_LEASE_MARGIN_S = 5,   /* a lease is trusted this much shorter than it is */
};

enum job_state {
#define JOB_STATE(id, final) JOB_##id,
#define JOB_EDGE(from, to)
#include "store/job_state.def"
#undef JOB_STATE
#undef JOB_EDGE
	JOB_STATE_COUNT,
};
const char *job_state_name(enum job_state s);
bool job_state_parse(const char *name, enum job_state *out);
bool job_state_final(enum job_state s);

/* What the API shows of a job, read in one go. Strings live in the arena given to the call; JSON ones are whole values
 * or NULL. Times are wall milliseconds, 0: null. */
struct job {
	char id[UUID_TEXT_SIZE];
	const char *name, *kind;
	enum job_state state;
	int attempt, max_attempts, worker_losses, priority;
	const char *tags;     /* JSON object */
	const char *spec;     /* JSON object as submitted, defaults and seeds filled in */
	int64_t created_at, started_at, finished_at, updated_at, run_at; /* started_at: of the first attempt */
	bool cancel_requested;
	double fraction;
	const char *phase, *message;
	int64_t rows_done, rows_total; /* 0: not known yet */
	double eta_s;                  /* NaN: unknown */
	const char *stages, *shards, *metrics, *evaluation; /* JSON, as API.md shows them */
	const char *model_name;
	int model_version;    /* 0: none */
	const char *resources; /* JSON */
	const char *error;     /* problem JSON or NULL */
	int64_t seed;
	int64_t revision;      /* grows with every visible change: the ETag */
};

struct job_new {
	char id[UUID_TEXT_SIZE];
	const char *name, *kind, *spec, *tags;
	int priority, max_attempts;
	unsigned timeout_s;
	int64_t seed;
	/* Idempotency-Key, may be NULL; with the SHA-256 of the body. */
	const char *idempotency_key;
	unsigned char body_hash[HASH_SHA256_SIZE];
};
/* Durable when it returns true: job, idempotency record and NOTIFY (where the queue was empty) in one transaction.
 * *existing: the key was seen with the same body and out is the first job. ERR_idempotency_mismatch with another body,
 * ERR_idempotency_in_flight while another transaction with the key is open. Called again with the same id it answers
 * the same job, which is how an unknown commit is resolved, here and by callers that got ERR_unavailable. ERR_invalid
 * for text that Postgres cannot store (\u0000 in a tag). */
QN_MUST bool job_create(struct store *s, const struct job_new *n, struct arena *a, struct job *out, bool *existing,
			struct err *e);
QN_MUST bool job_get(struct store *s, const char *id, struct arena *a, struct job *out,
		     struct err *e); /* ERR_not_found */

struct job_filter {
	unsigned states;      /* bits of 1 << state; 0: all */
	const char *name;
	int64_t created_from, created_to, updated_since; /* 0: open; half-open interval */
	const char *tags;     /* JSON object that the job's tags must contain; NULL: any */
	const char *sort;     /* "-createdAt" (default), "createdAt", "-updatedAt", "updatedAt" */
	size_t limit;
	const char *cursor;   /* from the previous page; NULL: first */
};
/* *next: NULL or the next cursor (in the arena). Bad cursor: ERR_bad_request. */
QN_MUST bool job_list(struct store *s, const struct job_filter *f, struct arena *a, struct job **out, size_t *count,
		      const char **next, struct err *e);

/* queued: cancelled at once. running: flagged, NOTIFY. cancelled: nothing to do. succeeded, failed: ERR_conflict. */
QN_MUST bool job_cancel(struct store *s, const char *id, struct arena *a, struct job *out, struct err *e);
/* Runs a failed or cancelled job again. Terminal states never change, so this inserts a new job (new_id) with the same
 * spec and tags, whose row remembers retry_of. Succeeded, queued or running: ERR_conflict. */
QN_MUST bool job_retry(struct store *s, const char *id, const char *new_id, struct arena *a, struct job *out,
		       struct err *e);
QN_MUST bool job_delete(struct store *s, const char *id, struct err *e); /* final states only, else ERR_conflict */

/* --- What the scheduler calls ------------------------------------------------------------------------------------- */

struct job_lease {
	char job_id[UUID_TEXT_SIZE];
	int attempt;
	char token[UUID_TEXT_SIZE]; /* fencing token: every write of this attempt carries it */
	int64_t until_mono_ns;      /* trust it until then (send time + lease − safety) */
};
/* Takes the next due job (priority with ageing, age, id) with FOR UPDATE SKIP LOCKED. *claimed false: nothing is due.
 */
QN_MUST bool job_claim(struct store *s, const char *owner, unsigned lease_s, struct arena *a, struct job *out,
		       struct job_lease *lease, bool *claimed, struct err *e);
struct job_progress {
	double fraction;
	const char *phase, *message;
	int64_t rows_done, rows_total;
	double eta_s;
	const char *stages, *shards, *resources; /* JSON; NULL keeps what is there */
};
/* Extends the lease and reports progress, NULL or a fraction of NaN: nothing to report. *lost: the token is not the
 * row's any more (zombie: stop). *cancel: was asked. Only what changed moves the job's revision. Never announced by
 * NOTIFY. */
QN_MUST bool job_heartbeat(struct store *s, struct job_lease *lease, unsigned lease_s, const struct job_progress *p,
			   bool *lost, bool *cancel, struct err *e);

struct job_result {
	const char *metrics, *evaluation, *stages, *shards, *resources; /* JSON */
	/* The model version to publish; container NULL: none. */
	const char *model_name;
	const void *container;
	size_t container_len;
	const char *manifest;      /* JSON for GET …/versions/{v} */
	const char *promote_alias; /* NULL: none */
	const char *promote_when;  /* "always" or "better" */
	const char *promote_metric; /* for "better": which metric; NULL: the first */
	bool promote_larger_better;
};
/* Model version, metrics, alias and final state in one fenced transaction. *lost: another attempt owns the job; nothing
 * was written. *version: the model version made, 0: none. A cancel that was asked for first wins: the job ends
 * cancelled, nothing is published, *version is 0. Unknown commits are resolved by re-reading. */
QN_MUST bool job_succeed(struct store *s, const struct job_lease *lease, const struct job_result *r, int *version,
			 bool *lost, struct err *e);
/* Ends an attempt: back to queued with back-off when retryable and attempts are left, else failed; cancelled where
 * cancel was requested. interrupted: not counted as an attempt, due at once. worker_lost: counts towards
 * max_worker_losses. */
struct job_failure {
	const char *problem; /* JSON */
	bool retryable, interrupted, worker_lost;
	unsigned backoff_s; /* of the first retry; doubles with each attempt up to 15 min, spread by 20 % */
	unsigned max_worker_losses;
};
QN_MUST bool job_fail(struct store *s, const struct job_lease *lease, const struct job_failure *f,
		      enum job_state *became, bool *lost, struct err *e);
/* Expired leases: requeued, failed (lease-lost, crash-loop) or cancelled, at most JOB_RESCUE_MAX a call. *count: how
 * many. */
QN_MUST bool job_rescue(struct store *s, unsigned backoff_s, unsigned max_worker_losses, unsigned *count,
			struct err *e);

/* Ends the attempts of a process that is known to be dead, without waiting for their leases: they go back to the queue,
 * due at once, or fail (lease-lost) when no attempt is left. *count: how many. */
QN_MUST bool job_release_owner(struct store *s, const char *owner, unsigned *count, struct err *e);

/* --- Events and logs ---------------------------------------------------------------------------------------------- */

struct job_event {
	int64_t seq;
	const char *type; /* state (the store's own), progress, metric, log */
	const char *data; /* JSON; of a log line {"line":"…"} */
	int64_t at;       /* 0, when adding: now */
};
/* Appends under the lease's fence (silently none when lost). seq is not read. Not repeated when its commit is unknown:
 * then ERR_unavailable, and the events may be there or not. */
QN_MUST bool job_events_add(struct store *s, const struct job_lease *lease, const struct job_event *events,
			    size_t count, struct err *e);
/* seq grows in commit order over all jobs: whoever has seen one will never find a lower one later. */
QN_MUST bool job_events_after(struct store *s, const char *id, int64_t seq, size_t limit, struct arena *a,
			      struct job_event **out, size_t *count, struct err *e);
/* Appends the last `tail` log lines (at most JOB_LOG_MAX), oldest first, as text. */
QN_MUST bool job_log(struct store *s, const char *id, size_t tail, struct buf *out, struct err *e);

/* Counts by state and age of the oldest queued job, for /metrics. */
struct job_counts {
	int64_t by_state[JOB_STATE_COUNT];
	double oldest_queued_s;
};
QN_MUST bool job_counts(struct store *s, struct job_counts *out, struct err *e);
/* Expired idempotency records, partitions of the event log for the months to come; bounded work a call. */
QN_MUST bool job_sweep(struct store *s, struct err *e);

#endif
