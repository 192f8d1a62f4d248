/* The fit of LogisticRegression: rows checked and counted → classes → space → moments → L-BFGS or OWL-QN →
 * coefficients in the rows' own scale → training summary. */
#ifndef QUERN_PIPELINE_LOGISTIC_FIT_H
#define QUERN_PIPELINE_LOGISTIC_FIT_H

#include "pipeline/models/logistic_regression.h"

/* stage_type.fit. The label's slot is that of the port named labelCol. */
QN_MUST bool logistic_fit(struct stage *s, struct fit *f, struct err *e);

#endif
