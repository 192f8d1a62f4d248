/* Spark's Imputer: missing numbers (null, and NaN or another missingValue) replaced by the column's mean, median or
 * mode. The surrogate is a double, cut to a whole number where the column holds those. */
#include "base/map.h"
#include "data/dataset.h"
#include "pipeline/ports.h"
#include "pipeline/quantile.h"

#include <math.h>

struct imputer_params {
	struct ports ports;
	struct str strategy;
	double missing, relative_error;
};

struct imputer_state {
	size_t count;
	double *surrogates; /* [count] */
};

static const char *const strategies[] = {"mean", "median", "mode", NULL};
static const struct field params[] = {
	PORTS_SINGLE,
	PORTS_SEVERAL,
	{.name = "strategy",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct imputer_params, strategy),
	 .fallback = "\"mean\"",
	 .choices = strategies,
	 .help = "What replaces missing values; the mode is the smallest of the most frequent values."},
	{.name = "missingValue",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct imputer_params, missing),
	 .fallback = "\"NaN\"",
	 .help = "The number that stands for missing; null always does."},
	QUANTILE_RELATIVE_ERROR(offsetof(struct imputer_params, relative_error)),
	FIELD_END,
};

static const struct imputer_params *params_of(const struct stage *s) { return s->params; }

static bool is_missing(const struct imputer_params *p, double v)
{
	return isnan(p->missing) ? isnan(v) : v == p->missing;
}

/* Counts towards the surrogate: NaN never does. */
static bool accepts(const void *ctx, double v) { return !isnan(v) && !is_missing(ctx, v); }

/* Spark refuses a column twice, of this stage alone. */
static bool check(const struct stage *s, struct err *e)
{
	if (!ports_check(s, e)) return false;
	for (size_t k = 1; k < ports_count(s); k++)
		for (size_t j = 0; j < k; j++)
			if (str_eq(ports_input(s, j), ports_input(s, k)))
				return stage_fault(s, e, "inputCols", "names column \"%.*s\" twice",
						   (int)MIN(ports_input(s, k).len, (size_t)128),
						   ports_input(s, k).data);
	return true;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	bool ok = true;
	for (size_t k = 0; k < ports_count(s); k++) {
		int in = stage_input(s, schema, ports_input_param(s), ports_input(s, k), COL_NUMERIC, e);
		struct column_def def = {.name = ports_output(s, k), .type = COL_DOUBLE};
		if (in >= 0) {
			def.type = schema->columns[in].type;
			def.is_int32 = schema->columns[in].is_int32;
		}
		ok &= in >= 0 && stage_output(s, schema, ports_output_param(s), &def, e) >= 0;
	}
	return ok;
}

/* --- Mean: sum and count of each column ---------------------------------------------------------------------- */

static void sum_columns(const struct stage *s, const struct batch *b, double *acc)
{
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *c = stage_in(s, b, k);
		for (size_t i = 0; i < b->rows; i++) {
			if (!column_valid(c, i) || !accepts(s->params, column_number_at(c, i))) continue;
			acc[2 * k] += column_number_at(c, i);
			acc[2 * k + 1]++;
		}
	}
}

/* Each of the three leaves NaN where there is nothing to go by. */
static bool fit_means(struct stage *s, struct fit *f, double *out, struct err *e)
{
	double *sums = mem_zalloc(2 * s->in_count, sizeof *sums);
	bool ok = fit_sum(f, 2 * s->in_count, sum_columns, s, sums, e);
	for (size_t k = 0; ok && k < s->in_count; k++)
		out[k] = sums[2 * k + 1] > 0 ? sums[2 * k] / sums[2 * k + 1] : NAN;
	mem_free(sums);
	return ok;
}

static void add_numbers(void *ctx, const struct batch *b, struct quantile_sink *to)
{
	const struct stage *s = ctx;
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *c = stage_in(s, b, k);
		for (size_t i = 0; i < b->rows; i++)
			if (column_valid(c, i) && accepts(s->params, column_number_at(c, i)))
				quantile_add(to, k, column_number_at(c, i), 1);
	}
}

static bool fit_medians(struct stage *s, struct fit *f, double *out, struct err *e)
{
	double half = 0.5;
	struct quantiles q = {.columns = s->in_count,
			      .probabilities = {&half, 1},
			      .relative_error = params_of(s)->relative_error,
			      .each = add_numbers,
			      .ctx = s};
	return quantiles_fit(f, &q, out, e);
}

/* --- Mode: how often each value occurs ----------------------------------------------------------------------- */

struct tallies {
	size_t count;
	struct map *maps; /* key: the eight bytes of the value, -0.0 as 0.0 */
};

static void *tallies_create(const struct stage *s)
{
	struct tallies *t = mem_zalloc(1, sizeof *t);
	t->count = s->in_count;
	t->maps = mem_zalloc(t->count, sizeof *t->maps);
	return t;
}

static void tallies_destroy(void *acc)
{
	struct tallies *t = acc;
	for (size_t k = 0; k < t->count; k++) map_release(&t->maps[k]);
	mem_free(t->maps);
	mem_free(t);
}

