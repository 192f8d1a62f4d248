/* Selectors, TargetEncoder and FeatureHasher beyond the fixtures: modes at their edges, sparse as dense, shards,
 * refusals, bytes that do not agree. */
#include "base/hash.h"
#include "base/rng.h"
#include "pipeline/numbering.h"
#include "pipeline/univariate.h"
#include "tests/unit/pipeline/stage_support.h"

#include <math.h>
#include <stdio.h>

#define TABLE "[{\"name\":\"label\",\"type\":\"double\"},{\"name\":\"features\",\"type\":\"vector\"}]"
#define CODES "[{\"name\":\"label\",\"type\":\"double\"},{\"name\":\"c\",\"type\":\"double\"}]"
#define UNIVARIATE(feature, label)                                                                         \
	"[{\"stage\":\"UnivariateFeatureSelector\",\"featureType\":\"" feature "\",\"labelType\":\"" label \
	"\",\"outputCol\":\"o\"}]"

enum { FEATURES = 5 };

static bool fit(struct pipeline *p, const char *stages, const struct stage_table *t, size_t shards, struct err *e)
{
	struct comm *c = comm_serial_create();
	err_init(e);
	stage_pipeline(p, stages, t);
	bool ok = stage_fit(p, t, c, shards, e);
	comm_serial_destroy(c);
	return ok;
}

/* What was learned, as JSON. */
static const char *learned(const char *stages, const struct stage_table *t, size_t shards, struct buf *text)
{
	struct json_writer w = JSON_WRITER(text);
	struct pipeline p;
	struct err e;
	assert_ok(fit(&p, stages, t, shards, &e), &e);
	pipeline_state(&p, &w);
	pipeline_release(&p);
	return buf_cstr(text);
}

static void refused(const char *stages, const struct stage_table *t, const char *why)
{
	struct pipeline p;
	struct err e;
	assert_false(fit(&p, stages, t, 2, &e));
	if (!strstr(e.detail, why)) fail_msg("\"%s\" does not say \"%s\"", e.detail, why);
	pipeline_release(&p);
}

static void put_row(struct stage_table *t, double label, const double *v, bool sparse)
{
	uint32_t idx[FEATURES], nnz = 0;
	double val[FEATURES];
	for (uint32_t j = 0; j < FEATURES; j++) {
		if (v[j] == 0) continue;
		idx[nnz] = j;
		val[nnz++] = v[j];
	}
	column_double(&t->rows.columns[0], label);
	if (sparse)
		column_sparse(&t->rows.columns[1], FEATURES, idx, val, nnz);
	else
		column_dense(&t->rows.columns[1], v, FEATURES);
	t->rows.rows++;
}

/* Small whole numbers, many of them zero, whose sums are exact in any order. */
static void put_rows(struct stage_table *t, size_t rows, bool sparse)
{
	stage_table_init(t, TABLE);
	for (size_t i = 0; i < rows; i++) {
		double v[FEATURES], label = (double)(rng_at(i, 9) % 3);
		for (size_t j = 0; j < FEATURES; j++) v[j] = (double)(rng_at(i, j) % 4);
		v[1] = label;
		v[4] = v[0] * label;
		put_row(t, label, v, sparse);
	}
}

/* --- Modes --------------------------------------------------------------------------------------------------- */

static void chooses(const char *mode, double threshold, size_t count, const uint32_t *expected)
{
	static const double p[] = {0.04, NAN, 0.001, 0.04, 0.9, 0.012};
	uint32_t chosen[ARRAY_COUNT(p)];
	assert_int_equal(univariate_choose(STR(mode), threshold, p, ARRAY_COUNT(p), chosen), count);
	for (size_t k = 0; k < count; k++) assert_int_equal(chosen[k], expected[k]);
}

static void test_modes(void **state)
{
	static const uint32_t by_p[] = {2, 5, 0, 3, 4, 1}, by_index[] = {0, 2, 3, 5}, two[] = {2, 5};
	(void)state;
	chooses("numTopFeatures", 50, 6, by_p);
	chooses("numTopFeatures", 3, 3, by_p);
	chooses("percentile", 0.99, 5, by_p);
	chooses("percentile", 0, 0, NULL);
	chooses("percentile", 1, 6, by_p);
	chooses("fpr", 0.05, 4, by_index);
	chooses("fpr", 0.04, 2, two);
	chooses("fdr", 0.06, 4, by_p); /* 0.04 = 4/6 of 0.06, though 0.04 is over 3/6 of it */
	chooses("fdr", 0.005, 0, NULL);
	chooses("fwe", 0.0721, 2, two);
	assert_int_equal(univariate_choose(STR("fdr"), 0.5, NULL, 0, NULL), 0);
}

