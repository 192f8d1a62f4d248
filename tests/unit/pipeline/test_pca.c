/* PCA and what it stands on, against closed forms: singular values, products, covariances in panels, for any memory and
 * any number of ranks; refusals. */
#include "base/rng.h"
#include "data/dataset.h"
#include "pipeline/covariance.h"
#include "pipeline/linalg.h"
#include "tests/support/comm_fork.h"
#include "tests/unit/pipeline/stage_support.h"

#include <math.h>

static double draw(size_t i)
{
	return 2 * rng_unit(rng_at(17, i)) - 1;
}

/* --- Products and singular values -------------------------------------------------------------------------------- */

static void products_are_added(void **state)
{
	enum { ROWS = 37, WIDTH = 11, M = 7, N = 3, WIDE = 5 };
	double x[ROWS * WIDTH], c[M * WIDE];
	(void)state;
	for (size_t i = 0; i < ROWS * WIDTH; i++) x[i] = draw(i);
	for (size_t i = 0; i < M * WIDE; i++) c[i] = 1;
	linalg_add_products(ROWS, M, N, (struct linalg_block){x + 2, WIDTH}, (struct linalg_block){x + 1, WIDTH},
			    (struct linalg_block){c, WIDE});
	for (size_t i = 0; i < M; i++)
		for (size_t j = 0; j < WIDE; j++) {
			long double sum = 1;
			for (size_t r = 0; j < N && r < ROWS; r++)
				sum += (long double)x[r * WIDTH + 2 + i] * x[r * WIDTH + 1 + j];
			assert_true(fabs(c[i * WIDE + j] - (double)sum) < 1e-13);
		}
}

/* The second difference: 2 on the diagonal, -1 beside it. Its vectors are sines, its values 2 - 2 cos(kπ / (n + 1)). */
static void svd_of_the_second_difference(void **state)
{
	enum { N = 150 };
	double *a = mem_zalloc((size_t)N * N, sizeof *a), *u = mem_alloc((size_t)N * N * sizeof *u), values[N];
	struct err e;
	(void)state;
	err_init(&e);
	for (size_t i = 0; i < N; i++) {
		a[i * N + i] = 2;
		if (i) a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
	}
	assert_ok(linalg_svd(N, a, u, values, &e), &e);
	for (size_t k = 0; k < N; k++) {
		double angle = M_PI * (double)(N - k) / (N + 1), cosine = 0;
		assert_true(fabs(values[k] - (2 - 2 * cos(angle))) < 1e-13);
		for (size_t i = 0; i < N; i++)
			cosine += u[k * N + i] * sin((double)(i + 1) * angle) * sqrt(2.0 / (N + 1));
		assert_true(fabs(fabs(cosine) - 1) < 1e-12);
	}
	a[3] = NAN;
	assert_false(linalg_svd(N, a, u, values, &e));
	assert_int_equal(e.code, ERR_data);
	mem_free(a);
	mem_free(u);
}

/* --- Covariances ------------------------------------------------------------------------------------------------- */

/* SIZE takes three panels, the last a narrow one. */
enum { SHARDS = 7, ROWS = 900, SIZE = 300, STORED = 5 };

/* Every third row is sparse; dense ones lie off centre. */
static void add_row(struct column *c, size_t i)
{
	double val[SIZE];
	uint32_t idx[STORED];
	for (uint32_t j = 0; j < STORED; j++) idx[j] = j * (SIZE / STORED) + (uint32_t)(rng_at(5, i) % (SIZE / STORED));
	for (size_t j = 0; j < SIZE; j++) val[j] = 3 + draw(i * SIZE + j);
	if (i % 3)
		column_dense(c, val, SIZE);
	else
		column_sparse(c, SIZE, idx, val, STORED);
}

static struct dataset *dataset_of(const struct comm *c, const struct schema *schema)
{
	static const uint8_t keep[] = {1};
	struct dataset_options options = {.shard_count = SHARDS, .memory_max = (uint64_t)1 << 30, .spool_dir = "/tmp"};
	struct dataset *d = dataset_create(schema, &options);
	struct batch b;
	struct err e;
	err_init(&e);
	batch_init(&b, schema);
	for (size_t s = comm_shard_first(c, c->rank); s < comm_shard_end(c, c->rank); s++) {
		batch_clear(&b);
		b.shard = (uint32_t)s;
		for (size_t i = ROWS * s / SHARDS; i < ROWS * (s + 1) / SHARDS; i++, b.rows++)
			add_row(&b.columns[0], i);
		assert_ok(dataset_append(d, &b, keep, &e), &e);
	}
	batch_release(&b);
	return d;
}

