#include "pipeline/product.h"

#include "pipeline/assembly.h"

#include <math.h>
#include <stdio.h>

static bool refuse(const struct product_factor *in, char *why, const char *what)
{
	snprintf(why, PRODUCT_WHY_SIZE, "column \"%.*s\" %s", (int)MIN(in->name.len, (size_t)80), in->name.data, what);
	return false;
}

/* --- Elements ---------------------------------------------------------------------------------------------------- */

static bool is_nominal(const struct product_factor *in, size_t k)
{
	return in->list && in->list[k].type == ATTR_NOMINAL;
}

/* Elements that element k stands for. 0: how many values it has is not known. */
static uint64_t spread(const struct product_factor *in, size_t k)
{
	if (!is_nominal(in, k)) return 1;
	return in->list[k].values.count ? in->list[k].values.count : in->list[k].num_values;
}

bool product_place(struct product_factor *in, struct arena *a, char why[PRODUCT_WHY_SIZE])
{
	uint64_t at = 0;
	if (in->is_vector && !in->list)
		return refuse(in, why, "is a vector whose elements' attributes are not known, so it cannot interact");
	if (!in->offsets) in->offsets = arena_zalloc(a, in->size + 1, sizeof *in->offsets);
	for (size_t k = 0; k < in->size; k++) {
		uint64_t width = spread(in, k);
		if (width == 0) return refuse(in, why, "is nominal, but its values are not known");
		at += width;
		if (at > INT32_MAX) return refuse(in, why, "has too many values to interact");
		in->offsets[k + 1] = (uint32_t)at;
	}
	return true;
}

