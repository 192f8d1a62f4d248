/* Spark's TargetEncoder: a category to the mean of the label where it occurs, drawn towards the mean of all rows the
 * more, the rarer it is. Rows whose label is null or NaN do not count. */
#include "pipeline/numbering.h"
#include "pipeline/ports.h"

#include <math.h>
#include <stdlib.h>

enum {
	NULL_CATEGORY = -1,         /* as Spark's model shows it */
	ALL_CATEGORIES = INT32_MAX, /* likewise */
	CATEGORIES_MAX = 1 << 24,   /* of one column */
};

struct target_encoder_params {
	struct ports ports;
	struct str label, target_type, handle_invalid;
	double smoothing;
};

/* One column's categories, null among them, and all rows. The statistic is the label's mean, or where it is binary the
 * number of ones. */
struct encoding {
	size_t count;
	int32_t *category;        /* [count] ascending */
	double *rows, *statistic; /* [count] */
	double all_rows, all_statistic;
	double *code, all_code; /* [count]; made from the others */
};

struct target_encoder_state {
	struct encoding *columns; /* [count] */
	size_t count;
};

static const char *const target_types[] = {"binary", "continuous", NULL};
static const char *const invalid_modes[] = {"error", "keep", NULL};
static const struct field params[] = {
	{.name = "inputCol", .type = FIELD_STRING, .offset = offsetof(struct ports, input), .help = "Input column."},
	{.name = "outputCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct ports, output),
	 .help = "Output column; <input column>_indexed where not given."},
	{.name = "inputCols", .type = FIELD_STRINGS, .offset = offsetof(struct ports, inputs), .help = "Input columns."},
	{.name = "outputCols",
	 .type = FIELD_STRINGS,
	 .offset = offsetof(struct ports, outputs),
	 .help = "Output columns, one for each input column; <input column>_indexed where not given."},
	{.name = "labelCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct target_encoder_params, label),
	 .fallback = "\"label\"",
	 .help = "Column of labels; needed to fit only."},
	{.name = "targetType",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct target_encoder_params, target_type),
	 .fallback = "\"binary\"",
	 .choices = target_types,
	 .help = "What the label is; binary ones are 0 and 1."},
	{.name = "smoothing",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct target_encoder_params, smoothing),
	 .fallback = "0.0",
	 .min = 0,
	 .max = INFINITY,
	 .help = "Rows that the mean of all rows counts for in each category."},
	{.name = "handleInvalid",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct target_encoder_params, handle_invalid),
	 .fallback = "\"error\"",
	 .choices = invalid_modes,
	 .help = "Unseen categories at transform: error, or keep them as the mean of all rows."},
	FIELD_END,
};

static const struct target_encoder_params *params_of(const struct stage *s)
{
	return s->params;
}
static bool is_binary(const struct stage *s)
{
	return str_is(params_of(s)->target_type, "binary");
}

static bool outputs_given(const struct stage *s)
{
	return stage_given(s, "outputCol") || stage_given(s, "outputCols");
}

static bool check(const struct stage *s, struct err *e)
{
	return outputs_given(s) ? ports_check(s, e) : ports_check_inputs(s, e);
}

/* --- Columns ------------------------------------------------------------------------------------------------- */

