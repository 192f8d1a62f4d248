#include "pipeline/models/logistic_codec.h"

/* --- Bytes
 * ---------------------------------------------------------------------------------------------------------------------
 */

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

void logistic_encode(const struct stage *s, struct buf *out)
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
	logistic_summary_encode(&st->summary, out);
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

bool logistic_decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct logistic_regression_state *st = s->state;
	uint8_t multinomial = cursor_u8(in);
	st->multinomial = multinomial != 0;
	st->classes = cursor_u64(in);
	st->features = cursor_u64(in);
	st->sets = st->multinomial ? st->classes : 1;
	bool sane = !in->bad && multinomial <= 1 && st->classes >= 1 && (st->multinomial || st->classes <= 2) &&
		    st->sets <= cursor_left(in) / sizeof(double) &&
		    st->features <= LOGISTIC_COEFFICIENTS_MAX / st->sets;
	if (!sane) return err_set(e, ERR_bad_model, "its numbers of classes and features are wrong");
	const struct logistic_regression_params *p = s->params;
	if (stage_given(s, "thresholds") && p->thresholds.count != st->classes)
		return err_set(e, ERR_bad_model, "thresholds has %zu values for %zu classes", p->thresholds.count,
			       st->classes);
	st->intercepts = arena_zalloc(&s->arena, st->sets, sizeof *st->intercepts);
	for (size_t k = 0; k < st->sets; k++) st->intercepts[k] = cursor_f64(in);
	return (decode_coefficients(s, in) && decode_labels(s, in) && decode_history(s, in) &&
		logistic_summary_decode(&st->summary, &s->arena, in)) ||
	       err_set(e, ERR_bad_model, "its coefficients are cut short or out of place");
}

/* --- What it learned ----------------------------------------------------------------------------------------- */

static void put_named(struct json_writer *w, const char *key, const double *v, size_t n)
{
	json_key(w, key);
	json_row_doubles(w, v, n);
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
	logistic_summary_write(&st->summary, w);
	json_object_end(w);
}

void logistic_describe(const struct stage *s, struct json_writer *w)
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
	for (size_t k = 0; k < st->sets; k++) json_row_doubles(w, st->coefficients + k * st->features, st->features);
	json_array_end(w);
	put_named(w, "interceptVector", st->intercepts, st->sets);
	put_training(st, w);
}
