/* Scalers, Binarizer, Bucketizer and QuantileDiscretizer beyond the fixtures: signed zeros, infinities, rows that
 * cannot be taken, parameters that exclude each other, sparse as dense. */
#include "data/json_row.h"
#include "tests/unit/pipeline/stage_support.h"

#include <math.h>

#define NUMBERS "[{\"name\":\"x\",\"type\":\"double\"}]"
#define TWO "[{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"double\"}]"
#define VECTORS "[{\"name\":\"v\",\"type\":\"vector\"}]"
#define ON_NUMBERS(stage, more) "[{\"stage\":\"" stage "\",\"inputCol\":\"x\",\"outputCol\":\"o\"" more "}]"
#define ON_VECTORS(stage, more) "[{\"stage\":\"" stage "\",\"inputCol\":\"v\",\"outputCol\":\"o\"" more "}]"
#define ON_TWO(stage, more) \
	"[{\"stage\":\"" stage "\",\"inputCols\":[\"x\",\"y\"],\"outputCols\":[\"p\",\"o\"]" more "}]"

/* rows: JSON objects side by side. */
static void add_rows(struct stage_table *t, const char *rows)
{
	struct buf scratch = BUF_INIT(1 << 16);
	struct json_row reader;
	struct json_scan scan;
	struct err e;
	err_init(&e);
	json_row_init(&reader, &t->schema, NULL);
	for (const char *p = strchr(rows, '{'); p; p = strchr(scan.p, '{')) {
		json_scan_init(&scan, p, strlen(p), &scratch);
		if (json_row_read(&reader, &scan, json_scan_next(&scan), &t->rows, &e) != JSON_ROW_OK)
			fail_msg("%s: %s", p, e.fault_count ? e.faults[0].detail : e.detail);
	}
	json_row_release(&reader);
	buf_release(&scratch);
}

static void put_number(struct buf *out, double v)
{
	char text[STR_NUMBER_MAX];
	buf_append(out, text, str_from_double_java(v, text));
}

/* "1.0", "null", "[1.0 2.0]", and of a sparse vector "3(0:1.0 2:5.0)". */
static void put_cell(const struct column *c, size_t i, struct buf *out)
{
	if (!column_valid(c, i))
		buf_str(out, "null");
	else if (c->type == COL_DOUBLE)
		put_number(out, c->f64[i]);
	else {
		struct vec v = column_vec_at(c, i);
		if (v.idx) buf_printf(out, "%u", v.size);
		buf_str(out, v.idx ? "(" : "[");
		for (uint32_t k = 0; k < v.nnz; k++) {
			if (k > 0) buf_str(out, " ");
			if (v.idx) buf_printf(out, "%u:", v.idx[k]);
			put_number(out, v.val[k]);
		}
		buf_str(out, v.idx ? ")" : "]");
	}
}

static bool run(const char *schema, const char *stages, const char *rows, size_t shards, struct buf *out, struct err *e)
{
	struct stage_table t;
	struct pipeline p;
	struct batch b = {0};
	struct comm *c = comm_serial_create();
	err_init(e);
	stage_table_init(&t, schema);
	add_rows(&t, rows);
	stage_pipeline(&p, stages, &t);
	bool ok = stage_fit(&p, &t, c, shards, e) && stage_apply(&p, &t, true, &b, e);
	for (size_t i = 0; ok && i < b.rows; i++) {
		if (i > 0) buf_str(out, "; ");
		put_cell(stage_result(&p, &b), i, out);
	}
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
	comm_serial_destroy(c);
	return ok;
}

/* --- What comes out ------------------------------------------------------------------------------------------ */

