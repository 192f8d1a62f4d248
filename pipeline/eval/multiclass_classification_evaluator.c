/* Spark's MulticlassClassificationEvaluator: metrics of the confusion matrix, and log-loss. */
#include "pipeline/eval/evaluator.h"

#include <math.h>
#include <stdlib.h>

struct multiclass_params {
	struct str prediction, label, weight, probability, metric;
	double metric_label, beta, eps;
};

enum { PREDICTION, LABEL, WEIGHT, PROBABILITY }; /* slots */

/* The confusion matrix in classes: those that occur as labels, ascending. */
struct classes {
	size_t count;
	double *label;         /* [count] */
	double *total, *right; /* [count] weights of rows with the label, and of those predicted so */
	double *wrong;         /* [count] weight of rows predicted so that have another label */
	double weight, missed; /* of all rows, of all wrong rows */
	double log_loss;       /* sum over rows */
	double beta, metric_label;
};

/* --- Metrics by class ---------------------------------------------------------------------------------------------------------------- */

static double precision(const struct classes *c, size_t k)
{
	double all = c->right[k] + c->wrong[k];
	return all == 0 ? 0 : c->right[k] / all;
}
static double recall(const struct classes *c, size_t k) { return c->right[k] / c->total[k]; }
static double false_positive_rate(const struct classes *c, size_t k) { return c->wrong[k] / (c->weight - c->total[k]); }
static double f_measure(const struct classes *c, size_t k)
{
	double p = precision(c, k), r = recall(c, k), b = c->beta * c->beta;
	return p + r == 0 ? 0 : (1 + b) * p * r / (b * p + r);
}

static double weighted(const struct classes *c, double (*of)(const struct classes *c, size_t k))
{
	double sum = 0;
	for (size_t k = 0; k < c->count; k++) sum += of(c, k) * c->total[k] / c->weight;
	return sum;
}

static double accuracy(const struct classes *c)
{
	double right = 0;
	for (size_t k = 0; k < c->count; k++) right += c->right[k];
	return right / c->weight;
}
static double hamming_loss(const struct classes *c) { return c->missed / c->weight; }
static double log_loss(const struct classes *c) { return c->log_loss / c->weight; }

static const struct metric {
	const char *name;
	double (*whole)(const struct classes *c);               /* of all rows */
	double (*by_class)(const struct classes *c, size_t k);  /* of metricLabel, or weighted over all */
	bool one_label, smaller_better, plain_f1;
} metrics[] = {
	{.name = "f1", .by_class = f_measure, .plain_f1 = true},
	{.name = "accuracy", .whole = accuracy},
	{.name = "weightedPrecision", .by_class = precision},
	{.name = "weightedRecall", .by_class = recall},
	{.name = "weightedTruePositiveRate", .by_class = recall},
	{.name = "weightedFalsePositiveRate", .by_class = false_positive_rate, .smaller_better = true},
	{.name = "weightedFMeasure", .by_class = f_measure},
	{.name = "truePositiveRateByLabel", .by_class = recall, .one_label = true},
	{.name = "falsePositiveRateByLabel", .by_class = false_positive_rate, .one_label = true, .smaller_better = true},
	{.name = "precisionByLabel", .by_class = precision, .one_label = true},
	{.name = "recallByLabel", .by_class = recall, .one_label = true},
	{.name = "fMeasureByLabel", .by_class = f_measure, .one_label = true},
	{.name = "logLoss", .whole = log_loss, .smaller_better = true},
	{.name = "hammingLoss", .whole = hamming_loss, .smaller_better = true},
};

static const char *const metric_names[] = {
	"f1", "accuracy", "weightedPrecision", "weightedRecall", "weightedTruePositiveRate", "weightedFalsePositiveRate",
	"weightedFMeasure", "truePositiveRateByLabel", "falsePositiveRateByLabel", "precisionByLabel", "recallByLabel",
	"fMeasureByLabel", "logLoss", "hammingLoss", NULL};

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
	{.name = "weightCol", .type = FIELD_STRING, .offset = offsetof(struct multiclass_params, weight), .help = "Column of weights."},
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

