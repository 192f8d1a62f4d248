/* The ROC and precision-recall curves of scored rows, as Spark's BinaryClassificationMetrics draws them in one
 * partition.
 *
 * A point stands for all rows that score at least as much as it. Where bins > 0 and there are at least twice as many
 * distinct scores, runs of ⌊scores / bins⌋ neighbours become one point. Areas are sums of trapezoids. */
#ifndef QUERN_PIPELINE_CURVE_H
#define QUERN_PIPELINE_CURVE_H

#include "base/json.h"

/* The weight that a row or a point adds; of each point, once the curve is made: of all rows with this score or more. */
struct curve_point {
	double score, positive, negative;
};

struct curve {
	struct curve_point *points; /* falling scores */
	size_t count;
	double positive, negative; /* of all rows */
};

/* Borrows rows and reorders and overwrites them: they become the points. Equal scores are added in row order. -0.0
 * is 0.0; NaN is the highest score, as in Java. */
void curve_make(struct curve *c, struct curve_point *rows, size_t n, size_t bins);
/* A curve of points that were made before. */
struct curve curve_of(struct curve_point *points, size_t count);

double curve_false_positive_rate(const struct curve *c, size_t i); /* 0 without negatives */
double curve_recall(const struct curve *c, size_t i);              /* 0 without positives */
double curve_precision(const struct curve *c, size_t i);           /* 1 without weight */
double curve_f_measure(const struct curve *c, size_t i);           /* beta 1 */
/* From (0, 0) to (1, 1); ½ without rows. */
double curve_area_roc(const struct curve *c);
/* From (0, precision of the first point). There must be one. */
double curve_area_pr(const struct curve *c);

/* "roc":[[false positive rate, recall],…] and "pr":[[recall, precision],…] as members of an object, with the points
 * where the areas begin and end; at most about points_max of the others. */
void curve_write_roc(const struct curve *c, size_t points_max, struct json_writer *w);
void curve_write_pr(const struct curve *c, size_t points_max, struct json_writer *w);
/* "<key>":[[score, of(point)],…]. */
void curve_write_by_threshold(const struct curve *c, const char *key, double (*of)(const struct curve *c, size_t i),
			      struct json_writer *w);

#endif
