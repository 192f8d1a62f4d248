/* Spark's OneHotEncoder: an index to a vector with a one at its place. The number of categories comes from the column's
 * metadata, else it is the largest index + 1. */
#include "data/dataset.h"
#include "pipeline/ports.h"

#include <math.h>
#include <stdio.h>

struct one_hot_encoder_params {
	struct ports ports;
	bool drop_last;
	struct str handle_invalid;
	/* Made by columns(): [column], from metadata; -1: not known, -2: the metadata refuse it. */
	int64_t *known_sizes;
};

struct one_hot_encoder_state {
	int64_t *sizes; /* [count] categories */
	size_t count;
};

enum { SIZE_UNKNOWN = -1, SIZE_CONTINUOUS = -2, SIZE_EMPTY_NAME = -3 };

static const char *const invalid_modes[] = {"error", "keep", NULL};
static const struct field params[] = {
	PORTS_SINGLE,
	PORTS_SEVERAL,
	{.name = "dropLast",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct one_hot_encoder_params, drop_last),
	 .fallback = "true",
	 .help = "The last category is the zero vector."},
	{.name = "handleInvalid",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct one_hot_encoder_params, handle_invalid),
	 .fallback = "\"error\"",
	 .choices = invalid_modes,
	 .help = "Unseen indices at transform: error, or keep them as one more category."},
	FIELD_END,
};

static bool keeps(const struct stage *s)
{
	return str_is(((const struct one_hot_encoder_params *)s->params)->handle_invalid, "keep");
}

/* Length of the vectors for so many categories. */
static int64_t output_size(const struct stage *s, int64_t categories)
{
	const struct one_hot_encoder_params *p = s->params;
	return MAX(categories + keeps(s) - p->drop_last, (int64_t)0);
}

/* --- Metadata ------------------------------------------------------------------------------------------------ */

static int64_t size_from(const struct attrs *attrs)
{
	if (!attrs || attrs->is_group || !attrs->list) return SIZE_UNKNOWN;
	const struct attr *a = &attrs->list[0];
	if (a->type == ATTR_NUMERIC) return SIZE_CONTINUOUS;
	for (size_t i = 0; i < a->values.count; i++)
		if (a->values.items[i].len == 0) return SIZE_EMPTY_NAME;
	if (a->values.count) return (int64_t)a->values.count;
	if (a->num_values) return (int64_t)a->num_values;
	return a->type == ATTR_BINARY ? 2 : SIZE_UNKNOWN;
}

static struct attrs *output_attrs(struct arena *a, const struct stage *s, const struct attrs *in, int64_t categories)
{
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	*attrs = ports_size_only((size_t)output_size(s, categories));
	if (attrs->size > PORTS_NAMED_MAX) return attrs;
	attrs->list = arena_zalloc(a, attrs->size, sizeof *attrs->list);
	const struct str_list *names = in && in->list ? &in->list[0].values : NULL;
	for (size_t i = 0; i < attrs->size; i++) {
		struct str name = STR(arena_printf(a, "%zu", i));
		if ((int64_t)i == categories) name = STR("invalidValues");
		else if (names && i < names->count) name = names->items[i];
		attrs->list[i] = attr_of(ATTR_BINARY, name);
	}
	return attrs;
}

static bool bind_one(struct stage *s, struct schema *schema, size_t k, struct err *e)
{
	struct one_hot_encoder_params *p = s->params;
	const struct one_hot_encoder_state *st = s->state;
	struct arena a = ARENA_INIT;
	int in = stage_input(s, schema, ports_input_param(s), ports_input(s, k), COL_NUMERIC, e);
	const struct attrs *attrs = in >= 0 ? schema->columns[in].attrs : NULL;
	p->known_sizes[k] = size_from(attrs);
	int64_t categories = s->fitted ? st->sizes[k] : p->known_sizes[k];
	struct column_def def = {.name = ports_output(s, k), .type = COL_VECTOR};
	if (categories >= 0) def.attrs = output_attrs(&a, s, attrs, categories);
	int out = stage_output(s, schema, ports_output_param(s), &def, e);
	arena_release(&a);
	return in >= 0 && out >= 0;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct one_hot_encoder_params *p = s->params;
	bool ok = true;
	if (!p->known_sizes) p->known_sizes = arena_zalloc(&s->arena, ports_count(s), sizeof *p->known_sizes);
	for (size_t k = 0; k < ports_count(s); k++) ok &= bind_one(s, schema, k, e);
	return ok;
}

/* --- Fit: the largest index of each column ------------------------------------------------------------------- */

struct largest {
	size_t count;
	int64_t *max; /* [count]; 0 of no rows, as Spark has it */
};

static void *largest_create(const struct stage *s)
{
	struct largest *l = mem_zalloc(1, sizeof *l);
	l->count = ports_count(s);
	l->max = mem_zalloc(l->count, sizeof *l->max);
	return l;
}

static void largest_destroy(void *acc)
{
	struct largest *l = acc;
	mem_free(l->max);
	mem_free(l);
}

