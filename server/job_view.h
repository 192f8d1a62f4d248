/* A job as the API shows it: every key, null where unknown. */
#ifndef QUERN_SERVER_JOB_VIEW_H
#define QUERN_SERVER_JOB_VIEW_H

#include "base/json.h"
#include "store/job.h"

void job_view_write(const struct job *j, struct arena *a, struct json_writer *w);

/* Shared with other resources: a wall time in milliseconds as text, 0 as null; whole JSON text, NULL as `absent`. */
void view_time(struct json_writer *w, const char *key, int64_t wall_ms);
void view_json(struct json_writer *w, const char *key, const char *text, const char *absent);

#endif