/* --- Tests --------------------------------------------------------------------------------------------------- */

static void test_sparse_and_shards(void **state)
{
	static const char *const stages[] = {
	    UNIVARIATE("categorical", "categorical"),
	    UNIVARIATE("continuous", "categorical"),
	    "[{\"stage\":\"ChiSqSelector\",\"outputCol\":\"o\",\"selectorType\":\"fpr\"}]",
	};
	struct stage_table dense, sparse;
	(void)state;
	put_rows(&dense, 90, false);
	put_rows(&sparse, 90, true);
	for (size_t k = 0; k < ARRAY_COUNT(stages); k++) {
		struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16), c = BUF_INIT(1 << 16);
		assert_string_equal(learned(stages[k], &dense, 1, &a), learned(stages[k], &sparse, 1, &b));
		assert_string_equal(a.data, learned(stages[k], &dense, 7, &c));
		buf_release(&a);
		buf_release(&b);
		buf_release(&c);
	}
	stage_table_release(&dense);
	stage_table_release(&sparse);
}

/* A covariance whose zeros are not visited is that of all entries. */
static void test_sparse_covariance(void **state)
{
	struct stage_table t[2];
	double p[2];
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct pipeline pipeline;
		struct err e;
		put_rows(&t[k], 90, k == 1);
		assert_ok(fit(&pipeline, UNIVARIATE("continuous", "continuous"), &t[k], 3, &e), &e);
		const struct univariate_state *st = pipeline.stages[0].state;
		p[k] = st->tests.statistic[4];
		pipeline_release(&pipeline);
		stage_table_release(&t[k]);
	}
	assert_true(p[0] > 1 && fabs(p[0] - p[1]) < 1e-12 * p[0]);
}

static void test_refusals(void **state)
{
	static const double v[FEATURES] = {1, 2, 3, 4, 5}, bad[FEATURES] = {1, 2, NAN, 4, 5};
	struct stage_table t;
	(void)state;
	stage_table_init(&t, TABLE);
	refused(UNIVARIATE("categorical", "categorical"), &t, "no rows");
	put_row(&t, 1, v, false);
	put_row(&t, 1, v, false);
	refused(UNIVARIATE("continuous", "categorical"), &t, "two different labels");
	refused(UNIVARIATE("continuous", "continuous"), &t, "three rows");
	put_row(&t, 0, bad, true);
	refused(UNIVARIATE("categorical", "categorical"), &t, "a feature is NaN");
	put_row(&t, NAN, v, false);
	refused(UNIVARIATE("continuous", "categorical"), &t, "the label is NaN");
	stage_table_release(&t);
}

static void test_continuous_is_not_categorical(void **state)
{
	struct stage_table t;
	(void)state;
	stage_table_init(&t, TABLE);
	for (size_t i = 0; i < FEATURE_CATEGORIES_MAX + 2; i++) {
		double v[FEATURES] = {0, (double)i, 1, 1, 1};
		put_row(&t, (double)(i % 2), v, true);
	}
	refused(UNIVARIATE("categorical", "categorical"), &t, "feature 1 has more than 10000");
	for (size_t i = 0; i < t.rows.rows; i++) t.rows.columns[0].f64[i] = (double)i;
	refused(UNIVARIATE("continuous", "categorical"), &t, "the label has more than 10000");
	stage_table_release(&t);
}

/* --- Selections ---------------------------------------------------------------------------------------------- */

static void test_selection_bytes(void **state)
{
	static const uint32_t chosen[] = {70, 3, 64}, twice[] = {3, 3};
	struct stage s = {0};
	struct selection sel, back;
	struct buf bytes = BUF_INIT(1 << 12);
	struct err e;
	(void)state;
	assert_false(selection_make(&s, &sel, 80, twice, 2));
	assert_false(selection_make(&s, &sel, 70, chosen, 3));
	assert_true(selection_make(&s, &sel, 80, chosen, 3));
	assert_true(sel.kept[0] == 3 && sel.kept[1] == 64 && sel.kept[2] == 70 && sel.chosen[0] == 70);
	selection_encode(&sel, &bytes);
	for (size_t cut = 0; cut <= bytes.len; cut++) {
		struct cursor in = CURSOR(bytes.data, cut);
		err_init(&e);
		assert_int_equal(selection_decode(&s, &back, &in, &e), cut == bytes.len);
	}
	assert_memory_equal(back.chosen, chosen, sizeof chosen);
	bytes.data[sizeof(uint64_t)] ^= 1; /* the mask now keeps feature 0 too */
	struct cursor in = CURSOR(bytes.data, bytes.len);
	err_init(&e);
	assert_false(selection_decode(&s, &back, &in, &e));
	assert_int_equal(e.code, ERR_bad_model);
	buf_release(&bytes);
	arena_release(&s.arena);
}

