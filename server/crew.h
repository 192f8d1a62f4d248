/* A crew: threads that run what must not run on an HTTP thread, from one bounded queue. FIFO. */
#ifndef QUERN_SERVER_CREW_H
#define QUERN_SERVER_CREW_H

#include "base/err.h"

struct crew;

/* Embedded in what is queued; nothing is allocated. */
struct crew_task {
	struct crew_task *next;
};

struct crew_options {
	const char *name; /* of the threads, at most 11 bytes */
	unsigned threads;
	size_t queue_max;
	void (*run)(void *ctx, unsigned thread, struct crew_task *t);
	void *ctx;
};

QN_MUST bool crew_start(const struct crew_options *o, struct crew **out, struct err *e);
/* False: the queue is full, or the crew has ended. again: it had a place before and keeps it, whatever the queue's
 * length. */
QN_MUST bool crew_push(struct crew *c, struct crew_task *t, bool again);
size_t crew_queued(struct crew *c);
/* Runs what is queued, then ends the threads. crew_push may still be called, until crew_destroy. */
void crew_stop(struct crew *c);
void crew_destroy(struct crew *c);

#endif
