/* Spark's MulticlassClassificationEvaluator: metrics of the confusion matrix, and log-loss. */
#include "pipeline/eval/calibration.h"
#include "pipeline/eval/confusion.h"
#include "pipeline/eval/evaluator.h"

#include <math.h>

struct multiclass_params {
	struct str prediction, label, weight, probability, metric;
	double metric_label, beta, eps;
};

enum { PREDICTION, LABEL, WEIGHT, PROBABILITY }; /* slots */

/* What the rows came to. */
struct tally {
	struct confusion confusion;
	double log_loss; /* Σ w·loss, where probabilities are bound */
	struct calibration calibration;
	double beta;
};

/* --- Metrics ----------------------------------------------------------------------------------------------------- */

static double precision(const struct tally *t, size_t k) { return confusion_precision(&t->confusion, k); }
static double recall(const struct tally *t, size_t k) { return confusion_recall(&t->confusion, k); }
static double false_positive_rate(const struct tally *t, size_t k)
{
	return confusion_false_positive_rate(&t->confusion, k);
}
static double f_measure(const struct tally *t, size_t k) { return confusion_f_measure(&t->confusion, k, t->beta); }
static double f1(const struct tally *t, size_t k) { return confusion_f_measure(&t->confusion, k, 1); }
static double accuracy(const struct tally *t) { return confusion_accuracy(&t->confusion); }
static double hamming_loss(const struct tally *t) { return confusion_hamming_loss(&t->confusion); }
static double log_loss(const struct tally *t) { return t->log_loss / t->confusion.weight; }

/* METRIC(name, of all rows, of metricLabel or of all labels by their weights, of one label only, smaller is better) */
#define METRICS                                                                                                        \
	METRIC("f1", NULL, f1, false, false)                                                                           \
	METRIC("accuracy", accuracy, NULL, false, false)                                                               \
	METRIC("weightedPrecision", NULL, precision, false, false)                                                     \
	METRIC("weightedRecall", NULL, recall, false, false)                                                           \
	METRIC("weightedTruePositiveRate", NULL, recall, false, false)                                                 \
	METRIC("weightedFalsePositiveRate", NULL, false_positive_rate, false, true)                                    \
	METRIC("weightedFMeasure", NULL, f_measure, false, false)                                                      \
	METRIC("truePositiveRateByLabel", NULL, recall, true, false)                                                   \
	METRIC("falsePositiveRateByLabel", NULL, false_positive_rate, true, true)                                      \
	METRIC("precisionByLabel", NULL, precision, true, false)                                                       \
	METRIC("recallByLabel", NULL, recall, true, false)                                                             \
	METRIC("fMeasureByLabel", NULL, f_measure, true, false)                                                        \
	METRIC("logLoss", log_loss, NULL, false, true)                                                                 \
	METRIC("hammingLoss", hamming_loss, NULL, false, true)

static const struct metric {
	const char *name;
	double (*whole)(const struct tally *t);
	double (*by_class)(const struct tally *t, size_t k);
	bool one_label, smaller_better;
} metrics[] = {
#define METRIC(name_, whole_, by_class_, one_label_, smaller_) {name_, whole_, by_class_, one_label_, smaller_},
	METRICS
#undef METRIC
};

static const char *const metric_names[] = {
#define METRIC(name_, whole_, by_class_, one_label_, smaller_) name_,
	METRICS
#undef METRIC
	NULL,
};

static const struct field params[] = {
	{.name = "predictionCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct multiclass_params, prediction),
	 .fallback = "\"prediction\"",
	 .help = "Column of predicted classes."},
	{.name = "labelCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct multiclass_params, label),
	 .fallback = "\"label\"",
	 .help = "Column of true classes."},
	{.name = "weightCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct multiclass_params, weight),
	 .help = "Column of weights."},
	{.name = "probabilityCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct multiclass_params, probability),
	 .fallback = "\"probability\"",
	 .help = "Column of class probabilities, for logLoss."},
	{.name = "metricName",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct multiclass_params, metric),
	 .fallback = "\"f1\"",
	 .choices = metric_names,
	 .help = "The metric."},
	{.name = "metricLabel",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct multiclass_params, metric_label),
	 .fallback = "0.0",
	 .min = 0,
	 .max = INFINITY,
	 .help = "The class of …ByLabel metrics."},
	{.name = "beta",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct multiclass_params, beta),
	 .fallback = "1.0",
	 .min = 0,
	 .max = INFINITY,
	 .min_open = true,
	 .help = "Weight of recall in weightedFMeasure and fMeasureByLabel."},
	{.name = "eps",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct multiclass_params, eps),
	 .fallback = "1e-15",
	 .min = 0,
	 .max = 0.5,
	 .min_open = true,
	 .max_open = true,
	 .help = "logLoss clips probabilities to [eps, 1 - eps]."},
	FIELD_END,
};

