#include "pipeline/eval/curve.h"

#include <math.h>
#include <string.h>

/* --- Points ------------------------------------------------------------------------------------------------------ */

static bool scores_higher(const struct curve_point *a, const struct curve_point *b)
{
	return a->score > b->score || (isnan(a->score) && !isnan(b->score));
}

static bool scores_equal(const struct curve_point *a, const struct curve_point *b)
{
	return a->score == b->score || (isnan(a->score) && isnan(b->score));
}

/* Stable merge sort: qsort promises no order among equals, and sums follow the order. */
static void sort_points(struct curve_point *p, size_t n, struct curve_point *room)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t lo = 0; lo < n; lo += 2 * width) {
			size_t mid = MIN(lo + width, n), hi = MIN(lo + 2 * width, n), a = lo, b = mid;
			for (size_t k = lo; k < hi; k++)
				room[k] = a < mid && (b >= hi || !scores_higher(&p[b], &p[a])) ? p[a++] : p[b++];
		}
		memcpy(p, room, n * sizeof *p);
	}
}

/* Neighbours with equal scores (run 0), or runs of that many, become one. */
static size_t merge_runs(struct curve_point *p, size_t n, size_t run)
{
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		bool starts = run ? i % run == 0 : i == 0 || !scores_equal(&p[i], &p[to - 1]);
		if (starts) {
			p[to++] = p[i];
			continue;
		}
		p[to - 1].positive += p[i].positive;
		p[to - 1].negative += p[i].negative;
	}
	return to;
}

struct curve curve_of(struct curve_point *points, size_t count)
{
	struct curve c = {points, count, 0, 0};
	if (count > 0) {
		c.positive = points[count - 1].positive;
		c.negative = points[count - 1].negative;
	}
	return c;
}

void curve_make(struct curve *c, struct curve_point *rows, size_t n, size_t bins)
{
	struct curve_point *room = mem_alloc(MAX(n, (size_t)1) * sizeof *room);
	sort_points(rows, n, room);
	mem_free(room);
	n = merge_runs(rows, n, 0);
	if (bins > 0 && n / bins >= 2) n = merge_runs(rows, n, n / bins);
	for (size_t i = 1; i < n; i++) {
		rows[i].positive += rows[i - 1].positive;
		rows[i].negative += rows[i - 1].negative;
	}
	*c = curve_of(rows, n);
}

/* --- Along the curve --------------------------------------------------------------------------------------------- */

static double ratio(double part, double whole, double otherwise) { return whole == 0 ? otherwise : part / whole; }

double curve_false_positive_rate(const struct curve *c, size_t i)
{
	return ratio(c->points[i].negative, c->negative, 0);
}

double curve_recall(const struct curve *c, size_t i) { return ratio(c->points[i].positive, c->positive, 0); }

double curve_precision(const struct curve *c, size_t i)
{
	return ratio(c->points[i].positive, c->points[i].positive + c->points[i].negative, 1);
}

double curve_f_measure(const struct curve *c, size_t i)
{
	double p = curve_precision(c, i), r = curve_recall(c, i);
	return ratio(2 * p * r, p + r, 0);
}

static double trapezoid(double x0, double y0, double x1, double y1) { return (x1 - x0) * (y1 + y0) / 2; }

double curve_area_roc(const struct curve *c)
{
	double x = 0, y = 0, area = 0;
	for (size_t i = 0; i < c->count; i++) {
		double next_x = curve_false_positive_rate(c, i), next_y = curve_recall(c, i);
		area += trapezoid(x, y, next_x, next_y);
		x = next_x;
		y = next_y;
	}
	return area + trapezoid(x, y, 1, 1);
}

double curve_area_pr(const struct curve *c)
{
	double x = 0, y = curve_precision(c, 0), area = 0;
	for (size_t i = 0; i < c->count; i++) {
		double next_x = curve_recall(c, i), next_y = curve_precision(c, i);
		area += trapezoid(x, y, next_x, next_y);
		x = next_x;
		y = next_y;
	}
	return area;
}

/* --- For people -------------------------------------------------------------------------------------------------- */

static void write_pair(struct json_writer *w, double x, double y)
{
	json_array_begin(w);
	json_row_double(w, x);
	json_row_double(w, y);
	json_array_end(w);
}

typedef double (*measure)(const struct curve *c, size_t i);

static void write_points(const struct curve *c, size_t points_max, measure x, measure y, struct json_writer *w)
{
	size_t step = MAX((c->count + points_max - 1) / points_max, (size_t)1);
	for (size_t i = 0; i < c->count; i++)
		if (i % step == 0 || i + 1 == c->count) write_pair(w, x(c, i), y(c, i));
}

void curve_write_roc(const struct curve *c, size_t points_max, struct json_writer *w)
{
	json_key(w, "roc");
	json_array_begin(w);
	write_pair(w, 0, 0);
	write_points(c, points_max, curve_false_positive_rate, curve_recall, w);
	write_pair(w, 1, 1);
	json_array_end(w);
}

void curve_write_pr(const struct curve *c, size_t points_max, struct json_writer *w)
{
	json_key(w, "pr");
	json_array_begin(w);
	if (c->count > 0) write_pair(w, 0, curve_precision(c, 0));
	write_points(c, points_max, curve_recall, curve_precision, w);
	json_array_end(w);
}

static double score_of(const struct curve *c, size_t i) { return c->points[i].score; }

void curve_write_by_threshold(const struct curve *c, const char *key, measure of, struct json_writer *w)
{
	json_key(w, key);
	json_array_begin(w);
	write_points(c, SIZE_MAX, score_of, of, w);
	json_array_end(w);
}
