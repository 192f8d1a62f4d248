/* How the ranks of one job talk: collectives over a gang of SPMD processes. Stages see only this; implementations are
 * trainer/comm_local.c (shared memory) and later trainer/comm_mpi.c; comm_serial is one rank alone.
 *
 * All calls are collective: every rank makes the same calls in the same order with the same sizes. A call fails (ERR_internal
 * or ERR_cancelled) only when the gang is broken or stopped; then every rank's next call fails too and all unwind.
 *
 * Same bits for any number of ranks: sums are taken over *logical shards*, each summed by one rank in row order, then merged
 * in a fixed tree over shard numbers (comm_sum_shards). Vectors of a solver are cut in slices by rank, but each slice's dot
 * products are summed by fixed chunks (COMM_CHUNK) and the chunks' sums in fixed order.
 */
#ifndef QUERN_PIPELINE_COMM_H
#define QUERN_PIPELINE_COMM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { COMM_CHUNK = 4096, COMM_RANKS_MAX = 256 };

struct comm;

struct comm_ops {
	/* Zeroed doubles that every rank holds: one shared copy on one machine, a private copy each over a network. */
	double *(*alloc)(struct comm *c, size_t n);
	void (*release)(struct comm *c, double *v);
	bool (*barrier)(struct comm *c, struct err *e);
	/* Each rank has written its slice (comm_slice) of v from alloc; afterwards every rank sees all of v. */
	bool (*publish)(struct comm *c, double *v, size_t n, struct err *e);
	/* Bytes of root to everyone; len need only be right on root; others receive into out (cleared first). */
	bool (*bcast)(struct comm *c, struct buf *bytes, unsigned root, struct err *e);
	/* Each rank's bytes, in rank order, to all: parts[r] is a view into *all. */
	bool (*gather)(struct comm *c, const void *bytes, size_t len, struct buf *all, struct str *parts, struct err *e);
	/* parts[k] (n doubles each, from leaf) belongs to logical shard shards[k] of this rank. out (from alloc; in a gang of one
	 * any) becomes the sum over all shards in the fixed tree: at each level neighbours 2i and 2i+1 are added, an odd one is
	 * passed up. */
	double *(*leaf)(struct comm *c, size_t slot, size_t n); /* this rank's slot-th leaf buffer: n doubles, not cleared */
	bool (*sum_shards)(struct comm *c, size_t n, double *out, struct err *e);
	bool (*stopped)(struct comm *c); /* cheap: the launcher asked to stop */
};

struct comm {
	const struct comm_ops *ops;
	unsigned rank, size;
	size_t shard_count; /* logical shards of the job; set once by comm_shards */
	void *impl;
};

/* A gang of one. Release with comm_serial_destroy. */
struct comm *comm_serial_create(void);
void comm_serial_destroy(struct comm *c);

/* Which logical shards are a rank's: [first, first + count), block-wise. */
static inline size_t comm_shard_first(const struct comm *c, unsigned rank) { return c->shard_count * rank / c->size; }
static inline size_t comm_shard_end(const struct comm *c, unsigned rank) { return c->shard_count * (rank + 1) / c->size; }
/* This rank's slice [*lo, *hi) of n elements, cut at multiples of COMM_CHUNK. */
void comm_slice(const struct comm *c, size_t n, size_t *lo, size_t *hi);
/* The fixed tree over leaves[0..shards): out[i] for i in [lo, hi). Bits do not depend on how [0, n) is cut into calls. */
void comm_tree_sum(const double *const *leaves, size_t shards, size_t lo, size_t hi, double *out);
/* Every rank's error state agrees before the next collective: true when all passed ok; else false on all ranks, with e of the
 * first failing rank. The way to fail inside a fit: never let one rank return alone. */
QN_MUST bool comm_agree(struct comm *c, bool ok, struct err *e);

#endif