static bool columns(struct evaluator *ev, const struct schema *schema, struct err *e)
{
	const struct multiclass_params *p = ev->params;
	size_t faults = e->fault_count;
	ev->slot[PREDICTION] = evaluator_input(ev, schema, "predictionCol", p->prediction, COL_NUMERIC, e);
	ev->slot[LABEL] = evaluator_input(ev, schema, "labelCol", p->label, COL_NUMERIC, e);
	if (p->weight.len) ev->slot[WEIGHT] = evaluator_input(ev, schema, "weightCol", p->weight, COL_NUMERIC, e);
	if (metric_of(ev)->whole == log_loss)
		ev->slot[PROBABILITY] = evaluator_input(ev, schema, "probabilityCol", p->probability, COL_BIT(COL_VECTOR), e);
	return e->fault_count == faults;
}

/* --- Rows ------------------------------------------------------------------------------------------------------------------------------ */

struct cell {
	double label, prediction, weight, log_loss;
};

static bool row_loss(const struct evaluator *ev, const struct batch *b, size_t i, struct cell *cell, struct err *e)
{
	const struct multiclass_params *p = ev->params;
	if (ev->slot[PROBABILITY] < 0) return true;
	const struct column *c = &b->columns[ev->slot[PROBABILITY]];
	if (!column_valid(c, i)) return evaluator_row_error(ev, b, i, e, "the probability is null");
	struct vec v = column_vec_at(c, i);
	if (!(cell->label >= 0 && cell->label < v.size)) return evaluator_row_error(ev, b, i, e, "the label has no probability");
	double x = fmin(fmax(vec_at(v, (uint32_t)cell->label), p->eps), 1 - p->eps);
	cell->log_loss = -log(x) * cell->weight;
	return true;
}

struct pass {
	const struct evaluator *ev;
	struct cell *cells; /* of the shard at hand, by (label, prediction) */
	size_t count, cap;
};

/* Few cells, so they are searched; the last one hit comes first to mind. */
static struct cell *cell_for(struct pass *p, const struct cell *row)
{
	for (size_t i = p->count; i-- > 0;)
		if (p->cells[i].label == row->label && p->cells[i].prediction == row->prediction) return &p->cells[i];
	MEM_GROW(p->cells, p->cap, p->count + 1);
	p->cells[p->count] = (struct cell){.label = row->label, .prediction = row->prediction};
	return &p->cells[p->count++];
}

enum { CELLS_MAX = 1 << 20 };

static bool add_cell(struct pass *p, const struct cell *row, struct err *e)
{
	struct cell *cell = cell_for(p, row);
	cell->weight += row->weight;
	cell->log_loss += row->log_loss;
	return p->count < CELLS_MAX || err_set(e, ERR_too_large, "more than %d pairs of label and prediction", CELLS_MAX);
}

static bool pass_each(void *ctx, const struct batch *b, struct err *e)
{
	struct pass *p = ctx;
	const struct evaluator *ev = p->ev;
	const struct column *labels = &b->columns[ev->slot[LABEL]], *predictions = &b->columns[ev->slot[PREDICTION]];
	for (size_t i = 0; i < b->rows; i++) {
		struct cell row = {0};
		if (!column_valid(labels, i)) return evaluator_row_error(ev, b, i, e, "the label is null");
		if (!column_valid(predictions, i)) return evaluator_row_error(ev, b, i, e, "the prediction is null");
		row.label = column_number_at(labels, i);
		row.prediction = column_number_at(predictions, i);
		if (isnan(row.label) || isnan(row.prediction)) return evaluator_row_error(ev, b, i, e, "a label or prediction is NaN");
		if (!evaluator_weight(ev, b, i, ev->slot[WEIGHT], &row.weight, e) || !row_loss(ev, b, i, &row, e)) return false;
		if (!add_cell(p, &row, e)) return false;
	}
	return true;
}

static void pass_end(void *ctx, struct buf *out)
{
	struct pass *p = ctx;
	buf_append(out, p->cells, p->count * sizeof *p->cells);
	p->count = 0;
}

