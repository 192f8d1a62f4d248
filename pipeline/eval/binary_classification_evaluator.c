/* Spark's BinaryClassificationEvaluator: areas under the ROC and the precision-recall curve, by trapezoids over distinct scores. With
 * numBins > 0 and at least twice as many distinct scores, runs of scores are merged into one point, as Spark does in one partition. */
#include "pipeline/eval/evaluator.h"

#include <stdlib.h>

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
	{.name = "weightCol", .type = FIELD_STRING, .offset = offsetof(struct binary_params, weight), .help = "Column of weights."},
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
	ev->slot[RAW] = evaluator_input(ev, schema, "rawPredictionCol", p->raw, COL_BIT(COL_DOUBLE) | COL_BIT(COL_VECTOR), e);
	ev->slot[LABEL] = evaluator_input(ev, schema, "labelCol", p->label, COL_NUMERIC, e);
	bool weighted = p->weight.len > 0;
	if (weighted) ev->slot[WEIGHT] = evaluator_input(ev, schema, "weightCol", p->weight, COL_NUMERIC, e);
	return ev->slot[RAW] >= 0 && ev->slot[LABEL] >= 0 && (!weighted || ev->slot[WEIGHT] >= 0);
}

/* --- Rows: score, and weight of each side ----------------------------------------------------------------------------------------- */

struct point {
	double score, positive, negative; /* weights */
};

struct scores {
	const struct evaluator *ev;
	struct buf shard;
};

static bool score_at(const struct evaluator *ev, const struct batch *b, size_t i, double *score, struct err *e)
{
	const struct column *c = &b->columns[ev->slot[RAW]];
	if (!column_valid(c, i)) return evaluator_row_error(ev, b, i, e, "the score is null");
	if (c->type == COL_VECTOR && c->size[i] < 2) return evaluator_row_error(ev, b, i, e, "the score is a vector of less than two elements");
	*score = c->type == COL_VECTOR ? vec_at(column_vec_at(c, i), 1) : c->f64[i];
	return true;
}

static bool scores_each(void *ctx, const struct batch *b, struct err *e)
{
	struct scores *s = ctx;
	const struct column *labels = &b->columns[s->ev->slot[LABEL]];
	for (size_t i = 0; i < b->rows; i++) {
		struct point p = {0};
		double weight;
		if (!column_valid(labels, i)) return evaluator_row_error(s->ev, b, i, e, "the label is null");
		if (!score_at(s->ev, b, i, &p.score, e) || !evaluator_weight(s->ev, b, i, s->ev->slot[WEIGHT], &weight, e)) return false;
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

/* --- Curves -------------------------------------------------------------------------------------------------------------------------- */

/* Descending; equal scores stay in row order so that their weights are summed in it. */
static int compare_points(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	if (x->score != y->score) return x->score < y->score ? 1 : -1;
	return 0;
}

/* Stable merge sort: qsort promises no order among equals. */
static void sort_points(struct point *p, size_t n, struct point *room)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t lo = 0; lo < n; lo += 2 * width) {
			size_t mid = MIN(lo + width, n), hi = MIN(lo + 2 * width, n), a = lo, b = mid;
			for (size_t k = lo; k < hi; k++)
				room[k] = a < mid && (b >= hi || compare_points(&p[a], &p[b]) <= 0) ? p[a++] : p[b++];
		}
		memcpy(p, room, n * sizeof *p);
	}
}

static size_t merge_runs(struct point *p, size_t n, size_t run)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		bool starts = run ? i % run == 0 : i == 0 || p[i].score != p[to - 1].score;
		if (starts) p[to++] = p[i];
		else {
			p[to - 1].positive += p[i].positive;
			p[to - 1].negative += p[i].negative;
		}
	}
	return to;
}

struct curve {
	double roc, pr; /* areas */
	double (*points)[4]; /* false positive rate, true positive rate, recall, precision */
	size_t count;
};

static double ratio(double part, double whole, double none) { return whole == 0 ? none : part / whole; }

static void trace(const struct point *p, size_t n, struct curve *c)
{
	double all_positive = 0, all_negative = 0, positive = 0, negative = 0, fpr = 0, tpr = 0, recall = 0, precision = 0;
	for (size_t i = 0; i < n; i++) {
		all_positive += p[i].positive;
		all_negative += p[i].negative;
	}
	for (size_t i = 0; i < n; i++) {
		positive += p[i].positive;
		negative += p[i].negative;
		double x = ratio(negative, all_negative, 0), y = ratio(positive, all_positive, 0);
		double z = ratio(positive, positive + negative, 1);
		if (i == 0) precision = z;
		c->roc += (x - fpr) * (y + tpr) / 2;
		c->pr += (y - recall) * (z + precision) / 2;
		fpr = x;
		tpr = recall = y;
		precision = z;
		memcpy(c->points[i], (double[4]){x, y, y, z}, sizeof c->points[i]);
	}
	c->count = n;
	c->roc += (1 - fpr) * (1 + tpr) / 2;
}

enum { SHOWN_POINTS_MAX = 200 };

static void write_curve(struct json_writer *w, const char *key, const struct curve *c, size_t x, size_t y)
{
	json_key(w, key);
	json_array_begin(w);
	size_t step = (c->count + SHOWN_POINTS_MAX - 1) / SHOWN_POINTS_MAX;
	for (size_t i = 0; i < c->count; i++) {
		if (i % step != 0 && i + 1 < c->count) continue;
		json_array_begin(w);
		json_double(w, c->points[i][x]);
		json_double(w, c->points[i][y]);
		json_array_end(w);
	}
	json_array_end(w);
}

static bool evaluate(struct evaluator *ev, struct point *points, size_t n, struct err *e)
{
	const struct binary_params *p = ev->params;
	bool pr = str_is(p->metric, "areaUnderPR");
	if (n == 0 && pr) return err_set(e, ERR_data, "BinaryClassificationEvaluator: there are no rows to evaluate");
	struct point *room = mem_alloc((n + 1) * sizeof *room);
	sort_points(points, n, room);
	mem_free(room);
	n = merge_runs(points, n, 0);
	size_t run = p->num_bins ? n / (size_t)p->num_bins : 0;
	if (run >= 2) n = merge_runs(points, n, run);
	struct curve c = {.points = mem_alloc((n + 1) * sizeof *c.points)};
	trace(points, n, &c);
	struct json_writer w = JSON_WRITER(&ev->detail);
	write_curve(&w, "roc", &c, 0, 1);
	write_curve(&w, "pr", &c, 2, 3);
	mem_free(c.points);
	ev->value = pr ? c.pr : c.roc;
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
	if (ok) ok = evaluate(ev, (struct point *)(void *)all.data, all.len / sizeof(struct point), e);
	buf_release(&s.shard);
	buf_release(&all);
	return ok;
}

const struct evaluator_type binary_classification_evaluator_type = {
	.name = "BinaryClassificationEvaluator",
	.help = "Area under the ROC or the precision-recall curve.",
	.params = params,
	.params_size = sizeof(struct binary_params),
	.columns = columns,
	.run = run,
};