static struct str output_name(struct stage *s, size_t k)
{
	struct str in = ports_input(s, k);
	if (outputs_given(s)) return ports_output(s, k);
	return STR(arena_printf(&s->arena, "%.*s_indexed", (int)in.len, in.data));
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	bool ok = true;
	for (size_t k = 0; k < ports_count(s); k++) {
		struct column_def def = {.name = output_name(s, k), .type = COL_DOUBLE};
		ok &= stage_input(s, schema, ports_input_param(s), ports_input(s, k), COL_NUMERIC, e) >= 0;
		ok &= stage_output(s, schema, ports_output_param(s), &def, e) >= 0;
	}
	int label = stage_input_fit_only(s, schema, "labelCol", params_of(s)->label, COL_NUMERIC, e);
	return ok && (label >= 0 || s->fitted);
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

/* Rows and label sums by category, of one column. */
struct totals {
	struct numbering categories;
	double *rows, *sums;
	size_t rows_cap, sums_cap;
};

struct all_totals {
	size_t count;
	struct totals *columns; /* [count] */
	double rows, sum;
};

static void *totals_create(const struct stage *s)
{
	struct all_totals *t = mem_zalloc(1, sizeof *t);
	t->count = ports_count(s);
	t->columns = mem_zalloc(t->count, sizeof *t->columns);
	return t;
}

static void totals_destroy(void *acc)
{
	struct all_totals *t = acc;
	for (size_t k = 0; k < t->count; k++) {
		numbering_release(&t->columns[k].categories);
		mem_free(t->columns[k].rows);
		mem_free(t->columns[k].sums);
	}
	mem_free(t->columns);
	mem_free(t);
}

static bool totals_add(struct totals *t, const struct stage *s, double category, double rows, double sum, struct err *e)
{
	size_t had = t->categories.count, n = numbering_of(&t->categories, category);
	if (n == had) {
		if (n == CATEGORIES_MAX)
			return err_set(e, ERR_too_large, "%s (stage %zu): a column has more than %d categories",
				       s->type->name, s->index, CATEGORIES_MAX);
		MEM_GROW(t->rows, t->rows_cap, n + 1);
		MEM_GROW(t->sums, t->sums_cap, n + 1);
		t->rows[n] = t->sums[n] = 0;
	}
	t->rows[n] += rows;
	t->sums[n] += sum;
	return true;
}

/* False: the cell is no category. */
static bool category_at(const struct column *c, size_t i, double *category)
{
	*category = column_valid(c, i) ? column_number_at(c, i) : NULL_CATEGORY;
	return !column_valid(c, i) || (*category >= 0 && *category < ALL_CATEGORIES && *category == trunc(*category));
}

static bool totals_row(struct all_totals *t, const struct stage *s, const struct batch *b, size_t i, double label,
		       struct err *e)
{
	if (is_binary(s) && label != 0 && label != 1)
		return stage_data_error(s, b, i, e, "the label is %g; targetType \"binary\" takes 0 and 1", label);
	t->rows++;
	t->sum += label;
	for (size_t k = 0; k < t->count; k++) {
		double category;
		if (!category_at(stage_in(s, b, k), i, &category))
			return stage_data_error(s, b, i, e, "%g in column \"%.*s\" is no category (0, 1, … up to %d)",
						category, (int)s->in[k].name.len, s->in[k].name.data,
						ALL_CATEGORIES - 1);
		if (!totals_add(&t->columns[k], s, category, 1, label, e)) return false;
	}
	return true;
}

static bool totals_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct all_totals *t = acc;
	const struct column *labels = stage_in(s, b, t->count);
	for (size_t i = 0; i < b->rows; i++) {
		double label = column_valid(labels, i) ? column_number_at(labels, i) : NAN;
		if (!isnan(label) && !totals_row(t, s, b, i, label, e)) return false;
	}
	return true;
}

static void totals_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct all_totals *t = acc;
	(void)s;
	buf_f64(out, t->rows);
	buf_f64(out, t->sum);
	for (size_t k = 0; k < t->count; k++) {
		const struct totals *c = &t->columns[k];
		buf_u64(out, c->categories.count);
		for (size_t n = 0; n < c->categories.count; n++) {
			buf_f64(out, c->categories.values[n]);
			buf_f64(out, c->rows[n]);
			buf_f64(out, c->sums[n]);
		}
	}
}

static bool totals_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct all_totals *t = into;
	t->rows += cursor_f64(in);
	t->sum += cursor_f64(in);
	for (size_t k = 0; k < t->count; k++)
		for (uint64_t n = cursor_u64(in); n > 0 && !in->bad; n--) {
			double category = cursor_f64(in), rows = cursor_f64(in), sum = cursor_f64(in);
			if (!totals_add(&t->columns[k], s, category, rows, sum, e)) return false;
		}
	return true;
}

static void room(struct arena *a, struct encoding *c, size_t count)
{
	c->count = count;
	c->category = arena_zalloc(a, count, sizeof *c->category);
	c->rows = arena_zalloc(a, count, sizeof *c->rows);
	c->statistic = arena_zalloc(a, count, sizeof *c->statistic);
	c->code = arena_zalloc(a, count, sizeof *c->code);
}

static double mean_of(const struct stage *s, double rows, double statistic)
{
	return is_binary(s) ? statistic / rows : statistic;
}

static void make_codes(const struct stage *s, struct encoding *c)
{
	double smoothing = params_of(s)->smoothing;
	c->all_code = mean_of(s, c->all_rows, c->all_statistic);
	for (size_t n = 0; n < c->count; n++) {
		double weight = c->rows[n] / (c->rows[n] + smoothing);
		c->code[n] = weight * mean_of(s, c->rows[n], c->statistic[n]) + (1 - weight) * c->all_code;
	}
}

static void encoding_of(struct stage *s, const struct all_totals *t, size_t k, struct encoding *c)
{
	const struct totals *from = &t->columns[k];
	uint32_t *order = numbering_order(&from->categories);
	room(&s->arena, c, from->categories.count);
	for (size_t n = 0; n < c->count; n++) {
		c->category[n] = (int32_t)from->categories.values[order[n]];
		c->rows[n] = from->rows[order[n]];
		c->statistic[n] = is_binary(s) ? from->sums[order[n]] : from->sums[order[n]] / c->rows[n];
	}
	c->all_rows = t->rows;
	c->all_statistic = is_binary(s) ? t->sum : t->sum / t->rows;
	make_codes(s, c);
	mem_free(order);
}

static void columns_room(struct stage *s, size_t count)
{
	struct target_encoder_state *st = s->state;
	st->count = count;
	st->columns = arena_zalloc(&s->arena, count, sizeof *st->columns);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	static const struct fit_fold fold = {totals_create, totals_each, totals_pack, totals_destroy, totals_merge};
	struct target_encoder_state *st = s->state;
	struct all_totals *all = totals_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok && all->rows == 0)
		ok = err_set(e, ERR_data, "%s (stage %zu): no row has a label", s->type->name, s->index);
	if (ok) {
		columns_room(s, all->count);
		for (size_t k = 0; k < st->count; k++) encoding_of(s, all, k, &st->columns[k]);
	}
	totals_destroy(all);
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

