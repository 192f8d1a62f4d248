/* Spark's LogisticRegression as a stage: parameters, columns, predictions, bytes. The fit is in logistic_fit.c. */
#include "pipeline/models/logistic_regression.h"

#include "pipeline/models/logistic_fit.h"

#include <math.h>

/* How far threshold and thresholds may differ and still say the same. */
static const double THRESHOLDS_AGREE = 1e-5;

#define AT(member) offsetof(struct logistic_regression_params, member)

static const char *const families[] = {"auto", "binomial", "multinomial", NULL};
static const char *const bounds[] = {"lowerBoundsOnCoefficients", "upperBoundsOnCoefficients", "lowerBoundsOnIntercepts",
				     "upperBoundsOnIntercepts"};
static const char bounds_help[] = "Not supported yet.";

static const struct field params[] = {
	{.name = "featuresCol", .type = FIELD_STRING, .offset = AT(features), .fallback = "\"features\"",
	 .help = "Vectors of features."},
	{.name = "labelCol", .type = FIELD_STRING, .offset = AT(label), .fallback = "\"label\"",
	 .help = "Labels 0, 1, …; needed by the fit only."},
	{.name = "predictionCol", .type = FIELD_STRING, .offset = AT(prediction), .fallback = "\"prediction\"",
	 .help = "Output: the predicted label; \"\" for none."},
	{.name = "rawPredictionCol", .type = FIELD_STRING, .offset = AT(raw_prediction), .fallback = "\"rawPrediction\"",
	 .help = "Output: the margins by class; \"\" for none."},
	{.name = "probabilityCol", .type = FIELD_STRING, .offset = AT(probability), .fallback = "\"probability\"",
	 .help = "Output: the probabilities by class; \"\" for none."},
	{.name = "weightCol", .type = FIELD_STRING, .offset = AT(weight), .help = "Weights of the rows; 1 where not given."},
	{.name = "regParam", .type = FIELD_DOUBLE, .offset = AT(reg_param), .fallback = "0.0", .max = INFINITY,
	 .max_open = true, .help = "Strength of the penalty."},
	{.name = "elasticNetParam", .type = FIELD_DOUBLE, .offset = AT(elastic_net), .fallback = "0.0", .max = 1,
	 .help = "Share of the penalty that is L1; the rest is L2."},
	{.name = "maxIter", .type = FIELD_INT, .offset = AT(max_iter), .fallback = "100", .max = INT32_MAX,
	 .help = "Most iterations of the solver."},
	{.name = "tol", .type = FIELD_DOUBLE, .offset = AT(tol), .fallback = "1e-06", .max = INFINITY, .max_open = true,
	 .help = "Relative tolerance at which the solver stops."},
	{.name = "fitIntercept", .type = FIELD_BOOL, .offset = AT(fit_intercept), .fallback = "true",
	 .help = "Whether an intercept is fitted; it is not penalised."},
	{.name = "standardization", .type = FIELD_BOOL, .offset = AT(standardization), .fallback = "true",
	 .help = "Whether the penalty counts coefficients in units of their feature's standard deviation."},
	{.name = "threshold", .type = FIELD_DOUBLE, .offset = AT(threshold), .fallback = "0.5", .max = 1,
	 .help = "Two classes: 1 is predicted where its probability is greater."},
	{.name = "thresholds", .type = FIELD_DOUBLES, .offset = AT(thresholds), .max = INFINITY, .max_open = true,
	 .help = "One a class: the class with the greatest probability/threshold is predicted."},
	{.name = "family", .type = FIELD_ENUM, .offset = AT(family), .fallback = "\"auto\"", .choices = families,
	 .help = "binomial, multinomial (softmax), or auto: by the number of classes."},
	{.name = "aggregationDepth", .type = FIELD_INT, .offset = AT(aggregation_depth), .fallback = "2", .min = 2,
	 .max = INT32_MAX, .help = "Accepted as Spark's; without effect here."},
	{.name = "maxBlockSizeInMB", .type = FIELD_DOUBLE, .offset = AT(max_block_mb), .fallback = "0.0", .max = INFINITY,
	 .max_open = true, .help = "Accepted as Spark's; without effect here."},
	{.name = "lowerBoundsOnCoefficients", .type = FIELD_JSON, .offset = AT(bounds[0]), .help = bounds_help},
	{.name = "upperBoundsOnCoefficients", .type = FIELD_JSON, .offset = AT(bounds[1]), .help = bounds_help},
	{.name = "lowerBoundsOnIntercepts", .type = FIELD_JSON, .offset = AT(bounds[2]), .help = bounds_help},
	{.name = "upperBoundsOnIntercepts", .type = FIELD_JSON, .offset = AT(bounds[3]), .help = bounds_help},
	FIELD_END,
};