static const struct metric *metric_of(const struct evaluator *ev)
{
	const struct multiclass_params *p = ev->params;
	size_t i = 0;
	while (!str_is(p->metric, metrics[i].name)) i++;
	return &metrics[i];
}

static bool wants_log_loss(const struct evaluator *ev) { return metric_of(ev)->whole == log_loss; }

/* Probabilities are needed for logLoss; else they are used for the calibration where they are there. */
static bool columns(struct evaluator *ev, const struct schema *schema, struct err *e)
{
	const struct multiclass_params *p = ev->params;
	size_t faults = e->fault_count;
	int probability = schema_find(schema, p->probability);
	bool there = probability >= 0 && schema->columns[probability].type == COL_VECTOR;
	ev->slot[PREDICTION] = evaluator_input(ev, schema, "predictionCol", p->prediction, COL_NUMERIC, e);
	ev->slot[LABEL] = evaluator_input(ev, schema, "labelCol", p->label, COL_NUMERIC, e);
	if (p->weight.len) ev->slot[WEIGHT] = evaluator_input(ev, schema, "weightCol", p->weight, COL_NUMERIC, e);
	if (there || wants_log_loss(ev))
		ev->slot[PROBABILITY] =
			evaluator_input(ev, schema, "probabilityCol", p->probability, COL_BIT(COL_VECTOR), e);
	return e->fault_count == faults;
}

/* --- Rows -------------------------------------------------------------------------------------------------------- */

struct row {
	double label, prediction, weight;
	struct vec probability;
};

static bool read_row(const struct evaluator *ev, const struct batch *b, size_t i, struct row *r, struct err *e)
{
	const struct column *labels = &b->columns[ev->slot[LABEL]], *predictions = &b->columns[ev->slot[PREDICTION]];
	if (!column_valid(labels, i)) return evaluator_row_error(ev, b, i, e, "the label is null");
	if (!column_valid(predictions, i)) return evaluator_row_error(ev, b, i, e, "the prediction is null");
	*r = (struct row){.label = column_number_at(labels, i), .prediction = column_number_at(predictions, i)};
	if (isnan(r->label) || isnan(r->prediction))
		return evaluator_row_error(ev, b, i, e, "a label or prediction is NaN");
	if (ev->slot[PROBABILITY] >= 0 && column_valid(&b->columns[ev->slot[PROBABILITY]], i))
		r->probability = column_vec_at(&b->columns[ev->slot[PROBABILITY]], i);
	return evaluator_weight(ev, b, i, ev->slot[WEIGHT], &r->weight, e);
}

static bool add_loss(const struct evaluator *ev, const struct row *r, struct tally *t)
{
	const struct multiclass_params *p = ev->params;
	if (!(r->label >= 0 && r->label < r->probability.size && r->label == floor(r->label))) return false;
	double x = fmin(fmax(vec_at(r->probability, (uint32_t)r->label), p->eps), 1 - p->eps);
	t->log_loss -= log(x) * r->weight;
	return true;
}

/* Two classes: how often class 1 comes true when it is given p. More: how often the prediction is right when it is
 * given p. */
static void add_calibration(const struct row *r, struct tally *t)
{
	bool binary = r->probability.size == 2;
	double of = binary ? 1 : r->prediction;
	if (!(of >= 0 && of < r->probability.size)) return;
	calibration_add(&t->calibration, vec_at(r->probability, (uint32_t)of), r->label == of, r->weight);
}

struct pass {
	const struct evaluator *ev;
	struct tally tally; /* of the shard at hand */
};

static bool too_many(struct err *e)
{
	return err_set(e, ERR_too_large, "more than %d pairs of label and prediction", CONFUSION_CELLS_MAX);
}