/* ctx: memory_max. out: the matrix. */
static bool covariance(struct comm *c, void *ctx, struct buf *out)
{
	static const struct stage_type type = {.name = "covariance"};
	struct stage_port port = {.slot = 0};
	struct stage s = {.type = &type, .in = &port, .in_count = 1};
	struct schema schema = SCHEMA_INIT;
	struct moments m;
	struct err e;
	err_init(&e);
	schema_add(&schema, &(struct column_def){.name = STR("v"), .type = COL_VECTOR});
	c->shard_count = SHARDS;
	struct fit f = {.comm = c, .rows = dataset_of(c, &schema), .memory_max = *(const uint64_t *)ctx};
	double *matrix = mem_zalloc((size_t)SIZE * SIZE, sizeof *matrix);
	bool ok = moments_fit(&s, &f, &m, &e);
	if (ok) {
		ok = m.size == SIZE && covariance_fit(&s, &f, &m, matrix, &e);
		moments_release(&m);
	}
	buf_append(out, matrix, (size_t)SIZE * SIZE * sizeof *matrix);
	mem_free(matrix);
	dataset_destroy(f.rows);
	schema_release(&schema);
	return ok;
}

static struct buf covariance_alone(uint64_t memory_max)
{
	struct buf out = BUF_INIT(1 << 20);
	struct comm *c = comm_serial_create();
	assert_true(covariance(c, &memory_max, &out));
	comm_serial_destroy(c);
	return out;
}

static void covariance_by_definition(void **state)
{
	struct schema schema = SCHEMA_INIT;
	struct batch b;
	long double *mean = mem_zalloc(SIZE, sizeof *mean);
	struct buf got = covariance_alone((uint64_t)1 << 30);
	const double *matrix = (const double *)(const void *)got.data;
	(void)state;
	schema_add(&schema, &(struct column_def){.name = STR("v"), .type = COL_VECTOR});
	batch_init(&b, &schema);
	batch_clear(&b);
	for (size_t i = 0; i < ROWS; i++) add_row(&b.columns[0], i);
	double *x = mem_alloc((size_t)ROWS * SIZE * sizeof *x);
	for (size_t i = 0; i < ROWS; i++) {
		struct vec v = column_vec_at(&b.columns[0], i);
		memset(x + i * SIZE, 0, SIZE * sizeof *x);
		for (uint32_t k = 0; k < v.nnz; k++) x[i * SIZE + (v.idx ? v.idx[k] : k)] = v.val[k];
		for (size_t j = 0; j < SIZE; j++) mean[j] += x[i * SIZE + j] / (long double)ROWS;
	}
	for (size_t r = 0; r < SIZE; r++)
		for (size_t c = 0; c < SIZE; c += 7) {
			long double sum = 0;
			for (size_t i = 0; i < ROWS; i++)
				sum += (x[i * SIZE + r] - mean[r]) * (x[i * SIZE + c] - mean[c]);
			assert_true(fabs(matrix[r * SIZE + c] - (double)(sum / (ROWS - 1))) < 1e-13);
			assert_true(matrix[r * SIZE + c] == matrix[c * SIZE + r]);
		}
	mem_free(x);
	mem_free(mean);
	buf_release(&got);
	batch_release(&b);
	schema_release(&schema);
}

/* So little that each pass takes one panel; so much that one pass takes all. */
static void covariance_same_bits_for_memory_and_ranks(void **state)
{
	static const unsigned ranks[] = {1, 2, 3, 5};
	static uint64_t memory[] = {0, 4 << 20, 1 << 30};
	struct buf alone = covariance_alone(memory[0]);
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(ranks); k++)
		for (size_t m = 0; m < ARRAY_COUNT(memory); m++) {
			struct buf outs[5];
			for (unsigned r = 0; r < ranks[k]; r++) outs[r] = BUF_INIT(1 << 20);
			assert_true(comm_fork_run(ranks[k], covariance, &memory[m], outs));
			for (unsigned r = 0; r < ranks[k]; r++) {
				assert_int_equal(outs[r].len, alone.len);
				assert_memory_equal(outs[r].data, alone.data, alone.len);
				buf_release(&outs[r]);
			}
		}
	buf_release(&alone);
}

/* --- The stage --------------------------------------------------------------------------------------------------- */

#define VECTOR_TABLE "[{\"name\":\"v\",\"type\":\"vector\"}]"
#define PCA(k) "[{\"stage\":\"PCA\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"k\":" #k "}]"

struct run {
	struct stage_table t;
	struct pipeline p;
	struct batch b;
};

static void begin(struct run *r)
{
	*r = (struct run){0};
	stage_table_init(&r->t, VECTOR_TABLE);
}

static void add(struct run *r, const double *v, size_t n)
{
	column_dense(&r->t.rows.columns[0], v, n);
	r->t.rows.rows++;
}

static bool run(struct run *r, const char *stages, struct err *e)
{
	struct comm *c = comm_serial_create();
	err_init(e);
	stage_pipeline(&r->p, stages, &r->t);
	bool ok = stage_fit(&r->p, &r->t, c, 3, e) && stage_apply(&r->p, &r->t, true, &r->b, e);
	comm_serial_destroy(c);
	return ok;
}

static void end(struct run *r)
{
	batch_release(&r->b);
	pipeline_release(&r->p);
	stage_table_release(&r->t);
}

/* Two rows a ± on each of AXES axes of a Helmert basis, off centre by far: the components are the axes, the longest
 * first, and each explains its square. More of them than the lanes of one group. */