static const struct {
	const char *schema, *stages, *rows, *want;
} answers[] = {
	/* Under a negative threshold a vector's zeros and NaN are over it; a number that is NaN is not. */
	{VECTORS, ON_VECTORS("Binarizer", ",\"threshold\":-1"), "{\"v\":[\"NaN\",0,-1,-2]}", "[1.0 1.0 0.0 0.0]"},
	{VECTORS, ON_VECTORS("Binarizer", ",\"threshold\":-1"),
	 "{\"v\":{\"size\":4,\"indices\":[0,2,3],\"values\":[-3,-1,-2]}}", "4(1:1.0)"},
	{NUMBERS, ON_NUMBERS("Binarizer", ",\"threshold\":-1"), "{\"x\":\"NaN\"}{\"x\":0}", "0.0; 1.0"},
	{NUMBERS, ON_NUMBERS("Binarizer", ",\"threshold\":\"NaN\""), "{\"x\":5}", "0.0"},
	{VECTORS, ON_VECTORS("Binarizer", ""), "{\"v\":[]}", "[]"},

	/* -0.0 is below a split at 0.0, and in a last bucket that ends there. */
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[-2,-1,0]"), "{\"x\":-0.0}{\"x\":-1}", "1.0; 1.0"},
	/* Many splits: those that bound the halves, and what lies between. */
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[-9,-7,-5,-3,-1,0,1,3,5,7,9,11,13,15,17,19,21,23]"),
	 "{\"x\":-9}{\"x\":-1}{\"x\":-0.0}{\"x\":0}{\"x\":8.5}{\"x\":9}{\"x\":22}{\"x\":23}",
	 "0.0; 4.0; 4.0; 5.0; 9.0; 10.0; 16.0; 16.0"},
	/* Rows that are dropped are not looked at: 9 is outside. */
	{TWO, ON_TWO("Bucketizer", ",\"splitsArray\":[[0,1,2],[0,1,2]],\"handleInvalid\":\"skip\""),
	 "{\"x\":9,\"y\":\"NaN\"}{\"x\":1,\"y\":2}{\"x\":null,\"y\":1}", "1.0"},

	/* Infinite quantiles are the outer splits. */
	{NUMBERS, ON_NUMBERS("QuantileDiscretizer", ",\"numBuckets\":4"),
	 "{\"x\":\"-Infinity\"}{\"x\":\"-Infinity\"}{\"x\":3}{\"x\":\"Infinity\"}", "0.0; 0.0; 1.0; 1.0"},
	{TWO, ON_TWO("QuantileDiscretizer", ",\"numBuckets\":2"), "{\"x\":1,\"y\":3}{\"x\":2,\"y\":4}{\"x\":2,\"y\":5}",
	 "0.0; 1.0; 1.0"},

	/* An entry without a number, and one of -Infinity alone, as Spark's Summarizer has them. */
	{VECTORS, ON_VECTORS("MinMaxScaler", ""), "{\"v\":[\"NaN\",1,\"-Infinity\"]}{\"v\":[\"NaN\",2,\"-Infinity\"]}",
	 "[NaN 0.0 0.5]; [NaN 1.0 0.5]"},
	{VECTORS, ON_VECTORS("MaxAbsScaler", ""), "{\"v\":[\"NaN\",0]}{\"v\":[\"NaN\",-2]}", "[NaN 0.0]; [NaN -1.0]"},
	{VECTORS, ON_VECTORS("MinMaxScaler", ",\"min\":-1"),
	 "{\"v\":[2,5]}{\"v\":{\"size\":2,\"indices\":[],\"values\":[]}}", "[1.0 1.0]; [-1.0 -1.0]"},

	/* Both quantiles on one side of the median; zeros that are not stored count. */
	{VECTORS, ON_VECTORS("RobustScaler", ",\"lower\":0.6,\"upper\":0.8,\"withCentering\":true"),
	 "{\"v\":[1]}{\"v\":[2]}{\"v\":[3]}{\"v\":[4]}{\"v\":[6]}", "[-2.0]; [-1.0]; [0.0]; [1.0]; [3.0]"},
	{VECTORS, ON_VECTORS("RobustScaler", ",\"lower\":0.1,\"upper\":0.9"),
	 "{\"v\":{\"size\":1,\"indices\":[],\"values\":[]}}{\"v\":[4]}{\"v\":{\"size\":1,\"indices\":[0],\"values\":[2]"
	 "}}",
	 "1(); [1.0]; 1(0:0.5)"},
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(answers); k++)
		for (size_t shards = 1; shards <= 3; shards++) {
			struct buf out = BUF_INIT(1 << 16);
			struct err e;
			assert_ok(run(answers[k].schema, answers[k].stages, answers[k].rows, shards, &out, &e), &e);
			assert_string_equal(buf_cstr(&out), answers[k].want);
			buf_release(&out);
		}
}

/* --- What is refused because of the rows ---------------------------------------------------------------------- */

static const struct {
	const char *schema, *stages, *rows, *why;
} refusals[] = {
	{VECTORS, ON_VECTORS("Binarizer", ""), "{\"v\":null}", "null"},
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[0,1,2]"), "{\"x\":-0.0}", "-0.0 in column \"x\" is outside"},
	{NUMBERS, ON_NUMBERS("QuantileDiscretizer", ""), "{\"x\":\"NaN\"}{\"x\":null}", "no quantile of column \"x\""},
	{NUMBERS, ON_NUMBERS("QuantileDiscretizer", ""), "{\"x\":\"Infinity\"}", "no quantile of column \"x\""},
	{NUMBERS, ON_NUMBERS("QuantileDiscretizer", ""), "", "no quantile of column \"x\""},
	{VECTORS, ON_VECTORS("RobustScaler", ""), "{\"v\":[1]}{\"v\":null}{\"v\":[2]}",
	 "row 1 of shard 0: the vector is null"},
	{VECTORS, ON_VECTORS("RobustScaler", ""), "{\"v\":[1]}{\"v\":[2]}{\"v\":[1,2]}",
	 "row 2 of shard 0: the vector has 2 entries"},
	{VECTORS, ON_VECTORS("RobustScaler", ""), "{\"v\":[1,\"NaN\"]}", "entry 1 has no number"},
	{VECTORS, ON_VECTORS("RobustScaler", ""), "", "no rows"},
	{VECTORS, ON_VECTORS("MinMaxScaler", ""), "", "no rows"},
	{VECTORS, ON_VECTORS("MaxAbsScaler", ""), "{\"v\":[1]}{\"v\":[1,2]}", "2 entries"},
};

