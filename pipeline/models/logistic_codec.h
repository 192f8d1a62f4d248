/* The fitted state of LogisticRegression as bytes and as JSON: stage_type.encode, .decode and .state. */
#ifndef QUERN_PIPELINE_LOGISTIC_CODEC_H
#define QUERN_PIPELINE_LOGISTIC_CODEC_H

#include "pipeline/models/logistic_regression.h"

void logistic_encode(const struct stage *s, struct buf *out);
QN_MUST bool logistic_decode(struct stage *s, struct cursor *in, struct err *e);
void logistic_describe(const struct stage *s, struct json_writer *w);

#endif