static bool largest_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	const struct one_hot_encoder_params *p = s->params;
	struct largest *l = acc;
	for (size_t k = 0; k < l->count; k++) {
		const struct column *in = stage_in(s, b, k);
		if (p->known_sizes[k] >= 0) continue;
		for (size_t i = 0; i < b->rows; i++) {
			if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the index is null");
			double v = column_number_at(in, i);
			if (!(v >= 0 && v <= INT32_MAX && v == trunc(v)))
				return stage_data_error(s, b, i, e, "%g is no index (0, 1, … up to 2147483647)", v);
			if ((int64_t)v > l->max[k]) l->max[k] = (int64_t)v;
		}
	}
	return true;
}

static void largest_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct largest *l = acc;
	(void)s;
	for (size_t k = 0; k < l->count; k++) buf_u64(out, (uint64_t)l->max[k]);
}

static bool largest_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct largest *l = into;
	(void)s, (void)e;
	for (size_t k = 0; k < l->count; k++) {
		int64_t other = (int64_t)cursor_u64(in);
		l->max[k] = MAX(l->max[k], other);
	}
	return true;
}

static bool check_metadata(const struct stage *s, struct err *e)
{
	const struct one_hot_encoder_params *p = s->params;
	for (size_t k = 0; k < ports_count(s); k++) {
		struct str name = ports_input(s, k);
		if (p->known_sizes[k] == SIZE_CONTINUOUS)
			return err_set(e, ERR_data,
				       "OneHotEncoder (stage %zu): column \"%.*s\" is continuous by its metadata",
				       s->index, (int)name.len, name.data);
		if (p->known_sizes[k] == SIZE_EMPTY_NAME)
			return err_set(e, ERR_data,
				       "OneHotEncoder (stage %zu): a category of column \"%.*s\" is the empty string",
				       s->index, (int)name.len, name.data);
		if (p->known_sizes[k] == 1 && p->drop_last && !keeps(s))
			return err_set(e, ERR_data,
				       "OneHotEncoder (stage %zu): column \"%.*s\" has one category, of which dropLast leaves none",
				       s->index, (int)name.len, name.data);
	}
	return true;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	static const struct fit_fold fold = {largest_create, largest_each, largest_pack, largest_destroy,
					     largest_merge};
	const struct one_hot_encoder_params *p = s->params;
	struct one_hot_encoder_state *st = s->state;
	if (!comm_agree(f->comm, check_metadata(s, e), e)) return false;
	struct largest *all = largest_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok) {
		st->count = all->count;
		st->sizes = arena_zalloc(&s->arena, st->count, sizeof *st->sizes);
		for (size_t k = 0; k < st->count; k++)
			st->sizes[k] = p->known_sizes[k] >= 0 ? p->known_sizes[k] : all->max[k] + 1;
	}
	largest_destroy(all);
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

static void put(struct column *out, int64_t size, int64_t at)
{
	static const double one = 1;
	uint32_t idx = (uint32_t)at;
	bool inside = at >= 0 && at < size;
	column_sparse(out, (uint32_t)size, &idx, &one, inside);
}

static bool encode_column(const struct stage *s, struct batch *b, size_t k, struct err *e)
{
	const struct one_hot_encoder_state *st = s->state;
	const struct column *in = stage_in(s, b, k);
	struct column *out = stage_out(s, b, k);
	int64_t categories = st->sizes[k], size = output_size(s, categories);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) {
			column_null(out);
			continue;
		}
		double v = column_number_at(in, i);
		bool seen = v >= 0 && v < (double)categories;
		if (!seen && !keeps(s))
			return stage_data_error(
				s, b, i, e,
				"index %g of column \"%.*s\" was not seen; handleInvalid \"keep\" allows it", v,
				(int)s->in[k].name.len, s->in[k].name.data);
		put(out, size, seen ? (int64_t)v : categories);
	}
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	(void)sc;
	for (size_t k = 0; k < s->in_count; k++)
		if (!encode_column(s, b, k, e)) return false;
	return true;
}

/* --- Bytes --------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct one_hot_encoder_state *st = s->state;
	buf_u64(out, st->count);
	for (size_t k = 0; k < st->count; k++) buf_u64(out, (uint64_t)st->sizes[k]);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct one_hot_encoder_state *st = s->state;
	size_t count = cursor_count(in, sizeof(uint64_t));
	if (in->bad || count != ports_count(s)) return err_set(e, ERR_bad_model, "sizes of another number of columns");
	st->count = count;
	st->sizes = arena_zalloc(&s->arena, count, sizeof *st->sizes);
	for (size_t k = 0; k < count; k++) {
		uint64_t size = cursor_u64(in);
		if (size > (uint64_t)INT32_MAX + 1)
			return err_set(e, ERR_bad_model, "a column has too many categories");
		st->sizes[k] = (int64_t)size;
	}
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct one_hot_encoder_state *st = s->state;
	json_key(w, "categorySizes");
	json_array_begin(w);
	for (size_t k = 0; k < st->count; k++) json_int(w, st->sizes[k]);
	json_array_end(w);
}

const struct stage_type one_hot_encoder_stage = {
	.name = "OneHotEncoder",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Turns an index into a vector with a one at its place.",
	.inputs = "double, int64",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct one_hot_encoder_params),
	.state_size = sizeof(struct one_hot_encoder_state),
	.check = ports_check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