static bool pass_each(void *ctx, const struct batch *b, struct err *e)
{
	struct pass *p = ctx;
	for (size_t i = 0; i < b->rows; i++) {
		struct row r;
		if (!read_row(p->ev, b, i, &r, e)) return false;
		if (wants_log_loss(p->ev) && !add_loss(p->ev, &r, &p->tally))
			return evaluator_row_error(p->ev, b, i, e, "there is no probability of the label");
		add_calibration(&r, &p->tally);
		if (!confusion_add(&p->tally.confusion, r.label, r.prediction, r.weight)) return too_many(e);
	}
	return true;
}

static void pass_end(void *ctx, struct buf *out)
{
	struct tally *t = &((struct pass *)ctx)->tally;
	buf_f64(out, t->log_loss);
	buf_append(out, &t->calibration, sizeof t->calibration);
	buf_block(out, t->confusion.cells, t->confusion.count * sizeof *t->confusion.cells);
	t->log_loss = 0;
	t->calibration = (struct calibration){0};
	confusion_clear(&t->confusion);
}

static bool merge_shard(struct tally *t, struct cursor *in, struct err *e)
{
	struct calibration calibration;
	struct confusion_cell cell;
	size_t len;
	t->log_loss += cursor_f64(in);
	const void *bins = cursor_bytes(in, sizeof calibration);
	const char *cells = cursor_block(in, &len);
	CHECK(!in->bad && bins);
	memcpy(&calibration, bins, sizeof calibration);
	calibration_merge(&t->calibration, &calibration);
	for (size_t at = 0; at < len; at += sizeof cell) {
		memcpy(&cell, cells + at, sizeof cell);
		if (!confusion_add(&t->confusion, cell.label, cell.prediction, cell.weight)) return too_many(e);
	}
	return true;
}

/* --- Result ------------------------------------------------------------------------------------------------------ */

static double weighted(const struct tally *t, double (*of)(const struct tally *t, size_t k))
{
	double sum = 0;
	for (size_t k = 0; k < t->confusion.classes; k++) sum += of(t, k) * t->confusion.total[k] / t->confusion.weight;
	return sum;
}

static void write_detail(const struct evaluator *ev, const struct tally *t, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_key(&w, "accuracy");
	json_double(&w, accuracy(t));
	confusion_write(&t->confusion, &w);
	if (ev->slot[PROBABILITY] >= 0) calibration_write(&t->calibration, &w);
}

static bool evaluate(struct evaluator *ev, struct tally *t, struct err *e)
{
	const struct multiclass_params *p = ev->params;
	const struct metric *m = metric_of(ev);
	confusion_finish(&t->confusion);
	size_t k = confusion_class(&t->confusion, p->metric_label);
	if (m->one_label && k == t->confusion.classes)
		return err_set(e, ERR_data, "MulticlassClassificationEvaluator: no row has the label %g (metricLabel)",
			       p->metric_label);
	ev->value = m->whole ? m->whole(t) : m->one_label ? m->by_class(t, k) : weighted(t, m->by_class);
	ev->larger_better = !m->smaller_better;
	ev->metric_name = m->name;
	write_detail(ev, t, &ev->detail);
	return true;
}

static bool run(struct evaluator *ev, struct comm *comm, struct dataset *rows, struct err *e)
{
	const struct multiclass_params *p = ev->params;
	struct pass mine = {.ev = ev};
	struct tally all_rows = {.beta = p->beta};
	struct evaluator_pass pass = {&mine, pass_each, pass_end};
	struct buf all = BUF_INIT(SIZE_MAX / 2);
	bool ok = evaluator_gather(comm, rows, &pass, &all, e);
	struct cursor in = CURSOR(all.data, all.len);
	while (ok && cursor_left(&in) > 0) ok = merge_shard(&all_rows, &in, e);
	ok = ok && evaluate(ev, &all_rows, e);
	confusion_release(&mine.tally.confusion);
	confusion_release(&all_rows.confusion);
	buf_release(&all);
	return ok;
}

const struct evaluator_type multiclass_classification_evaluator_type = {
	.name = "MulticlassClassificationEvaluator",
	.help = "Metrics of the confusion matrix, and log-loss.",
	.inputs = "predictions, labels and weights: double, int64; probabilities: vector",
	.params = params,
	.params_size = sizeof(struct multiclass_params),
	.columns = columns,
	.run = run,
};
