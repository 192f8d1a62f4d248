#include "pipeline/quantile.h"

#include <math.h>
#include <stdlib.h>

enum {
	COUNTS_ROOM = 1 << 18, /* counters of one pass, over all intervals: 2 MiB a shard */
	PART_BITS_MAX = 14,    /* parts of an interval: 2^4 … 2^14, fewer where there are many intervals */
	PART_BITS_MIN = 4,
	GATHER_MAX = 1 << 14, /* values that are sorted at last, over all shards and intervals */
	KEY_BITS = 64,
};
#define NOWHERE SIZE_MAX

/* Keys [low, low + 2^bits), in which some quantile lies. */
struct interval {
	uint64_t low;
	unsigned bits;
	double left; /* values in it; infinite before they are counted */
};

/* One quantile being sought. */
struct target {
	double probability;
	size_t out;      /* which of the answers it is */
	size_t interval; /* that it lies in; NOWHERE: found */
	double rank;     /* from 1, of the values in the interval */
	double value;
};

/* The targets of one call. A column's targets lie side by side, ascending by probability, and so do its intervals. */
struct search {
	struct fit *f;
	const struct quantiles *q;
	struct target *targets;
	size_t *first_target; /* [columns + 1] */
	struct interval *intervals, *next;
	size_t *first; /* [columns + 1] of a column's intervals */
	unsigned part_bits;
};

