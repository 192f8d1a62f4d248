/* Spark's LogisticRegression: binomial (one set of coefficients, for class 1) or multinomial (one set a class). The
 * state is public for compiled predictors. */
#ifndef QUERN_PIPELINE_LOGISTIC_REGRESSION_H
#define QUERN_PIPELINE_LOGISTIC_REGRESSION_H

#include "pipeline/models/logistic_summary.h"

enum { LOGISTIC_COEFFICIENTS_MAX = 1 << 27 }; /* 1 GiB */

struct logistic_regression_params {
	struct str features, label, weight, prediction, raw_prediction, probability, family;
	int64_t max_iter, aggregation_depth;
	double reg_param, elastic_net, tol, threshold, max_block_mb;
	bool fit_intercept, standardization;
	struct f64_list thresholds;
	const struct json *bounds[4];
};

struct logistic_regression_state {
	bool multinomial;
	size_t classes, features;
	size_t sets;          /* of coefficients: 1, or classes when multinomial */
	double *coefficients; /* [sets][features] */
	double *intercepts;   /* [sets]; may be infinite where only one class was seen */
	struct str_list labels; /* the classes' names, from the label column; count 0: they have none */
	size_t declared;        /* classes that the label column declares; 0: none. Until fitted */
	double *objective;      /* [iterations + 1] at the start and after each iteration */
	size_t iterations;
	struct logistic_summary summary;
};

/* Length of rawPrediction and probability: the classes, two where binomial. */
size_t logistic_regression_outputs(const struct logistic_regression_state *st);
/* Margins [sets] of a row: what rawPrediction is made of. */
void logistic_regression_margins(const struct logistic_regression_state *st, struct vec v, double *margins);
/* Probabilities [outputs] of the margins. */
void logistic_regression_probability(const struct logistic_regression_state *st, const double *margins, double *out);
/* Binomial: class 1 iff its probability is greater than `probability`, or its margin than `raw`, the logit of the
 * same. */
struct logistic_decision {
	double probability, raw;
};
struct logistic_decision logistic_regression_decision(const struct stage *s);
/* The predicted class. Which outputs exist decides, as in Spark, which of equal numbers are held against the
 * thresholds. d is the stage's decision. */
double logistic_regression_predict(const struct stage *s, const struct logistic_decision *d, const double *margins,
				   const double *probability);
/* P(0)/t[0] < P(1)/t[1] iff P(1) > this. */
double logistic_regression_threshold(const struct f64_list *t);

#endif
