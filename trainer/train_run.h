/* Private to train*.c: one rank's run. */
#ifndef QUERN_TRAINER_TRAIN_RUN_H
#define QUERN_TRAINER_TRAIN_RUN_H

#include "trainer/train.h"

struct train_run {
	const struct spec *sp;
	const struct train_env *env;
	struct comm *comm;
	struct arena arena;
	struct source *source;
	struct pipeline pipeline;
	struct evaluator *evaluators;
	size_t evaluator_count;
	const char **kept; /* columns that evaluators read, NULL-terminated */
	uint64_t *seeds;   /* one a stage */
	uint64_t fingerprint;
	uint8_t *keep; /* of the rows of a batch, while it is split */
	size_t keep_cap;
	bool fitting; /* the first stage has begun */
	struct source_report report;
	uint64_t rows_train, rows_test; /* of this rank, then of all */
};

typedef bool (*train_sink)(void *ctx, struct batch *b, struct err *e);
enum train_part { TRAIN_ROWS, TEST_ROWS };
/* Reads a shard and hands on those rows that belong to part. */
QN_MUST bool train_read(struct train_run *t, enum train_part part, size_t shard, const uint8_t *wanted, struct batch *b,
			train_sink sink, void *ctx, struct source_report *report, struct err *e);
void train_log(struct train_run *t, const char *fmt, ...) QN_PRINTF(2, 3);
void train_phase(struct train_run *t, const char *phase);

/* Evaluators, bound to the pipeline; t->kept. */
QN_MUST bool train_evaluators(struct train_run *t, struct err *e);
/* Runs them: over rows (of the fit) where there is no split, else over the held-out rows, read again. */
QN_MUST bool train_evaluate(struct train_run *t, struct dataset *rows, struct err *e);
/* metrics and evaluation of the evaluators that ran. */
void train_write_metrics(const struct train_run *t, struct train_result *out);

#endif
