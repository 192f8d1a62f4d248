#include "pipeline/models/logistic_summary.h"

#include "pipeline/eval/evaluator.h"
#include "pipeline/models/logistic_regression.h"

_Static_assert(sizeof(struct confusion_cell) == 3 * sizeof(double), "encoded as three numbers");
_Static_assert(sizeof(struct curve_point) == 3 * sizeof(double), "encoded as three numbers");

/* --- Rows -------------------------------------------------------------------------------------------------------- */

struct pass {
	const struct stage *stage;
	const struct logistic_columns *columns;
	double *margins, *probability;
	bool scores;               /* the curve is drawn */
	struct confusion confusion; /* of the shard at hand */
	struct buf points;
};

static bool add_batch(void *ctx, const struct batch *b, struct err *e)
{
	struct pass *p = ctx;
	struct logistic_decision decision = logistic_regression_decision(p->stage);
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(&b->columns[p->columns->features], i);
		double label = logistic_label(p->columns, b, i), weight = logistic_weight(p->columns, b, i);
		logistic_regression_margins(p->stage->state, v, p->margins);
		logistic_regression_probability(p->stage->state, p->margins, p->probability);
		struct curve_point point = {.score = p->probability[1]};
		*(label > 0.5 ? &point.positive : &point.negative) = weight;
		if (p->scores) buf_append(&p->points, &point, sizeof point);
		double prediction = logistic_regression_predict(p->stage, &decision, p->margins, p->probability);
		if (!confusion_add(&p->confusion, label, prediction, weight))
			return err_set(e, ERR_too_large, "more than %d pairs of label and prediction",
				       CONFUSION_CELLS_MAX);
	}
	return true;
}

static void end_shard(void *ctx, struct buf *out)
{
	struct pass *p = ctx;
	buf_block(out, p->confusion.cells, p->confusion.count * sizeof *p->confusion.cells);
	buf_block(out, p->points.data, p->points.len);
	confusion_clear(&p->confusion);
	buf_clear(&p->points);
}

/* All shards' cells and points in shard order. */
static bool merge(struct cursor *in, struct confusion *c, struct buf *points)
{
	bool ok = true;
	while (ok && cursor_left(in) > 0) {
		struct confusion_cell cell;
		size_t cells_len, points_len;
		const char *cells = cursor_block(in, &cells_len);
		const char *more = cursor_block(in, &points_len);
		CHECK(!in->bad);
		for (size_t at = 0; ok && at < cells_len; at += sizeof cell) {
			memcpy(&cell, cells + at, sizeof cell);
			ok = confusion_add(c, cell.label, cell.prediction, cell.weight);
		}
		buf_append(points, more, points_len);
	}
	return ok && buf_ok(points);
}

static void take(struct logistic_summary *m, struct arena *a, const struct confusion *c, struct buf *points)
{
	struct curve curve;
	curve_make(&curve, (struct curve_point *)(void *)points->data, points->len / sizeof *curve.points,
		   LOGISTIC_CURVE_BINS);
	m->cells = arena_copy(a, c->cells, c->count * sizeof *c->cells);
	m->cell_count = c->count;
	m->points = arena_copy(a, curve.points, curve.count * sizeof *curve.points);
	m->point_count = curve.count;
}

bool logistic_summary_make(struct stage *s, struct fit *f, const struct logistic_columns *c, double rows,
			   struct logistic_summary *out, struct err *e)
{
	const struct logistic_regression_state *st = s->state;
	size_t room = MAX(st->classes, (size_t)2);
	struct pass p = {.stage = s,
			 .columns = c,
			 .margins = mem_zalloc(2 * room, sizeof(double)),
			 .scores = st->classes <= 2 && rows <= LOGISTIC_CURVE_ROWS_MAX,
			 .points = BUF_INIT(EVALUATOR_BYTES_MAX)};
	p.probability = p.margins + room;
	struct confusion confusion = {0};
	struct buf all = BUF_INIT(SIZE_MAX / 2), points = BUF_INIT(SIZE_MAX / 2);
	bool ok = evaluator_gather(f->comm, f->rows, &(struct evaluator_pass){&p, add_batch, end_shard}, &all, e);
	struct cursor in = CURSOR(all.data, all.len);
	if (ok && !merge(&in, &confusion, &points))
		ok = err_set(e, ERR_too_large, "the training summary needs too much memory");
	if (ok) take(out, &s->arena, &confusion, &points);
	confusion_release(&confusion);
	confusion_release(&p.confusion);
	buf_release(&points);
	buf_release(&p.points);
	buf_release(&all);
	mem_free(p.margins);
	return ok;
}

