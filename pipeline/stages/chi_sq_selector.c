/* Spark's ChiSqSelector: keeps the features on which a categorical label depends, by chi-square tests. */
#include "pipeline/univariate.h"

struct chi_sq_selector_params {
	struct univariate_params columns; /* first */
	struct str type;
	int64_t num_top_features;
	double percentile, fpr, fdr, fwe;
};

static const struct field params[] = {
	PORTS_FEATURES,
	UNIVARIATE_LABEL,
	{.name = "selectorType",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct chi_sq_selector_params, type),
	 .fallback = "\"numTopFeatures\"",
	 .choices = univariate_modes,
	 .help = "How features are chosen; the parameter of the same name is the bound."},
	{.name = "numTopFeatures",
	 .type = FIELD_INT,
	 .offset = offsetof(struct chi_sq_selector_params, num_top_features),
	 .fallback = "50",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "So many features with the least p-values."},
	{.name = "percentile",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct chi_sq_selector_params, percentile),
	 .fallback = "0.1",
	 .min = 0,
	 .max = 1,
	 .help = "This share of the features, those with the least p-values."},
	{.name = "fpr",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct chi_sq_selector_params, fpr),
	 .fallback = "0.05",
	 .min = 0,
	 .max = 1,
	 .help = "Features whose p-value is below."},
	{.name = "fdr",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct chi_sq_selector_params, fdr),
	 .fallback = "0.05",
	 .min = 0,
	 .max = 1,
	 .help = "Bound on the expected share of false ones among the chosen (Benjamini, Hochberg)."},
	{.name = "fwe",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct chi_sq_selector_params, fwe),
	 .fallback = "0.05",
	 .min = 0,
	 .max = 1,
	 .help = "Bound on the chance of any false one: features whose p-value is below its n-th part."},
	FIELD_END,
};

static double threshold(const struct chi_sq_selector_params *p)
{
	const double by_mode[] = {(double)p->num_top_features, p->percentile, p->fpr, p->fdr, p->fwe};
	size_t m = 0;
	while (!str_is(p->type, univariate_modes[m])) m++;
	return by_mode[m];
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return univariate_columns(s, schema, ATTR_NOMINAL, e);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	const struct chi_sq_selector_params *p = s->params;
	return univariate_fit(s, f, feature_chi_square, p->type, threshold(p), true, e);
}

const struct stage_type chi_sq_selector_stage = {
	.name = "ChiSqSelector",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Keeps the features on which a categorical label depends, by chi-square tests.",
	.inputs = "vector; double, int64",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct chi_sq_selector_params),
	.state_size = sizeof(struct univariate_state),
	.columns = columns,
	.fit = fit,
	.apply = univariate_apply,
	.encode = univariate_encode,
	.decode = univariate_decode,
	.state = univariate_write,
};