static void test_refused_rows(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(refusals); k++) {
		struct buf out = BUF_INIT(1 << 16);
		struct err e;
		assert_false(run(refusals[k].schema, refusals[k].stages, refusals[k].rows, 1, &out, &e));
		assert_int_equal(e.code, ERR_data);
		if (!strstr(e.detail, refusals[k].why))
			fail_msg("\"%s\" does not say \"%s\"", e.detail, refusals[k].why);
		buf_release(&out);
	}
}

/* --- What is refused at submit time ----------------------------------------------------------------------------- */

static const struct {
	const char *schema, *stages, *pointer, *why;
} faults[] = {
	{VECTORS, ON_VECTORS("Binarizer", ",\"threshold\":\"NaN\""), "threshold", "must not be NaN"},
	{NUMBERS, ON_NUMBERS("Binarizer", ",\"thresholds\":[1]"), "thresholds", "goes with inputCols only"},
	{TWO, ON_TWO("Binarizer", ",\"threshold\":1,\"thresholds\":[1,2]"), "thresholds", "excludes threshold"},
	{TWO, ON_TWO("Binarizer", ",\"thresholds\":[1]"), "thresholds", "has 1 elements for 2 input columns"},
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[1,2,\"NaN\"]"), "splits", "strictly ascending"},
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[-1,-0.0,0.0]"), "splits", "strictly ascending"},
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[1,2]"), "splits", "at least 3"},
	{TWO, ON_TWO("Bucketizer", ",\"splits\":[1,2,3]"), "splitsArray", "is required"},
	{TWO, ON_TWO("Bucketizer", ",\"splitsArray\":[[1,2,3],[1,2]]"), "splitsArray/1", "at least 3"},
	{NUMBERS, ON_NUMBERS("Bucketizer", ",\"splits\":[1,2,3],\"handleInvalid\":\"drop\""), "handleInvalid",
	 "one of"},
	{NUMBERS, ON_NUMBERS("QuantileDiscretizer", ",\"numBuckets\":1"), "numBuckets", "must be in [2"},
	{NUMBERS, ON_NUMBERS("QuantileDiscretizer", ",\"numBuckets\":262145"), "numBuckets", "262145 buckets in all"},
	{TWO, ON_TWO("QuantileDiscretizer", ",\"numBucketsArray\":[2,1]"), "numBucketsArray/1", "must be in [2"},
	{VECTORS, ON_VECTORS("MinMaxScaler", ",\"min\":1"), "min", "below max"},
	{VECTORS, ON_VECTORS("MinMaxScaler", ",\"max\":\"NaN\""), "min", "below max"},
	{VECTORS, ON_VECTORS("RobustScaler", ",\"lower\":0.75"), "lower", "below upper"},
	{VECTORS, ON_VECTORS("RobustScaler", ",\"upper\":1"), "upper", "must be in (0, 1)"},
	{VECTORS, ON_VECTORS("ElementwiseProduct", ""), "scalingVec", "is required"},
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(faults); k++) {
		struct arena a = ARENA_INIT;
		struct stage_table t;
		struct pipeline p = {0};
		struct json *stages;
		struct err e;
		err_init(&e);
		stage_table_init(&t, faults[k].schema);
		assert_ok(json_parse(&a, faults[k].stages, strlen(faults[k].stages), &stages, &e), &e);
		assert_false(pipeline_parse(&p, stages, "/pipeline", &e) && pipeline_bind(&p, &t.schema, &e));
		assert_int_equal(e.fault_count, 1);
		assert_string_equal(e.faults[0].pointer + strlen("/pipeline/0/"), faults[k].pointer);
		if (!strstr(e.faults[0].detail, faults[k].why))
			fail_msg("\"%s\" does not say \"%s\"", e.faults[0].detail, faults[k].why);
		pipeline_release(&p);
		stage_table_release(&t);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_refused_rows),
		cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
