/* Spark's UnivariateFeatureSelector: keeps features by a test against the label that follows from what the two are:
 * chi-square, analysis of variance, or the F test of their correlation. */
#include "pipeline/univariate.h"

#include <math.h>

struct univariate_feature_selector_params {
	struct univariate_params columns; /* first */
	struct str feature_type, label_type, mode;
	double threshold;
};

static const char *const kinds[] = {"categorical", "continuous", NULL};
static const struct field params[] = {
	PORTS_FEATURES,
	UNIVARIATE_LABEL,
	{.name = "featureType",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct univariate_feature_selector_params, feature_type),
	 .choices = kinds,
	 .required = true,
	 .help = "What the features are."},
	{.name = "labelType",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct univariate_feature_selector_params, label_type),
	 .choices = kinds,
	 .required = true,
	 .help = "What the label is; continuous goes with continuous features only."},
	{.name = "selectionMode",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct univariate_feature_selector_params, mode),
	 .fallback = "\"numTopFeatures\"",
	 .choices = univariate_modes,
	 .help = "How features are chosen."},
	{.name = "selectionThreshold",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct univariate_feature_selector_params, threshold),
	 .help = "A whole number for numTopFeatures (50 where not given), else from 0 to 1 (percentile 0.1, the others "
	     "0.05)."},
	FIELD_END,
};

static const struct test {
	const char *feature, *label, *name;
	feature_test *run;
} tests[] = {
	{"categorical", "categorical", "ChiSquareTest", feature_chi_square},
	{"continuous", "categorical", "ANOVATest", feature_anova},
	{"continuous", "continuous", "FValueTest", feature_f_value},
};

static const struct test *test_of(const struct stage *s)
{
	const struct univariate_feature_selector_params *p = s->params;
	for (size_t t = 0; t < ARRAY_COUNT(tests); t++)
		if (str_is(p->feature_type, tests[t].feature) && str_is(p->label_type, tests[t].label))
			return &tests[t];
	return NULL;
}

static double threshold(const struct stage *s)
{
	const struct univariate_feature_selector_params *p = s->params;
	if (stage_given(s, "selectionThreshold")) return p->threshold;
	return str_is(p->mode, "numTopFeatures") ? 50 : str_is(p->mode, "percentile") ? 0.1 : 0.05;
}

static bool check(const struct stage *s, struct err *e)
{
	const struct univariate_feature_selector_params *p = s->params;
	double t = threshold(s);
	bool ok = true;
	if (!test_of(s)) ok = stage_fault(s, e, "labelType", "continuous needs continuous features");
	if (str_is(p->mode, "numTopFeatures")) {
		if (t >= 1 && t <= INT32_MAX && t == floor(t)) return ok;
		return stage_fault(s, e, "selectionThreshold", "must be a whole number from 1 on for numTopFeatures");
	}
	return (t >= 0 && t <= 1) ? ok : stage_fault(s, e, "selectionThreshold", "must be from 0 to 1");
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return univariate_columns(s, schema, ATTR_NUMERIC, e);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	const struct univariate_feature_selector_params *p = s->params;
	return univariate_fit(s, f, test_of(s)->run, p->mode, threshold(s), false, e);
}

static void state(const struct stage *s, struct json_writer *w)
{
	json_key(w, "test");
	json_cstr(w, test_of(s)->name);
	univariate_write(s, w);
}

const struct stage_type univariate_feature_selector_stage = {
	.name = "UnivariateFeatureSelector",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Keeps the features on which the label depends, by a test that fits what both are.",
	.inputs = "vector; double, int64",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct univariate_feature_selector_params),
	.state_size = sizeof(struct univariate_state),
	.check = check,
	.columns = columns,
	.fit = fit,
	.apply = univariate_apply,
	.encode = univariate_encode,
	.decode = univariate_decode,
	.state = state,
};
