/* Spark's QuantileDiscretizer: buckets that hold about equally many numbers, between quantiles; fitted it does what
 * Bucketizer does. Null and NaN do not count. Where quantiles are equal there are fewer buckets than asked for. */
#include "pipeline/buckets.h"
#include "pipeline/quantile.h"

#include <math.h>

enum { BUCKETS_MIN = 2, BUCKETS_MAX = 1 << 18 }; /* of a column; of all columns */

struct quantile_discretizer_params {
	struct buckets_params buckets; /* first */
	int64_t num_buckets;
	struct i64_list num_buckets_array;
	double relative_error;
};

struct quantile_discretizer_state {
	size_t count;
	struct f64_list *splits; /* [count] */
};

static const struct field params[] = {
	BUCKETS_PARAMS,
	{.name = "numBuckets",
	 .type = FIELD_INT,
	 .offset = offsetof(struct quantile_discretizer_params, num_buckets),
	 .fallback = "2",
	 .min = BUCKETS_MIN,
	 .max = INT32_MAX,
	 .help = "How many buckets; 262144 at most in all columns."},
	{.name = "numBucketsArray",
	 .type = FIELD_INTS,
	 .offset = offsetof(struct quantile_discretizer_params, num_buckets_array),
	 .min = BUCKETS_MIN,
	 .max = INT32_MAX,
	 .help = "How many for each of inputCols, in place of one number for all."},
	QUANTILE_RELATIVE_ERROR(offsetof(struct quantile_discretizer_params, relative_error)),
	FIELD_END,
};

static size_t buckets_of(const struct stage *s, size_t k)
{
	const struct quantile_discretizer_params *p = s->params;
	return (size_t)(stage_given(s, "numBucketsArray") ? p->num_buckets_array.items[k] : p->num_buckets);
}

static bool check(const struct stage *s, struct err *e)
{
	const struct quantile_discretizer_params *p = s->params;
	size_t all = 0;
	if (!ports_check(s, e) || !ports_check_each(s, "numBuckets", "numBucketsArray", p->num_buckets_array.count, e))
		return false;
	for (size_t k = 0; k < ports_count(s); k++) all += buckets_of(s, k);
	return all <= BUCKETS_MAX ||
	       stage_fault(s, e, stage_given(s, "numBucketsArray") ? "numBucketsArray" : "numBuckets",
			   "asks for %zu buckets in all, more than %d", all, BUCKETS_MAX);
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct quantile_discretizer_state *st = s->state;
	return buckets_bind(s, schema, s->fitted ? st->splits : NULL, e);
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

static void add_numbers(void *ctx, const struct batch *b, struct quantile_sink *to)
{
	const struct stage *s = ctx;
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *c = stage_in(s, b, k);
		for (size_t i = 0; i < b->rows; i++)
			if (column_valid(c, i)) quantile_add(to, k, column_number_at(c, i), 1);
	}
}

/* 1/n, 2/n … (n - 1)/n for each column; the outer splits are infinite. */
static struct f64_list *probabilities(const struct stage *s, struct arena *a)
{
	struct f64_list *lists = arena_zalloc(a, s->in_count, sizeof *lists);
	for (size_t k = 0; k < s->in_count; k++) {
		size_t n = buckets_of(s, k);
		lists[k] = (struct f64_list){arena_zalloc(a, n - 1, sizeof(double)), n - 1};
		for (size_t i = 1; i < n; i++) lists[k].items[i - 1] = (double)i / (double)n;
	}
	return lists;
}

/* Each of the ascending quantiles once, between the infinities. */
static bool take_splits(struct stage *s, size_t k, const double *quantiles, size_t count, struct err *e)
{
	struct quantile_discretizer_state *st = s->state;
	struct f64_list *splits = &st->splits[k];
	splits->items = arena_zalloc(&s->arena, count + 2, sizeof *splits->items);
	splits->items[splits->count++] = -INFINITY;
	for (size_t i = 0; i < count; i++)
		if (quantiles[i] > splits->items[splits->count - 1] && quantiles[i] < INFINITY)
			splits->items[splits->count++] = quantiles[i];
	splits->items[splits->count++] = INFINITY;
	return splits->count >= BUCKETS_SPLITS_MIN ||
	       err_set(e, ERR_data,
		       "QuantileDiscretizer (stage %zu): no quantile of column \"%.*s\" is a finite number", s->index,
		       (int)s->in[k].name.len, s->in[k].name.data);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	const struct quantile_discretizer_params *p = s->params;
	struct quantile_discretizer_state *st = s->state;
	struct arena a = ARENA_INIT;
	struct quantiles q = {.columns = s->in_count,
			      .of_columns = probabilities(s, &a),
			      .relative_error = p->relative_error,
			      .each = add_numbers,
			      .ctx = s};
	size_t all = 0;
	for (size_t k = 0; k < s->in_count; k++) all += q.of_columns[k].count;
	double *quantiles = arena_zalloc(&a, all, sizeof *quantiles), *next = quantiles;
	bool ok = quantiles_fit(f, &q, quantiles, e);
	st->count = s->in_count;
	st->splits = arena_zalloc(&s->arena, st->count, sizeof *st->splits);
	for (size_t k = 0; ok && k < st->count; k++) {
		ok = take_splits(s, k, next, q.of_columns[k].count, e);
		next += q.of_columns[k].count;
	}
	arena_release(&a);
	return ok;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct quantile_discretizer_state *st = s->state;
	return buckets_apply(s, b, st->splits, sc, e);
}

/* --- Bytes --------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct quantile_discretizer_state *st = s->state;
	buf_u64(out, st->count);
	for (size_t k = 0; k < st->count; k++) {
		buf_u64(out, st->splits[k].count);
		buf_append(out, st->splits[k].items, st->splits[k].count * sizeof *st->splits[k].items);
	}
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct quantile_discretizer_state *st = s->state;
	st->count = cursor_count(in, sizeof(uint64_t));
	if (in->bad || st->count != ports_count(s))
		return err_set(e, ERR_bad_model, "splits of another number of columns");
	st->splits = arena_zalloc(&s->arena, st->count, sizeof *st->splits);
	for (size_t k = 0; k < st->count; k++) {
		size_t n = cursor_count(in, sizeof(double));
		const void *items = cursor_bytes(in, n * sizeof(double));
		if (in->bad) return err_set(e, ERR_bad_model, "splits are cut");
		st->splits[k] = (struct f64_list){arena_copy(&s->arena, items, n * sizeof(double)), n};
		if (!buckets_are_splits(st->splits[k])) return err_set(e, ERR_bad_model, "splits do not ascend");
	}
	return true;
}

/* As the Bucketizer that Spark fits: splits of the one column, splitsArray of several. */
static void state(const struct stage *s, struct json_writer *w)
{
	const struct quantile_discretizer_state *st = s->state;
	bool several = stage_given(s, "inputCols");
	json_key(w, several ? "splitsArray" : "splits");
	if (several) json_array_begin(w);
	for (size_t k = 0; k < st->count; k++) json_row_doubles(w, st->splits[k].items, st->splits[k].count);
	if (several) json_array_end(w);
}

const struct stage_type quantile_discretizer_stage = {
	.name = "QuantileDiscretizer",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Gives the index of the bucket that a number falls into; quantiles part the buckets.",
	.inputs = "double, int64",
	.outputs = "double",
	.params = params,
	.params_size = sizeof(struct quantile_discretizer_params),
	.state_size = sizeof(struct quantile_discretizer_state),
	.check = check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
