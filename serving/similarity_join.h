/* approxSimilarityJoin over rows as serving/hashed_rows.h reads them: first all of datasetB, then datasetA or datasetB
 * itself. Spark's join is distinct: what stands twice in a dataset is one row. In memory: the distinct rows. */
#ifndef QUERN_SERVING_SIMILARITY_JOIN_H
#define QUERN_SERVING_SIMILARITY_JOIN_H

#include "base/map.h"
#include "serving/hashed_rows.h"

/* A pair nearer than the threshold, by the rows' texts. */
typedef bool similarity_pair(void *ctx, struct str a, struct str b, double distance, struct err *e);

struct similarity_join {
	double threshold;
	similarity_pair *pair;
	void *ctx;
	/* Private. */
	struct map a, b;        /* the rows by their texts */
	struct lsh_index index; /* of b's, in the map's order */
};

void similarity_join_init(struct similarity_join *j, const struct stage *s, double threshold, similarity_pair *pair,
			  void *ctx);
void similarity_join_release(struct similarity_join *j);

/* The context is the join. */
hashed_rows_each similarity_join_take_b, similarity_join_take_a;
/* After the last row of datasetB. */
void similarity_join_seal(struct similarity_join *j);
/* datasetA is datasetB. */
QN_MUST bool similarity_join_itself(struct similarity_join *j, struct err *e);

#endif
