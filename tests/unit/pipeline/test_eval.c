/* Evaluators beyond Spark's fixtures: metrics by their definitions, the same bits for any number of ranks, what
 * people see. */
#include "tests/support/comm_fork.h"
#include "tests/support/support.h"

#include "base/rng.h"
#include "data/dataset.h"
#include "pipeline/eval/calibration.h"
#include "pipeline/eval/confusion.h"
#include "pipeline/eval/curve.h"
#include "pipeline/eval/evaluator.h"

#include <math.h>
#include <stdio.h>

static double draw(uint64_t seed, size_t i) { return rng_unit(rng_at(seed, i)); }

/* --- Curves ------------------------------------------------------------------------------------------------------ */

static void make_points(struct curve_point *p, size_t n, uint64_t seed, double levels)
{
	for (size_t i = 0; i < n; i++) {
		bool positive = draw(seed, i) < 0.4;
		double score = floor((draw(seed + 1, i) + (positive ? 0.3 : 0)) * levels) / levels,
		       weight = 0.5 + draw(seed + 2, i);
		p[i] = (struct curve_point){score, positive ? weight : 0, positive ? 0 : weight};
	}
}

/* The area under ROC is the share of (positive, negative) pairs in the right order, ties half. */
static double pairs_in_order(const struct curve_point *p, size_t n)
{
	double good = 0, all = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			double weight = p[i].positive * p[k].negative;
			all += weight;
			good += p[i].score > p[k].score ? weight : p[i].score == p[k].score ? weight / 2 : 0;
		}
	return good / all;
}

static void area_is_the_share_of_ordered_pairs(void **state)
{
	static const double levels[] = {3, 20, 1e9};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
		struct curve_point p[400], rows[400];
		struct curve c;
		make_points(p, 400, 7 + k, levels[k]);
		memcpy(rows, p, sizeof p);
		curve_make(&c, rows, 400, 0);
		assert_true(fabs(curve_area_roc(&c) - pairs_in_order(p, 400)) < 1e-12);
		assert_true(c.count <= 2 * levels[k] + 1);
		for (size_t i = 1; i < c.count; i++) {
			assert_true(c.points[i].score < c.points[i - 1].score);
			assert_true(curve_recall(&c, i) >= curve_recall(&c, i - 1));
		}
		assert_true(curve_recall(&c, c.count - 1) == 1 && curve_false_positive_rate(&c, c.count - 1) == 1);
	}
}

static void bins_merge_runs_of_scores(void **state)
{
	static const struct {
		size_t bins, points;
	} cases[] = {{0, 100}, {51, 100}, {50, 50}, {30, 34}, {3, 4}, {1, 1}};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(cases); k++) {
		struct curve_point rows[100];
		struct curve c;
		for (size_t i = 0; i < 100; i++)
			rows[i] = (struct curve_point){(double)((i * 37) % 100), i % 2, (i + 1) % 2};
		curve_make(&c, rows, 100, cases[k].bins);
		assert_int_equal(c.count, cases[k].points);
		assert_true(c.points[0].score == 99);
		assert_true(c.positive == 50 && c.negative == 50);
	}
}

static void odd_scores_have_a_place(void **state)
{
	struct curve_point rows[] = {{0.0, 1, 0},       {-0.0, 0, 1},     {NAN, 1, 0},
				     {-INFINITY, 0, 1}, {INFINITY, 1, 0}, {NAN, 0, 1}};
	struct curve c;
	(void)state;
	curve_make(&c, rows, 6, 0);
	assert_int_equal(c.count, 4);
	assert_true(isnan(c.points[0].score) && c.points[1].score == INFINITY && c.points[2].score == 0);
	curve_make(&c, rows, 0, 10);
	assert_true(curve_area_roc(&c) == 0.5);
}

/* --- Confusion --------------------------------------------------------------------------------------------------- */

