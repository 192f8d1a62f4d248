/* Drives one job on one rank of a gang: plan the source (rank 0), read, split, fit, transform, evaluate, encode. Knows nothing
 * of Postgres or of who launched it; everything it has to tell goes through hooks. Same bytes for any number of ranks. */
#ifndef QUERN_TRAINER_TRAIN_H
#define QUERN_TRAINER_TRAIN_H

#include "trainer/spec.h"

struct train_hooks { /* all called on rank 0 unless said otherwise; any may be NULL */
	void *ctx;
	void (*phase)(void *ctx, const char *phase);
	void (*stage)(void *ctx, size_t stage, const char *state, size_t iteration, double objective);
	void (*rows)(void *ctx, size_t shard, uint64_t rows, bool done); /* every rank */
	void (*log)(void *ctx, const char *line);                        /* every rank */
	bool (*checkpoint_due)(void *ctx);                               /* rank 0; the answer is shared */
	bool (*checkpoint_save)(void *ctx, const void *bytes, size_t len, struct err *e);
};

struct train_env {
	struct comm *comm;
	struct source_env source;
	uint64_t memory_max; /* this rank's share */
	const char *spool_dir;
	const void *resume; /* checkpoint of an earlier attempt, verified; NULL: from scratch */
	size_t resume_len;
	struct train_hooks hooks;
};

struct train_result {
	struct buf container; /* rank 0 */
	struct buf metrics, evaluation; /* JSON objects, rank 0 */
	struct source_report report;
	uint64_t rows_train, rows_test;
};

QN_MUST bool train_run(const struct spec *sp, const struct train_env *env, struct train_result *out, struct err *e);
void train_result_release(struct train_result *r);

#endif
