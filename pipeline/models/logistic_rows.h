/* The rows that LogisticRegression learns from: one pass that checks them, so that later passes need not, and counts
 * what is in them: the classes' weights and how many rows store each feature. */
#ifndef QUERN_PIPELINE_LOGISTIC_ROWS_H
#define QUERN_PIPELINE_LOGISTIC_ROWS_H

#include "pipeline/stage.h"

/* Slots; weight -1: every row weighs 1. */
struct logistic_columns {
	int features, label, weight;
};

static inline double logistic_label(const struct logistic_columns *c, const struct batch *b, size_t i)
{
	return column_number_at(&b->columns[c->label], i);
}
static inline double logistic_weight(const struct logistic_columns *c, const struct batch *b, size_t i)
{
	return c->weight < 0 ? 1 : column_number_at(&b->columns[c->weight], i);
}

enum { LOGISTIC_CLASSES_MAX = 1 << 16 };

/* Rows that weigh nothing are checked but count nowhere. */
struct logistic_rows {
	size_t features;               /* length of the vectors */
	size_t classes;                /* highest label + 1 */
	double *class_weight;          /* [classes] */
	double weight, weight_squares; /* Σ w, Σ w² */
	double rows;
	double stored;          /* entries stored in the vectors, all ranks */
	double *count;          /* [features] rows that store an entry for it */
	uint64_t *shard_stored; /* by this rank's shards: entries stored, of rows without weight too */
};

/* Collective; every rank comes back with the same, but shard_stored. Faults of the data are ERR_data of stage s with
 * the row. */
QN_MUST bool logistic_rows_count(struct stage *s, struct fit *f, const struct logistic_columns *c,
				 struct logistic_rows *r, struct err *e);
void logistic_rows_release(struct logistic_rows *r);

#endif
