/* Tests of each feature of a vector against a label, over all ranks: Spark's ChiSquareTest, ANOVATest and FValueTest.
 *
 * The stage's inputs are the vectors (0) and the label (1). ERR_data where a vector or a label is null, where lengths
 * differ, where there are too few rows or labels for the test to exist. Statistics and p-values are computed as Spark
 * does: a constant feature has NaN in the two F tests (p 1 in chi-square), and so has one that leaves no variance. */
#ifndef QUERN_PIPELINE_FEATURE_TEST_H
#define QUERN_PIPELINE_FEATURE_TEST_H

#include "pipeline/numbering.h"
#include "pipeline/stage.h"

enum {
	FEATURE_CATEGORIES_MAX = 10000, /* labels, and values of a feature in chi-square; Spark's limit */
	FEATURE_CELLS_MAX = 1 << 24,    /* chi-square: features, and different (feature, value, label) */
	FEATURE_SUMS_MAX = 1 << 26,     /* ANOVA: features times labels */
};

struct feature_tests {
	size_t size;
	double *p, *statistic; /* [size] */
	int64_t *freedom;      /* [size] */
};

/* Fills out, which lies in the stage's arena. Collective. */
typedef bool feature_test(struct stage *s, struct fit *f, struct feature_tests *out, struct err *e);
feature_test feature_chi_square, feature_anova, feature_f_value;

void feature_tests_room(struct stage *s, struct feature_tests *t, size_t size);
void feature_tests_encode(const struct feature_tests *t, struct buf *out);
/* ERR_bad_model. */
QN_MUST bool feature_tests_decode(struct stage *s, struct feature_tests *t, struct cursor *in, struct err *e);
/* The members pValues, statistics and degreesOfFreedom. */
void feature_tests_state(const struct feature_tests *t, struct json_writer *w);

/* --- What the tests share: labels as categories, and rows that are checked ------------------------------------- */

struct feature_rows {
	struct numbering labels;
	double *label_rows; /* [labels.count] rows that have each */
	size_t label_rows_cap;
	bool sized;
	size_t size;
	double rows;
};

void feature_rows_release(struct feature_rows *r);
/* A null, another length than before, too many labels: ERR_data. Counts the row. */
QN_MUST bool feature_rows_add(struct feature_rows *r, const struct stage *s, const struct batch *b, size_t i,
			      struct vec *v, uint32_t *label, struct err *e);
/* Of another shard: its lengths and labels; to[k] becomes the number here of its label k. */
void feature_rows_pack(const struct feature_rows *r, struct buf *out);
QN_MUST bool feature_rows_merge(struct feature_rows *r, const struct stage *s, struct cursor *in, uint32_t **to,
				struct err *e);
#endif
