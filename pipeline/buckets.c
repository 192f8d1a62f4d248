#include "pipeline/buckets.h"

#include <math.h>

/* What reaches no split is one before the first bucket. */
#define BUCKET_NONE SIZE_MAX

const char *const buckets_invalid_modes[] = {"error", "skip", "keep", NULL};

static bool mode_is(const struct stage *s, const char *mode)
{
	return str_is(((const struct buckets_params *)s->params)->handle_invalid, mode);
}

bool buckets_are_splits(struct f64_list splits)
{
	if (splits.count < BUCKETS_SPLITS_MIN) return false;
	for (size_t i = 1; i < splits.count; i++)
		if (!(splits.items[i - 1] < splits.items[i])) return false;
	return true;
}

/* --- Columns ------------------------------------------------------------------------------------------------- */

static struct str bucket_name(struct arena *a, double lower, double upper)
{
	char from[STR_NUMBER_MAX], to[STR_NUMBER_MAX];
	int from_len = (int)str_from_double_java(lower, from), to_len = (int)str_from_double_java(upper, to);
	return STR(arena_printf(a, "%.*s, %.*s", from_len, from, to_len, to));
}

static struct attr bucket_attr(struct arena *a, struct f64_list splits)
{
	struct attr attr = attr_of(ATTR_NOMINAL, STR(""));
	size_t count = splits.count - 1;
	attr.ordinal = true;
	attr.num_values = count > PORTS_NAMED_MAX ? count : 0;
	attr.values.count = count > PORTS_NAMED_MAX ? 0 : count;
	attr.values.items = arena_zalloc(a, attr.values.count, sizeof *attr.values.items);
	for (size_t i = 0; i < attr.values.count; i++)
		attr.values.items[i] = bucket_name(a, splits.items[i], splits.items[i + 1]);
	return attr;
}

