/* Runs one function on every rank of a gang, each rank a process over shared memory (trainer/comm_local.h), for
 * tests that must hold for any number of ranks. */
#ifndef QUERN_TESTS_COMM_FORK_H
#define QUERN_TESTS_COMM_FORK_H

#include "pipeline/comm.h"

/* fn runs in a forked process and sees the caller's memory as it was; what it appends to `out` comes back in
 * outs[rank] (initialised by the caller; outs may be NULL). True when every rank returned true. A rank that dies or
 * returns false breaks the gang, so the others come back too. */
bool comm_fork_run(unsigned ranks, bool (*fn)(struct comm *c, void *ctx, struct buf *out), void *ctx, struct buf *outs);

#endif
