/* A log line for each request (log.requests), written by a thread of its own: HTTP threads only copy a record into a
 * ring that belongs to them. When a ring is full its records are dropped and counted. */
#ifndef QUERN_SERVER_ACCESS_LOG_H
#define QUERN_SERVER_ACCESS_LOG_H

#include "server/http.h"

struct access_log;
struct access_ring;

QN_MUST bool access_log_start(unsigned rings, struct access_log **out, struct err *e);
void access_log_stop(struct access_log *l); /* writes what is left; NULL is fine */
struct access_ring *access_log_ring(struct access_log *l, unsigned index);
void access_log_switch(struct access_log *l, bool on);
/* On the ring's own thread, when the request is over. */
void access_log_add(struct access_ring *r, const struct http_request *rq, int64_t took_ns);

#endif