struct quantile_sink {
	const struct search *search;
	double *counts;       /* [interval][part], where values are counted */
	struct buf *gathered; /* pairs of interval, key, where they are gathered; else NULL */
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

static bool inside(const struct interval *i, uint64_t key)
{
	return i->bits == KEY_BITS || (key - i->low) >> i->bits == 0;
}

static size_t part_of(const struct interval *i, uint64_t key, unsigned part_bits)
{
	return (size_t)((key - i->low) >> (i->bits - MIN(part_bits, i->bits)));
}

/* NOWHERE: no quantile of the column is sought there. */
static size_t interval_of(const struct search *s, size_t column, uint64_t key)
{
	size_t at = s->first[column], n = s->first[column + 1] - at;
	if (n == 0) return NOWHERE;
	for (; n > 1; n -= n / 2) at += s->intervals[at + n / 2].low <= key ? n / 2 : 0;
	return inside(&s->intervals[at], key) ? at : NOWHERE;
}

void quantile_add(struct quantile_sink *to, size_t column, double value, double times)
{
	const struct search *s = to->search;
	if (isnan(value)) return;
	uint64_t key = key_of(value);
	size_t at = interval_of(s, column, key);
	if (at == NOWHERE) return;
	if (!to->gathered) {
		to->counts[(at << s->part_bits) + part_of(&s->intervals[at], key, s->part_bits)] += times;
		return;
	}
	for (const uint64_t pair[] = {at, key}; times > 0; times--) buf_append(to->gathered, pair, sizeof pair);
}

/* --- A search ------------------------------------------------------------------------------------------------ */

static struct f64_list probabilities_of(const struct quantiles *q, size_t column)
{
	return q->of_columns ? q->of_columns[column] : q->probabilities;
}

static int compare_targets(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	return (x->probability > y->probability) - (x->probability < y->probability);
}

/* A column's targets; it begins with one interval, all keys. */
static void init_column(struct search *s, size_t column)
{
	struct f64_list probabilities = probabilities_of(s->q, column);
	size_t first = s->first_target[column];
	for (size_t k = 0; k < probabilities.count; k++)
		s->targets[first + k] = (struct target){
			.probability = probabilities.items[k], .out = first + k, .interval = column, .value = NAN};
	qsort(s->targets + first, probabilities.count, sizeof *s->targets, compare_targets);
	s->intervals[column] = (struct interval){.bits = KEY_BITS, .left = INFINITY};
	s->first[column + 1] = column + 1;
}

static void search_init(struct search *s, struct fit *f, const struct quantiles *q)
{
	*s = (struct search){.f = f, .q = q};
	s->first_target = mem_zalloc(q->columns + 1, sizeof *s->first_target);
	s->first = mem_zalloc(q->columns + 1, sizeof *s->first);
	for (size_t c = 0; c < q->columns; c++)
		s->first_target[c + 1] = s->first_target[c] + probabilities_of(q, c).count;
	size_t targets = s->first_target[q->columns], intervals = MAX(targets, q->columns);
	s->targets = mem_zalloc(MAX(targets, (size_t)1), sizeof *s->targets);
	s->intervals = mem_zalloc(MAX(intervals, (size_t)1), sizeof *s->intervals);
	s->next = mem_zalloc(MAX(intervals, (size_t)1), sizeof *s->next);
	for (size_t c = 0; c < q->columns; c++) init_column(s, c);
}

static void search_release(struct search *s)
{
	mem_free(s->first_target);
	mem_free(s->first);
	mem_free(s->targets);
	mem_free(s->intervals);
	mem_free(s->next);
}

/* Spark's rank of probability q among n values. */
static double rank_of(const struct quantiles *q, double probability, double n)
{
	if (probability <= q->relative_error) return 1;
	if (probability >= 1 - q->relative_error) return n;
	return MAX(ceil(probability * n), 1.0);
}

/* --- Counting passes ----------------------------------------------------------------------------------------- */

/* After the first pass: the column's ranks. Without values there is nothing to seek. */
static void take_ranks(struct search *s, size_t column, const double *counts)
{
	double n = 0;
	for (size_t i = 0; i < (size_t)1 << s->part_bits; i++) n += counts[i];
	for (size_t k = s->first_target[column]; k < s->first_target[column + 1]; k++) {
		struct target *t = &s->targets[k];
		t->rank = rank_of(s->q, t->probability, n);
		if (n == 0) t->interval = NOWHERE;
	}
}

/* The parts of the column's intervals that hold its ranks become its intervals, from `count` on; where they end. */
static size_t narrow(struct search *s, size_t column, const double *counts, size_t count)
{
	size_t walked = NOWHERE, part = 0, held = NOWHERE;
	double before = 0;
	for (size_t k = s->first_target[column]; k < s->first_target[column + 1]; k++) {
		struct target *t = &s->targets[k];
		if (t->interval == NOWHERE) continue;
		if (t->interval != walked) {
			walked = t->interval;
			part = 0;
			before = 0;
			held = NOWHERE;
		}
		const struct interval *from = &s->intervals[walked];
		const double *parts = counts + (walked << s->part_bits);
		unsigned bits = from->bits - MIN(s->part_bits, from->bits);
		while (before + parts[part] < t->rank) before += parts[part++];
		if (bits == 0)
			t->value = value_of(from->low + part);
		else if (held != part)
			s->next[count++] = (struct interval){from->low + ((uint64_t)part << bits), bits, parts[part]};
		held = part;
		t->rank -= before;
		t->interval = bits == 0 ? NOWHERE : count - 1;
	}
	return count;
}

static void count_batch(void *ctx, const struct batch *b, double *counts)
{
	const struct search *s = ctx;
	struct quantile_sink to = {.search = s, .counts = counts};
	s->q->each(s->q->ctx, b, &to);
}

static bool count_pass(struct search *s, struct err *e)
{
	size_t columns = s->q->columns, intervals = s->first[columns], count = 0;
	s->part_bits = PART_BITS_MAX;
	while (s->part_bits > PART_BITS_MIN && intervals << s->part_bits > COUNTS_ROOM) s->part_bits--;
	double *counts = mem_alloc((intervals << s->part_bits) * sizeof *counts);
	bool ok = fit_count_with(s->f, intervals << s->part_bits, count_batch, s, counts, e);
	for (size_t c = 0; ok && c < columns; c++) {
		size_t first = s->first[c];
		if (first < s->first[c + 1] && s->intervals[first].bits == KEY_BITS)
			take_ranks(s, c, counts + (first << s->part_bits));
		s->first[c] = count;
		count = narrow(s, c, counts, count);
	}
	s->first[columns] = count;
	struct interval *was = s->intervals;
	s->intervals = s->next;
	s->next = was;
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
	struct quantile_sink to = {.search = g->s, .gathered = g->out};
	(void)e;
	g->s->q->each(g->s->q->ctx, b, &to);
	return true;
}

/* The rank-th least key, from 1 (C. A. R. Hoare, "Algorithm 65: find", 1961). */
static uint64_t select_key(uint64_t *keys, size_t count, size_t rank)
{
	ptrdiff_t low = 0, high = (ptrdiff_t)count - 1, wanted = (ptrdiff_t)rank - 1;
	while (low < high) {
		uint64_t a = keys[low], b = keys[low + (high - low) / 2], c = keys[high];
		uint64_t middle = MAX(MIN(a, b), MIN(MAX(a, b), c));
		ptrdiff_t i = low, j = high;
		while (i <= j) {
			while (keys[i] < middle) i++;
			while (keys[j] > middle) j--;
			if (i > j) break;
			uint64_t was = keys[i];
			keys[i++] = keys[j];
			keys[j--] = was;
		}
		if (wanted <= j) high = j;
		else if (wanted >= i) low = i;
		else break;
	}
	return keys[wanted];
}

/* What was gathered is laid out by interval, whose numbers of values are known. */
static void pick(struct search *s, struct cursor in)
{
	size_t intervals = s->first[s->q->columns], all = 0;
	uint64_t *keys = mem_alloc(cursor_left(&in) + sizeof *keys);
	size_t *end = mem_alloc((intervals + 1) * sizeof *end);
	for (size_t i = 0; i < intervals; all += (size_t)s->intervals[i++].left) end[i] = all;
	CHECK(cursor_left(&in) == all * 2 * sizeof *keys);
	while (cursor_left(&in) > 0) {
		uint64_t at = cursor_u64(&in);
		keys[end[at]++] = cursor_u64(&in);
	}
	for (size_t k = 0; k < s->first_target[s->q->columns]; k++) {
		struct target *t = &s->targets[k];
		if (t->interval == NOWHERE) continue;
		size_t count = (size_t)s->intervals[t->interval].left;
		t->value = value_of(select_key(keys + end[t->interval] - count, count, (size_t)t->rank));
	}
	mem_free(end);
	mem_free(keys);
}

static bool gather_pass(struct search *s, struct err *e)
{
	struct comm *c = s->f->comm;
	struct buf mine = BUF_INIT(GATHER_MAX * 2 * sizeof(uint64_t)), all = BUF_INIT(GATHER_MAX * 2 * sizeof(uint64_t));
	struct gathering g = {s, &mine};
	struct str parts[COMM_RANKS_MAX];
	bool ok = true;
	for (size_t shard = comm_shard_first(c, c->rank); ok && shard < comm_shard_end(c, c->rank); shard++)
		ok = fit_scan(s->f, shard, gather_batch, &g, e);
	ok = comm_agree(c, ok, e) && c->ops->gather(c, mine.data, mine.len, &all, parts, e);
	CHECK(!ok || (buf_ok(&mine) && buf_ok(&all)));
	if (ok) pick(s, CURSOR(all.data, all.len));
	buf_release(&mine);
	buf_release(&all);
	return ok;
}

/* Values in the intervals; infinite before the first pass. */
static double values_left(const struct search *s)
{
	double left = 0;
	for (size_t i = 0; i < s->first[s->q->columns]; i++) left += s->intervals[i].left;
	return left;
}

bool quantiles_fit(struct fit *f, const struct quantiles *q, double *out, struct err *e)
{
	struct search s;
	bool ok = true;
	search_init(&s, f, q);
	while (ok && values_left(&s) > GATHER_MAX) ok = count_pass(&s, e);
	if (ok && values_left(&s) > 0) ok = gather_pass(&s, e);
	for (size_t k = 0; ok && k < s.first_target[q->columns]; k++) out[s.targets[k].out] = s.targets[k].value;
	search_release(&s);
	return ok;
}
