#include "pipeline/comm.h"

#include "base/mem.h"

#include <string.h>

void comm_slice(const struct comm *c, size_t n, size_t *lo, size_t *hi)
{
	size_t chunks = (n + COMM_CHUNK - 1) / COMM_CHUNK;
	*lo = MIN(chunks * c->rank / c->size * COMM_CHUNK, n);
	*hi = MIN(chunks * (c->rank + 1) / c->size * COMM_CHUNK, n);
}

/* One block of leaves and of partial sums fits the first-level cache while the tree is folded over it. */
enum { TREE_BLOCK = 256 };

static void add_two(const double *restrict a, const double *restrict b, double *restrict out)
{
	for (size_t i = 0; i < TREE_BLOCK; i++) out[i] = a[i] + b[i];
}

static void add_four(const double *restrict a, const double *restrict b, const double *restrict c, const double *restrict d,
		     double *restrict out)
{
	for (size_t i = 0; i < TREE_BLOCK; i++) out[i] = (a[i] + b[i]) + (c[i] + d[i]);
}

/* Level by level, the left half of the root is the largest power of two below the count; so are the halves beneath it. */
static void fold_block(const double *const *leaves, size_t count, size_t at, double *out)
{
	double left[TREE_BLOCK], right[TREE_BLOCK];
	if (count == 1) memcpy(out, leaves[0] + at, sizeof left);
	else if (count == 2) add_two(leaves[0] + at, leaves[1] + at, out);
	else if (count == 4) add_four(leaves[0] + at, leaves[1] + at, leaves[2] + at, leaves[3] + at, out);
	else {
		size_t half = (size_t)1 << (63 - __builtin_clzll((unsigned long long)count - 1));
		fold_block(leaves, half, at, left);
		fold_block(leaves + half, count - half, at, right);
		add_two(left, right, out);
	}
}

/* The same order for one element: what is left of less than a block. */
static double fold_one(const double *const *leaves, size_t count, size_t at)
{
	if (count == 1) return leaves[0][at];
	size_t half = (size_t)1 << (63 - __builtin_clzll((unsigned long long)count - 1));
	return fold_one(leaves, half, at) + fold_one(leaves + half, count - half, at);
}

void comm_tree_sum(const double *const *leaves, size_t shards, size_t lo, size_t hi, double *out)
{
	size_t at = lo;
	if (shards == 0) memset(out + lo, 0, (hi - lo) * sizeof *out);
	else {
		for (; hi - at >= TREE_BLOCK; at += TREE_BLOCK) fold_block(leaves, shards, at, out + at);
		for (; at < hi; at++) out[at] = fold_one(leaves, shards, at);
	}
}

/* What travels of an error, when ranks agree on it. */
bool comm_agree(struct comm *c, bool ok, struct err *e)
{
	struct buf mine = BUF_INIT(1 << 20), all = BUF_INIT(1 << 28);
	struct str parts[COMM_RANKS_MAX];
	if (!ok) {
		buf_u32(&mine, e->code);
		buf_u32(&mine, (uint32_t)MIN(e->fault_count, (size_t)ERR_FAULTS_MAX));
		buf_append(&mine, e->detail, sizeof e->detail);
		for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
			buf_append(&mine, &e->faults[i], sizeof e->faults[i]);
	}
	if (!c->ops->gather(c, mine.data, mine.len, &all, parts, e)) {
		buf_release(&mine);
		buf_release(&all);
		return false;
	}
	bool agreed = true;
	for (unsigned r = 0; r < c->size && agreed; r++) {
		if (parts[r].len == 0) continue;
		agreed = false;
		struct cursor in = CURSOR(parts[r].data, parts[r].len);
		uint32_t code = cursor_u32(&in), faults = cursor_u32(&in);
		const char *detail = cursor_bytes(&in, sizeof e->detail);
		CHECK(detail && code < ERR_CODE_COUNT && faults <= ERR_FAULTS_MAX);
		err_init(e);
		e->code = (enum err_code)code;
		memcpy(e->detail, detail, sizeof e->detail);
		for (; e->fault_count < faults; e->fault_count++) {
			const void *fault = cursor_bytes(&in, sizeof *e->faults);
			CHECK(fault);
			memcpy(&e->faults[e->fault_count], fault, sizeof *e->faults);
		}
	}
	buf_release(&mine);
	buf_release(&all);
	return agreed;
}

