/* Spark's LogisticRegression as a stage: parameters and columns. Beside it: logistic_fit, logistic_predict,
 * logistic_codec. */
#include "pipeline/models/logistic_regression.h"

#include "pipeline/models/logistic_codec.h"
#include "pipeline/models/logistic_fit.h"

#include <math.h>

/* How far threshold and thresholds may differ and still say the same. */
static const double THRESHOLDS_AGREE = 1e-5;

#define AT(member) offsetof(struct logistic_regression_params, member)

static const char *const families[] = {"auto", "binomial", "multinomial", NULL};
static const char *const bounds[] = {"lowerBoundsOnCoefficients", "upperBoundsOnCoefficients",
				     "lowerBoundsOnIntercepts", "upperBoundsOnIntercepts"};
static const char bounds_help[] = "Not supported yet.";

static const struct field params[] = {
	{.name = "featuresCol",
	 .type = FIELD_STRING,
	 .offset = AT(features),
	 .fallback = "\"features\"",
	 .help = "Vectors of features."},
	{.name = "labelCol",
	 .type = FIELD_STRING,
	 .offset = AT(label),
	 .fallback = "\"label\"",
	 .help = "Labels 0, 1, …; needed by the fit only."},
	{.name = "predictionCol",
	 .type = FIELD_STRING,
	 .offset = AT(prediction),
	 .fallback = "\"prediction\"",
	 .help = "Output: the predicted label; \"\" for none."},
	{.name = "rawPredictionCol",
	 .type = FIELD_STRING,
	 .offset = AT(raw_prediction),
	 .fallback = "\"rawPrediction\"",
	 .help = "Output: the margins by class; \"\" for none."},
	{.name = "probabilityCol",
	 .type = FIELD_STRING,
	 .offset = AT(probability),
	 .fallback = "\"probability\"",
	 .help = "Output: the probabilities by class; \"\" for none."},
	{.name = "weightCol",
	 .type = FIELD_STRING,
	 .offset = AT(weight),
	 .help = "Weights of the rows; 1 where not given."},
	{.name = "regParam",
	 .type = FIELD_DOUBLE,
	 .offset = AT(reg_param),
	 .fallback = "0.0",
	 .max = INFINITY,
	 .max_open = true,
	 .help = "Strength of the penalty."},
	{.name = "elasticNetParam",
	 .type = FIELD_DOUBLE,
	 .offset = AT(elastic_net),
	 .fallback = "0.0",
	 .max = 1,
	 .help = "Share of the penalty that is L1; the rest is L2."},
	{.name = "maxIter",
	 .type = FIELD_INT,
	 .offset = AT(max_iter),
	 .fallback = "100",
	 .max = INT32_MAX,
	 .help = "Most iterations of the solver."},
	{.name = "tol",
	 .type = FIELD_DOUBLE,
	 .offset = AT(tol),
	 .fallback = "1e-06",
	 .max = INFINITY,
	 .max_open = true,
	 .help = "Relative tolerance at which the solver stops."},
	{.name = "fitIntercept",
	 .type = FIELD_BOOL,
	 .offset = AT(fit_intercept),
	 .fallback = "true",
	 .help = "Whether an intercept is fitted; it is not penalised."},
	{.name = "standardization",
	 .type = FIELD_BOOL,
	 .offset = AT(standardization),
	 .fallback = "true",
	 .help = "Whether the penalty counts coefficients in units of their feature's standard deviation."},
	{.name = "threshold",
	 .type = FIELD_DOUBLE,
	 .offset = AT(threshold),
	 .fallback = "0.5",
	 .max = 1,
	 .help = "Two classes: 1 is predicted where its probability is greater."},
	{.name = "thresholds",
	 .type = FIELD_DOUBLES,
	 .offset = AT(thresholds),
	 .max = INFINITY,
	 .max_open = true,
	 .help = "One a class: the class with the greatest probability/threshold is predicted."},
	{.name = "family",
	 .type = FIELD_ENUM,
	 .offset = AT(family),
	 .fallback = "\"auto\"",
	 .choices = families,
	 .help = "binomial, multinomial (softmax), or auto: by the number of classes."},
	{.name = "aggregationDepth",
	 .type = FIELD_INT,
	 .offset = AT(aggregation_depth),
	 .fallback = "2",
	 .min = 2,
	 .max = INT32_MAX,
	 .help = "Accepted as Spark's; without effect here."},
	{.name = "maxBlockSizeInMB",
	 .type = FIELD_DOUBLE,
	 .offset = AT(max_block_mb),
	 .fallback = "0.0",
	 .max = INFINITY,
	 .max_open = true,
	 .help = "Accepted as Spark's; without effect here."},
	{.name = "lowerBoundsOnCoefficients", .type = FIELD_JSON, .offset = AT(bounds[0]), .help = bounds_help},
	{.name = "upperBoundsOnCoefficients", .type = FIELD_JSON, .offset = AT(bounds[1]), .help = bounds_help},
	{.name = "lowerBoundsOnIntercepts", .type = FIELD_JSON, .offset = AT(bounds[2]), .help = bounds_help},
	{.name = "upperBoundsOnIntercepts", .type = FIELD_JSON, .offset = AT(bounds[3]), .help = bounds_help},
	FIELD_END,
};