static bool tallies_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct tallies *t = acc;
	(void)e;
	for (size_t k = 0; k < t->count; k++) {
		const struct column *c = stage_in(s, b, k);
		for (size_t i = 0; i < b->rows; i++) {
			if (!column_valid(c, i)) continue;
			double v = column_number_at(c, i) + 0.0;
			if (accepts(s->params, v))
				map_put(&t->maps[k], (struct str){(const char *)&v, sizeof v}, NULL)->value++;
		}
	}
	return true;
}

static void tallies_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct tallies *t = acc;
	(void)s;
	for (size_t k = 0; k < t->count; k++) {
		buf_u64(out, t->maps[k].count);
		for (size_t i = 0; i < t->maps[k].count; i++) {
			buf_append(out, t->maps[k].entries[i].key.data, sizeof(double));
			buf_u64(out, t->maps[k].entries[i].value);
		}
	}
}

static bool tallies_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct tallies *t = into;
	(void)s, (void)e;
	for (size_t k = 0; k < t->count; k++)
		for (uint64_t n = cursor_u64(in); n > 0 && !in->bad; n--) {
			double v = cursor_f64(in);
			map_put(&t->maps[k], (struct str){(const char *)&v, sizeof v}, NULL)->value += cursor_u64(in);
		}
	return true;
}

/* The most frequent value, the smallest of them; NaN of none. */
static double mode_of(const struct map *tally)
{
	double mode = NAN;
	uint64_t most = 0;
	for (size_t i = 0; i < tally->count; i++) {
		const struct map_entry *x = &tally->entries[i];
		double v;
		memcpy(&v, x->key.data, sizeof v);
		if (x->value < most || (x->value == most && v > mode)) continue;
		most = x->value;
		mode = v;
	}
	return mode;
}

static bool fit_modes(struct stage *s, struct fit *f, double *out, struct err *e)
{
	static const struct fit_fold fold = {tallies_create, tallies_each, tallies_pack, tallies_destroy,
					     tallies_merge};
	struct tallies *all = tallies_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	for (size_t k = 0; ok && k < s->in_count; k++) out[k] = mode_of(&all->maps[k]);
	tallies_destroy(all);
	return ok;
}

/* --- The stage --------------------------------------------------------------------------------------------------- */

static bool (*const fits[])(struct stage *s, struct fit *f, double *out, struct err *e) = {fit_means, fit_medians,
											   fit_modes};

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct imputer_state *st = s->state;
	size_t strategy = 0;
	while (!str_is(params_of(s)->strategy, strategies[strategy])) strategy++;
	st->count = s->in_count;
	st->surrogates = arena_zalloc(&s->arena, st->count, sizeof *st->surrogates);
	if (!fits[strategy](s, f, st->surrogates, e)) return false;
	for (size_t k = 0; k < st->count; k++)
		if (isnan(st->surrogates[k]))
			return err_set(e, ERR_data, "Imputer (stage %zu): no value of column \"%.*s\" gives a %s",
				       s->index, (int)s->in[k].name.len, s->in[k].name.data, strategies[strategy]);
	return true;
}

/* Spark casts an integer column to double and back, so numbers beyond 2^53 are rounded. */
static int64_t cut(double v) { return v >= 0x1p63 ? INT64_MAX : v <= -0x1p63 ? INT64_MIN : (int64_t)v; }

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct imputer_state *st = s->state;
	(void)sc, (void)e;
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *in = stage_in(s, b, k);
		struct column *out = stage_out(s, b, k);
		for (size_t i = 0; i < b->rows; i++) {
			bool missing = !column_valid(in, i) || is_missing(params_of(s), column_number_at(in, i));
			double v = missing ? st->surrogates[k] : column_number_at(in, i);
			if (in->type == COL_INT64) column_i64(out, cut(v));
			else column_double(out, v);
		}
	}
	return true;
}

static void encode(const struct stage *s, struct buf *out)
{
	const struct imputer_state *st = s->state;
	buf_u64(out, st->count);
	buf_append(out, st->surrogates, st->count * sizeof *st->surrogates);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct imputer_state *st = s->state;
	st->count = cursor_count(in, sizeof(double));
	const void *values = cursor_bytes(in, st->count * sizeof(double));
	if (in->bad || st->count != ports_count(s))
		return err_set(e, ERR_bad_model, "surrogates of another number of columns");
	st->surrogates = arena_copy(&s->arena, values, st->count * sizeof(double));
	for (size_t k = 0; k < st->count; k++)
		if (isnan(st->surrogates[k])) return err_set(e, ERR_bad_model, "a surrogate is no number");
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct imputer_state *st = s->state;
	json_key(w, "surrogates");
	json_array_begin(w);
	for (size_t k = 0; k < st->count; k++) {
		json_array_begin(w);
		json_str(w, ports_input(s, k));
		json_row_double(w, st->surrogates[k]);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type imputer_stage = {
	.name = "Imputer",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Replaces missing numbers by the column's mean, median or mode.",
	.inputs = "double, int64",
	.outputs = "double, int64",
	.params = params,
	.params_size = sizeof(struct imputer_params),
	.state_size = sizeof(struct imputer_state),
	.check = check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
