/* The two searches of Spark's LSHModel, over rows that the stage has hashed. Neither is exhaustive: rows that share no
 * hash with what is looked for are not found. */
#ifndef QUERN_PIPELINE_LSH_SEARCH_H
#define QUERN_PIPELINE_LSH_SEARCH_H

#include "pipeline/lsh.h"

/* A row as the searches take it: its vector and its hashes, one a table. */
struct lsh_row {
	struct vec vector;
	const double *hashes;
};
/* Row i of a batch that the stage was applied to. */
struct lsh_row lsh_row_at(const struct stage *s, const struct column *vectors, const struct column *hashes, size_t i);

/* approxNearestNeighbors, single probe: of the rows offered that share a hash with the key, the nearest; equally near ones
 * in the order they came. Memory: that of the rows kept. */
struct lsh_neighbor {
	double distance;
	uint64_t row;    /* as offered, from 0 */
	struct str text; /* a copy of the row's */
};

struct lsh_nearest {
	const struct stage *stage;
	struct vec key;
	double *hashes; /* the key's */
	size_t most;
	uint64_t offered;
	struct lsh_neighbor *kept; /* a heap, the farthest first, until lsh_nearest_sort */
	size_t count, cap;
};

/* The key is borrowed. False where it cannot be hashed: a sentence in e. */
QN_MUST bool lsh_nearest_init(struct lsh_nearest *n, const struct stage *s, struct vec key, size_t most, struct err *e);
void lsh_nearest_offer(struct lsh_nearest *n, struct lsh_row row, struct str text);
/* Puts what was kept in order, the nearest first. Nothing may be offered after it. */
void lsh_nearest_sort(struct lsh_nearest *n);
void lsh_nearest_release(struct lsh_nearest *n);

/* approxSimilarityJoin: the rows of one side by their hashes, to be found from rows of the other. */
struct lsh_index {
	const struct stage *stage;
	struct column vectors;
	double *hashes; /* [rows][tables] */
	struct lsh_entry *entries; /* [tables][rows], each table's by hash and row */
	struct lsh_match *found;
	size_t hashes_cap, found_cap;
};

struct lsh_match {
	uint32_t row; /* as added, from 0 */
	double distance;
};

void lsh_index_init(struct lsh_index *x, const struct stage *s);
QN_MUST bool lsh_index_add(struct lsh_index *x, struct lsh_row row, struct err *e);
/* After the last row, before the first search. */
void lsh_index_seal(struct lsh_index *x);
/* Row i, as it was added. */
struct lsh_row lsh_index_row(const struct lsh_index *x, size_t i);
/* The rows that share a hash with this one and are nearer than threshold, in the order they were added; valid until the
 * next call. Returns how many. */
size_t lsh_index_find(struct lsh_index *x, struct lsh_row row, double threshold, const struct lsh_match **out);
void lsh_index_release(struct lsh_index *x);

#endif