static void confusion_counts_what_is_there(void **state)
{
	enum { ROWS = 3000, CLASSES = 40 };
	static double weights[CLASSES + 1][CLASSES + 1];
	struct confusion c = {0};
	double all = 0, right = 0;
	(void)state;
	memset(weights, 0, sizeof weights);
	for (size_t i = 0; i < ROWS; i++) {
		size_t label = (size_t)(draw(1, i) * CLASSES), weight = i % 5;
		size_t prediction = draw(2, i) < 0.6 ? label : (size_t)(draw(3, i) * (CLASSES + 1));
		weights[label][prediction] += (double)weight;
		all += (double)weight;
		right += label == prediction ? (double)weight : 0;
		assert_true(confusion_add(&c, (double)label, (double)prediction, (double)weight));
	}
	confusion_finish(&c);
	assert_int_equal(c.classes, CLASSES);
	assert_true(confusion_accuracy(&c) == right / all &&
		    fabs(confusion_hamming_loss(&c) - (1 - right / all)) < 1e-15);
	for (size_t k = 0; k < CLASSES; k++) {
		double predicted = 0, of_label = 0;
		for (size_t m = 0; m <= CLASSES; m++) of_label += weights[k][m];
		for (size_t m = 0; m < CLASSES; m++) predicted += weights[m][k];
		assert_true(confusion_precision(&c, k) == weights[k][k] / predicted);
		assert_true(confusion_recall(&c, k) == weights[k][k] / of_label);
		assert_true(confusion_false_positive_rate(&c, k) == (predicted - weights[k][k]) / (all - of_label));
	}
	assert_int_equal(confusion_class(&c, CLASSES), CLASSES); /* predicted, but no label */
	confusion_release(&c);
}

static void zeros_are_one_class(void **state)
{
	struct confusion c = {0};
	(void)state;
	assert_true(confusion_add(&c, 0.0, -0.0, 1) && confusion_add(&c, -0.0, 0.0, 1));
	confusion_finish(&c);
	assert_int_equal(c.classes, 1);
	assert_true(confusion_accuracy(&c) == 1);
	confusion_release(&c);
}

static void matrix_has_a_row_for_each_label(void **state)
{
	struct confusion c = {0};
	struct buf out = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&out);
	(void)state;
	assert_true(confusion_add(&c, 2, 0, 3) && confusion_add(&c, 0, 0, 1) && confusion_add(&c, 0, 7, 0.5));
	confusion_finish(&c);
	json_object_begin(&w);
	confusion_write(&c, &w);
	json_object_end(&w);
	const char *text = buf_cstr(&out);
	assert_non_null(strstr(
		text, "\"labels\":[0,2,7],\"confusionMatrix\":[[1,0,0.5],[3,0,0],[0,0,0]],\"byLabel\":[{\"label\":0,"));
	buf_release(&out);
	confusion_release(&c);
}

/* --- Calibration ------------------------------------------------------------------------------------------------- */

static void calibration_bins_by_probability(void **state)
{
	struct calibration c = {0}, more = {0};
	struct buf out = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&out);
	(void)state;
	calibration_add(&c, 0.25, true, 1);
	calibration_add(&more, 0.25, false, 3);
	calibration_add(&more, 1, true, 2);
	calibration_merge(&c, &more);
	calibration_write(&c, &w);
	assert_string_equal(buf_cstr(&out), "\"calibration\":[[0.25,0.25,4],[1,1,2]]");
	buf_clear(&out);
	calibration_add(&c, 1.5, true, 1);
	calibration_write(&c, &w);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

/* --- Ranks ------------------------------------------------------------------------------------------------------- */

enum { SHARDS = 7, ROWS = 2500 };

static struct dataset *rows_of(const struct comm *c, const struct schema *schema)
{
	static const uint8_t keep[] = {1, 1, 1, 1, 1};
	struct dataset *d = dataset_create(schema, &(struct dataset_options){.shard_count = SHARDS,
									     .memory_max = (uint64_t)1 << 30,
									     .spool_dir = "/tmp"});
	struct batch b;
	struct err e;
	err_init(&e);
	batch_init(&b, schema);
	for (size_t s = comm_shard_first(c, c->rank); s < comm_shard_end(c, c->rank); s++) {
		batch_clear(&b);
		b.shard = (uint32_t)s;
		for (size_t i = ROWS * s / SHARDS; i < ROWS * (s + 1) / SHARDS; i++, b.rows++) {
			double p = draw(11, i), q[] = {1 - p, p};
			column_double(&b.columns[0], draw(12, i) < p);
			column_double(&b.columns[1], p > 0.5);
			column_double(&b.columns[2], draw(13, i) / 3);
			column_dense(&b.columns[3], q, 2);
			column_dense(&b.columns[4], q, 2);
		}
		assert_ok(dataset_append(d, &b, keep, &e), &e);
	}
	batch_release(&b);
	return d;
}

