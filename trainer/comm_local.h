/* The communicator of one machine: ranks are processes that share a gang's memory (trainer/gang.h). Vectors exist once
 * for all ranks, sums are folded slice by slice straight from the leaves, and bytes pass through the mail area in
 * pieces.
 *
 * A vector's place follows from the order of alloc and release calls alone, which is the same on every rank, so ranks
 * agree without talking. leaf(slot, n): row `first shard + slot` of a table whose rows have n doubles; its contents
 * hold until leaf is called with another n. Passing the segment's room ends the process with MEM_EXIT_OOM. */
#ifndef QUERN_TRAINER_COMM_LOCAL_H
#define QUERN_TRAINER_COMM_LOCAL_H

#include "pipeline/comm.h"
#include "trainer/gang.h"

/* g is borrowed and must outlive the communicator. */
struct comm *comm_local_create(struct gang *g, unsigned rank);
void comm_local_destroy(struct comm *c);

#endif
