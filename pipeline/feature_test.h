/* Tests of each feature of a vector against a label, over all ranks: Spark's ChiSquareTest, ANOVATest and FValueTest.
 *
 * The stage's inputs are the vectors (0) and the label (1). ERR_data where a vector or a label is null, where lengths
 * differ, where there are too few rows or labels for the test to exist. Statistics and p-values are computed as Spark
 * does: a constant feature has NaN in the two F tests (p 1 in chi-square), and so has one that leaves no variance. */
#ifndef QUERN_PIPELINE_FEATURE_TEST_H
#define QUERN_PIPELINE_FEATURE_TEST_H

#include "pipeline/stage.h"

enum {
	FEATURE_CATEGORIES_MAX = 10000, /* labels, and values of a feature in chi-square; Spark's limit */
	FEATURE_CELLS_MAX = 1 << 24,    /* chi-square: different (feature, value, label) of a shard, or of all */
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

/* Distinct labels in the order met, with the rows that have each. */
struct feature_labels {
	double *values, *rows; /* [count] */
	size_t count, values_cap, rows_cap;
	uint32_t *slots; /* number + 1 by hash; 0: free */
	size_t slots_cap;
};

void feature_labels_release(struct feature_labels *l);
/* Number of the label; -1 where it would be one more than FEATURE_CATEGORIES_MAX. */
int64_t feature_labels_number(struct feature_labels *l, double label);
/* The hash of a value that is not NaN; 0.0 and -0.0 are one value. */
uint64_t feature_hash(double value);

struct feature_rows {
	struct feature_labels labels;
	bool sized;
	size_t size;
	double rows;
};

/* A null, another length than before, too many labels: ERR_data. Counts the row. */
QN_MUST bool feature_rows_add(struct feature_rows *r, const struct stage *s, const struct batch *b, size_t i,
			      struct vec *v, size_t *label, struct err *e);
/* Of another shard: its lengths and labels; to[k] becomes the number here of its label k. */
void feature_rows_pack(const struct feature_rows *r, struct buf *out);
QN_MUST bool feature_rows_merge(struct feature_rows *r, const struct stage *s, struct cursor *in, uint32_t **to,
				struct err *e);
/* Ascending; order[k] is the number of the k-th. */
uint32_t *feature_labels_order(const struct feature_labels *l);

#endif
