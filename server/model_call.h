/* Calls on a model that is in memory, or comes there first. */
#ifndef QUERN_SERVER_MODEL_CALL_H
#define QUERN_SERVER_MODEL_CALL_H

#include "server/exchange.h"
#include "serving/predictor.h"

struct model_ref {
	struct str name, alias; /* data NULL: not said */
	int version;            /* 0: not said */
};

/* A version's number, from 1. */
QN_MUST bool model_ref_version(struct str text, int *version);
/* Of paths /models/{name}/… and /models/{name}/versions/{version}/… */
struct model_ref model_ref_of_path(const struct exchange *x);

/* Fills the reply, or e. */
typedef bool model_call(struct exchange *x, const struct predictor *p, struct predictor_scratch *s, struct err *e);
/* With the model pinned and its scratch warm; the reply names the model (Quern-Model). A handler's whole work:
 * MUST_BLOCK where the model has to come first and this thread may not wait. */
enum outcome model_call_run(struct exchange *x, const struct model_ref *ref, model_call *call);

#endif
