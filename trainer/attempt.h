/* One attempt at a claimed job: a thread that launches the gang, follows it, and ends the attempt in the store.
 * Whatever happens to the gang, the database or this process, the job goes to a state that tells the truth: by this
 * thread, or by its lease. */
#ifndef QUERN_TRAINER_ATTEMPT_H
#define QUERN_TRAINER_ATTEMPT_H

#include "store/job.h"
#include "trainer/scheduler.h"

struct attempt;

/* Takes over a, in which job lives. ended is called by the thread as its last act. o is borrowed until attempt_join. */
QN_MUST bool attempt_start(const struct scheduler_options *o, struct arena *a, const struct job *job,
			   const struct job_lease *lease, void (*ended)(void *ctx), void *ctx, struct attempt **out,
			   struct err *e);
const char *attempt_job_id(const struct attempt *t);
/* Any thread. */
void attempt_poke(struct attempt *t);      /* something may have changed about the job: look */
void attempt_interrupt(struct attempt *t); /* checkpoint, and give the job back to the queue */
bool attempt_ended(const struct attempt *t);
void attempt_join(struct attempt *t); /* waits for the thread and frees */

#endif
