/* Folders below the data dir that belong to jobs:
 *
 *     work/<job>/<attempt>/    spool files of one attempt; nothing in it outlives the attempt
 *     checkpoints/<job>/       survive attempts; go when the job has ended
 */
#ifndef QUERN_TRAINER_WORKDIR_H
#define QUERN_TRAINER_WORKDIR_H

#include "base/err.h"
#include "base/mem.h"

/* Makes an empty folder for an attempt. *out lives in the arena. */
QN_MUST bool workdir_make(const char *data_dir, const char *job_id, int attempt, struct arena *a, char **out,
			  struct err *e);
/* Removes the job's work folder with everything in it. */
void workdir_remove(const char *data_dir, const char *job_id);
/* Where the job's checkpoints are; made with its parents. */
QN_MUST bool workdir_checkpoints(const char *data_dir, const char *job_id, struct arena *a, char **out, struct err *e);
void workdir_remove_checkpoints(const char *data_dir, const char *job_id);

/* Calls each with the id of every job that has a work folder, or checkpoints. */
typedef void (*workdir_each)(void *ctx, const char *job_id);
void workdir_each_work(const char *data_dir, workdir_each each, void *ctx);
void workdir_each_checkpoints(const char *data_dir, workdir_each each, void *ctx);

#endif
