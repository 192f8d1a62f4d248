/* The fit of LogisticRegression: moments → classes → space → L-BFGS or OWL-QN → coefficients in the rows' own scale. */
#ifndef QUERN_PIPELINE_LOGISTIC_FIT_H
#define QUERN_PIPELINE_LOGISTIC_FIT_H

#include "pipeline/models/logistic_regression.h"

/* stage_type.fit. The label's slot is that of the port named labelCol. */
QN_MUST bool logistic_fit(struct stage *s, struct fit *f, struct err *e);

#endif
