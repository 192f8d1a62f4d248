/* Spark's BinaryClassificationEvaluator: areas under the ROC and the precision-recall curve (curve.h). Every rank
 * gathers all rows' scores and weights, 24 bytes a row. */
#include "pipeline/eval/calibration.h"
#include "pipeline/eval/curve.h"
#include "pipeline/eval/evaluator.h"

struct binary_params {
	struct str raw, label, weight, metric;
	int64_t num_bins;
};

enum { RAW, LABEL, WEIGHT }; /* slots */

static const char *const metrics[] = {"areaUnderROC", "areaUnderPR", NULL};
static const struct field params[] = {
	{.name = "rawPredictionCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct binary_params, raw),
	 .fallback = "\"rawPrediction\"",
	 .help = "Column of scores: double, or vector whose element 1 counts."},
	{.name = "labelCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct binary_params, label),
	 .fallback = "\"label\"",
	 .help = "Column of labels; above 0.5 is positive."},
	{.name = "weightCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct binary_params, weight),
	 .help = "Column of weights."},
	{.name = "metricName",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct binary_params, metric),
	 .fallback = "\"areaUnderROC\"",
	 .choices = metrics,
	 .help = "The metric."},
	{.name = "numBins",
	 .type = FIELD_INT,
	 .offset = offsetof(struct binary_params, num_bins),
	 .fallback = "1000",
	 .min = 0,
	 .max = INT32_MAX,
	 .help = "Points of the curves, about; 0: one for each distinct score."},
	FIELD_END,
};

static bool columns(struct evaluator *ev, const struct schema *schema, struct err *e)
{
	const struct binary_params *p = ev->params;
	ev->slot[RAW] =
		evaluator_input(ev, schema, "rawPredictionCol", p->raw, COL_BIT(COL_DOUBLE) | COL_BIT(COL_VECTOR), e);
	ev->slot[LABEL] = evaluator_input(ev, schema, "labelCol", p->label, COL_NUMERIC, e);
	bool weighted = p->weight.len > 0;
	if (weighted) ev->slot[WEIGHT] = evaluator_input(ev, schema, "weightCol", p->weight, COL_NUMERIC, e);
	return ev->slot[RAW] >= 0 && ev->slot[LABEL] >= 0 && (!weighted || ev->slot[WEIGHT] >= 0);
}

/* --- Rows -------------------------------------------------------------------------------------------------------- */

struct scores {
	const struct evaluator *ev;
	struct buf shard;
};

static bool score_at(const struct evaluator *ev, const struct batch *b, size_t i, double *score, struct err *e)
{
	const struct column *c = &b->columns[ev->slot[RAW]];
	if (!column_valid(c, i)) return evaluator_row_error(ev, b, i, e, "the score is null");
	if (c->type == COL_VECTOR && c->size[i] < 2)
		return evaluator_row_error(ev, b, i, e, "the score is a vector of less than two elements");
	*score = c->type == COL_VECTOR ? vec_at(column_vec_at(c, i), 1) : c->f64[i];
	return true;
}

static bool scores_each(void *ctx, const struct batch *b, struct err *e)
{
	struct scores *s = ctx;
	const struct column *labels = &b->columns[s->ev->slot[LABEL]];
	for (size_t i = 0; i < b->rows; i++) {
		struct curve_point p = {0};
		double weight;
		if (!column_valid(labels, i)) return evaluator_row_error(s->ev, b, i, e, "the label is null");
		if (!score_at(s->ev, b, i, &p.score, e) ||
		    !evaluator_weight(s->ev, b, i, s->ev->slot[WEIGHT], &weight, e))
			return false;
		*(column_number_at(labels, i) > 0.5 ? &p.positive : &p.negative) = weight;
		buf_append(&s->shard, &p, sizeof p);
	}
	return true;
}

static void scores_end(void *ctx, struct buf *out)
{
	struct scores *s = ctx;
	buf_append(out, s->shard.data, s->shard.len);
	if (!buf_ok(&s->shard)) out->overflow = true;
	buf_clear(&s->shard);
}

/* --- Result ------------------------------------------------------------------------------------------------------ */

enum { SHOWN_POINTS_MAX = 200 };

/* Scores that all lie in [0, 1] are read as probabilities. */
static struct calibration calibrate(const struct curve_point *rows, size_t n)
{
	struct calibration c = {.improbable = n == 0};
	for (size_t i = 0; i < n && !c.improbable; i++)
		calibration_add(&c, rows[i].score, rows[i].positive > 0, rows[i].positive + rows[i].negative);
	return c;
}

static bool evaluate(struct evaluator *ev, struct curve_point *rows, size_t n, struct err *e)
{
	const struct binary_params *p = ev->params;
	bool pr = str_is(p->metric, "areaUnderPR");
	struct json_writer w = JSON_WRITER(&ev->detail);
	struct curve c;
	if (n == 0 && pr) return err_set(e, ERR_data, "BinaryClassificationEvaluator: there are no rows to evaluate");
	struct calibration calibration = calibrate(rows, n);
	curve_make(&c, rows, n, (size_t)p->num_bins);
	curve_write_roc(&c, SHOWN_POINTS_MAX, &w);
	curve_write_pr(&c, SHOWN_POINTS_MAX, &w);
	calibration_write(&calibration, &w);
	ev->value = pr ? curve_area_pr(&c) : curve_area_roc(&c);
	ev->larger_better = true;
	ev->metric_name = pr ? metrics[1] : metrics[0];
	return true;
}

static bool run(struct evaluator *ev, struct comm *comm, struct dataset *rows, struct err *e)
{
	struct scores s = {ev, BUF_INIT(EVALUATOR_BYTES_MAX)};
	struct evaluator_pass pass = {&s, scores_each, scores_end};
	struct buf all = BUF_INIT(SIZE_MAX / 2);
	bool ok = evaluator_gather(comm, rows, &pass, &all, e);
	if (ok) ok = evaluate(ev, (struct curve_point *)(void *)all.data, all.len / sizeof(struct curve_point), e);
	buf_release(&s.shard);
	buf_release(&all);
	return ok;
}

const struct evaluator_type binary_classification_evaluator_type = {
	.name = "BinaryClassificationEvaluator",
	.help = "Area under the ROC or the precision-recall curve.",
	.inputs = "scores: vector, double; labels and weights: double, int64",
	.params = params,
	.params_size = sizeof(struct binary_params),
	.columns = columns,
	.run = run,
};