static const struct logistic_regression_params *params_of(const struct stage *s) { return s->params; }

/* --- Parameters -------------------------------------------------------------------------------------------------- */

static bool check_thresholds(const struct stage *s, struct err *e)
{
	const struct logistic_regression_params *p = params_of(s);
	size_t zeros = 0;
	if (!stage_given(s, "thresholds")) return true;
	for (size_t k = 0; k < p->thresholds.count; k++) zeros += p->thresholds.items[k] == 0;
	if (zeros > 1) return stage_fault(s, e, "thresholds", "may have one 0 at most");
	if (!stage_given(s, "threshold")) return true;
	if (p->thresholds.count != 2)
		return stage_fault(s, e, "thresholds", "has %zu values, but threshold is for two classes",
				   p->thresholds.count);
	double same = logistic_regression_threshold(&p->thresholds);
	return fabs(same - p->threshold) < THRESHOLDS_AGREE ||
	       stage_fault(s, e, "thresholds", "amounts to threshold %g, but threshold is %g", same, p->threshold);
}

static bool check(const struct stage *s, struct err *e)
{
	bool ok = check_thresholds(s, e);
	for (size_t i = 0; i < ARRAY_COUNT(bounds); i++)
		if (stage_given(s, bounds[i])) ok = stage_fault(s, e, bounds[i], "bounds are not supported yet");
	return ok;
}

/* --- Columns ----------------------------------------------------------------------------------------------------- */

/* What the label column says of the classes: Spark's nominal and binary attributes. */
static void remember_classes(struct stage *s, const struct attrs *attrs)
{
	struct logistic_regression_state *st = s->state;
	const struct attr *a = attrs && attrs->list ? &attrs->list[0] : NULL;
	st->declared = 0;
	st->labels = (struct str_list){0};
	if (!a || a->type == ATTR_NUMERIC) return;
	st->declared = a->type == ATTR_BINARY ? 2 : a->values.count ? a->values.count : a->num_values;
	if (a->values.count == 0 || a->values.count != st->declared) return;
	st->labels.items = arena_zalloc(&s->arena, a->values.count, sizeof *st->labels.items);
	for (; st->labels.count < a->values.count; st->labels.count++) {
		struct str v = a->values.items[st->labels.count];
		st->labels.items[st->labels.count] = (struct str){arena_strndup(&s->arena, v.data, v.len), v.len};
	}
}

/* The elements carry the classes' names, so that a response may say probability[pos]. */
static struct attrs element_attrs(struct arena *a, const struct logistic_regression_state *st)
{
	struct attrs attrs = {.is_group = true, .size = logistic_regression_outputs(st)};
	if (st->labels.count != attrs.size) return attrs;
	attrs.list = arena_zalloc(a, attrs.size, sizeof *attrs.list);
	for (size_t k = 0; k < attrs.size; k++) attrs.list[k] = attr_of(ATTR_NUMERIC, st->labels.items[k]);
	return attrs;
}

