/* Evaluators: one table row and one file each, like stages. They read transformed rows of all ranks and answer a
 * metric, and curves for people (roc, pr, confusionMatrix). The same bits for any number of ranks. */
#ifndef QUERN_PIPELINE_EVALUATOR_H
#define QUERN_PIPELINE_EVALUATOR_H

#include "data/dataset.h"
#include "pipeline/stage.h"

struct evaluator;

struct evaluator_type {
	const char *name;
	const char *help;
	const char *inputs; /* catalogue text: "rawPrediction: vector, double; …" */
	const struct field *params;
	size_t params_size;
	bool (*check)(const struct evaluator *ev, struct err *e); /* may be NULL */
	/* Binds the columns it reads (evaluator_input). */
	bool (*columns)(struct evaluator *ev, const struct schema *schema, struct err *e);
	/* Collective over comm: reads rows (this rank's shards), leaves value and detail the same on every rank. */
	bool (*run)(struct evaluator *ev, struct comm *comm, struct dataset *rows, struct err *e);
};

struct evaluator {
	const struct evaluator_type *type;
	struct arena arena;
	void *params;
	field_set given;
	char pointer[64]; /* "/evaluate/0", for faults */
	int slot[4];      /* bound columns, -1: unset; each type names its own */
	/* Results of run. */
	double value;
	bool larger_better;
	const char *metric_name;
	struct buf detail; /* members of an object: "roc":[[fpr,tpr],…],"confusionMatrix":…; may be empty */
};

extern const struct evaluator_type *const evaluator_types[]; /* NULL-terminated, evaluators.def */
/* Reads one object of `evaluate`: {"evaluator":"BinaryClassificationEvaluator", params…}. */
QN_MUST bool evaluator_parse(struct evaluator *ev, const struct json *obj, const char *pointer, struct err *e);
QN_MUST bool evaluator_bind(struct evaluator *ev, const struct schema *schema, struct err *e);
QN_MUST bool evaluator_run(struct evaluator *ev, struct comm *comm, struct dataset *rows, struct err *e);
void evaluator_release(struct evaluator *ev);
int evaluator_input(struct evaluator *ev, const struct schema *schema, const char *param, struct str column,
		    unsigned types, struct err *e);

/* --- For evaluators' own files ----------------------------------------------------------------------------------- */

#define EVALUATOR_BYTES_MAX ((size_t)8 << 30) /* gathered from one rank */

struct evaluator_pass {
	void *ctx;
	bool (*each)(void *ctx, const struct batch *b, struct err *e); /* a block of the shard at hand */
	void (*shard_end)(void *ctx, struct buf *out); /* appends what the shard came to, and starts anew */
};
/* Collective: every rank's shards in order through `pass`; all: what shard_end appended, in shard order, on every
 * rank. */
QN_MUST bool evaluator_gather(struct comm *c, struct dataset *rows, const struct evaluator_pass *pass, struct buf *all,
			      struct err *e);
/* The row's weight (1 where slot is SCHEMA_COLUMN_NONE); negative, infinite and null ones are ERR_data. */
QN_MUST bool evaluator_weight(const struct evaluator *ev, const struct batch *b, size_t row, int slot, double *weight,
			      struct err *e);
/* ERR_data that names the row. Returns false. */
bool evaluator_row_error(const struct evaluator *ev, const struct batch *b, size_t row, struct err *e,
			 const char *what);

#endif
