/* Exact quantiles against a sort, for numbers that differ wildly, repeat, or are not there; the same for every way to
 * deal the rows to shards. */
#include "base/rng.h"
#include "data/dataset.h"
#include "pipeline/quantile.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS_MAX = 40000, SHARDS_MAX = 7, COLUMNS = 2 };

static double uniform(uint64_t i) { return rng_unit(rng_at(1, i)); }
static double few(uint64_t i) { return (double)(rng_at(2, i) % 5) - 2; }
static double wild(uint64_t i) { return ldexp(rng_unit(rng_at(3, i)) - 0.5, (int)(rng_at(4, i) % 2000) - 1000); }
static double constant(uint64_t i) { return i % 3 == 0 ? NAN : 0.1; }
static double signed_zeros(uint64_t i) { return i % 2 ? 0.0 : -0.0; }
static double infinities(uint64_t i) { return i % 4 == 0 ? INFINITY : i % 4 == 1 ? -INFINITY : (double)i; }
static double nothing(uint64_t i) { return (void)i, NAN; }

/* Equal numbers that stand side by side are added at once. */
static void add_column(const struct column *c, size_t column, size_t rows, struct quantile_sink *to)
{
	for (size_t i = 0, run; i < rows; i += run) {
		for (run = 1; i + run < rows && c->f64[i + run] == c->f64[i]; run++) continue;
		quantile_add(to, column, c->f64[i], (double)run);
	}
}

static void add_columns(void *ctx, const struct batch *b, struct quantile_sink *to)
{
	(void)ctx;
	for (size_t c = 0; c < COLUMNS; c++) add_column(&b->columns[c], c, b->rows, to);
}

static struct dataset *dealt(const struct schema *schema, double (*const make[COLUMNS])(uint64_t), size_t rows,
			     size_t shards)
{
	struct err e;
	struct batch b;
	static const uint8_t keep[COLUMNS] = {1, 1};
	err_init(&e);
	struct dataset *d =
		dataset_create(schema, &(struct dataset_options){.shard_count = shards, .memory_max = 1 << 28});
	batch_init(&b, schema);
	for (size_t s = 0; s < shards; s++) {
		batch_clear(&b);
		b.shard = (uint32_t)s;
		for (size_t i = rows * s / shards; i < rows * (s + 1) / shards; i++, b.rows++)
			for (size_t c = 0; c < COLUMNS; c++) column_double(&b.columns[c], make[c](i));
		if (b.rows) assert_ok(dataset_append(d, &b, keep, &e), &e);
	}
	batch_release(&b);
	return d;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double by_sorting(double (*make)(uint64_t), size_t rows, double q, double error)
{
	double *sorted = mem_alloc((rows + 1) * sizeof *sorted), value = NAN;
	size_t n = 0;
	for (size_t i = 0; i < rows; i++)
		if (!isnan(make(i))) sorted[n++] = make(i);
	qsort(sorted, n, sizeof *sorted, compare);
	size_t rank = q <= error ? 1 : q >= 1 - error ? n : (size_t)fmax(ceil(q * (double)n), 1);
	if (n) value = sorted[rank - 1];
	mem_free(sorted);
	return value;
}

static void check(double (*const make[COLUMNS])(uint64_t), size_t rows, size_t shards)
{
	static double all[] = {0, 0.001, 0.25, 0.5, 0.75, 0.9999, 1}, some[] = {0.9, 0.2, 0.2};
	static const struct f64_list probabilities[COLUMNS] = {{all, ARRAY_COUNT(all)}, {some, ARRAY_COUNT(some)}};
	struct schema schema = SCHEMA_INIT;
	struct err e;
	double out[ARRAY_COUNT(all) + ARRAY_COUNT(some)], *next = out;
	err_init(&e);
	schema_add(&schema, &(struct column_def){.name = STR("a"), .type = COL_DOUBLE});
	schema_add(&schema, &(struct column_def){.name = STR("b"), .type = COL_DOUBLE});
	struct dataset *d = dealt(&schema, make, rows, shards);
	struct comm *c = comm_serial_create();
	c->shard_count = shards;
	struct fit f = {.comm = c, .rows = d};
	struct quantiles q = {
		.columns = COLUMNS, .of_columns = probabilities, .relative_error = 0.0005, .each = add_columns};
	assert_ok(quantiles_fit(&f, &q, out, &e), &e);
	for (size_t col = 0; col < COLUMNS; col++)
		for (size_t k = 0; k < probabilities[col].count; k++, next++) {
			double at = probabilities[col].items[k], want = by_sorting(make[col], rows, at, 0.0005);
			if (!(*next == want || (isnan(*next) && isnan(want))))
				fail_msg("column %zu, quantile %g of %zu rows in %zu shards: %.17g, not %.17g", col, at,
					 rows, shards, *next, want);
		}
	comm_serial_destroy(c);
	dataset_destroy(d);
	schema_release(&schema);
}

static void test_as_sorting(void **state)
{
	static double (*const makers[][COLUMNS])(uint64_t) = {
		{uniform, few}, {wild, constant}, {signed_zeros, infinities}, {nothing, uniform}, {constant, few},
	};
	static const size_t sizes[] = {0, 1, 2, 3, 499, 500, 20000, ROWS_MAX};
	(void)state;
	for (size_t m = 0; m < ARRAY_COUNT(makers); m++)
		for (size_t n = 0; n < ARRAY_COUNT(sizes); n++) check(makers[m], sizes[n], n % 2 ? 1 : SHARDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_sorting)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
