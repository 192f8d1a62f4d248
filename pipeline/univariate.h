/* Selectors that test each feature by itself: Spark's ChiSqSelector and UnivariateFeatureSelector. Which features a
 * p-value chooses, and what the two stages share. Their parameters start with struct univariate_params, their state is
 * struct univariate_state. */
#ifndef QUERN_PIPELINE_UNIVARIATE_H
#define QUERN_PIPELINE_UNIVARIATE_H

#include "pipeline/feature_test.h"
#include "pipeline/ports.h"
#include "pipeline/selection.h"

struct univariate_params {
	struct ports ports; /* featuresCol, outputCol */
	struct str label;
};
#define UNIVARIATE_LABEL                                                                                       \
	{                                                                                                      \
		.name = "labelCol", .type = FIELD_STRING, .offset = offsetof(struct univariate_params, label), \
		.fallback = "\"label\"", .help = "Column of labels; needed to fit only."                       \
	}

struct univariate_state {
	struct selection selection;
	struct feature_tests tests;
};

/* numTopFeatures, percentile, fpr, fdr, fwe; ended by NULL. */
extern const char *const univariate_modes[];
/* Indices of the chosen features into chosen (room for n); returns how many. numTopFeatures, percentile and fdr choose
 * in the order of p-values, NaN last, ties by index; the others in index order. */
size_t univariate_choose(struct str mode, double threshold, const double *p, size_t n, uint32_t *chosen);

/* Parts of the stages. unnamed: the type of attributes where the input has none. sorted: selectedFeatures ascend. */
QN_MUST bool univariate_columns(struct stage *s, struct schema *schema, enum attr_type unnamed, struct err *e);
QN_MUST bool univariate_fit(struct stage *s, struct fit *f, feature_test *test, struct str mode, double threshold,
			    bool sorted, struct err *e);
QN_MUST bool univariate_apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e);
void univariate_encode(const struct stage *s, struct buf *out);
QN_MUST bool univariate_decode(struct stage *s, struct cursor *in, struct err *e);
void univariate_write(const struct stage *s, struct json_writer *w);

#endif
