/* Spark's VectorSlicer: the elements at `indices`, then those called `names`, in the order given. */
#include "data/vec.h"
#include "pipeline/ports.h"

#include <stdlib.h>

struct vector_slicer_params {
	struct ports ports;
	struct i64_list indices;
	struct str_list names;
	/* Made by columns(). */
	struct i64_list picks; /* the indices, then the places of the names */
	struct str unresolved; /* the first name that the column's attributes do not have; none: data NULL */
};

static const struct field params[] = {
    PORTS_SINGLE,
    {.name = "indices",
     .type = FIELD_INTS,
     .offset = offsetof(struct vector_slicer_params, indices),
     .max = INT32_MAX,
     .help = "Places of the elements to take, from 0."},
    {.name = "names",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct vector_slicer_params, names),
     .help = "Names of the elements to take, as the column's attributes have them."},
    FIELD_END,
};

/* --- Parameters ---------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool indices_differ(const struct i64_list *list)
{
	int64_t *sorted = mem_alloc(MAX(list->count, (size_t)1) * sizeof *sorted);
	if (list->count) memcpy(sorted, list->items, list->count * sizeof *sorted);
	qsort(sorted, list->count, sizeof *sorted, by_value);
	bool differ = true;
	for (size_t k = 1; k < list->count; k++) differ &= sorted[k - 1] != sorted[k];
	mem_free(sorted);
	return differ;
}

static bool names_differ(const struct str_list *list)
{
	struct map seen = MAP_INIT;
	bool differ = true;
	for (size_t k = 0; differ && k < list->count; k++) map_put(&seen, list->items[k], &differ);
	map_release(&seen);
	return differ;
}

static bool check(const struct stage *s, struct err *e)
{
	const struct vector_slicer_params *p = s->params;
	bool ok = ports_check(s, e);
	if (p->indices.count + p->names.count == 0)
		ok = stage_fault(s, e, "indices", "nothing is selected; give indices or names");
	if (!indices_differ(&p->indices)) ok = stage_fault(s, e, "indices", "holds an index twice");
	if (!names_differ(&p->names)) ok = stage_fault(s, e, "names", "holds a name twice");
	for (size_t k = 0; k < p->names.count; k++)
		if (p->names.items[k].len == 0) ok = stage_fault(s, e, "names", "holds an empty name");
	return ok;
}

/* --- Metadata ------------------------------------------------------------------------------------------------ */

/* Numbers of the elements that have a name. */
static void names_of(const struct attrs *attrs, struct map *places)
{
	bool made;
	for (size_t k = 0; attrs->list && k < attrs->size; k++)
		if (attrs->list[k].name.len) map_put(places, attrs->list[k].name, &made)->value = k;
}

/* Fills picks. The names wait where nothing is known of the column: an estimator before may tell them once fitted. */
static bool resolve(struct stage *s, const struct attrs *attrs, struct err *e)
{
	struct vector_slicer_params *p = s->params;
	struct map places = MAP_INIT;
	bool ok = true;
	p->unresolved = (struct str){0};
	for (size_t k = 0; k < p->indices.count; k++) {
		p->picks.items[k] = p->indices.items[k];
		if (attrs && (uint64_t)p->picks.items[k] >= attrs->size)
			ok = stage_fault(s, e, "indices", "index %lld is beyond the %zu elements",
					 (long long)p->picks.items[k], attrs->size);
	}
	if (attrs) names_of(attrs, &places);
	for (size_t k = 0; k < p->names.count; k++) {
		struct str name = p->names.items[k];
		const struct map_entry *found = map_find(&places, name);
		if (found)
			p->picks.items[p->indices.count + k] = (int64_t)found->value;
		else if (attrs && attrs->list)
			ok = stage_fault(s, e, "names", "no element is called \"%.*s\"",
					 (int)MIN(name.len, (size_t)128), name.data);
		else if (!p->unresolved.data)
			p->unresolved = name;
	}
	map_release(&places);
	if (ok && !p->unresolved.data && !indices_differ(&p->picks))
		ok = stage_fault(s, e, "names", "an element is selected by its index too");
	return ok;
}

static void picked_attrs(const struct stage *s, const struct attrs *in, struct arena *a, struct attrs *out)
{
	const struct vector_slicer_params *p = s->params;
	*out = ports_size_only(p->picks.count);
	if (!in || !in->list) return;
	out->list = arena_zalloc(a, out->size, sizeof *out->list);
	for (size_t k = 0; k < out->size; k++) out->list[k] = in->list[p->picks.items[k]];
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct vector_slicer_params *p = s->params;
	struct arena a = ARENA_INIT;
	struct attrs attrs;
	int in = schema_find(schema, ports_input(s, 0));
	const struct attrs *known = in >= 0 ? schema->columns[in].attrs : NULL;
	if (known && !known->is_group) known = NULL;
	p->picks.count = p->indices.count + p->names.count;
	if (!p->picks.items) p->picks.items = arena_zalloc(&s->arena, p->picks.count, sizeof *p->picks.items);
	bool ok = resolve(s, known, e);
	if (ok) picked_attrs(s, known, &a, &attrs);
	ok &= ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, ok ? &attrs : NULL, e);
	arena_release(&a);
	return ok;
}

static bool ready(const struct stage *s, struct err *e)
{
	const struct vector_slicer_params *p = s->params;
	return !p->unresolved.data ||
	       stage_fault(s, e, "names", "no element of \"%.*s\" is called \"%.*s\"", (int)s->in[0].name.len, s->in[0].name.data,
			   (int)MIN(p->unresolved.len, (size_t)128), p->unresolved.data);
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

static bool slice_dense(const struct i64_list *picks, struct vec v, struct column *out)
{
	uint32_t *idx;
	double *val;
	column_vec_room(out, picks->count, &idx, &val);
	for (size_t k = 0; k < picks->count; k++) {
		if (picks->items[k] >= v.size) return false;
		val[k] = v.val[picks->items[k]];
	}
	column_vec_end(out, (uint32_t)picks->count, picks->count, true);
	return true;
}

/* As in Spark, what lies beyond a sparse vector's end counts as not stored, and stored zeros are not stored again. */
static void slice_sparse(const struct i64_list *picks, struct vec v, struct column *out)
{
	uint32_t *idx;
	double *val;
	size_t stored = 0;
	column_vec_room(out, MIN(picks->count, (size_t)v.nnz), &idx, &val);
	for (size_t k = 0; k < picks->count; k++) {
		uint32_t at = vec_place(v, (uint32_t)picks->items[k]);
		if (at == v.nnz || v.idx[at] != picks->items[k] || v.val[at] == 0) continue;
		idx[stored] = (uint32_t)k;
		val[stored++] = v.val[at];
	}
	column_vec_end(out, (uint32_t)picks->count, stored, false);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct vector_slicer_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		struct vec v = column_vec_at(in, i);
		if (v.idx)
			slice_sparse(&p->picks, v, out);
		else if (!slice_dense(&p->picks, v, out))
			return stage_data_error(s, b, i, e, "an index is beyond the vector's %u entries", v.size);
	}
	return true;
}

const struct stage_type vector_slicer_stage = {
    .name = "VectorSlicer",
    .version = 1,
    .kind = STAGE_TRANSFORMER,
    .help = "Takes some elements of each vector, by place or by name.",
    .inputs = "vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct vector_slicer_params),
    .check = check,
    .columns = columns,
    .ready = ready,
    .apply = apply,
};
