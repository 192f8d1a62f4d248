/* Once scratch is warm, a prediction allocates nothing: one row, many rows, the response and every column. */
#include "tests/golden/golden.h"
#include "tests/support/malloc_count.h"

enum { WARM = 64, COUNTED = 500 };

static void predict(struct golden *g, const struct json *row, enum predictor_output output, struct buf *out)
{
	struct err e;
	struct predictor_request r = {
		.body = row->raw.data, .len = row->raw.len, .output = output, .limits = GOLDEN_LIMITS};
	err_init(&e);
	buf_clear(out);
	assert_ok(predictor_json(g->predictor, g->scratch, &r, out, &e), &e);
}

static void check(enum predictor_output output)
{
	for (size_t i = 0; golden_names[i]; i++) {
		struct golden g;
		struct buf out = BUF_INIT(1 << 24);
		golden_fit(&g, golden_names[i]);
		for (const struct json *row = g.ask->child; row; row = row->next) {
			for (int k = 0; k < WARM; k++) predict(&g, row, output, &out);
			size_t before = malloc_count();
			for (int k = 0; k < COUNTED; k++) predict(&g, row, output, &out);
			assert_int_equal(malloc_count() - before, 0);
		}
		buf_release(&out);
		golden_release(&g);
	}
}

static void test_response(void **state)
{
	(void)state;
	if (!malloc_counts()) skip();
	check(PREDICT_RESPONSE);
}

static void test_full(void **state)
{
	(void)state;
	if (!malloc_counts()) skip();
	check(PREDICT_FULL);
}

static void test_instances(void **state)
{
	(void)state;
	struct golden g;
	struct buf body = BUF_INIT(1 << 24), out = BUF_INIT(1 << 24);
	struct json all = {0};
	if (!malloc_counts()) skip();
	golden_fit(&g, "sentiment");
	buf_str(&body, "{\"instances\":[");
	for (size_t i = 0; i < BATCH_ROWS + 10; i++)
		buf_printf(&body, "%s{\"text\":\"row %zu is awesome\"}", i ? "," : "", i);
	buf_str(&body, "]}");
	all.raw = (struct str){body.data, body.len};
	for (int k = 0; k < 4; k++) predict(&g, &all, PREDICT_RESPONSE, &out);
	size_t before = malloc_count();
	for (int k = 0; k < 4; k++) predict(&g, &all, PREDICT_RESPONSE, &out);
	assert_int_equal(malloc_count() - before, 0);
	buf_release(&body);
	buf_release(&out);
	golden_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_instances),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
