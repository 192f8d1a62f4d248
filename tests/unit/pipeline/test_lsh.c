/* Java's generators against a JDK's; LSH's searches against looking at every row. */
#include "pipeline/lsh_search.h"
#include "tests/unit/pipeline/stage_support.h"

#include "base/rng.h"

#include <math.h>

/* --- Generators -------------------------------------------------------------------------------------------------- */

static void fold(uint64_t *h, const void *value, size_t size)
{
	uint64_t bits = 0;
	memcpy(&bits, value, size);
	*h = *h * 31 + bits;
}

/* What 100,000 rounds of every call gave, folded to a number. */
static uint64_t rounds(struct java_random r)
{
	uint64_t h = 0;
	for (int32_t i = 1; i <= 100000; i++) {
		double gaussian = java_next_gaussian(&r);
		fold(&h, &gaussian, sizeof gaussian);
		h = h * 31 + (uint64_t)java_next_int(&r, (int32_t)((uint32_t)i * 21473u & INT32_MAX));
		float f = java_next_float(&r);
		fold(&h, &f, sizeof f);
		double d = java_next_double(&r);
		fold(&h, &d, sizeof d);
	}
	return h;
}

static void generators_are_javas(void **state)
{
	static const struct {
		int64_t seed;
		int32_t below_1000;
		double gaussian;
		uint64_t java, xorshift;
	} known[] = {
		{0, 360, 0.8025330637390305, 0xe9b71d1f408aef0u, 0x8cb17ee13507ef01u},
		{42, 130, 1.1419053154730547, 0x58b64447592f0bffu, 0x32e6699dd48aa82cu},
		{-1, 913, 1.7853314409882288, 0x1d2f5899c49a5d9u, 0x650c033ac797dea6u},
		{-987654321, 362, 1.5992121924695588, 0x81390a65748b4c94u, 0x3ee851d66ef18409u},
		{9007199254740991, 913, 1.7853314409882288, 0x1d2f5899c49a5d9u, 0x7378f7180752558fu},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		struct java_random a = java_random((uint64_t)known[i].seed), b = a;
		assert_int_equal(java_next_int(&a, 1000), known[i].below_1000);
		assert_true(java_next_gaussian(&b) == known[i].gaussian);
		assert_true(rounds(java_random((uint64_t)known[i].seed)) == known[i].java);
		assert_true(rounds(spark_xorshift((uint64_t)known[i].seed)) == known[i].xorshift);
	}
}

/* --- Searches ---------------------------------------------------------------------------------------------------- */

enum { ROWS = 300, ENTRIES = 3 };

struct searched {
	struct stage_table table;
	struct pipeline pipeline;
	struct batch rows;
	const struct stage *stage;
	const struct column *vectors, *hashes;
};

/* Points on a coarse grid: many lie equally near, some are the same. */
static void begin(struct searched *s, const char *stages)
{
	struct err e;
	struct comm *c = comm_serial_create();
	err_init(&e);
	stage_table_init(&s->table, "[{\"name\":\"v\",\"type\":\"vector\"}]");
	for (uint64_t i = 0; i < ROWS; i++) {
		double v[ENTRIES];
		for (uint64_t k = 0; k < ENTRIES; k++) v[k] = (double)(rng_at(i, k) % 4);
		v[0] += 1; /* MinHash hashes no zero vector */
		column_dense(&s->table.rows.columns[0], v, ENTRIES);
	}
	s->table.rows.rows = ROWS;
	stage_pipeline(&s->pipeline, stages, &s->table);
	assert_ok(stage_fit(&s->pipeline, &s->table, c, 3, &e), &e);
	assert_ok(stage_apply(&s->pipeline, &s->table, true, &s->rows, &e), &e);
	s->stage = &s->pipeline.stages[0];
	s->vectors = &s->rows.columns[0];
	s->hashes = stage_result(&s->pipeline, &s->rows);
	comm_serial_destroy(c);
}

static void end(struct searched *s)
{
	batch_release(&s->rows);
	pipeline_release(&s->pipeline);
	stage_table_release(&s->table);
}

static struct lsh_row row_at(const struct searched *s, size_t i) { return lsh_row_at(s->stage, s->vectors, s->hashes, i); }

static double distance(const struct searched *s, struct vec a, struct vec b)
{
	return ((const struct lsh_state *)s->stage->state)->family->distance(a, b);
}

static bool share(const struct searched *s, const double *a, const double *b)
{
	bool any = false;
	for (size_t t = 0; t < lsh_tables(s->stage); t++) any |= a[t] == b[t];
	return any;
}

#define PROJECTIONS                                                                                                    \
	"[{\"stage\":\"BucketedRandomProjectionLSH\",\"inputCol\":\"v\",\"outputCol\":\"h\",\"bucketLength\":0.8,"     \
	"\"numHashTables\":3,\"seed\":4}]"
#define MIN_HASHES "[{\"stage\":\"MinHashLSH\",\"inputCol\":\"v\",\"outputCol\":\"h\",\"numHashTables\":2,\"seed\":4}]"