static const struct logistic_regression_params *params_of(const struct stage *s) { return s->params; }

/* --- Parameters ------------------------------------------------------------------------------------------------------------ */

/* P(0)/t0 < P(1)/t1 iff P(1) > this. */
static double equivalent_threshold(const struct f64_list *t) { return 1 / (1 + t->items[0] / t->items[1]); }

static bool check_thresholds(const struct stage *s, struct err *e)
{
	const struct logistic_regression_params *p = params_of(s);
	size_t zeros = 0;
	if (!stage_given(s, "thresholds")) return true;
	for (size_t k = 0; k < p->thresholds.count; k++) zeros += p->thresholds.items[k] == 0;
	if (zeros > 1) return stage_fault(s, e, "thresholds", "may have one 0 at most");
	if (!stage_given(s, "threshold")) return true;
	if (p->thresholds.count != 2)
		return stage_fault(s, e, "thresholds", "has %zu values, but threshold is for two classes", p->thresholds.count);
	double same = equivalent_threshold(&p->thresholds);
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

/* --- Columns ------------------------------------------------------------------------------------------------------------------ */

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

/* Length of rawPrediction and probability. */
static size_t output_size(const struct logistic_regression_state *st) { return st->multinomial ? st->classes : 2; }

/* The elements carry the classes' names, so that a response may say probability[pos]. */
static struct attrs element_attrs(struct arena *a, const struct logistic_regression_state *st)
{
	struct attrs attrs = {.is_group = true, .size = output_size(st)};
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
		ok &= stage_input_fit_only(s, schema, "weightCol", p->weight, COL_NUMERIC, e) >= 0 || s->fitted || s->lenient;
	if (!s->fitted) remember_classes(s, label >= 0 ? schema->columns[label].attrs : NULL);
	return add_outputs(s, schema, e) && ok;
}

/* --- Predictions ----------------------------------------------------------------------------------------------------------------- */

struct logistic_decision logistic_regression_decision(const struct stage *s)
{
	const struct logistic_regression_params *p = params_of(s);
	bool several = stage_given(s, "thresholds") && p->thresholds.count == 2;
	double t = several ? equivalent_threshold(&p->thresholds) : p->threshold;
	return (struct logistic_decision){t, t == 0 ? -INFINITY : t == 1 ? INFINITY : log(t / (1 - t))};
}

void logistic_regression_margins(const struct logistic_regression_state *st, struct vec v, double *margins)
{
	for (size_t k = 0; k < st->sets; k++)
		margins[k] = vec_dot(v, st->coefficients + k * st->features) + st->intercepts[k];
}

static void softmax(const double *margins, size_t n, double *out)
{
	double highest = -INFINITY, sum = 0;
	for (size_t k = 0; k < n; k++) {
		if (margins[k] == INFINITY) { /* the only class that training saw */
			memset(out, 0, n * sizeof *out);
			out[k] = 1;
			return;
		}
		highest = fmax(highest, margins[k]);
	}
	for (size_t k = 0; k < n; k++) sum += out[k] = exp(margins[k] - highest);
	for (size_t k = 0; k < n; k++) out[k] *= 1 / sum;
}

void logistic_regression_probability(const struct logistic_regression_state *st, const double *margins, double *out)
{
	if (st->multinomial) {
		softmax(margins, st->classes, out);
		return;
	}
	out[0] = 1 / (1 + exp(margins[0]));
	out[1] = 1 - out[0];
}

static size_t first_highest(const double *v, size_t n)
{
	size_t best = 0;
	for (size_t k = 1; k < n; k++)
		if (v[k] > v[best]) best = k;
	return best;
}

/* Spark's rules, which hold different numbers against the threshold depending on the columns there are. */
static double predict(const struct stage *s, const double *margins, double *probability)
{
	const struct logistic_regression_params *p = params_of(s);
	const struct logistic_regression_state *st = s->state;
	if (!st->multinomial) {
		struct logistic_decision d = logistic_regression_decision(s);
		if (p->raw_prediction.len) return margins[0] > d.raw;
		return (p->probability.len ? probability[1] : 1 / (1 + exp(-margins[0]))) > d.probability;
	}
	if (!stage_given(s, "thresholds"))
		return (double)first_highest(p->probability.len && !p->raw_prediction.len ? probability : margins, st->classes);
	for (size_t k = 0; k < st->classes; k++)
		probability[k] = p->thresholds.items[k] == 0 ? INFINITY : probability[k] / p->thresholds.items[k];
	return (double)first_highest(probability, st->classes);
}

static struct column *output_column(const struct stage *s, struct batch *b, const char *param)
{
	for (size_t i = 0; i < s->out_count; i++)
		if (strcmp(s->out[i].param, param) == 0) return &b->columns[s->out[i].slot];
	return NULL;
}

static void put_margins(struct column *c, const struct logistic_regression_state *st, const double *margins)
{
	const double both[] = {-margins[0], margins[0]};
	column_dense(c, st->multinomial ? margins : both, output_size(st));
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct logistic_regression_state *st = s->state;
	const struct column *features = &b->columns[s->in[0].slot];
	struct column *raw = output_column(s, b, "rawPredictionCol"), *probability = output_column(s, b, "probabilityCol");
	struct column *prediction = output_column(s, b, "predictionCol");
	double *margins = scratch_room(sc, 0, 2 * output_size(st) * sizeof *margins), *p = margins + output_size(st);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(features, i)) return stage_data_error(s, b, i, e, "the features are null");
		struct vec v = column_vec_at(features, i);
		if (v.size != st->features)
			return stage_data_error(s, b, i, e, "the features have %u entries, the model %zu", v.size, st->features);
		logistic_regression_margins(st, v, margins);
		logistic_regression_probability(st, margins, p);
		if (raw) put_margins(raw, st, margins);
		if (probability) column_dense(probability, p, output_size(st));
		if (prediction) column_double(prediction, predict(s, margins, p));
	}
	return true;
}

