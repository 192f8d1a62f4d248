#include "pipeline/quantile.h"

#include <math.h>
#include <stdlib.h>

enum {
	COUNTS_ROOM = 1 << 18, /* counters of one pass, over all targets: 2 MiB a shard */
	PART_BITS_MAX = 12,    /* parts of an interval: 2^4 … 2^12, fewer where there are many targets */
	PART_BITS_MIN = 4,
	GATHER_MAX = 1 << 14, /* values that are sorted at last, over all shards and targets */
	KEY_BITS = 64,
};

/* One quantile being sought: it lies in [low, low + 2^bits) and is the rank-th value (from 1) there. */
struct target {
	uint64_t low;
	unsigned bits;
	double rank; /* 0 before the number of values is known, and where there is none */
	double left; /* values in the interval */
	bool found;
	double value;
};

enum sink_mode { SINK_COUNT, SINK_GATHER };

struct quantile_sink {
	enum sink_mode mode;
	size_t per_column;
	const struct target *targets;
	unsigned part_bits;
	double *counts;       /* SINK_COUNT: [target][part] */
	struct buf *gathered; /* SINK_GATHER: pairs of target, key */
};

/* --- Keys ---------------------------------------------------------------------------------------------------- */

static uint64_t key_of(double v)
{
	uint64_t bits;
	v += 0.0; /* -0.0 becomes 0.0 */
	memcpy(&bits, &v, sizeof bits);
	return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double value_of(uint64_t key)
{
	double v;
	uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
	memcpy(&v, &bits, sizeof v);
	return v;
}

static bool inside(const struct target *t, uint64_t key)
{
	return t->bits == KEY_BITS || (key - t->low) >> t->bits == 0;
}

static size_t part_of(const struct target *t, uint64_t key, unsigned part_bits)
{
	return (size_t)((key - t->low) >> (t->bits - MIN(part_bits, t->bits)));
}

void quantile_add(struct quantile_sink *to, size_t column, double value)
{
	if (isnan(value)) return;
	uint64_t key = key_of(value);
	for (size_t k = column * to->per_column; k < (column + 1) * to->per_column; k++) {
		const struct target *t = &to->targets[k];
		if (t->found || !inside(t, key)) continue;
		if (to->mode == SINK_COUNT) to->counts[(k << to->part_bits) + part_of(t, key, to->part_bits)]++;
		else {
			buf_u64(to->gathered, k);
			buf_u64(to->gathered, key);
		}
	}
}

/* --- A search: the targets of one call ----------------------------------------------------------------------- */

struct search {
	struct fit *f;
	const struct quantiles *q;
	struct target *targets;
	size_t count;
	unsigned part_bits;
};

static void search_init(struct search *s, struct fit *f, const struct quantiles *q)
{
	*s = (struct search){.f = f, .q = q, .count = q->columns * q->probabilities.count, .part_bits = PART_BITS_MAX};
	s->targets = mem_zalloc(MAX(s->count, (size_t)1), sizeof *s->targets);
	for (size_t k = 0; k < s->count; k++) s->targets[k].bits = KEY_BITS;
	while (s->part_bits > PART_BITS_MIN && s->count << s->part_bits > COUNTS_ROOM) s->part_bits--;
}

/* Spark's rank of probability q among n values. */
static double rank_of(const struct quantiles *q, double probability, double n)
{
	if (probability <= q->relative_error) return 1;
	if (probability >= 1 - q->relative_error) return n;
	return MAX(ceil(probability * n), 1.0);
}

/* After a counting pass: the part that holds the rank becomes the interval. */
static void narrow(struct search *s, size_t k, const double *counts)
{
	struct target *t = &s->targets[k];
	size_t parts = (size_t)1 << s->part_bits, part = 0;
	if (t->rank == 0) {
		double n = 0;
		for (size_t i = 0; i < parts; i++) n += counts[i];
		t->found = n == 0;
		t->value = NAN;
		if (t->found) return;
		t->rank = rank_of(s->q, s->q->probabilities.items[k % s->q->probabilities.count], n);
	}
	while (counts[part] < t->rank) t->rank -= counts[part++];
	t->left = counts[part];
	t->bits -= MIN(s->part_bits, t->bits);
	t->low += (uint64_t)part << t->bits;
	if (t->bits > 0) return;
	t->found = true;
	t->value = value_of(t->low);
}

static void count_batch(void *ctx, const struct batch *b, double *counts)
{
	const struct search *s = ctx;
	struct quantile_sink to = {.mode = SINK_COUNT,
				   .per_column = s->q->probabilities.count,
				   .targets = s->targets,
				   .part_bits = s->part_bits,
				   .counts = counts};
	s->q->each(s->q->ctx, b, &to);
}

static bool count_pass(struct search *s, struct err *e)
{
	size_t n = s->count << s->part_bits;
	double *counts = mem_alloc(n * sizeof *counts);
	bool ok = fit_sum_with(s->f, n, count_batch, s, counts, e);
	for (size_t k = 0; ok && k < s->count; k++)
		if (!s->targets[k].found) narrow(s, k, counts + (k << s->part_bits));
	mem_free(counts);
	return ok;
}

/* --- The last pass: the few values left ---------------------------------------------------------------------- */

struct gathering {
	const struct search *s;
	struct buf *out;
};

static bool gather_batch(void *ctx, const struct batch *b, struct err *e)
{
	const struct gathering *g = ctx;
	struct quantile_sink to = {.mode = SINK_GATHER,
				   .per_column = g->s->q->probabilities.count,
				   .targets = g->s->targets,
				   .gathered = g->out};
	(void)e;
	g->s->q->each(g->s->q->ctx, b, &to);
	return true;
}

struct pair {
	uint64_t target, key;
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->target != y->target) return (x->target > y->target) - (x->target < y->target);
	return (x->key > y->key) - (x->key < y->key);
}

