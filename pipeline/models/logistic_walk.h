/* Sums over all rows, the way every pass of LogisticRegression's solver takes them: each logical shard adds up its rows
 * in order into a leaf of its own, the leaves are added in the fixed tree. So the bits are the same for any number of
 * ranks.
 *
 * A row comes with the places of its entries in the solver's space. Where memory allows they are made once and kept;
 * the values stay in the dataset's blocks. */
#ifndef QUERN_PIPELINE_LOGISTIC_WALK_H
#define QUERN_PIPELINE_LOGISTIC_WALK_H

#include "pipeline/models/logistic_rows.h"

/* Placed rows may be read so many places past their end: what stands there is worth no more than a prefetch. */
enum { LOGISTIC_AHEAD = 64 };

/* A row that weighs something. at: the places of x's entries; NULL: they are 0, 1, 2, … */
struct logistic_row {
	const uint32_t *at;
	const double *x;
	size_t n;
	double label, weight;
};

struct logistic_walk {
	struct fit *fit;
	struct logistic_columns columns;
	const uint32_t *place; /* feature → place; NULL: the same */
	struct {
		uint32_t *places; /* of the shard's stored entries, in order; NULL: not kept */
		bool filled;
	} *shards; /* of this rank */
	uint32_t *row_places; /* of one row, where they are not kept */
	size_t row_places_cap;
	/* The walk under way. */
	const struct logistic_adder *adder;
	void *ctx;
	double *leaf;
	size_t shard, entry;
};

/* What a walk does before the rows of a shard, with each of them, and after them (end NULL: nothing). begin clears
 * what is added to: a leaf comes as it was left. */
struct logistic_adder {
	void (*begin)(void *ctx, double *leaf);
	void (*row)(void *ctx, const struct logistic_row *row, double *leaf);
	void (*end)(void *ctx, double *leaf);
};

/* Everything is borrowed but the columns. */
void logistic_walk_init(struct logistic_walk *w, struct fit *f, const struct logistic_columns *c,
			const struct logistic_rows *r, const uint32_t *place);
void logistic_walk_release(struct logistic_walk *w);
/* Collective. Rows are added into the shard's leaf of n doubles; sum (n doubles from comm's alloc) becomes their
 * sum. */
QN_MUST bool logistic_walk_sum(struct logistic_walk *w, size_t n, const struct logistic_adder *adder, void *ctx,
			       double *sum, struct err *e);

#endif
