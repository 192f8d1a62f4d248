#include "trainer/comm_local.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROW_ALIGN = 8 }; /* doubles in a cache line: neighbours' rows and vectors never share one */

/* A stretch of the vectors' room, in doubles. Stretches lie side by side from 0 to the end of the last one. */
struct stretch {
	size_t off, len;
	bool used;
};

struct local {
	struct gang *gang;
	struct gang_room room;
	struct stretch *stretches;
	size_t count, cap;
	size_t fresh; /* doubles from here on were never handed out: still zero */
	unsigned half; /* of the mail, for the next round */
};

static bool broken(struct err *e) { return err_set(e, ERR_internal, "the gang of workers is broken"); }

static bool meet(struct comm *c, struct err *e)
{
	struct local *l = c->impl;
	return gang_barrier(l->gang, c->rank) || broken(e);
}

static void require_room(const char *what, uint64_t need, uint64_t room)
{
	if (need <= room) return;
	fprintf(stderr, "quern: %s need %llu bytes of shared memory, over the job's resources.memory of %llu\n", what,
		(unsigned long long)need, (unsigned long long)room);
	_exit(MEM_EXIT_OOM);
}

static size_t aligned(size_t n) { return (MAX(n, (size_t)1) + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN; }

/* --- Vectors: first fit ------------------------------------------------------------------------------------------ */

static void stretch_insert(struct local *l, size_t at, struct stretch s)
{
	MEM_GROW(l->stretches, l->cap, l->count + 1);
	memmove(&l->stretches[at + 1], &l->stretches[at], (l->count - at) * sizeof s);
	l->stretches[at] = s;
	l->count++;
}

static void stretch_remove(struct local *l, size_t at)
{
	memmove(&l->stretches[at], &l->stretches[at + 1], (l->count - at - 1) * sizeof *l->stretches);
	l->count--;
}

static size_t stretch_take(struct local *l, size_t len)
{
	for (size_t i = 0; i < l->count; i++) {
		struct stretch *s = &l->stretches[i];
		if (s->used || s->len < len) continue;
		struct stretch rest = {s->off + len, s->len - len, false};
		*s = (struct stretch){s->off, len, true};
		size_t off = s->off;
		if (rest.len) stretch_insert(l, i + 1, rest);
		return off;
	}
	size_t end = l->count ? l->stretches[l->count - 1].off + l->stretches[l->count - 1].len : 0;
	require_room("vectors", (uint64_t)(end + len) * sizeof(double), l->room.vectors_size);
	stretch_insert(l, l->count, (struct stretch){end, len, true});
	return end;
}

static void stretch_merge_next(struct local *l, size_t i)
{
	if (i + 1 >= l->count || l->stretches[i].used || l->stretches[i + 1].used) return;
	l->stretches[i].len += l->stretches[i + 1].len;
	stretch_remove(l, i + 1);
}

/* Memory that was used before is cleared by slices, between two barriers: nobody reads the old vector any more before,
 * nobody sees half-cleared memory after. A broken gang is told by the next call. */
static double *local_alloc(struct comm *c, size_t n)
{
	struct local *l = c->impl;
	size_t len = aligned(n), off = stretch_take(l, len);
	double *v = (double *)l->room.vectors + off;
	size_t dirty = off < l->fresh ? MIN(len, l->fresh - off) : 0, lo, hi;
	l->fresh = MAX(l->fresh, off + len);
	if (dirty == 0) return v;
	comm_slice(c, dirty, &lo, &hi);
	if (!gang_barrier(l->gang, c->rank)) return v;
	memset(v + lo, 0, (hi - lo) * sizeof *v);
	(void)!gang_barrier(l->gang, c->rank);
	return v;
}

static void local_release(struct comm *c, double *v)
{
	struct local *l = c->impl;
	if (!v) return;
	size_t off = (size_t)(v - (double *)l->room.vectors), i = 0;
	while (i < l->count && l->stretches[i].off != off) i++;
	CHECK(i < l->count && l->stretches[i].used);
	l->stretches[i].used = false;
	stretch_merge_next(l, i);
	if (i > 0) stretch_merge_next(l, i - 1);
}

/* --- Bytes ------------------------------------------------------------------------------------------------------- */

struct mail {
	uint64_t len[COMM_RANKS_MAX]; /* of each rank's bytes */
	char pieces[];
};

static size_t piece_max(const struct comm *c)
{
	return (GANG_MAIL_HALF - sizeof(struct mail)) / c->size / ROW_ALIGN * ROW_ALIGN;
}

struct letter { /* one rank's bytes, as they come together */
	size_t len;
	char *to;
};

static void mail_put(const struct comm *c, struct mail *m, const char *bytes, size_t len, size_t done)
{
	m->len[c->rank] = len;
	if (done < len) memcpy(m->pieces + c->rank * piece_max(c), bytes + done, MIN(len - done, piece_max(c)));
}

/* Where each rank's letter goes in out: one after the other. False when they do not fit. */
static bool mail_open(const struct comm *c, const struct mail *m, struct letter *letters, struct buf *out)
{
	size_t total = 0;
	for (unsigned r = 0; r < c->size; r++) total += m->len[r];
	buf_clear(out);
	char *at = buf_reserve(out, total);
	if (!at) return false;
	buf_commit(out, total);
	for (unsigned r = 0; r < c->size; r++) {
		letters[r] = (struct letter){m->len[r], at};
		at += m->len[r];
	}
	return true;
}

/* Rounds of: write my next piece, meet, copy everyone's. The halves of the mail alternate, so a half is written again
 * only after a meeting that came after everyone had read it: one barrier a round. out NULL: this rank has the only
 * letter already. */
static bool exchange(struct comm *c, const char *bytes, size_t len, struct buf *out, struct letter *letters,
		     struct err *e)
{
	struct local *l = c->impl;
	bool more = true;
	for (size_t round = 0; more; round++) {
		struct mail *m = (struct mail *)(void *)(l->room.mail + (size_t)l->half * GANG_MAIL_HALF);
		l->half ^= 1;
		mail_put(c, m, bytes, len, round * piece_max(c));
		if (!meet(c, e)) return false;
		if (round == 0 && out && !mail_open(c, m, letters, out)) {
			gang_break(l->gang);
			return err_set(e, ERR_out_of_memory, "bytes for all workers are over the limit of %zu",
				       out->max);
		}
		more = false;
		for (unsigned r = 0; r < c->size; r++) {
			size_t done = round * piece_max(c), left = m->len[r] > done ? m->len[r] - done : 0;
			if (out && left)
				memcpy(letters[r].to + done, m->pieces + r * piece_max(c), MIN(left, piece_max(c)));
			more |= left > piece_max(c);
		}
	}
	return true;
}

static bool local_bcast(struct comm *c, struct buf *bytes, unsigned root, struct err *e)
{
	struct letter letters[COMM_RANKS_MAX];
	if (c->rank == root) return exchange(c, bytes->data, bytes->len, NULL, letters, e);
	return exchange(c, NULL, 0, bytes, letters, e);
}

static bool local_gather(struct comm *c, const void *bytes, size_t len, struct buf *all, struct str *parts,
			 struct err *e)
{
	struct letter letters[COMM_RANKS_MAX];
	if (!exchange(c, bytes, len, all, letters, e)) return false;
	for (unsigned r = 0; r < c->size; r++) parts[r] = (struct str){letters[r].to, letters[r].len};
	return true;
}

/* --- Sums -------------------------------------------------------------------------------------------------------- */

static double *leaf_row(struct comm *c, size_t shard, size_t n)
{
	struct local *l = c->impl;
	return (double *)l->room.leaves + shard * aligned(n);
}

static double *local_leaf(struct comm *c, size_t slot, size_t n)
{
	struct local *l = c->impl;
	size_t shard = comm_shard_first(c, c->rank) + slot;
	CHECK(shard < comm_shard_end(c, c->rank));
	require_room("partial sums", (uint64_t)c->shard_count * aligned(n) * sizeof(double), l->room.leaves_size);
	return leaf_row(c, shard, n);
}

static bool local_sum_shards(struct comm *c, size_t n, double *out, struct err *e)
{
	const double **rows = mem_alloc(MAX(c->shard_count, (size_t)1) * sizeof *rows);
	size_t lo, hi;
	for (size_t s = 0; s < c->shard_count; s++) rows[s] = leaf_row(c, s, n);
	comm_slice(c, n, &lo, &hi);
	bool ok = meet(c, e);
	if (ok) comm_tree_sum(rows, c->shard_count, lo, hi, out);
	mem_free(rows);
	return ok && meet(c, e);
}

static bool local_publish(struct comm *c, double *v, size_t n, struct err *e)
{
	(void)v, (void)n;
	return meet(c, e);
}

static bool local_stopped(struct comm *c)
{
	struct local *l = c->impl;
	gang_beat(l->gang, c->rank);
	return gang_must_stop(l->gang);
}

static const struct comm_ops local_ops = {
	.alloc = local_alloc,
	.release = local_release,
	.barrier = meet,
	.publish = local_publish,
	.bcast = local_bcast,
	.gather = local_gather,
	.leaf = local_leaf,
	.sum_shards = local_sum_shards,
	.stopped = local_stopped,
};

struct comm *comm_local_create(struct gang *g, unsigned rank)
{
	CHECK(rank < gang_ranks(g));
	struct local *l = mem_zalloc(1, sizeof *l);
	*l = (struct local){.gang = g, .room = gang_room(g)};
	struct comm *c = mem_zalloc(1, sizeof *c);
	*c = (struct comm){.ops = &local_ops, .rank = rank, .size = gang_ranks(g), .shard_count = 1, .impl = l};
	return c;
}

void comm_local_destroy(struct comm *c)
{
	if (!c) return;
	struct local *l = c->impl;
	mem_free(l->stretches);
	mem_free(l);
	mem_free(c);
}
