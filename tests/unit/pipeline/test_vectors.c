/* Stages from vectors to vectors: what the fixtures of Spark's answers cannot show. */
#include "base/rng.h"
#include "tests/unit/pipeline/stage_support.h"

#include <math.h>

#define VECTOR_TABLE "[{\"name\":\"v\",\"type\":\"vector\"}]"

struct run {
	struct stage_table t;
	struct pipeline p;
	struct batch b;
};

static void begin(struct run *r, const char *schema)
{
	*r = (struct run){0};
	stage_table_init(&r->t, schema);
}

static void add_dense(struct run *r, const double *v, size_t n)
{
	column_dense(&r->t.rows.columns[0], v, n);
	r->t.rows.rows++;
}

/* The last column of all rows; ends the test where a stage refuses. */
static const struct column *through(struct run *r, const char *stages)
{
	struct err e;
	err_init(&e);
	struct comm *c = comm_serial_create();
	stage_pipeline(&r->p, stages, &r->t);
	assert_ok(stage_fit(&r->p, &r->t, c, 2, &e), &e);
	assert_ok(stage_apply(&r->p, &r->t, true, &r->b, &e), &e);
	comm_serial_destroy(c);
	return stage_result(&r->p, &r->b);
}

static void end(struct run *r)
{
	batch_release(&r->b);
	pipeline_release(&r->p);
	stage_table_release(&r->t);
}

/* Fits, applies, and expects a refusal of the rows that says `text`. */
static void assert_refused(struct run *r, const char *stages, const char *text)
{
	struct err e;
	err_init(&e);
	struct comm *c = comm_serial_create();
	stage_pipeline(&r->p, stages, &r->t);
	bool ok = stage_fit(&r->p, &r->t, c, 1, &e) && stage_apply(&r->p, &r->t, true, &r->b, &e);
	comm_serial_destroy(c);
	assert_false(ok);
	assert_int_equal(e.code, ERR_data);
	assert_non_null(strstr(e.detail, text));
}

/* Expects that the stages are refused by what their fit tells. */
static void assert_unfit(struct run *r, const char *stages)
{
	struct err e;
	err_init(&e);
	struct comm *c = comm_serial_create();
	stage_pipeline(&r->p, stages, &r->t);
	assert_false(stage_fit(&r->p, &r->t, c, 1, &e));
	assert_int_equal(e.code, ERR_invalid);
	comm_serial_destroy(c);
}

/* --- Slices, hints ------------------------------------------------------------------------------------------- */

#define NUMBER_TABLE "[{\"name\":\"x\",\"type\":\"double\"}]"
#define ONE_HOT                                                                                       \
	"[{\"stage\":\"OneHotEncoder\",\"inputCol\":\"x\",\"outputCol\":\"hot\",\"dropLast\":false}," \
	"{\"stage\":\"VectorSlicer\",\"inputCol\":\"hot\",\"outputCol\":\"o\",\"names\":[\"2\",\"0\"]}]"

static void add_numbers(struct run *r, double below)
{
	for (double x = 0; x < below; x++) column_double(&r->t.rows.columns[0], x);
	r->t.rows.rows = (size_t)below;
}

/* Names that only an estimator's fit tells are found then, or missed then. */
static void test_names_known_once_fitted(void **state)
{
	struct run r;
	(void)state;
	begin(&r, NUMBER_TABLE);
	add_numbers(&r, 4);
	const struct column *o = through(&r, ONE_HOT);
	assert_true(vec_at(column_vec_at(o, 2), 0) == 1);
	assert_true(vec_at(column_vec_at(o, 0), 1) == 1);
	end(&r);

	begin(&r, NUMBER_TABLE);
	add_numbers(&r, 2);
	assert_unfit(&r, ONE_HOT);
	end(&r);
}