/* --- A gang of one --------------------------------------------------------------------------------------------------- */

struct serial {
	double **leaves;
	size_t *leaf_caps;
	size_t count, cap, caps_cap;
};

static double *serial_alloc(struct comm *c, size_t n)
{
	(void)c;
	return mem_zalloc(MAX(n, (size_t)1), sizeof(double));
}

static void serial_release(struct comm *c, double *v)
{
	(void)c;
	mem_free(v);
}

static bool serial_barrier(struct comm *c, struct err *e)
{
	(void)c, (void)e;
	return true;
}

static bool serial_publish(struct comm *c, double *v, size_t n, struct err *e)
{
	(void)c, (void)v, (void)n, (void)e;
	return true;
}

static bool serial_bcast(struct comm *c, struct buf *bytes, unsigned root, struct err *e)
{
	(void)c, (void)bytes, (void)root, (void)e;
	return true;
}

static bool serial_gather(struct comm *c, const void *bytes, size_t len, struct buf *all, struct str *parts, struct err *e)
{
	(void)c;
	buf_clear(all);
	buf_append(all, bytes, len);
	if (!buf_ok(all)) return err_set(e, ERR_out_of_memory, "gathered bytes are over the limit");
	parts[0] = (struct str){all->data, all->len};
	return true;
}

static double *serial_leaf(struct comm *c, size_t slot, size_t n)
{
	struct serial *s = c->impl;
	while (s->count <= slot) {
		MEM_GROW(s->leaves, s->cap, s->count + 1);
		MEM_GROW(s->leaf_caps, s->caps_cap, s->count + 1);
		s->leaves[s->count] = NULL;
		s->leaf_caps[s->count++] = 0;
	}
	if (s->leaf_caps[slot] < MAX(n, (size_t)1)) {
		mem_free(s->leaves[slot]);
		s->leaf_caps[slot] = MAX(n, (size_t)1);
		s->leaves[slot] = mem_zalloc(s->leaf_caps[slot], sizeof(double));
	}
	return s->leaves[slot];
}

static bool serial_sum_shards(struct comm *c, size_t n, double *out, struct err *e)
{
	struct serial *s = c->impl;
	(void)e;
	CHECK(s->count >= c->shard_count);
	comm_tree_sum((const double *const *)s->leaves, c->shard_count, 0, n, out);
	return true;
}

static bool serial_stopped(struct comm *c)
{
	(void)c;
	return false;
}

static const struct comm_ops serial_ops = {
	.alloc = serial_alloc,
	.release = serial_release,
	.barrier = serial_barrier,
	.publish = serial_publish,
	.bcast = serial_bcast,
	.gather = serial_gather,
	.leaf = serial_leaf,
	.sum_shards = serial_sum_shards,
	.stopped = serial_stopped,
};

struct comm *comm_serial_create(void)
{
	struct comm *c = mem_zalloc(1, sizeof *c);
	*c = (struct comm){.ops = &serial_ops, .size = 1, .shard_count = 1, .impl = mem_zalloc(1, sizeof(struct serial))};
	return c;
}

void comm_serial_destroy(struct comm *c)
{
	if (!c) return;
	struct serial *s = c->impl;
	for (size_t i = 0; i < s->count; i++) mem_free(s->leaves[i]);
	mem_free(s->leaves);
	mem_free(s->leaf_caps);
	mem_free(s);
	mem_free(c);
}