static bool add_output(struct stage *s, struct schema *schema, const char *param, struct str name, enum col_type type,
		       const struct attrs *attrs, struct err *e)
{
	struct column_def def = {.name = name, .type = type, .attrs = s->fitted ? attrs : NULL};
	return name.len == 0 || stage_output(s, schema, param, &def, e) >= 0;
}

static bool add_outputs(struct stage *s, struct schema *schema, struct err *e)
{
	const struct logistic_regression_params *p = params_of(s);
	const struct logistic_regression_state *st = s->state;
	struct arena a = ARENA_INIT;
	struct attrs elements = {0}, label = {.size = 1, .list = arena_zalloc(&a, 1, sizeof *label.list)};
	label.list[0] = attr_of(ATTR_NOMINAL, p->prediction);
	if (s->fitted) {
		elements = element_attrs(&a, st);
		label.list[0].num_values = st->classes;
		label.list[0].values = st->labels;
	}
	bool ok = add_output(s, schema, "rawPredictionCol", p->raw_prediction, COL_VECTOR, &elements, e);
	ok &= add_output(s, schema, "probabilityCol", p->probability, COL_VECTOR, &elements, e);
	ok &= add_output(s, schema, "predictionCol", p->prediction, COL_DOUBLE, &label, e);
	arena_release(&a);
	return ok;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct logistic_regression_params *p = params_of(s);
	bool ok = stage_input(s, schema, "featuresCol", p->features, COL_BIT(COL_VECTOR), e) >= 0;
	int label = stage_input_fit_only(s, schema, "labelCol", p->label, COL_NUMERIC, e);
	ok &= label >= 0 || s->fitted || s->lenient;
	if (p->weight.len)
		ok &= stage_input_fit_only(s, schema, "weightCol", p->weight, COL_NUMERIC, e) >= 0 || s->fitted ||
		      s->lenient;
	if (!s->fitted) remember_classes(s, label >= 0 ? schema->columns[label].attrs : NULL);
	return add_outputs(s, schema, e) && ok;
}

/* --- Predictions
 * ----------------------------------------------------------------------------------------------------------------- */

static struct column *output_column(const struct stage *s, struct batch *b, const char *param)
{
	for (size_t i = 0; i < s->out_count; i++)
		if (!s->out[i].unread && strcmp(s->out[i].param, param) == 0) return &b->columns[s->out[i].slot];
	return NULL;
}

static void put_margins(struct column *c, const struct logistic_regression_state *st, const double *margins)
{
	const double both[] = {-margins[0], margins[0]};
	column_dense(c, st->multinomial ? margins : both, logistic_regression_outputs(st));
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct logistic_regression_state *st = s->state;
	const struct column *features = &b->columns[s->in[0].slot];
	struct column *raw = output_column(s, b, "rawPredictionCol"),
		      *probability = output_column(s, b, "probabilityCol");
	struct column *prediction = output_column(s, b, "predictionCol");
	struct logistic_decision d = {0};
	if (prediction) d = logistic_regression_decision(s);
	double *margins = scratch_room(sc, 0, 2 * logistic_regression_outputs(st) * sizeof *margins),
	       *p = margins + logistic_regression_outputs(st);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(features, i)) return stage_data_error(s, b, i, e, "the features are null");
		struct vec v = column_vec_at(features, i);
		if (v.size != st->features)
			return stage_data_error(s, b, i, e, "the features have %u entries, the model %zu", v.size,
						st->features);
		logistic_regression_margins(st, v, margins);
		logistic_regression_probability(st, margins, p);
		if (raw) put_margins(raw, st, margins);
		if (probability) column_dense(probability, p, logistic_regression_outputs(st));
		if (prediction) column_double(prediction, logistic_regression_predict(s, &d, margins, p));
	}
	return true;
}

const struct stage_type logistic_regression_stage = {
	.name = "LogisticRegression",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Classifies by a linear model of log odds, with two or more classes, an elastic net penalty and row "
		"weights.",
	.inputs = "vector",
	.outputs = "vector, vector, double",
	.params = params,
	.params_size = sizeof(struct logistic_regression_params),
	.state_size = sizeof(struct logistic_regression_state),
	.check = check,
	.columns = columns,
	.fit = logistic_fit,
	.apply = apply,
	.encode = logistic_encode,
	.decode = logistic_decode,
	.state = logistic_describe,
};
