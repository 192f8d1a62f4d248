/* The common shapes of fit(): one pass that sums, one pass that folds. */
#include "data/dataset.h"
#include "pipeline/stage.h"

enum { FOLD_BYTES_MAX = 1 << 30 }; /* one rank's packed accumulators */

bool fit_scan(struct fit *f, size_t shard, bool (*each)(void *ctx, const struct batch *b, struct err *e), void *ctx,
	      struct err *e)
{
	if (f->comm->ops->stopped(f->comm)) return err_set(e, ERR_cancelled, "the job was stopped");
	return dataset_scan(f->rows, shard, each, ctx, e);
}

struct sum_pass {
	void (*each)(void *ctx, const struct batch *b, double *acc);
	void *ctx;
	double *acc;
};

static bool sum_each(void *ctx, const struct batch *b, struct err *e)
{
	struct sum_pass *pass = ctx;
	(void)e;
	pass->each(pass->ctx, b, pass->acc);
	return true;
}

/* out: the sum of the leaves over c's shards. Alone, a rank needs no copy for others to see. */
static bool sum_leaves(struct comm *c, size_t n, double *out, struct err *e)
{
	if (c->size == 1) return c->ops->sum_shards(c, n, out, e);
	double *sum = c->ops->alloc(c, n);
	bool ok = c->ops->sum_shards(c, n, sum, e);
	if (ok) memcpy(out, sum, n * sizeof *out);
	c->ops->release(c, sum);
	return ok;
}

bool fit_sum_with(struct fit *f, size_t n, void (*each)(void *ctx, const struct batch *b, double *acc), void *ctx, double *out,
		  struct err *e)
{
	struct comm *c = f->comm;
	size_t first = comm_shard_first(c, c->rank), end = comm_shard_end(c, c->rank);
	bool ok = true;
	for (size_t shard = first; ok && shard < end; shard++) {
		struct sum_pass pass = {each, ctx, c->ops->leaf(c, shard - first, n)};
		memset(pass.acc, 0, n * sizeof *pass.acc);
		ok = fit_scan(f, shard, sum_each, &pass, e);
	}
	return comm_agree(c, ok, e) && sum_leaves(c, n, out, e);
}

bool fit_count_with(struct fit *f, size_t n, void (*each)(void *ctx, const struct batch *b, double *acc), void *ctx,
		    double *out, struct err *e)
{
	struct comm *c = f->comm, ranks = *c;
	ranks.shard_count = c->size;
	struct sum_pass pass = {each, ctx, c->ops->leaf(&ranks, 0, n)};
	bool ok = true;
	memset(pass.acc, 0, n * sizeof *pass.acc);
	for (size_t shard = comm_shard_first(c, c->rank); ok && shard < comm_shard_end(c, c->rank); shard++)
		ok = fit_scan(f, shard, sum_each, &pass, e);
	return comm_agree(c, ok, e) && sum_leaves(&ranks, n, out, e);
}

struct stage_sum {
	void (*each)(const struct stage *s, const struct batch *b, double *acc);
	const struct stage *stage;
};

static void stage_sum_each(void *ctx, const struct batch *b, double *acc)
{
	struct stage_sum *sum = ctx;
	sum->each(sum->stage, b, acc);
}

bool fit_sum(struct fit *f, size_t n, void (*each)(const struct stage *s, const struct batch *b, double *acc),
	     const struct stage *s, double *out, struct err *e)
{
	struct stage_sum sum = {each, s};
	return fit_sum_with(f, n, stage_sum_each, &sum, out, e);
}

struct size_probe {
	int slot;
	bool found;
	uint64_t size;
};

static bool probe_size(void *ctx, const struct batch *b, struct err *e)
{
	struct size_probe *probe = ctx;
	const struct column *c = &b->columns[probe->slot];
	(void)e;
	for (size_t i = 0; !probe->found && i < b->rows; i++)
		if (column_valid(c, i)) {
			probe->found = true;
			probe->size = c->size[i];
		}
	return true;
}

bool fit_vector_size(struct fit *f, int slot, size_t *size, struct err *e)
{
	struct comm *c = f->comm;
	struct size_probe probe = {.slot = slot};
	struct buf all = BUF_INIT(COMM_RANKS_MAX * sizeof probe);
	struct str parts[COMM_RANKS_MAX];
	bool ok = true;
	for (size_t s = comm_shard_first(c, c->rank); ok && !probe.found && s < comm_shard_end(c, c->rank); s++)
		ok = fit_scan(f, s, probe_size, &probe, e);
	ok = comm_agree(c, ok, e) && c->ops->gather(c, &probe, sizeof probe, &all, parts, e);
	size_t found = 0;
	for (unsigned r = 0; ok && r < c->size; r++) {
		struct size_probe other;
		memcpy(&other, parts[r].data, sizeof other);
		if (!other.found) continue;
		found = other.size;
		break;
	}
	buf_release(&all);
	if (ok) *size = found;
	return ok;
}

struct fold_pass {
	const struct fit_fold *fold;
	const struct stage *stage;
	void *acc;
};

static bool fold_each(void *ctx, const struct batch *b, struct err *e)
{
	struct fold_pass *pass = ctx;
	return pass->fold->each(pass->stage, pass->acc, b, e);
}

/* This rank's shards, packed one after the other as blocks. */
static bool fold_local(struct fit *f, const struct stage *s, const struct fit_fold *fold, struct buf *out, struct err *e)
{
	struct comm *c = f->comm;
	bool ok = true;
	for (size_t shard = comm_shard_first(c, c->rank); ok && shard < comm_shard_end(c, c->rank); shard++) {
		struct fold_pass pass = {fold, s, fold->create(s)};
		ok = fit_scan(f, shard, fold_each, &pass, e);
		if (ok) {
			struct buf packed = BUF_INIT(FOLD_BYTES_MAX);
			fold->pack(s, pass.acc, &packed);
			buf_block(out, packed.data, packed.len);
			ok = buf_ok(&packed) && buf_ok(out);
			if (!ok)
				err_set(e, ERR_out_of_memory, "%s gathers more than %d bytes from one shard",
					s->type->name, FOLD_BYTES_MAX);
			buf_release(&packed);
		}
		fold->destroy(pass.acc);
	}
	return ok;
}

static bool fold_merge(struct fit *f, struct stage *s, const struct fit_fold *fold, void *into, const struct str *parts,
		       struct err *e)
{
	for (unsigned r = 0; r < f->comm->size; r++) {
		struct cursor all = CURSOR(parts[r].data, parts[r].len);
		while (cursor_left(&all) > 0) {
			size_t len;
			const void *block = cursor_block(&all, &len);
			CHECK(block || len == 0);
			struct cursor in = CURSOR(block, len);
			if (!fold->merge(s, into, &in, e)) return false;
		}
	}
	return true;
}

bool fit_fold(struct fit *f, struct stage *s, const struct fit_fold *fold, void *into, struct err *e)
{
	struct buf mine = BUF_INIT((size_t)FOLD_BYTES_MAX * 2), all = BUF_INIT(SIZE_MAX / 2);
	struct str parts[COMM_RANKS_MAX];
	bool ok = fold_local(f, s, fold, &mine, e);
	ok = comm_agree(f->comm, ok, e) && f->comm->ops->gather(f->comm, mine.data, mine.len, &all, parts, e);
	ok = ok && comm_agree(f->comm, fold_merge(f, s, fold, into, parts, e), e);
	buf_release(&mine);
	buf_release(&all);
	return ok;
}
