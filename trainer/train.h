/* Drives one job on one rank of a gang: plan the source (rank 0), read, split, fit, evaluate, encode. Knows nothing of
 * Postgres or of who launched it; everything it has to tell goes through hooks. Same bytes for any number of ranks, and
 * for an attempt that resumed from a checkpoint: nothing that a run could vary (times, worker counts, job ids) goes
 * into the container. */
#ifndef QUERN_TRAINER_TRAIN_H
#define QUERN_TRAINER_TRAIN_H

#include "trainer/spec.h"

struct train_hooks { /* all called on rank 0 unless said otherwise; any may be NULL */
	void *ctx;
	void (*planned)(void *ctx, size_t shards, uint64_t bytes);
	void (*phase)(void *ctx, const char *phase); /* "planning", "reading", "fitting", "evaluating", "encoding" */
	/* state: "running" (iteration and objective as the stage tells them; NaN: none) or "succeeded" */
	void (*stage)(void *ctx, size_t stage, const char *state, size_t iteration, double objective);
	void (*rows)(void *ctx, size_t shard, uint64_t rows, bool done); /* every rank */
	void (*log)(void *ctx, const char *line);                        /* every rank */
	bool (*checkpoint_due)(void *ctx); /* the answer is shared with the other ranks */
	/* Durable when it returns. A failure is logged; the job goes on. */
	bool (*checkpoint_save)(void *ctx, const void *bytes, size_t len, struct err *e);
};

struct train_env {
	struct comm *comm;
	struct source_env source;
	uint64_t memory_max; /* for this rank's rows and working copies */
	const char *spool_dir;
	const void *resume; /* checkpoint of an earlier attempt, the same on every rank; NULL: from scratch */
	size_t resume_len;
	struct train_hooks hooks;
};

struct train_result {
	struct buf container;
	struct buf manifest;            /* pipeline_manifest: what a model version shows */
	struct buf metrics, evaluation; /* JSON objects; "{}" without evaluators */
	char metric[64];                /* name of the first metric; "": none */
	bool larger_better;             /* of the first metric */
	struct source_report report;
	uint64_t rows_train, rows_test;
};

/* Collective. Rank 0's *out is filled, the others' stays empty. */
QN_MUST bool train_run(const struct spec *sp, const struct train_env *env, struct train_result *out, struct err *e);
void train_result_release(struct train_result *r);
/* For the way to the launcher. The bytes of a worker are not trusted. */
void train_result_encode(const struct train_result *r, struct buf *out);
QN_MUST bool train_result_decode(const void *bytes, size_t len, struct train_result *out);

#endif
