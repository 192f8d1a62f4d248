/* Looks every second whether the parts that the service needs are there, so that /readyz and /metrics answer from
 * memory and never wait for Postgres. */
#ifndef QUERN_SERVER_HEALTH_H
#define QUERN_SERVER_HEALTH_H

#include "store/job.h"

struct server;
struct health;

QN_MUST bool health_start(struct server *s, struct health **out, struct err *e);
void health_stop(struct health *h); /* NULL is fine */
/* True: all is there. Else ERR_unavailable with a fault for each part that is missing, pointer "/postgres" and the
 * like. */
QN_MUST bool health_ready(struct health *h, struct err *e);
/* The last counts read; false where none are known now. */
QN_MUST bool health_counts(struct health *h, struct job_counts *out);

#endif