static void components_are_the_axes(void **state)
{
	enum { AXES = 10 };
	double axes[AXES][AXES] = {{0}}, row[AXES], whole = 0;
	struct run r;
	struct err e;
	(void)state;
	begin(&r);
	for (size_t k = 0; k < AXES; k++) {
		double norm = k ? sqrt((double)(k * (k + 1))) : sqrt(AXES);
		for (size_t j = 0; j < AXES; j++) axes[k][j] = (k == 0 || j < k ? 1 : j == k ? -(double)k : 0) / norm;
		for (int side = -1; side <= 1; side += 2) {
			for (size_t j = 0; j < AXES; j++) row[j] = 4096 + side * (double)(AXES - k) * axes[k][j];
			add(&r, row, AXES);
		}
		whole += (double)((AXES - k) * (AXES - k));
	}
	assert_ok(run(&r, PCA(10), &e), &e);

	struct buf text = BUF_INIT(1 << 16);
	struct json_writer w = JSON_WRITER(&text);
	struct json *learned;
	pipeline_state(&r.p, &w);
	assert_ok(json_parse(&r.t.arena, text.data, text.len, &learned, &e), &e);
	const struct json *pc = json_get(json_at(learned, 0), "pc"),
			  *explained = json_get(json_at(learned, 0), "explainedVariance");
	for (size_t k = 0; k < AXES; k++) {
		double cosine = 0, length = (double)(AXES - k);
		for (size_t j = 0; j < AXES; j++) cosine += axes[k][j] * json_at(json_at(pc, j), k)->number;
		assert_true(fabs(fabs(cosine) - 1) < 1e-11);
		assert_true(fabs(json_at(explained, k)->number - length * length / whole) < 1e-11);
		/* Both rows of the axis lie a length from the centre along it, which is projected as it is. */
		double low = column_vec_at(stage_result(&r.p, &r.b), 2 * k).val[k];
		double high = column_vec_at(stage_result(&r.p, &r.b), 2 * k + 1).val[k];
		assert_true(fabs(fabs(high - low) - 2 * length) < 1e-10);
		if (k == 0) assert_true(fabs(fabs(high + low) / 2 - 4096 * sqrt(AXES)) < 1e-8);
	}
	buf_release(&text);
	end(&r);
}

static void a_sparse_row_is_projected_as_its_dense_one(void **state)
{
	static const double rows[][4] = {{1, 0, 2, 0}, {0, 3, 0, 1}, {2, 2, 1, 5}, {0, 0, 4, 0}};
	static const uint32_t at = 2;
	struct run r;
	struct err e;
	(void)state;
	begin(&r);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) add(&r, rows[i], 4);
	column_sparse(&r.t.rows.columns[0], 4, &at, &rows[3][2], 1);
	r.t.rows.rows++;
	assert_ok(run(&r, PCA(3), &e), &e);
	struct vec dense = column_vec_at(stage_result(&r.p, &r.b), 3),
		   sparse = column_vec_at(stage_result(&r.p, &r.b), 4);
	assert_null(sparse.idx);
	assert_memory_equal(dense.val, sparse.val, 3 * sizeof(double));
	end(&r);
}

static void assert_refused(struct run *r, const char *stages, enum err_code code, const char *text)
{
	struct err e;
	assert_false(run(r, stages, &e));
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.detail, text));
	end(r);
}

static void tables_that_are_refused(void **state)
{
	static const double rows[][2] = {{1, 2}, {3, 5}, {INFINITY, 0}};
	static const uint32_t at = 0;
	struct run r;
	(void)state;
	begin(&r);
	assert_refused(&r, PCA(1), ERR_data, "no rows");
	begin(&r);
	add(&r, rows[0], 2);
	assert_refused(&r, PCA(1), ERR_data, "one row");
	begin(&r);
	for (size_t i = 0; i < 2; i++) add(&r, rows[i], 2);
	assert_refused(&r, PCA(3), ERR_data, "have 2 entries, k is 3");
	begin(&r);
	for (size_t i = 0; i < 3; i++) add(&r, rows[i], 2);
	assert_refused(&r, PCA(1), ERR_data, "not finite");
	begin(&r);
	for (r.t.rows.rows = 0; r.t.rows.rows < 2; r.t.rows.rows++)
		column_sparse(&r.t.rows.columns[0], 4000, &at, rows[0], 1);
	assert_refused(&r, PCA(1), ERR_too_large, "covariance of vectors of 4000 entries");
	begin(&r);
	for (r.t.rows.rows = 0; r.t.rows.rows < 2; r.t.rows.rows++)
		column_sparse(&r.t.rows.columns[0], LINALG_SVD_MAX + 1, &at, rows[0], 1);
	assert_refused(&r, PCA(1), ERR_too_large, "more than 23000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(products_are_added),       cmocka_unit_test(svd_of_the_second_difference),
	    cmocka_unit_test(covariance_by_definition), cmocka_unit_test(covariance_same_bits_for_memory_and_ranks),
	    cmocka_unit_test(components_are_the_axes),  cmocka_unit_test(a_sparse_row_is_projected_as_its_dense_one),
	    cmocka_unit_test(tables_that_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
