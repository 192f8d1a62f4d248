/* What evaluators found, as jobs and `quern evaluate` show it. */
#ifndef QUERN_TRAINER_EVALUATION_H
#define QUERN_TRAINER_EVALUATION_H

#include "pipeline/eval/evaluator.h"

/* Of evaluators that ran: {"areaUnderROC":0.97,…} and {"roc":[…],"confusionMatrix":…}. */
void evaluation_write(const struct evaluator *evaluators, size_t count, struct buf *metrics, struct buf *evaluation);

#endif
