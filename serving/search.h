/* Spark's approxNearestNeighbors and approxSimilarityJoin as calls on a model: one JSON document in, one out. Strict:
 * every fault has its pointer, unknown members of the document too; members of rows are ignored where the model knows
 * none of them. Rows carry what `?output=full` shows and what came in. Errors: ERR_invalid_json, ERR_invalid and ERR_data
 * with pointers, ERR_conflict where the model has no LSH stage, ERR_too_large. */
#ifndef QUERN_SERVING_SEARCH_H
#define QUERN_SERVING_SEARCH_H

#include "serving/predictor.h"

/* Of the request only body, len and limits are read; instances_max holds for each list of rows. What was appended to out
 * before a failure is the caller's to drop; the arena is for the document. */
typedef bool search_call(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			 struct arena *a, struct buf *out, struct err *e);

/* {"key","numNearestNeighbors","rows","distCol"?,"outputCol"?} → {"neighbors":[{…,"distCol":D}]} */
QN_MUST search_call search_neighbors;
/* {"datasetA","datasetB"?,"threshold","distCol"?,"outputCol"?} → {"pairs":[{"datasetA":{…},"datasetB":{…},"distCol":D}]} */
QN_MUST search_call search_similarity;

#endif
