#include "tests/unit/trainer/comm_suite.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>
#include <string.h>

#define EXPECT(c, cond)                                                                                                \
	do {                                                                                                           \
		if (cond) break;                                                                                       \
		fprintf(stderr, "rank %u of %u: %s:%d: %s\n", (c)->rank, (c)->size, __FILE__, __LINE__, #cond);        \
		return false;                                                                                          \
	} while (0)

static double value_at(uint64_t seed, uint64_t i) { return rng_unit(rng_at(seed, i)) - 0.5; }

static bool slices_cover(struct comm *c)
{
	static const size_t sizes[] = {0, 1, COMM_CHUNK - 1, COMM_CHUNK, COMM_CHUNK + 1, 10 * COMM_CHUNK + 7};
	for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
		struct comm as = *c;
		size_t at = 0;
		for (as.rank = 0; as.rank < c->size; as.rank++) {
			size_t lo, hi;
			comm_slice(&as, sizes[k], &lo, &hi);
			EXPECT(c, lo == at && hi >= lo);
			EXPECT(c, lo % COMM_CHUNK == 0 || lo == sizes[k]);
			at = hi;
		}
		EXPECT(c, at == sizes[k]);
	}
	return true;
}

/* Each rank fills its slice; all see the whole. */
static bool publish_shows(struct comm *c, double *v, size_t n, uint64_t seed)
{
	struct err e;
	size_t lo, hi;
	err_init(&e);
	for (size_t i = 0; i < n; i++) EXPECT(c, v[i] == 0);
	EXPECT(c, c->ops->barrier(c, &e)); /* all have looked */
	comm_slice(c, n, &lo, &hi);
	for (size_t i = lo; i < hi; i++) v[i] = value_at(seed, i);
	EXPECT(c, c->ops->publish(c, v, n, &e));
	for (size_t i = 0; i < n; i++) EXPECT(c, v[i] == value_at(seed, i));
	EXPECT(c, c->ops->barrier(c, &e)); /* before somebody releases it */
	return true;
}

static bool vectors_are_zeroed_and_shared(struct comm *c)
{
	enum { MANY = 5 * COMM_CHUNK + 3 };
	double *a = c->ops->alloc(c, MANY), *b = c->ops->alloc(c, 1), *d = c->ops->alloc(c, COMM_CHUNK);
	EXPECT(c, publish_shows(c, a, MANY, 1) && publish_shows(c, b, 1, 2) && publish_shows(c, d, COMM_CHUNK, 3));
	for (size_t i = 0; i < MANY; i++) EXPECT(c, a[i] == value_at(1, i)); /* others did not write over it */
	c->ops->release(c, a);
	double *again = c->ops->alloc(c, 2 * COMM_CHUNK); /* from what was released */
	double *more = c->ops->alloc(c, MANY);
	EXPECT(c, publish_shows(c, again, 2 * COMM_CHUNK, 4) && publish_shows(c, more, MANY, 5));
	EXPECT(c, b[0] == value_at(2, 0) && d[COMM_CHUNK - 1] == value_at(3, COMM_CHUNK - 1));
	c->ops->release(c, d);
	c->ops->release(c, again);
	c->ops->release(c, b);
	c->ops->release(c, more);
	double *whole = c->ops->alloc(c, 3 * MANY); /* neighbours became one stretch, and it grows */
	EXPECT(c, publish_shows(c, whole, 3 * MANY, 6));
	c->ops->release(c, whole);
	c->ops->release(c, NULL);
	return true;
}

static void fill(struct buf *b, size_t len, uint64_t seed)
{
	buf_clear(b);
	char *p = buf_reserve(b, len + 1);
	CHECK(p);
	for (size_t i = 0; i < len; i++) p[i] = (char)rng_at(seed, i / 8);
	buf_commit(b, len);
}

static bool is_filled(const char *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != (char)rng_at(seed, i / 8)) return false;
	return true;
}

enum { BYTES_MAX = 64 << 20, BYTES_MANY = (9 << 20) + 5 };

static bool bytes_reach_all(struct comm *c)
{
	static const size_t sizes[] = {0, 1, 4096, BYTES_MANY};
	struct err e;
	err_init(&e);
	for (size_t k = 0; k < ARRAY_COUNT(sizes); k++)
		for (unsigned root = 0; root < c->size; root++) {
			struct buf b = BUF_INIT(BYTES_MAX);
			fill(&b, c->rank == root ? sizes[k] : 3, c->rank == root ? root : 99);
			EXPECT(c, c->ops->bcast(c, &b, root, &e));
			EXPECT(c, b.len == sizes[k] && is_filled(b.data, b.len, root));
			buf_release(&b);
		}
	return true;
}

