/* Spark's LogisticRegression: binomial (one set of coefficients, for class 1) or multinomial (one set a class). The state is
 * public for compiled predictors. */
#ifndef QUERN_PIPELINE_LOGISTIC_REGRESSION_H
#define QUERN_PIPELINE_LOGISTIC_REGRESSION_H

#include "pipeline/stage.h"

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
};

/* Which outputs exist decides, as in Spark, which of equal numbers the threshold is held against. */
struct logistic_decision {
	double probability; /* class 1 iff its probability is greater, */
	double raw;         /* or its margin is, the logit of the same */
};
/* Binomial only. */
struct logistic_decision logistic_regression_decision(const struct stage *s);

/* margins [sets] of a row: what rawPrediction is made of. */
void logistic_regression_margins(const struct logistic_regression_state *st, struct vec v, double *margins);
/* Probabilities [classes] of the margins [sets]. */
void logistic_regression_probability(const struct logistic_regression_state *st, const double *margins, double *out);

#endif