/* --- Result ------------------------------------------------------------------------------------------------------------------------------ */

static int compare_cells(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	if (x->label != y->label) return x->label < y->label ? -1 : 1;
	return (x->prediction > y->prediction) - (x->prediction < y->prediction);
}

static size_t class_of(const struct classes *c, double label)
{
	for (size_t k = 0; k < c->count; k++)
		if (c->label[k] == label) return k;
	return c->count;
}

static void count_classes(struct classes *c, const struct cell *cells, size_t n)
{
	c->label = mem_zalloc(n + 1, 4 * sizeof(double));
	c->total = c->label + n + 1;
	c->right = c->total + n + 1;
	c->wrong = c->right + n + 1;
	for (size_t i = 0; i < n; i++) {
		if (c->count == 0 || c->label[c->count - 1] != cells[i].label) c->label[c->count++] = cells[i].label;
		size_t k = c->count - 1;
		c->total[k] += cells[i].weight;
		c->weight += cells[i].weight;
		c->log_loss += cells[i].log_loss;
		if (cells[i].label == cells[i].prediction) c->right[k] += cells[i].weight;
	}
	for (size_t i = 0; i < n; i++) {
		size_t k = class_of(c, cells[i].prediction);
		if (cells[i].label == cells[i].prediction) continue;
		c->missed += cells[i].weight;
		if (k < c->count) c->wrong[k] += cells[i].weight;
	}
}

static void write_matrix(struct buf *out, const struct cell *cells, size_t n)
{
	struct json_writer w = JSON_WRITER(out);
	json_key(&w, "confusionMatrix");
	json_array_begin(&w);
	for (size_t i = 0; i < n; i++) {
		json_object_begin(&w);
		json_key(&w, "label");
		json_double(&w, cells[i].label);
		json_key(&w, "prediction");
		json_double(&w, cells[i].prediction);
		json_key(&w, "weight");
		json_double(&w, cells[i].weight);
		json_object_end(&w);
	}
	json_array_end(&w);
}

static bool evaluate(struct evaluator *ev, const struct cell *cells, size_t n, struct err *e)
{
	const struct multiclass_params *p = ev->params;
	const struct metric *m = metric_of(ev);
	struct classes c = {.beta = m->plain_f1 ? 1 : p->beta};
	count_classes(&c, cells, n);
	size_t k = class_of(&c, p->metric_label);
	bool ok = !m->one_label || k < c.count;
	if (!ok) err_set(e, ERR_data, "MulticlassClassificationEvaluator: no row has the label %g (metricLabel)", p->metric_label);
	else ev->value = m->whole ? m->whole(&c) : m->one_label ? m->by_class(&c, k) : weighted(&c, m->by_class);
	ev->larger_better = !m->smaller_better;
	ev->metric_name = m->name;
	write_matrix(&ev->detail, cells, n);
	mem_free(c.label);
	return ok;
}

static bool run(struct evaluator *ev, struct comm *comm, struct dataset *rows, struct err *e)
{
	struct pass mine = {.ev = ev}, merged = {.ev = ev};
	struct evaluator_pass pass = {&mine, pass_each, pass_end};
	struct buf all = BUF_INIT(SIZE_MAX / 2);
	bool ok = evaluator_gather(comm, rows, &pass, &all, e);
	const struct cell *cells = (const void *)all.data;
	for (size_t i = 0; ok && i < all.len / sizeof *cells; i++) ok = add_cell(&merged, &cells[i], e);
	if (ok && merged.count) qsort(merged.cells, merged.count, sizeof *merged.cells, compare_cells);
	ok = ok && evaluate(ev, merged.cells, merged.count, e);
	mem_free(mine.cells);
	mem_free(merged.cells);
	buf_release(&all);
	return ok;
}

const struct evaluator_type multiclass_classification_evaluator_type = {
	.name = "MulticlassClassificationEvaluator",
	.help = "Metrics of the confusion matrix, and log-loss.",
	.params = params,
	.params_size = sizeof(struct multiclass_params),
	.columns = columns,
	.run = run,
};