/* The stage behind sees the length, the one before does not. */
static void test_hint_holds_from_there_on(void **state)
{
	const double v[] = {1, 0, 3};
	struct run r;
	(void)state;
	begin(&r, VECTOR_TABLE);
	add_dense(&r, v, 3);
	column_null(&r.t.rows.columns[0]);
	r.t.rows.rows++;
	const struct column *o = through(
	    &r, "[{\"stage\":\"VectorSizeHint\",\"inputCol\":\"v\",\"size\":3,\"handleInvalid\":\"optimistic\"},"
		"{\"stage\":\"VectorAssembler\",\"inputCols\":[\"v\"],\"outputCol\":\"o\","
		"\"handleInvalid\":\"keep\"}]");
	assert_int_equal(o->rows, 2);
	assert_true(isnan(column_vec_at(o, 1).val[2]));
	end(&r);

	begin(&r, VECTOR_TABLE);
	stage_fault_at(
	    "[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"v\"],\"outputCol\":\"o\",\"handleInvalid\":\"keep\"},"
	    "{\"stage\":\"VectorSizeHint\",\"inputCol\":\"v\",\"size\":3}]",
	    &r.t, "/pipeline/0/inputCols", "not known");
	end(&r);
}

/* --- Polynomials --------------------------------------------------------------------------------------------- */

#define CUBIC "[{\"stage\":\"PolynomialExpansion\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"degree\":3}]"

static void test_sparse_expands_as_dense(void **state)
{
	const double spread[] = {0, 2, 0, 0, -1.5, 3, 0}, held[] = {2, -1.5, 3};
	const uint32_t at[] = {1, 4, 5};
	struct run r;
	(void)state;
	begin(&r, VECTOR_TABLE);
	add_dense(&r, spread, ARRAY_COUNT(spread));
	column_sparse(&r.t.rows.columns[0], ARRAY_COUNT(spread), at, held, ARRAY_COUNT(held));
	r.t.rows.rows++;
	const struct column *o = through(&r, CUBIC);
	struct vec dense = column_vec_at(o, 0), sparse = column_vec_at(o, 1);
	assert_int_equal(dense.size, 119);
	assert_int_equal(sparse.size, 119);
	assert_int_equal(sparse.nnz, 19);
	for (uint32_t k = 0; k < dense.size; k++) assert_true(dense.val[k] == vec_at(sparse, k));
	end(&r);
}

static void test_expansion_is_bounded(void **state)
{
	struct run r;
	(void)state;
	begin(&r, VECTOR_TABLE);
	column_sparse(&r.t.rows.columns[0], 3000, NULL, NULL, 0);
	r.t.rows.rows = 1;
	assert_refused(&r, CUBIC, "too many monomials");
	end(&r);
}

/* --- Interactions -------------------------------------------------------------------------------------------- */

#define TEXT_TABLE "[{\"name\":\"t\",\"type\":\"string\"}]"
#define INDEXED "[{\"stage\":\"StringIndexer\",\"inputCol\":\"t\",\"outputCol\":\"i\"},"

/* Alone, the values of a nominal number stay binary; with one value it is a number, as in Spark. */
static void test_one_nominal_number(void **state)
{
	static const char *const words[] = {"b", "a", "b"};
	(void)state;
	for (size_t rows = 1; rows <= ARRAY_COUNT(words); rows += 2) {
		struct run r;
		begin(&r, TEXT_TABLE);
		for (size_t k = 0; k < rows; k++) column_str(&r.t.rows.columns[0], words[k], 1);
		r.t.rows.rows = rows;
		const struct column *o =
		    through(&r, INDEXED "{\"stage\":\"Interaction\",\"inputCols\":[\"i\"],\"outputCol\":\"o\"}]");
		const struct attrs *known = r.p.schema.columns[2].attrs;
		assert_int_equal(known->size, rows == 1 ? 1 : 2);
		assert_int_equal(known->list[0].type, ATTR_BINARY);
		assert_true(str_is(known->list[0].name, "i_b"));
		assert_true(vec_at(column_vec_at(o, 0), 0) == (rows > 1));
		end(&r);
	}
}

