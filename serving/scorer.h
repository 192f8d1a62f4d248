/* Private to serving/: many rows through one predictor, a batch at a time and in order. The way of {"instances":…},
 * NDJSON and CSV alike: a reader appends rows to the scratch's batch, the scorer runs full batches and hands each
 * row's answer on.
 *
 * A batch that a stage refuses is run again row by row, so that each bad row is blamed and the others are answered. */
#ifndef QUERN_SERVING_SCORER_H
#define QUERN_SERVING_SCORER_H

#include "serving/predictor_private.h"

#define SCORER_DROPPED SIZE_MAX

struct scorer;

/* Each returns false, with e filled, to stop. text is the row's, as it was given to scorer_took. */
struct scorer_ops {
	/* Appends the row to the batch again; it was read without fault before. */
	enum json_row_result (*read)(void *ctx, struct str text, struct err *e);
	/* Row `at` of the batch is the answer; SCORER_DROPPED: a stage dropped it. */
	bool (*answer)(void *ctx, const struct view *v, size_t at, struct str text, struct err *e);
	/* The row cannot be answered. */
	bool (*refuse)(void *ctx, const struct err *why, struct err *e);
};

struct scorer {
	const struct predictor *predictor;
	struct predictor_scratch *scratch;
	const struct scorer_ops *ops;
	void *ctx;
	struct row_rules rules;
	bool keep_input;     /* of PREDICT_FULL */
	const uint8_t *came; /* as predictor_full has it */
	const char *prefix;  /* of faults' pointers */
	bool numbered;       /* pointers go on with the row's number */
	size_t rows_max;     /* ERR_too_large past it */
	size_t rows;         /* begun */
	size_t at;           /* number of the row that faults point at now */
	/* Private. */
	size_t pending;      /* in the batch */
	size_t bytes;        /* of their texts */
};

/* Fields up to rows_max are the caller's to set; empties the batch. */
void scorer_open(struct scorer *sc);
/* Before a row is read: sets where its faults point. */
QN_MUST bool scorer_begin(struct scorer *sc, struct err *e);
/* The row was read into the batch; text stays until the batch was run. */
QN_MUST bool scorer_took(struct scorer *sc, struct str text, struct err *e);
/* The row could not be read. */
QN_MUST bool scorer_refuse(struct scorer *sc, const struct err *why, struct err *e);
/* For refuse, where a request fails as a whole: adds what is wrong with the row at hand to faults. */
void scorer_collect(const struct scorer *sc, const struct err *why, struct err *faults);
/* Runs what is pending. */
QN_MUST bool scorer_flush(struct scorer *sc, struct err *e);

#endif
