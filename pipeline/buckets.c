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

/* Is x the split or above, by Double.compare? */
static inline bool reaches(double x, double split)
{
	return x > split || (x == split && signbit(x) <= signbit(split));
}

/* How many of the splits x reaches; halves without a branch on the data. */
static inline size_t splits_reached(double x, struct f64_list splits)
{
	const double *low = splits.items;
	for (size_t n = splits.count; n > 1; n -= n / 2) low += reaches(x, low[n / 2 - 1]) ? n / 2 : 0;
	return (size_t)(low - splits.items) + reaches(x, *low);
}

/* The bucket of x, which is not NaN; BUCKET_NONE beyond the splits. */
static inline size_t bucket_of(double x, struct f64_list splits)
{
	size_t last = splits.count - 1;
	if (x == splits.items[last]) return last - 1;
	size_t reached = splits_reached(x, splits);
	return reached > last ? BUCKET_NONE : reached - 1;
}

static bool out_of_bounds(const struct stage *s, const struct batch *b, size_t column, size_t row, double x,
			  struct f64_list splits, struct err *e)
{
	char text[3][STR_NUMBER_MAX + 1];
	double numbers[] = {x, splits.items[0], splits.items[splits.count - 1]};
	for (size_t i = 0; i < ARRAY_COUNT(text); i++) text[i][str_from_double_java(numbers[i], text[i])] = 0;
	return stage_data_error(s, b, row, e, "%s in column \"%.*s\" is outside of the splits, %s to %s", text[0],
				(int)s->in[column].name.len, s->in[column].name.data, text[1], text[2]);
}

static bool bucket_column(const struct stage *s, struct batch *b, size_t column, struct f64_list splits, struct err *e)
{
	const struct column *in = stage_in(s, b, column);
	struct column *out = stage_out(s, b, column);
	bool keep = mode_is(s, "keep");
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) {
			column_null(out);
			continue;
		}
		double x = column_number_at(in, i);
		if (isnan(x) && !keep)
			return stage_data_error(s, b, i, e,
						"column \"%.*s\" is NaN; handleInvalid says what to do then",
						(int)s->in[column].name.len, s->in[column].name.data);
		size_t bucket = isnan(x) ? splits.count - 1 : bucket_of(x, splits);
		if (bucket == BUCKET_NONE) return out_of_bounds(s, b, column, i, x, splits, e);
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
