/* What Spark's LSH stages share: parameters, the fit (which learns a vector's length and draws the hash functions), the
 * output column of hashes, one vector of one number a table, and their two searches, approxNearestNeighbors and
 * approxSimilarityJoin.
 *
 * A family is a file in stages/: its stage_type has the functions of this header and one of its own, `fit`, that names the
 * family; params begin with struct lsh_params, the state with struct lsh_state. */
#ifndef QUERN_PIPELINE_LSH_H
#define QUERN_PIPELINE_LSH_H

#include "pipeline/java_random.h"
#include "pipeline/ports.h"

enum { LSH_TABLES_MAX = 1 << 20, LSH_NUMBERS_MAX = 1 << 27 /* that a fitted stage holds */ };

struct lsh_params {
	struct ports ports;
	int64_t tables, seed;
};

#define LSH_PARAMS                                                                                                     \
	PORTS_SINGLE,                                                                                                  \
		{.name = "numHashTables",                                                                              \
		 .type = FIELD_INT,                                                                                    \
		 .offset = offsetof(struct lsh_params, tables),                                                        \
		 .fallback = "1",                                                                                      \
		 .min = 1,                                                                                             \
		 .max = LSH_TABLES_MAX,                                                                                \
		 .help = "Hash tables: more of them find more neighbours and cost more time."},                        \
		{.name = "seed", .type = FIELD_LONG, .offset = offsetof(struct lsh_params, seed),                      \
		 .help = "Seed of the hash functions; drawn when missing."}

struct lsh_family {
	/* The hash functions for vectors of that length, as Spark draws them. False with a sentence in e. */
	bool (*draw)(struct stage *s, size_t size, struct java_random *rng, struct err *e);
	/* One hash a table. NULL, or a sentence: why this vector has none. */
	const char *(*hash)(const struct stage *s, struct vec v, double *out);
	/* Spark's keyDistance, of two vectors that have hashes. */
	double (*distance)(struct vec a, struct vec b);
};

struct lsh_state {
	const struct lsh_family *family;
};

/* For a family's stage_type. */
QN_MUST bool lsh_columns(struct stage *s, struct schema *schema, struct err *e);
QN_MUST bool lsh_fit(struct stage *s, struct fit *f, const struct lsh_family *family, struct err *e);
QN_MUST bool lsh_apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e);
/* Room for count numbers in a stage's arena, for `draw` and `decode`; NULL with a sentence where that is too many. */
double *lsh_room(struct stage *s, size_t count, size_t each, struct err *e);

bool lsh_is(const struct stage *s);
size_t lsh_tables(const struct stage *s);

#endif