static void assemble(struct buf *stages, const char *output, size_t copies)
{
	buf_str(stages, "{\"stage\":\"VectorAssembler\",\"inputCols\":[\"x\"");
	for (size_t k = 1; k < copies; k++) buf_str(stages, ",\"x\"");
	buf_printf(stages, "],\"outputCol\":\"%s\"},", output);
}

static void test_product_is_bounded(void **state)
{
	struct buf stages = BUF_INIT(1 << 16);
	struct run r;
	(void)state;
	begin(&r, "[{\"name\":\"x\",\"type\":\"double\"}]");
	column_double(&r.t.rows.columns[0], 1);
	r.t.rows.rows = 1;
	buf_str(&stages, "[");
	assemble(&stages, "a", 1024);
	assemble(&stages, "b", 1024);
	assemble(&stages, "c", 65);
	buf_str(&stages, "{\"stage\":\"Interaction\",\"inputCols\":[\"a\",\"b\",\"c\"],\"outputCol\":\"o\"}]");
	assert_refused(&r, buf_cstr(&stages), "would store over");
	buf_release(&stages);
	end(&r);
}

#define EMPTY_TABLE                                                                                          \
	"[{\"name\":\"v\",\"type\":\"vector\",\"attributes\":{\"attrs\":{\"numeric\":[]},\"num_attrs\":0}}," \
	"{\"name\":\"w\",\"type\":\"vector\",\"attributes\":{\"attrs\":{\"nominal\":["                       \
	"{\"idx\":0,\"num_vals\":2000000000}]},\"num_attrs\":1}},{\"name\":\"y\",\"type\":\"double\"}]"

/* Vectors without elements have no products, however many values the other column may have. */
static void test_product_of_nothing(void **state)
{
	static const char *const products[] = {
	    "[{\"stage\":\"Interaction\",\"inputCols\":[\"v\",\"w\"],\"outputCol\":\"o\"}]",
	    "[{\"stage\":\"Interaction\",\"inputCols\":[\"w\",\"v\"],\"outputCol\":\"o\"}]",
	    "[{\"stage\":\"RFormula\",\"formula\":\"y ~ v:w\",\"featuresCol\":\"o\",\"labelCol\":\"l\"},"
	    "{\"stage\":\"VectorAssembler\",\"inputCols\":[\"o\"],\"outputCol\":\"p\"}]",
	};
	static const double index = 1;
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(products); k++) {
		struct run r;
		begin(&r, EMPTY_TABLE);
		column_dense(&r.t.rows.columns[1], &index, 1);
		column_double(&r.t.rows.columns[2], 1);
		add_dense(&r, &index, 0);
		const struct column *o = through(&r, products[k]);
		assert_int_equal(column_vec_at(o, 0).size, 0);
		end(&r);
	}
}

/* --- Indices ------------------------------------------------------------------------------------------------- */

#define INDEXER "[{\"stage\":\"VectorIndexer\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"maxCategories\":3}]"

/* A zero that no row stores is a value, whichever shard lacks it; -0.0 is one too. */
static void test_zeros_that_are_not_stored(void **state)
{
	static const double dense[][3] = {{5, 7, 1}, {6, -7, -0.0}}, held[] = {7, 4};
	static const uint32_t at[] = {1, 2};
	struct run r;
	(void)state;
	begin(&r, VECTOR_TABLE);
	add_dense(&r, dense[0], 3);
	add_dense(&r, dense[1], 3);
	column_sparse(&r.t.rows.columns[0], 3, at, held, 2);
	r.t.rows.rows++;
	const struct column *o = through(&r, INDEXER);
	/* {0, 5, 6}, {-7, 7}, {0, 1, 4} */
	static const double expected[][3] = {{1, 1, 1}, {2, 0, 0}, {0, 1, 2}};
	for (size_t i = 0; i < 3; i++)
		for (uint32_t k = 0; k < 3; k++) assert_true(vec_at(column_vec_at(o, i), k) == expected[i][k]);
	end(&r);
}