uint64_t product_size(const struct product_factor *const *inputs, size_t count)
{
	const uint64_t too_many = (uint64_t)INT32_MAX + 1;
	uint64_t size = 1;
	for (size_t k = 0; k < count; k++) size = MIN(size * inputs[k]->offsets[inputs[k]->size], too_many);
	return size;
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

static struct str number_name(struct arena *a, size_t k)
{
	return STR(arena_printf(a, "%zu", k));
}

static void name_elements(const struct product_factor *in, struct arena *a, struct attr *out)
{
	for (size_t k = 0; k < in->size; k++) {
		struct str own = in->list ? in->list[k].name : (struct str){0}, name = own.len ? own : in->name;
		if (in->is_vector) name = assembly_join(a, in->name, "_", own.len ? own : number_name(a, k));
		if (!is_nominal(in, k)) {
			*out++ = attr_of(ATTR_NUMERIC, name);
			continue;
		}
		const struct str_list *values = &in->list[k].values;
		for (size_t v = 0; v < spread(in, k); v++) {
			struct str value = v < values->count ? values->items[v] : number_name(a, v);
			*out++ = attr_of(ATTR_BINARY, assembly_join(a, name, "_", value));
		}
	}
}

/* As Spark from the last column to the first: each element of a column before all there are so far. */
void product_name(const struct product_factor *const *inputs, size_t count, struct arena *a, struct attr *out)
{
	uint32_t size = inputs[count - 1]->offsets[inputs[count - 1]->size];
	if (product_size(inputs, count) == 0) return;
	name_elements(inputs[count - 1], a, out);
	for (size_t k = count - 1; k-- > 0;) {
		uint32_t width = inputs[k]->offsets[inputs[k]->size];
		struct attr *heads = mem_alloc(MAX(width, 1u) * sizeof *heads);
		name_elements(inputs[k], a, heads);
		/* Backwards, so that the names so far, at the beginning, are taken last. */
		for (uint32_t h = width; h-- > 0;)
			for (uint32_t t = size; t-- > 0;)
				out[h * size + t] =
				    attr_of(ATTR_NUMERIC, assembly_join(a, heads[h].name, ":", out[t].name));
		size *= width;
		mem_free(heads);
	}
}

/* --- Rows -------------------------------------------------------------------------------------------------------- */

void product_work_release(struct product_work *w)
{
	mem_free(w->cells);
	mem_free(w->numbers);
	for (int k = 0; k < 2; k++) {
		mem_free(w->idx[k]);
		mem_free(w->val[k]);
	}
	*w = (struct product_work){0};
}

static void work_room(struct product_work *w, size_t need)
{
	if (need <= w->cap) return;
	size_t cap = MAX(need, w->cap * 2);
	for (int k = 0; k < 2; k++) {
		w->idx[k] = mem_realloc(w->idx[k], cap, sizeof **w->idx);
		w->val[k] = mem_realloc(w->val[k], cap, sizeof **w->val);
	}
	w->cap = cap;
}

void product_begin(struct product_work *w, size_t count)
{
	MEM_GROW(w->cells, w->cells_cap, count);
	MEM_GROW(w->numbers, w->numbers_cap, count);
}

bool product_cell(const struct product_factor *in, const struct column *c, size_t i, struct product_work *w, size_t k,
		  char why[PRODUCT_WHY_SIZE])
{
	if (!column_valid(c, i)) return refuse(in, why, "is null and cannot interact");
	if (c->type == COL_VECTOR) {
		w->cells[k] = column_vec_at(c, i);
		return true;
	}
	w->numbers[k] = column_number_at(c, i);
	w->cells[k] = (struct vec){.size = 1, .nnz = 1, .val = &w->numbers[k]};
	return true;
}

/* The longest of the lists on the way to the product; PRODUCT_VALUES_MAX + 1 where one is longer. */
static uint64_t longest(const struct vec *cells, size_t count)
{
	const uint64_t too_many = (uint64_t)PRODUCT_VALUES_MAX + 1;
	uint64_t values = 1, most = 1;
	for (size_t k = count; k-- > 0;) {
		values = MIN(values * cells[k].nnz, too_many);
		most = MAX(most, values);
	}
	return most;
}

/* One stored element: its place among the expanded ones, and its value. */
struct element {
	uint32_t at;
	double v;
};

static bool element(const struct product_factor *in, size_t k, double v, struct element *out, char *why)
{
	uint32_t width = in->offsets[k + 1] - in->offsets[k];
	*out = (struct element){in->offsets[k], v};
	if (width == 1) return true;
	if (!(v >= 0 && v < width && v == trunc(v))) {
		snprintf(why, PRODUCT_WHY_SIZE, "column \"%.*s\" holds %g, which is none of its %u values",
			 (int)MIN(in->name.len, (size_t)80), in->name.data, v, width);
		return false;
	}
	*out = (struct element){in->offsets[k] + (uint32_t)v, 1};
	return true;
}

/* One more column before what there is: its elements times all values so far. */
static bool multiply_one(const struct product_factor *in, const struct vec *c, struct product_work *w, size_t from,
			 struct vec *product, char *why)
{
	uint32_t *idx = w->idx[!from], made = 0;
	double *val = w->val[!from];
	for (uint32_t m = 0; m < c->nnz; m++) {
		struct element x;
		if (!element(in, c->idx ? c->idx[m] : m, c->val[m], &x, why)) return false;
		for (uint32_t j = 0; j < product->nnz; j++, made++) {
			idx[made] = product->idx[j] + x.at * product->size;
			val[made] = product->val[j] * x.v;
		}
	}
	*product = (struct vec){product->size * in->offsets[in->size], made, idx, val};
	return true;
}

bool product_multiply(const struct product_factor *const *inputs, size_t count, struct product_work *w, struct vec *out,
		      char why[PRODUCT_WHY_SIZE])
{
	static const uint32_t origin = 0;
	static const double one = 1;
	uint64_t room = longest(w->cells, count);
	if (room > PRODUCT_VALUES_MAX) {
		snprintf(why, PRODUCT_WHY_SIZE, "the product would store over %d values", PRODUCT_VALUES_MAX);
		return false;
	}
	work_room(w, room);
	*out = (struct vec){1, 1, &origin, &one};
	for (size_t k = count, from = 0; k-- > 0; from = !from) {
		const struct vec *c = &w->cells[k];
		if (c->size != inputs[k]->size)
			return refuse(inputs[k], why, "holds a vector of another length than its attributes say");
		if (!multiply_one(inputs[k], c, w, from, out, why)) return false;
	}
	return true;
}