/* --- Bytes --------------------------------------------------------------------------------------------------------------------- */

enum { FORM_DENSE, FORM_SPARSE };

static void encode_coefficients(const struct logistic_regression_state *st, struct buf *out)
{
	size_t n = st->sets * st->features, nonzeros = 0;
	for (size_t i = 0; i < n; i++) nonzeros += st->coefficients[i] != 0;
	bool sparse = nonzeros < n / 2;
	buf_u8(out, sparse ? FORM_SPARSE : FORM_DENSE);
	if (!sparse) {
		for (size_t i = 0; i < n; i++) buf_f64(out, st->coefficients[i]);
		return;
	}
	buf_u64(out, nonzeros);
	for (size_t i = 0; i < n; i++)
		if (st->coefficients[i] != 0) buf_u32(out, (uint32_t)i);
	for (size_t i = 0; i < n; i++)
		if (st->coefficients[i] != 0) buf_f64(out, st->coefficients[i]);
}

static void encode(const struct stage *s, struct buf *out)
{
	const struct logistic_regression_state *st = s->state;
	buf_u8(out, st->multinomial);
	buf_u64(out, st->classes);
	buf_u64(out, st->features);
	for (size_t k = 0; k < st->sets; k++) buf_f64(out, st->intercepts[k]);
	encode_coefficients(st, out);
	buf_u64(out, st->labels.count);
	for (size_t k = 0; k < st->labels.count; k++) buf_block(out, st->labels.items[k].data, st->labels.items[k].len);
	buf_u64(out, st->iterations);
	for (size_t i = 0; i <= st->iterations; i++) buf_f64(out, st->objective[i]);
}

static bool decode_sparse(struct logistic_regression_state *st, size_t n, struct cursor *in)
{
	size_t nonzeros = cursor_count(in, sizeof(uint32_t) + sizeof(double));
	const unsigned char *at = cursor_bytes(in, nonzeros * sizeof(uint32_t));
	struct cursor places = CURSOR(at, at ? nonzeros * sizeof(uint32_t) : 0);
	for (size_t k = 0; k < nonzeros && !in->bad; k++) {
		uint32_t i = cursor_u32(&places);
		if (i >= n) return false;
		st->coefficients[i] = cursor_f64(in);
	}
	return true;
}

static bool decode_coefficients(struct stage *s, struct cursor *in)
{
	struct logistic_regression_state *st = s->state;
	size_t n = st->sets * st->features;
	uint8_t form = cursor_u8(in);
	if (in->bad || form > FORM_SPARSE || (form == FORM_DENSE && n > cursor_left(in) / sizeof(double))) return false;
	st->coefficients = arena_zalloc(&s->arena, MAX(n, (size_t)1), sizeof *st->coefficients);
	if (form == FORM_SPARSE) return decode_sparse(st, n, in);
	for (size_t i = 0; i < n; i++) st->coefficients[i] = cursor_f64(in);
	return true;
}