static void pick(struct search *s, struct pair *pairs, size_t count)
{
	qsort(pairs, count, sizeof *pairs, compare_pairs);
	for (size_t i = 0, first = 0; i < count; i++) {
		if (i > 0 && pairs[i].target != pairs[i - 1].target) first = i;
		struct target *t = &s->targets[pairs[i].target];
		if ((double)(i - first + 1) != t->rank) continue;
		t->found = true;
		t->value = value_of(pairs[i].key);
	}
}

static bool gather_pass(struct search *s, struct err *e)
{
	struct comm *c = s->f->comm;
	struct buf mine = BUF_INIT(GATHER_MAX * sizeof(struct pair)), all = BUF_INIT(GATHER_MAX * sizeof(struct pair));
	struct gathering g = {s, &mine};
	struct str parts[COMM_RANKS_MAX];
	bool ok = true;
	for (size_t shard = comm_shard_first(c, c->rank); ok && shard < comm_shard_end(c, c->rank); shard++)
		ok = fit_scan(s->f, shard, gather_batch, &g, e);
	ok = comm_agree(c, ok, e) && c->ops->gather(c, mine.data, mine.len, &all, parts, e);
	CHECK(!ok || (buf_ok(&mine) && buf_ok(&all)));
	if (ok) {
		struct pair *pairs = mem_alloc(all.len + sizeof *pairs);
		struct cursor in = CURSOR(all.data, all.len);
		size_t count = 0;
		for (; cursor_left(&in) > 0; count++) {
			pairs[count].target = cursor_u64(&in);
			pairs[count].key = cursor_u64(&in);
		}
		pick(s, pairs, count);
		mem_free(pairs);
	}
	buf_release(&mine);
	buf_release(&all);
	return ok;
}

/* Values in the intervals of all targets that are still sought; infinite before the first pass. */
static double values_left(const struct search *s)
{
	double left = 0;
	for (size_t k = 0; k < s->count; k++)
		if (!s->targets[k].found) left += s->targets[k].rank == 0 ? INFINITY : s->targets[k].left;
	return left;
}

bool quantiles_fit(struct fit *f, const struct quantiles *q, double *out, struct err *e)
{
	struct search s;
	bool ok = true;
	search_init(&s, f, q);
	while (ok && values_left(&s) > GATHER_MAX) ok = count_pass(&s, e);
	if (ok && values_left(&s) > 0) ok = gather_pass(&s, e);
	for (size_t k = 0; ok && k < s.count; k++) out[k] = s.targets[k].value;
	mem_free(s.targets);
	return ok;
}
