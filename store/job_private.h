/* What the job_*.c files share. */
#ifndef QUERN_STORE_JOB_PRIVATE_H
#define QUERN_STORE_JOB_PRIVATE_H

#include "store/job.h"
#include "store/tx.h"

/* A row of quern.job_view. */
QN_MUST bool job_row(const struct pg_rows *rows, int row, struct arena *a, struct job *out, struct err *e);
/* A text column with a state's name; null: JOB_STATE_COUNT. */
QN_MUST bool job_state_column(const struct pg_rows *rows, int row, const char *column, enum job_state *out,
			      struct err *e);
/* $1 to $3: the fence. */
void job_fence_params(struct pg_params *p, const struct job_lease *lease);
bool job_not_found(const char *id, struct err *e); /* sets ERR_not_found; returns false */
/* Text that a worker made: what is not UTF-8 cannot be stored and is not worth losing a lease for. */
const char *job_worker_text(const char *s);

#endif