static void schema_of(struct schema *s)
{
	static const char *const names[] = {"label", "prediction", "w", "probability", "rawPrediction"};
	*s = SCHEMA_INIT;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		schema_add(s, &(struct column_def){.name = STR(names[i]), .type = i < 3 ? COL_DOUBLE : COL_VECTOR});
}

/* ctx: the evaluator as JSON. out: its value's bytes and its detail. */
static bool evaluate(struct comm *c, void *ctx, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct evaluator ev;
	struct schema schema;
	struct json *obj;
	struct err e;
	err_init(&e);
	c->shard_count = SHARDS;
	schema_of(&schema);
	struct dataset *rows = rows_of(c, &schema);
	bool ok = json_parse(&a, ctx, strlen(ctx), &obj, &e) && evaluator_parse(&ev, obj, "/evaluate/0", &e) &&
		  evaluator_bind(&ev, &schema, &e) && evaluator_run(&ev, c, rows, &e);
	if (ok) {
		buf_append(out, &ev.value, sizeof ev.value);
		buf_append(out, ev.detail.data, ev.detail.len);
	}
	evaluator_release(&ev);
	dataset_destroy(rows);
	schema_release(&schema);
	arena_release(&a);
	return ok;
}

static const char *const EVALUATORS[] = {
	"{\"evaluator\":\"BinaryClassificationEvaluator\",\"weightCol\":\"w\"}",
	"{\"evaluator\":\"BinaryClassificationEvaluator\",\"metricName\":\"areaUnderPR\",\"numBins\":0}",
	"{\"evaluator\":\"MulticlassClassificationEvaluator\",\"weightCol\":\"w\"}",
	"{\"evaluator\":\"MulticlassClassificationEvaluator\",\"metricName\":\"logLoss\",\"weightCol\":\"w\"}",
};

static void same_bits_for_ranks(void **state)
{
	static const unsigned ranks[] = {1, 2, 3, 5};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(EVALUATORS); k++) {
		struct buf alone = BUF_INIT(1 << 24), outs[5];
		struct comm *c = comm_serial_create();
		assert_true(evaluate(c, (void *)EVALUATORS[k], &alone));
		comm_serial_destroy(c);
		for (size_t m = 0; m < ARRAY_COUNT(ranks); m++) {
			for (unsigned r = 0; r < ranks[m]; r++) outs[r] = BUF_INIT(1 << 24);
			assert_true(comm_fork_run(ranks[m], evaluate, (void *)EVALUATORS[k], outs));
			for (unsigned r = 0; r < ranks[m]; r++) {
				assert_int_equal(outs[r].len, alone.len);
				assert_memory_equal(outs[r].data, alone.data, alone.len);
				buf_release(&outs[r]);
			}
		}
		buf_release(&alone);
	}
}

/* Some 2,500 distinct scores: the curves people see have about 200 points, and the calibration is that of good
 * probabilities. */
static void detail_is_for_people(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(1 << 24);
	struct comm *c = comm_serial_create();
	struct json *detail;
	struct err e;
	(void)state;
	err_init(&e);
	assert_true(evaluate(c, (void *)EVALUATORS[1], &out));
	comm_serial_destroy(c);
	const char *text = arena_printf(&a, "{%.*s}", (int)(out.len - sizeof(double)), out.data + sizeof(double));
	assert_ok(json_parse(&a, text, strlen(text), &detail, &e), &e);
	assert_in_range(json_get(detail, "roc")->count, 150, 205);
	assert_in_range(json_get(detail, "pr")->count, 150, 205);
	assert_int_equal(json_get(detail, "calibration")->count, CALIBRATION_BINS);
	for (const struct json *bin = json_get(detail, "calibration")->child; bin; bin = bin->next)
		assert_true(fabs(json_at(bin, 0)->number - json_at(bin, 1)->number) < 0.1);
	buf_release(&out);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(area_is_the_share_of_ordered_pairs),
		cmocka_unit_test(bins_merge_runs_of_scores),
		cmocka_unit_test(odd_scores_have_a_place),
		cmocka_unit_test(confusion_counts_what_is_there),
		cmocka_unit_test(zeros_are_one_class),
		cmocka_unit_test(matrix_has_a_row_for_each_label),
		cmocka_unit_test(calibration_bins_by_probability),
		cmocka_unit_test(same_bits_for_ranks),
		cmocka_unit_test(detail_is_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
