/* What the model_*.c and job_*.c files share. */
#ifndef QUERN_STORE_MODEL_PRIVATE_H
#define QUERN_STORE_MODEL_PRIVATE_H

#include "store/model.h"
#include "store/tx.h"

struct model_new {
	const char *name;
	const char *job_id; /* NULL: imported */
	const char *manifest, *metrics;
	const void *container;
	size_t len;
};
/* Within a transaction: the next version of the name, with its chunks. */
QN_MUST bool model_container_add(struct pg *pg, const struct model_new *m, int *version, struct err *e);

bool model_not_found(const char *name, struct err *e);                      /* ERR_no_model; returns false */
bool model_version_not_found(const char *name, int version, struct err *e); /* ERR_not_found; returns false */

#endif
