/* Spark's Binarizer: 1 where a number is greater than a threshold, 0 elsewhere; null and NaN give 0. Vectors come out
 * in their compressed form; under a negative threshold their zeros and their NaN give 1. */
#include "pipeline/ports.h"

#include <math.h>

struct binarizer_params {
	struct ports ports;
	double threshold;
	struct f64_list thresholds;
};

static const struct field params[] = {
	PORTS_SINGLE,
	PORTS_SEVERAL,
	{.name = "threshold",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct binarizer_params, threshold),
	 .fallback = "0.0",
	 .help = "Greater numbers give 1, all others 0."},
	{.name = "thresholds",
	 .type = FIELD_DOUBLES,
	 .offset = offsetof(struct binarizer_params, thresholds),
	 .help = "A threshold for each of inputCols, in place of one for all."},
	FIELD_END,
};

static double threshold_of(const struct stage *s, size_t k)
{
	const struct binarizer_params *p = s->params;
	return stage_given(s, "thresholds") ? p->thresholds.items[k] : p->threshold;
}

static bool check(const struct stage *s, struct err *e)
{
	const struct binarizer_params *p = s->params;
	return ports_check(s, e) && ports_check_each(s, "threshold", "thresholds", p->thresholds.count, e);
}

/* Spark has no answer for a vector under a threshold of NaN; for a number it is 0. */
static bool check_threshold(const struct stage *s, size_t k, struct err *e)
{
	return !isnan(threshold_of(s, k)) ||
	       stage_fault(s, e, stage_given(s, "thresholds") ? "thresholds" : "threshold",
			   "must not be NaN, for column %.*s holds vectors",
			   (int)MIN(ports_input(s, k).len, (size_t)128), ports_input(s, k).data);
}

static bool bind_one(struct stage *s, struct schema *schema, size_t k, struct err *e)
{
	struct attr binary = attr_of(ATTR_BINARY, STR(""));
	struct attrs scalar = {.list = &binary}, sized;
	int in = stage_input(s, schema, ports_input_param(s), ports_input(s, k),
			     COL_BIT(COL_DOUBLE) | COL_BIT(COL_VECTOR), e);
	struct column_def def = {.name = ports_output(s, k), .type = COL_DOUBLE, .attrs = &scalar};
	if (in >= 0 && schema->columns[in].type == COL_VECTOR) {
		const struct attrs *known = schema->columns[in].attrs;
		sized = ports_size_only(known ? known->size : 0);
		def.type = COL_VECTOR;
		def.attrs = known && known->is_group ? &sized : NULL;
		if (!check_threshold(s, k, e)) in = -1;
	}
	return stage_output(s, schema, ports_output_param(s), &def, e) >= 0 && in >= 0;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	bool ok = true;
	for (size_t k = 0; k < ports_count(s); k++) ok &= bind_one(s, schema, k, e);
	return ok;
}

static void numbers(const struct column *in, size_t rows, double threshold, struct column *out)
{
	for (size_t i = 0; i < rows; i++) column_double(out, column_valid(in, i) && in->f64[i] > threshold);
}

/* Every entry, for dense vectors and for thresholds that zeros are over. */
static void spread_row(struct vec v, double threshold, struct column *out)
{
	bool zeros = threshold < 0;
	uint32_t *idx;
	double *to;
	column_vec_room(out, v.size, &idx, &to);
	if (v.idx) {
		for (uint32_t k = 0; k < v.size; k++) to[k] = zeros;
		for (uint32_t k = 0; k < v.nnz; k++) to[v.idx[k]] = !(v.val[k] <= threshold);
	} else if (zeros)
		for (uint32_t k = 0; k < v.size; k++) to[k] = !(v.val[k] <= threshold);
	else
		for (uint32_t k = 0; k < v.size; k++) to[k] = v.val[k] > threshold;
	column_vec_end_compressed(out, v.size);
}

/* The stored entries over a threshold that zeros are not over. */
static void pick_row(struct vec v, double threshold, struct scratch *sc, struct column *out)
{
	uint32_t n = 0, *idx = scratch_room(sc, 0, v.nnz * sizeof *idx);
	double *ones = scratch_room(sc, 1, v.nnz * sizeof *ones);
	for (uint32_t k = 0; k < v.nnz; k++) {
		if (!(v.val[k] > threshold)) continue;
		idx[n] = v.idx[k];
		ones[n++] = 1;
	}
	column_compressed(out, (struct vec){v.size, n, idx, ones});
}

static bool vectors(const struct stage *s, struct batch *b, size_t column, struct scratch *sc, struct err *e)
{
	const struct column *in = stage_in(s, b, column);
	struct column *out = stage_out(s, b, column);
	double threshold = threshold_of(s, column);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		struct vec v = column_vec_at(in, i);
		if (v.idx && threshold >= 0)
			pick_row(v, threshold, sc, out);
		else
			spread_row(v, threshold, out);
	}
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *in = stage_in(s, b, k);
		if (in->type == COL_DOUBLE)
			numbers(in, b->rows, threshold_of(s, k), stage_out(s, b, k));
		else if (!vectors(s, b, k, sc, e))
			return false;
	}
	return true;
}

const struct stage_type binarizer_stage = {
	.name = "Binarizer",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Gives 1 for numbers greater than a threshold, 0 for others.",
	.inputs = "double, vector",
	.outputs = "double, vector",
	.params = params,
	.params_size = sizeof(struct binarizer_params),
	.check = check,
	.columns = columns,
	.apply = apply,
};
