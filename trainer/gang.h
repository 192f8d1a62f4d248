/* The memory that the ranks of one job share with each other and with their launcher: one memfd, handed over as a
 * descriptor.
 *
 *     head     flags of the launcher, the barrier, a beat a rank
 *     mail     two halves through which bytes travel (comm_local)
 *     leaves   partial sums, one row a logical shard
 *     vectors  what comm's alloc hands out
 *
 * The file is sparse and mapped without reservation: leaves and vectors may each grow to the whole memory limit of the
 * job, and a page costs nothing until it is touched.
 *
 * Beats prove progress: a rank beats whenever a batch was read, a shard scanned or a collective entered, never from a
 * timer. So a rank that spins or sleeps stops beating, and its neighbours, who wait for it, are known to be waiting.
 *
 * Thread-safety: all calls but create, attach and destroy may be made by any process at any time.
 */
#ifndef QUERN_TRAINER_GANG_H
#define QUERN_TRAINER_GANG_H

#include "base/err.h"

struct gang;

enum { GANG_MAIL_HALF = 2 << 20 };

/* Room in the segment that comm_local divides up; sizes in bytes. */
struct gang_room {
	char *mail; /* 2 × GANG_MAIL_HALF */
	char *leaves, *vectors;
	uint64_t leaves_size, vectors_size;
};

/* By the launcher: a new segment for `ranks` ranks whose leaves and vectors each fit memory_max. */
QN_MUST bool gang_create(unsigned ranks, uint64_t memory_max, struct gang **out, struct err *e);
/* By a rank; fd stays the caller's. */
QN_MUST bool gang_attach(int fd, struct gang **out, struct err *e);
void gang_destroy(struct gang *g); /* unmaps; NULL is fine */
int gang_fd(const struct gang *g); /* of the creator */
unsigned gang_ranks(const struct gang *g);
struct gang_room gang_room(const struct gang *g);
/* Bytes of the segment in use. By the creator. */
uint64_t gang_bytes(const struct gang *g);

/* The gang is beyond repair: whoever waits wakes up, and every call of every rank fails from here on. */
void gang_break(struct gang *g);
bool gang_broken(const struct gang *g);
/* A request to end soon. While held (a solver that can save a checkpoint is at work) ranks do not act on it. */
void gang_stop(struct gang *g);
bool gang_stop_asked(const struct gang *g);
void gang_hold(struct gang *g, bool held);
bool gang_must_stop(const struct gang *g); /* broken, or stop asked and not held */

/* Returns when all ranks are in it (true) or the gang is broken (false). Memory written before it by any rank is seen
 * by all after it. */
QN_MUST bool gang_barrier(struct gang *g, unsigned rank);

void gang_beat(struct gang *g, unsigned rank);
uint64_t gang_beats(const struct gang *g, unsigned rank);
bool gang_waiting(const struct gang *g, unsigned rank); /* in a barrier, for others */

#endif