static bool decode_labels(struct stage *s, struct cursor *in)
{
	struct logistic_regression_state *st = s->state;
	size_t count = cursor_count(in, sizeof(uint64_t));
	if (count != 0 && count != st->classes) return false;
	st->labels.items = arena_zalloc(&s->arena, count + 1, sizeof *st->labels.items);
	for (; st->labels.count < count; st->labels.count++) {
		size_t len;
		const char *text = cursor_block(in, &len);
		if (in->bad || !str_utf8_valid(text, len)) return false;
		st->labels.items[st->labels.count] = (struct str){arena_strndup(&s->arena, text, len), len};
	}
	return true;
}

static bool decode_history(struct stage *s, struct cursor *in)
{
	struct logistic_regression_state *st = s->state;
	st->iterations = cursor_u64(in);
	if (in->bad || st->iterations >= cursor_left(in) / sizeof(double)) return false;
	st->objective = arena_zalloc(&s->arena, st->iterations + 1, sizeof *st->objective);
	for (size_t i = 0; i <= st->iterations; i++) st->objective[i] = cursor_f64(in);
	return true;
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct logistic_regression_state *st = s->state;
	uint8_t multinomial = cursor_u8(in);
	st->multinomial = multinomial != 0;
	st->classes = cursor_u64(in);
	st->features = cursor_u64(in);
	st->sets = st->multinomial ? st->classes : 1;
	bool sane = !in->bad && multinomial <= 1 && st->classes >= 1 && (st->multinomial || st->classes <= 2) &&
		    st->sets <= cursor_left(in) / sizeof(double) && st->features <= LOGISTIC_COEFFICIENTS_MAX / st->sets;
	if (!sane) return err_set(e, ERR_bad_model, "its numbers of classes and features are wrong");
	const struct logistic_regression_params *p = params_of(s);
	if (stage_given(s, "thresholds") && p->thresholds.count != st->classes)
		return err_set(e, ERR_bad_model, "thresholds has %zu values for %zu classes", p->thresholds.count, st->classes);
	st->intercepts = arena_zalloc(&s->arena, st->sets, sizeof *st->intercepts);
	for (size_t k = 0; k < st->sets; k++) st->intercepts[k] = cursor_f64(in);
	return (decode_coefficients(s, in) && decode_labels(s, in) && decode_history(s, in)) ||
	       err_set(e, ERR_bad_model, "its coefficients are cut short or out of place");
}

/* --- What it learned -------------------------------------------------------------------------------------------------------------- */

static void put_array(struct json_writer *w, const double *v, size_t n)
{
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) json_row_double(w, v[i]);
	json_array_end(w);
}

static void put_named(struct json_writer *w, const char *key, const double *v, size_t n)
{
	json_key(w, key);
	put_array(w, v, n);
}

static void put_number(struct json_writer *w, const char *key, double v)
{
	json_key(w, key);
	json_row_double(w, v);
}

static void put_training(const struct logistic_regression_state *st, struct json_writer *w)
{
	put_number(w, "objective", st->objective[st->iterations]);
	put_number(w, "objectiveFirst", st->objective[0]);
	put_number(w, "totalIterations", (double)st->iterations);
	json_key(w, "summary");
	json_object_begin(w);
	put_named(w, "objectiveHistory", st->objective, st->iterations + 1);
	put_number(w, "totalIterations", (double)st->iterations);
	json_object_end(w);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct logistic_regression_state *st = s->state;
	put_number(w, "numClasses", (double)st->classes);
	put_number(w, "numFeatures", (double)st->features);
	if (!st->multinomial) {
		put_named(w, "coefficients", st->coefficients, st->features);
		put_number(w, "intercept", st->intercepts[0]);
	}
	json_key(w, "coefficientMatrix");
	json_array_begin(w);
	for (size_t k = 0; k < st->sets; k++) put_array(w, st->coefficients + k * st->features, st->features);
	json_array_end(w);
	put_named(w, "interceptVector", st->intercepts, st->sets);
	put_training(st, w);
}

const struct stage_type logistic_regression_stage = {
	.name = "LogisticRegression",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Classifies by a linear model of log odds, with two or more classes, an elastic net penalty and row weights.",
	.inputs = "vector",
	.outputs = "vector, vector, double",
	.params = params,
	.params_size = sizeof(struct logistic_regression_params),
	.state_size = sizeof(struct logistic_regression_state),
	.check = check,
	.columns = columns,
	.fit = logistic_fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