/* Lengths differ by rank; some are empty, one is far over what fits a piece. */
static bool gather_keeps_order(struct comm *c)
{
	struct err e;
	err_init(&e);
	for (unsigned large = 0; large <= c->size; large++) {
		struct buf mine = BUF_INIT(BYTES_MAX), all = BUF_INIT(BYTES_MAX);
		struct str parts[COMM_RANKS_MAX];
		size_t len = c->rank == large ? BYTES_MANY : c->rank * 3;
		fill(&mine, len, c->rank);
		EXPECT(c, c->ops->gather(c, mine.data, mine.len, &all, parts, &e));
		for (unsigned r = 0; r < c->size; r++) {
			EXPECT(c, parts[r].len == (r == large ? (size_t)BYTES_MANY : r * 3));
			EXPECT(c, is_filled(parts[r].data, parts[r].len, r));
			EXPECT(c, parts[r].len == 0 || (parts[r].data >= all.data &&
							parts[r].data + parts[r].len <= all.data + all.len));
		}
		buf_release(&mine);
		buf_release(&all);
	}
	return true;
}

/* The tree of the contract, level by level, on one rank: the bits that every gang must give. */
static double tree(size_t shards, size_t i)
{
	double level[64];
	CHECK(shards <= ARRAY_COUNT(level));
	for (size_t s = 0; s < shards; s++) level[s] = value_at(s, i);
	for (size_t n = shards; n > 1; n = (n + 1) / 2)
		for (size_t k = 0; k < (n + 1) / 2; k++)
			level[k] = 2 * k + 1 < n ? level[2 * k] + level[2 * k + 1] : level[2 * k];
	return shards ? level[0] : 0;
}

static bool sums_are_the_tree(struct comm *c)
{
	static const size_t sizes[] = {1, 7, COMM_CHUNK, 3 * COMM_CHUNK + 11}, shards[] = {1, 2, 3, 5, 8, 17, 64};
	struct err e;
	err_init(&e);
	for (size_t k = 0; k < ARRAY_COUNT(sizes) * ARRAY_COUNT(shards); k++) {
		size_t n = sizes[k % ARRAY_COUNT(sizes)];
		c->shard_count = shards[k / ARRAY_COUNT(sizes)];
		size_t first = comm_shard_first(c, c->rank), end = comm_shard_end(c, c->rank);
		for (size_t s = first; s < end; s++) {
			double *leaf = c->ops->leaf(c, s - first, n);
			for (size_t i = 0; i < n; i++) leaf[i] = value_at(s, i);
		}
		double *out = c->ops->alloc(c, n);
		EXPECT(c, c->ops->sum_shards(c, n, out, &e));
		for (size_t i = 0; i < n; i++) {
			double want = tree(c->shard_count, i);
			EXPECT(c, memcmp(&out[i], &want, sizeof want) == 0);
		}
		EXPECT(c, c->ops->barrier(c, &e));
		c->ops->release(c, out);
	}
	c->shard_count = 1;
	return true;
}

static bool errors_are_agreed(struct comm *c)
{
	struct err e;
	err_init(&e);
	EXPECT(c, comm_agree(c, true, &e) && !err_is(&e));
	for (unsigned bad = 0; bad < c->size; bad++) {
		err_init(&e);
		bool ok = c->rank < bad;
		if (!ok) {
			err_fault(&e, "/pipeline/1/inputCol", "fault of rank %u", c->rank);
			err_set(&e, ERR_data, "row %u is bad", c->rank);
		}
		char want[64];
		snprintf(want, sizeof want, "row %u is bad", bad);
		EXPECT(c, !comm_agree(c, ok, &e));
		EXPECT(c, e.code == ERR_data && strcmp(e.detail, want) == 0 && e.fault_count == 1);
	}
	return true;
}

static bool nothing_stops(struct comm *c)
{
	EXPECT(c, !c->ops->stopped(c));
	return true;
}

bool comm_suite(struct comm *c)
{
	static bool (*const tests[])(struct comm *) = {
		slices_cover,	    vectors_are_zeroed_and_shared, bytes_reach_all, gather_keeps_order,
		sums_are_the_tree, errors_are_agreed,		    nothing_stops,
	};
	for (size_t i = 0; i < ARRAY_COUNT(tests); i++)
		if (!tests[i](c)) return false;
	return true;
}