/* --- Categories ---------------------------------------------------------------------------------------------- */

static void test_numbering(void **state)
{
	struct numbering n = {0};
	(void)state;
	for (size_t i = 0; i < 3000; i++) assert_int_equal(numbering_of(&n, -(double)(i % 1000)), i % 1000);
	assert_int_equal(numbering_of(&n, -0.0), numbering_of(&n, 0.0));
	assert_int_equal(n.count, 1000);
	uint32_t *order = numbering_order(&n);
	for (size_t k = 0; k < n.count; k++) assert_int_equal(order[k], 999 - k);
	mem_free(order);
	numbering_release(&n);
}

static void put_code(struct stage_table *t, double label, double code)
{
	column_double(&t->rows.columns[0], label);
	if (isnan(code))
		column_null(&t->rows.columns[1]);
	else
		column_double(&t->rows.columns[1], code);
	t->rows.rows++;
}

/* Categories with gaps; what cannot be one is unseen under "keep", -1 too, which is how null is stored. */
static void test_target_encoder(void **state)
{
	static const char *const stages =
	    "[{\"stage\":\"TargetEncoder\",\"inputCol\":\"c\",\"targetType\":\"continuous\","
	    "\"handleInvalid\":\"keep\"}]";
	struct stage_table t;
	struct pipeline p;
	struct batch b;
	struct err e;
	(void)state;
	stage_table_init(&t, CODES);
	put_code(&t, NAN, 0);
	refused(stages, &t, "no row has a label");
	put_code(&t, 8, 1000000);
	put_code(&t, 4, 7);
	put_code(&t, 6, 7);
	put_code(&t, 2, NAN);
	assert_ok(fit(&p, stages, &t, 3, &e), &e);
	put_code(&t, 0, -1);
	put_code(&t, 0, 0.5);
	put_code(&t, 0, 3e9);
	put_code(&t, 0, INFINITY);
	assert_ok(stage_apply(&p, &t, true, &b, &e), &e);
	static const double expected[] = {5, 8, 5, 5, 2, 5, 5, 5, 5};
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++) assert_true(stage_result(&p, &b)->f64[i] == expected[i]);
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
}

/* Sixty columns in three places: each is the sum of its columns, in their order. */
static void test_hasher_collisions(void **state)
{
	enum { COLUMNS = 60, PLACES = 3 };
	struct buf schema = BUF_INIT(1 << 13), stages = BUF_INIT(1 << 13);
	struct stage_table t;
	struct pipeline p;
	struct batch b;
	struct err e;
	double expected[PLACES] = {0};
	(void)state;
	for (size_t k = 0; k < COLUMNS; k++) {
		buf_printf(&schema, "%s{\"name\":\"c%zu\",\"type\":\"double\"}", k ? "," : "[", k);
		buf_printf(&stages, "%s\"c%zu\"", k ? "," : "[{\"stage\":\"FeatureHasher\",\"inputCols\":[", k);
	}
	buf_str(&schema, "]");
	buf_printf(&stages, "],\"numFeatures\":%d}]", PLACES);
	stage_table_init(&t, buf_cstr(&schema));
	for (size_t k = 0; k < COLUMNS; k++) {
		char name[8];
		int len = snprintf(name, sizeof name, "c%zu", k);
		double x = 1 / (double)(k + 1);
		column_double(&t.rows.columns[k], x);
		expected[hash_bucket(hash_murmur3(name, (size_t)len, 42), PLACES)] += x;
	}
	t.rows.rows = 1;
	err_init(&e);
	stage_pipeline(&p, buf_cstr(&stages), &t);
	assert_ok(stage_apply(&p, &t, true, &b, &e), &e);
	struct vec v = column_vec_at(stage_result(&p, &b), 0);
	assert_int_equal(v.nnz, PLACES);
	assert_memory_equal(v.val, expected, sizeof expected);
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
	buf_release(&schema);
	buf_release(&stages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_modes),
	    cmocka_unit_test(test_sparse_and_shards),
	    cmocka_unit_test(test_sparse_covariance),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_continuous_is_not_categorical),
	    cmocka_unit_test(test_selection_bytes),
	    cmocka_unit_test(test_numbering),
	    cmocka_unit_test(test_target_encoder),
	    cmocka_unit_test(test_hasher_collisions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