static void neighbours_are_the_nearest_that_share_a_hash(void **state)
{
	(void)state;
	struct searched s;
	struct err e;
	begin(&s, PROJECTIONS);
	err_init(&e);
	for (size_t most = 1; most <= ROWS; most = most * 3 + 1) {
		struct lsh_nearest n;
		assert_ok(lsh_nearest_init(&n, s.stage, column_vec_at(s.vectors, 7), most, &e), &e);
		size_t candidates = 0, nearer = 0;
		for (size_t i = 0; i < ROWS; i++) {
			lsh_nearest_offer(&n, row_at(&s, i), (struct str){"row", 3});
			candidates += share(&s, row_at(&s, i).hashes, n.hashes);
		}
		lsh_nearest_sort(&n);
		assert_int_equal(n.count, MIN(candidates, most));
		for (size_t k = 0; k < n.count; k++) {
			struct lsh_neighbor *one = &n.kept[k];
			assert_true(one->distance == distance(&s, column_vec_at(s.vectors, one->row), n.key));
			assert_true(str_is(one->text, "row"));
			if (k == 0) continue;
			assert_true(one[-1].distance < one->distance ||
				    (one[-1].distance == one->distance && one[-1].row < one->row));
		}
		struct lsh_neighbor last = n.kept[n.count - 1];
		for (size_t i = 0; i < ROWS; i++) {
			double d = distance(&s, column_vec_at(s.vectors, i), n.key);
			bool before = d < last.distance || (d == last.distance && i <= last.row);
			nearer += share(&s, row_at(&s, i).hashes, n.hashes) && before;
		}
		assert_int_equal(nearer, n.count);
		lsh_nearest_release(&n);
	}
	end(&s);
}

static void pairs_are_those_that_share_a_hash(void **state)
{
	static const char *const stages[] = {PROJECTIONS, MIN_HASHES};
	(void)state;
	for (size_t f = 0; f < ARRAY_COUNT(stages); f++) {
		struct searched s;
		struct lsh_index x;
		struct err e;
		begin(&s, stages[f]);
		err_init(&e);
		lsh_index_init(&x, s.stage);
		for (size_t i = 0; i < ROWS; i++) assert_ok(lsh_index_add(&x, row_at(&s, i), &e), &e);
		lsh_index_seal(&x);
		for (size_t i = 0; i < ROWS; i++) {
			const struct lsh_match *found;
			double threshold = f == 0 ? 1.5 : 0.5;
			size_t count = lsh_index_find(&x, row_at(&s, i), threshold, &found), at = 0;
			for (size_t j = 0; j < ROWS; j++) {
				double d = distance(&s, column_vec_at(s.vectors, i), column_vec_at(s.vectors, j));
				if (!share(&s, row_at(&s, i).hashes, row_at(&s, j).hashes) || !(d < threshold)) continue;
				assert_true(at < count && found[at].row == j && found[at].distance == d);
				at++;
			}
			assert_int_equal(at, count);
		}
		lsh_index_release(&x);
		end(&s);
	}
}

static void distances_take_either_form(void **state)
{
	(void)state;
	struct searched s;
	uint32_t idx[] = {0, 2};
	double val[] = {3, 4}, dense[] = {3, 0, 4}, zero[] = {0, 12, 0};
	struct vec a = {3, 2, idx, val}, b = {3, 3, NULL, dense}, c = {3, 3, NULL, zero};
	begin(&s, PROJECTIONS);
	assert_true(distance(&s, a, b) == 0 && distance(&s, b, a) == 0);
	assert_true(distance(&s, a, c) == 13 && distance(&s, c, a) == 13 && distance(&s, b, c) == 13);
	end(&s);
	begin(&s, MIN_HASHES);
	assert_true(distance(&s, a, b) == 0 && distance(&s, a, c) == 1 && distance(&s, c, b) == 1);
	end(&s);
}

static void what_has_no_hash_is_refused(void **state)
{
	static const char *const stages[] = {PROJECTIONS, MIN_HASHES};
	static const char *const said[] = {"another length", "not zero"};
	double zeros[ENTRIES + 1] = {0};
	struct vec key = {ENTRIES + 1, ENTRIES + 1, NULL, zeros};
	(void)state;
	for (size_t f = 0; f < ARRAY_COUNT(stages); f++) {
		struct searched s;
		struct lsh_nearest n;
		struct batch out = {0};
		struct err e;
		begin(&s, stages[f]);
		err_init(&e);
		assert_false(lsh_nearest_init(&n, s.stage, key, 1, &e));
		assert_non_null(strstr(e.detail, said[f]));
		lsh_nearest_release(&n);
		column_dense(&s.table.rows.columns[0], zeros, ENTRIES + 1);
		s.table.rows.rows++;
		err_init(&e);
		assert_false(stage_apply(&s.pipeline, &s.table, true, &out, &e));
		assert_int_equal(e.code, ERR_data);
		assert_non_null(strstr(e.detail, said[f]));
		batch_release(&out);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generators_are_javas),
		cmocka_unit_test(neighbours_are_the_nearest_that_share_a_hash),
		cmocka_unit_test(pairs_are_those_that_share_a_hash),
		cmocka_unit_test(distances_take_either_form),
		cmocka_unit_test(what_has_no_hash_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
