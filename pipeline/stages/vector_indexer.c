/* Spark's VectorIndexer: entries of a vector that have few distinct values become categories, 0.0 always index 0; the
 * others stay as they are. */
#include "pipeline/categories.h"
#include "pipeline/ports.h"

#include <stdlib.h>

struct vector_indexer_params {
	struct ports ports;
	int64_t max_categories;
	struct str handle_invalid;
};

static const char *const invalid_modes[] = {"error", "skip", "keep", NULL};
static const struct field params[] = {
    PORTS_SINGLE,
    {.name = "maxCategories",
     .type = FIELD_INT,
     .offset = offsetof(struct vector_indexer_params, max_categories),
     .fallback = "20",
     .min = 2,
     .max = INT32_MAX,
     .help = "Entries with more distinct values are continuous."},
    {.name = "handleInvalid",
     .type = FIELD_ENUM,
     .offset = offsetof(struct vector_indexer_params, handle_invalid),
     .fallback = "\"error\"",
     .choices = invalid_modes,
     .help = "Values that were not seen, and NaN: error, skip the row, keep them as one more category."},
    FIELD_END,
};

/* --- Metadata ------------------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y || x != x) - (x < y || y != y);
}

/* As in Spark the values are named ascending, not in the order of their indices. */
static struct attr named(struct arena *a, const struct category_list *list)
{
	struct attr attr = attr_of(list->count == 2 ? ATTR_BINARY : ATTR_NOMINAL, (struct str){0});
	double *sorted = mem_alloc(list->count * sizeof *sorted);
	memcpy(sorted, list->values, list->count * sizeof *sorted);
	qsort(sorted, list->count, sizeof *sorted, by_value);
	attr.ordinal_given = attr.type == ATTR_NOMINAL;
	attr.values.items = arena_zalloc(a, list->count, sizeof *attr.values.items);
	for (; attr.values.count < list->count; attr.values.count++) {
		char text[STR_NUMBER_MAX];
		size_t len = str_from_double_java(sorted[attr.values.count], text);
		attr.values.items[attr.values.count] = (struct str){arena_strndup(a, text, len), len};
	}
	mem_free(sorted);
	return attr;
}

static struct attrs *indexed_attrs(struct arena *a, const struct categories *c, const struct attrs *in)
{
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	*attrs = ports_size_only(c->size);
	if (c->size > PORTS_NAMED_MAX) return attrs;
	attrs->list = arena_zalloc(a, MAX(c->size, (size_t)1), sizeof *attrs->list);
	for (size_t j = 0, k = 0; j < c->size; j++) {
		struct attr *to = &attrs->list[j];
		*to = in && in->list ? in->list[j] : attr_of(ATTR_NUMERIC, (struct str){0});
		if (k == c->count || c->lists[k].entry != j) continue;
		struct str name = to->name;
		*to = named(a, &c->lists[k++]);
		to->name = name;
	}
	return attrs;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	if (!s->fitted) return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, NULL, e);
	const struct categories *c = s->state;
	int in = schema_find(schema, ports_input(s, 0));
	const struct attrs *known = in >= 0 ? schema->columns[in].attrs : NULL;
	if (known && !known->is_group) known = NULL;
	if (known && known->size != c->size)
		return stage_fault(s, e, "inputCol",
				   "has vectors of %zu entries by their metadata, the model is of %zu", known->size,
				   c->size);
	struct arena a = ARENA_INIT;
	bool ok = ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, indexed_attrs(&a, c, known), e);
	arena_release(&a);
	return ok;
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

static void *tally(const struct stage *s)
{
	const struct vector_indexer_params *p = s->params;
	return categories_tally((uint32_t)p->max_categories);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	return categories_fit(s, f, tally, &s->arena, s->state, e);
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

/* Puts the index in the value's place. False: it is none of the list's. */
static bool place(const struct category_list *list, double *value)
{
	uint32_t index = category_index(list, *value);
	*value = index;
	return index < list->count;
}

/* The first entry whose value was not seen, which becomes one more index; the vector's size where there is none. What a
 * sparse row does not store is index 0 as it is. */
static uint32_t place_row(const struct categories *c, struct vec v, double *values)
{
	uint32_t invalid = v.size;
	for (size_t k = 0; !v.idx && k < c->count; k++) {
		uint32_t entry = c->lists[k].entry;
		if (!place(&c->lists[k], &values[entry]) && invalid == v.size) invalid = entry;
	}
	for (uint32_t k = 0; v.idx && k < v.nnz; k++) {
		const struct category_list *list = categories_of(c, v.idx[k], 0);
		if (list && !place(list, &values[k]) && invalid == v.size) invalid = v.idx[k];
	}
	return invalid;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct vector_indexer_params *p = s->params;
	const struct categories *c = s->state;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	uint8_t *keep = scratch_room(sc, 0, b->rows);
	bool error = str_is(p->handle_invalid, "error"), skip = str_is(p->handle_invalid, "skip"), whole = true;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in->size[i] != c->size)
			return stage_data_error(s, b, i, e, "the vector has %u entries, the model %zu", in->size[i],
						c->size);
		if (in != out) column_copy_row(out, in, i);
		struct vec v = column_vec_at(out, i);
		uint32_t invalid = place_row(c, v, out->f64 + out->off[i]);
		keep[i] = invalid == v.size;
		whole &= keep[i];
		if (error && !keep[i])
			return stage_data_error(
			    s, b, i, e,
			    "the value of entry %u was not seen; handleInvalid \"skip\" or \"keep\" allows it",
			    invalid);
	}
	if (skip && !whole) batch_filter(b, keep);
	return true;
}

/* --- Bytes --------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	categories_encode(s->state, out);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	return categories_decode(s->state, &s->arena, in, e);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct categories *c = s->state;
	json_key(w, "numFeatures");
	json_int(w, (int64_t)c->size);
	json_key(w, "categoryMaps");
	json_array_begin(w);
	for (size_t k = 0; k < c->count; k++) {
		json_array_begin(w);
		json_int(w, c->lists[k].entry);
		json_array_begin(w);
		for (uint32_t i = 0; i < c->lists[k].count; i++) {
			json_array_begin(w);
			json_row_double(w, c->lists[k].values[i]);
			json_int(w, i);
			json_array_end(w);
		}
		json_array_end(w);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type vector_indexer_stage = {
    .name = "VectorIndexer",
    .version = 1,
    .kind = STAGE_ESTIMATOR,
    .help = "Turns the entries of vectors that have few distinct values into categories.",
    .inputs = "vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct vector_indexer_params),
    .state_size = sizeof(struct categories),
    .check = ports_check,
    .columns = columns,
    .fit = fit,
    .apply = apply,
    .encode = encode,
    .decode = decode,
    .state = state,
    .in_place = true,
};