static int compare_category(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

/* The code of a category, NULL where it was not seen. Mostly there are no gaps, then it lies at its place. */
static const double *code_of(const struct encoding *c, double category)
{
	int32_t key = (int32_t)category;
	size_t guess = (size_t)((int64_t)key - (c->count ? c->category[0] : 0));
	if (guess < c->count && c->category[guess] == key) return &c->code[guess];
	const int32_t *at = bsearch(&key, c->category, c->count, sizeof key, compare_category);
	return at ? &c->code[at - c->category] : NULL;
}

static bool unseen(const struct stage *s, const struct batch *b, size_t k, size_t i, struct err *e)
{
	const struct column *in = stage_in(s, b, k);
	if (!column_valid(in, i))
		return stage_data_error(s, b, i, e, "column \"%.*s\" is null, which was not seen at fit",
					(int)s->in[k].name.len, s->in[k].name.data);
	return stage_data_error(s, b, i, e, "column \"%.*s\" holds the unseen category %g", (int)s->in[k].name.len,
				s->in[k].name.data, column_number_at(in, i));
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct target_encoder_state *st = s->state;
	bool keep = str_is(params_of(s)->handle_invalid, "keep");
	(void)sc;
	for (size_t k = 0; k < st->count; k++) {
		const struct encoding *c = &st->columns[k];
		const struct column *in = stage_in(s, b, k);
		struct column *out = stage_out(s, b, k);
		for (size_t i = 0; i < b->rows; i++) {
			double category;
			const double *code = category_at(in, i, &category) ? code_of(c, category) : NULL;
			if (!code && !keep) return unseen(s, b, k, i, e);
			column_double(out, code ? *code : c->all_code);
		}
	}
	return true;
}

/* --- Bytes --------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct target_encoder_state *st = s->state;
	buf_u64(out, st->count);
	for (size_t k = 0; k < st->count; k++) {
		const struct encoding *c = &st->columns[k];
		buf_f64(out, c->all_rows);
		buf_f64(out, c->all_statistic);
		buf_u64(out, c->count);
		buf_append(out, c->category, c->count * sizeof *c->category);
		buf_append(out, c->rows, c->count * sizeof *c->rows);
		buf_append(out, c->statistic, c->count * sizeof *c->statistic);
	}
}

static bool decode_encoding(struct stage *s, struct encoding *c, struct cursor *in)
{
	c->all_rows = cursor_f64(in);
	c->all_statistic = cursor_f64(in);
	size_t count = cursor_count(in, sizeof *c->category + 2 * sizeof(double));
	const void *category = cursor_bytes(in, count * sizeof *c->category);
	const void *rows = cursor_bytes(in, count * sizeof *c->rows);
	const void *statistic = cursor_bytes(in, count * sizeof *c->statistic);
	if (in->bad) return false;
	room(&s->arena, c, count);
	if (count) {
		memcpy(c->category, category, count * sizeof *c->category);
		memcpy(c->rows, rows, count * sizeof *c->rows);
		memcpy(c->statistic, statistic, count * sizeof *c->statistic);
	}
	for (size_t n = 0; n < count; n++)
		if (c->category[n] < (n ? c->category[n - 1] + 1 : NULL_CATEGORY) || c->category[n] == ALL_CATEGORIES)
			return false;
	make_codes(s, c);
	return true;
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct target_encoder_state *st = s->state;
	size_t count = cursor_u64(in);
	if (in->bad || count != ports_count(s))
		return err_set(e, ERR_bad_model, "its categories are of another number of columns");
	columns_room(s, count);
	for (size_t k = 0; k < count; k++)
		if (!decode_encoding(s, &st->columns[k], in))
			return err_set(e, ERR_bad_model, "its categories are cut or do not ascend");
	return true;
}

static void write_statistic(struct json_writer *w, int32_t category, double rows, double statistic)
{
	json_array_begin(w);
	json_row_double(w, category);
	json_array_begin(w);
	json_row_double(w, rows);
	json_row_double(w, statistic);
	json_array_end(w);
	json_array_end(w);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct target_encoder_state *st = s->state;
	json_key(w, "stats");
	json_array_begin(w);
	for (size_t k = 0; k < st->count; k++) {
		const struct encoding *c = &st->columns[k];
		json_array_begin(w);
		for (size_t n = 0; n < c->count; n++) write_statistic(w, c->category[n], c->rows[n], c->statistic[n]);
		write_statistic(w, ALL_CATEGORIES, c->all_rows, c->all_statistic);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type target_encoder_stage = {
	.name = "TargetEncoder",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Gives each category the mean of the label where it occurs.",
	.inputs = "double, int64; label: double, int64",
	.outputs = "double",
	.params = params,
	.params_size = sizeof(struct target_encoder_params),
	.state_size = sizeof(struct target_encoder_state),
	.check = check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