/* The bound is on all shards' values together. */
static void test_too_many_values_are_continuous(void **state)
{
	struct run r;
	(void)state;
	begin(&r, VECTOR_TABLE);
	for (double x = 1; x <= 4; x++) add_dense(&r, &x, 1);
	const struct column *o = through(&r, INDEXER);
	for (size_t i = 0; i < 4; i++) assert_true(o->f64[i] == (double)i + 1);
	end(&r);
}

/* As in Spark, what is said of the column has to be true of its rows. */
static void test_attributes_of_another_length(void **state)
{
	static const char *const tables[] = {
	    "[{\"name\":\"v\",\"type\":\"vector\",\"attributes\":{\"num_attrs\":3}}]",
	    "[{\"name\":\"v\",\"type\":\"vector\",\"attributes\":{\"attrs\":{\"numeric\":[{\"idx\":0}]},"
	    "\"num_attrs\":1}}]",
	};
	static const double row[] = {1, 2};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(tables); k++) {
		struct run r;
		begin(&r, tables[k]);
		add_dense(&r, row, 2);
		assert_unfit(&r, INDEXER);
		end(&r);
	}
}

/* --- Cosine transforms --------------------------------------------------------------------------------------- */

static void direct(const double *x, size_t n, double *to)
{
	for (size_t k = 0; k < n; k++) {
		long double sum = 0;
		for (size_t j = 0; j < n; j++)
			sum += (long double)x[j] * cosl(M_PIl * (long double)((2 * j + 1) * k % (4 * n)) / (2 * n));
		to[k] = (double)(sum * sqrtl((k ? 2.0L : 1.0L) / (long double)n));
	}
}

static void test_transform_of_any_length(void **state)
{
	static const size_t lengths[] = {1, 2, 31, 32, 33, 64, 97, 100, 256, 1000, 1009};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		size_t n = lengths[i];
		double *x = mem_alloc(n * sizeof *x), *expected = mem_alloc(n * sizeof *x);
		struct run r;
		begin(&r, VECTOR_TABLE);
		for (size_t k = 0; k < n; k++) x[k] = (double)(rng_at(n, k) % 2001) / 100 - 10;
		direct(x, n, expected);
		add_dense(&r, x, n);
		const struct column *back =
		    through(&r, "[{\"stage\":\"DCT\",\"inputCol\":\"v\",\"outputCol\":\"o\"},"
				"{\"stage\":\"DCT\",\"inputCol\":\"o\",\"outputCol\":\"back\",\"inverse\":true}]");
		for (size_t k = 0; k < n; k++) {
			assert_true(fabs(r.b.columns[1].f64[k] - expected[k]) < 1e-12 * 10 * sqrt((double)n));
			assert_true(fabs(back->f64[k] - x[k]) < 1e-12 * 10);
		}
		end(&r);
		mem_free(x);
		mem_free(expected);
	}
}

static void test_transform_is_bounded(void **state)
{
	struct run r;
	(void)state;
	begin(&r, VECTOR_TABLE);
	column_sparse(&r.t.rows.columns[0], INT32_MAX, NULL, NULL, 0);
	r.t.rows.rows = 1;
	assert_refused(&r, "[{\"stage\":\"DCT\",\"inputCol\":\"v\",\"outputCol\":\"o\"}]", "at most");
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_known_once_fitted),   cmocka_unit_test(test_hint_holds_from_there_on),
	    cmocka_unit_test(test_sparse_expands_as_dense),   cmocka_unit_test(test_expansion_is_bounded),
	    cmocka_unit_test(test_one_nominal_number),        cmocka_unit_test(test_product_is_bounded),
	    cmocka_unit_test(test_product_of_nothing),        cmocka_unit_test(test_attributes_of_another_length),
	    cmocka_unit_test(test_zeros_that_are_not_stored), cmocka_unit_test(test_too_many_values_are_continuous),
	    cmocka_unit_test(test_transform_of_any_length),   cmocka_unit_test(test_transform_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