/* --- For people -------------------------------------------------------------------------------------------------- */

static void put(struct json_writer *w, const char *key, double v)
{
	json_key(w, key);
	json_row_double(w, v);
}

static double f1(const struct confusion *c, size_t k) { return confusion_f_measure(c, k, 1); }

static void write_confusion(const struct confusion *c, struct json_writer *w)
{
	static const struct {
		const char *by_label, *weighted;
		double (*of)(const struct confusion *c, size_t k);
	} metrics[] = {
		{"truePositiveRateByLabel", "weightedTruePositiveRate", confusion_recall},
		{"falsePositiveRateByLabel", "weightedFalsePositiveRate", confusion_false_positive_rate},
		{"precisionByLabel", "weightedPrecision", confusion_precision},
		{"recallByLabel", "weightedRecall", confusion_recall},
		{"fMeasureByLabel", "weightedFMeasure", f1},
	};
	put(w, "accuracy", confusion_accuracy(c));
	json_key(w, "labels");
	json_array_begin(w);
	for (size_t k = 0; k < c->classes; k++) json_row_double(w, c->label[k]);
	json_array_end(w);
	for (size_t m = 0; m < ARRAY_COUNT(metrics); m++) {
		double weighted = 0;
		json_key(w, metrics[m].by_label);
		json_array_begin(w);
		for (size_t k = 0; k < c->classes; k++) {
			double v = metrics[m].of(c, k);
			weighted += v * c->total[k] / c->weight;
			json_row_double(w, v);
		}
		json_array_end(w);
		put(w, metrics[m].weighted, weighted);
	}
}

static void write_curve(const struct curve *c, struct json_writer *w)
{
	put(w, "areaUnderROC", curve_area_roc(c));
	curve_write_roc(c, SIZE_MAX, w);
	curve_write_pr(c, SIZE_MAX, w);
	curve_write_by_threshold(c, "fMeasureByThreshold", curve_f_measure, w);
	curve_write_by_threshold(c, "precisionByThreshold", curve_precision, w);
	curve_write_by_threshold(c, "recallByThreshold", curve_recall, w);
}

void logistic_summary_write(const struct logistic_summary *m, struct json_writer *w)
{
	struct confusion c = {0};
	for (size_t i = 0; i < m->cell_count; i++)
		if (!confusion_add(&c, m->cells[i].label, m->cells[i].prediction, m->cells[i].weight)) break;
	confusion_finish(&c);
	if (m->cell_count > 0) write_confusion(&c, w);
	confusion_release(&c);
	struct curve curve = curve_of(m->points, m->point_count);
	if (curve.count > 0) write_curve(&curve, w);
}

/* --- Bytes ------------------------------------------------------------------------------------------------------- */

/* Cells and points are three numbers each. */
enum { TRIPLE = 3 };

static void encode_triples(const void *from, size_t count, struct buf *out)
{
	double v[TRIPLE];
	buf_u64(out, count);
	for (size_t i = 0; i < count; i++) {
		memcpy(v, (const char *)from + i * sizeof v, sizeof v);
		for (size_t k = 0; k < TRIPLE; k++) buf_f64(out, v[k]);
	}
}

static void *decode_triples(struct arena *a, struct cursor *in, size_t *count)
{
	double v[TRIPLE];
	*count = cursor_count(in, sizeof v);
	char *to = arena_zalloc(a, *count + 1, sizeof v);
	for (size_t i = 0; i < *count; i++) {
		for (size_t k = 0; k < TRIPLE; k++) v[k] = cursor_f64(in);
		memcpy(to + i * sizeof v, v, sizeof v);
	}
	return to;
}

void logistic_summary_encode(const struct logistic_summary *m, struct buf *out)
{
	encode_triples(m->cells, m->cell_count, out);
	encode_triples(m->points, m->point_count, out);
}

bool logistic_summary_decode(struct logistic_summary *m, struct arena *a, struct cursor *in)
{
	m->cells = decode_triples(a, in, &m->cell_count);
	m->points = decode_triples(a, in, &m->point_count);
	return !in->bad && m->cell_count <= CONFUSION_CELLS_MAX;
}