bool buckets_bind(struct stage *s, struct schema *schema, const struct f64_list *splits, struct err *e)
{
	bool ok = true;
	for (size_t k = 0; k < ports_count(s); k++) {
		struct arena a = ARENA_INIT;
		struct attr attr;
		struct attrs attrs = {.list = &attr};
		struct column_def def = {.name = ports_output(s, k), .type = COL_DOUBLE};
		if (splits) {
			attr = bucket_attr(&a, splits[k]);
			def.attrs = &attrs;
		}
		ok &= stage_input(s, schema, ports_input_param(s), ports_input(s, k), COL_NUMERIC, e) >= 0;
		ok &= stage_output(s, schema, ports_output_param(s), &def, e) >= 0;
		arena_release(&a);
	}
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

enum { LINEAR_MAX = 8 }; /* so many splits are counted rather than halved */

/* How many of the splits x reaches, without a branch on the data. */
static inline size_t splits_reached(double x, struct f64_list splits)
{
	const double *low = splits.items;
	size_t n = splits.count, reached;
	for (; n > LINEAR_MAX; n -= n / 2) low += x >= low[n / 2 - 1] ? n / 2 : 0;
	reached = (size_t)(low - splits.items);
	for (size_t i = 0; i < n; i++) reached += x >= low[i];
	return reached;
}

/* Does x equal the split, but is below it by Double.compare? */
static inline bool is_zero_below(double x, double split)
{
	return x == 0 && split == 0 && signbit(x) && !signbit(split);
}

/* The bucket of x; BUCKET_NONE beyond the splits, and of NaN. */
static inline size_t bucket_of(double x, struct f64_list splits)
{
	size_t last = splits.count - 1, reached = splits_reached(x, splits);
	if (reached > last) return x == splits.items[last] ? last - 1 : BUCKET_NONE;
	if (reached > 0 && is_zero_below(x, splits.items[reached - 1])) reached--;
	return reached - 1;
}

/* --- Two rows at a time -------------------------------------------------------------------------------------- */

typedef double pair __attribute__((vector_size(16)));
typedef int64_t pair_bits __attribute__((vector_size(16)));

static bool has_minus_zero(struct f64_list splits)
{
	for (size_t k = 0; k < splits.count; k++)
		if (splits.items[k] == 0 && signbit(splits.items[k])) return true;
	return false;
}

/* Writes the buckets of both; false where one of them has none. A minus zero counts as the number just below it, for it
 * lies below a split at 0. */
static inline bool bucket_pair(const double *from, struct f64_list splits, double *to)
{
	static const pair one = {1, 1}, none = {0, 0};
	size_t last = splits.count - 1;
	pair x, reached = {-1, -1}, most = none + (double)(last - 1);
	memcpy(&x, from, sizeof x);
	x = (pair)((pair_bits)x | ((x == none) & ((pair_bits)x < 0) & 1));
	for (size_t k = 0; k <= last; k++) reached += (pair)((x >= splits.items[k]) & (pair_bits)one);
	reached -= (pair)((x == splits.items[last]) & (pair_bits)one);
	memcpy(to, &reached, sizeof reached);
	pair_bits in = (reached >= none) & (reached <= most);
	return in[0] && in[1];
}

/* Of doubles without nulls between a few splits; false: look at each row by itself. */
static bool bucket_pairs(const struct column *in, size_t rows, struct f64_list splits, struct column *out)
{
	if (in->type != COL_DOUBLE || in->valid || splits.count > LINEAR_MAX || has_minus_zero(splits)) return false;
	double *to = column_double_room(out, rows), two[2];
	bool ok = true;
	for (size_t i = 0; i + 2 <= rows; i += 2) ok &= bucket_pair(in->f64 + i, splits, to + i);
	if (rows % 2) {
		ok &= bucket_pair((double[]){in->f64[rows - 1], in->f64[rows - 1]}, splits, two);
		to[rows - 1] = two[0];
	}
	if (ok) column_double_rows(out, rows);
	return ok;
}

/* --- Columns of rows ----------------------------------------------------------------------------------------- */

static bool refuse(const struct stage *s, const struct batch *b, size_t column, size_t row, double x,
		   struct f64_list splits, struct err *e)
{
	struct str name = s->in[column].name;
	if (isnan(x))
		return stage_data_error(s, b, row, e, "column \"%.*s\" is NaN; handleInvalid says what to do then",
					(int)name.len, name.data);
	char text[3][STR_NUMBER_MAX + 1];
	double numbers[] = {x, splits.items[0], splits.items[splits.count - 1]};
	for (size_t i = 0; i < ARRAY_COUNT(text); i++) text[i][str_from_double_java(numbers[i], text[i])] = 0;
	return stage_data_error(s, b, row, e, "%s in column \"%.*s\" is outside of the splits, %s to %s", text[0],
				(int)name.len, name.data, text[1], text[2]);
}

static bool bucket_column(const struct stage *s, struct batch *b, size_t column, struct f64_list splits, struct err *e)
{
	const struct column *in = stage_in(s, b, column);
	struct column *out = stage_out(s, b, column);
	bool keep = mode_is(s, "keep");
	if (bucket_pairs(in, b->rows, splits, out)) return true;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) {
			column_null(out);
			continue;
		}
		double x = column_number_at(in, i);
		size_t bucket = bucket_of(x, splits);
		if (bucket == BUCKET_NONE) {
			if (!isnan(x) || !keep) return refuse(s, b, column, i, x, splits, e);
			bucket = splits.count - 1;
		}
		column_double(out, (double)bucket);
	}
	return true;
}

/* Rows with null or NaN in any of the columns. */
static void drop_invalid(const struct stage *s, struct batch *b, struct scratch *sc)
{
	uint8_t *keep = scratch_room(sc, 0, b->rows);
	bool any = false;
	memset(keep, 1, b->rows);
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *in = stage_in(s, b, k);
		for (size_t i = 0; i < b->rows; i++) keep[i] &= column_valid(in, i) && !isnan(column_number_at(in, i));
	}
	for (size_t i = 0; i < b->rows; i++) any |= !keep[i];
	if (any) batch_filter(b, keep);
}

bool buckets_apply(const struct stage *s, struct batch *b, const struct f64_list *splits, struct scratch *sc,
		   struct err *e)
{
	if (mode_is(s, "skip")) drop_invalid(s, b, sc);
	for (size_t k = 0; k < s->in_count; k++)
		if (!bucket_column(s, b, k, splits[k], e)) return false;
	return true;
}
