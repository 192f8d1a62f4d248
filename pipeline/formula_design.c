#include "pipeline/formula_design.h"

#include "pipeline/ports.h"

#include <math.h>
#include <stdio.h>

/* --- Measures ---------------------------------------------------------------------------------------------------- */

static size_t levels_of(const struct design *d, const struct design_column *c)
{
	return c->levels.count + d->keep;
}

static struct str level_name(const struct design_column *c, size_t k)
{
	return k < c->levels.count ? c->levels.entries[k].key : STR("__unknown");
}

/* A text interacts as OneHotEncoder would have it: a vector with a one at its level. */
static struct attr *level_attrs(const struct design *d, const struct design_column *c, struct arena *a)
{
	struct attr *list = arena_zalloc(a, MAX(levels_of(d, c), (size_t)1), sizeof *list);
	for (size_t k = 0; k < levels_of(d, c); k++) list[k] = attr_of(ATTR_BINARY, level_name(c, k));
	return list;
}

static bool place_parts(const struct design *d, struct design_column *c, struct arena *a, char *why)
{
	if (c->type == COL_BOOLEAN) {
		snprintf(why, DESIGN_WHY_SIZE, "column \"%.*s\" is boolean, which cannot interact",
			 (int)MIN(c->name.len, (size_t)80), c->name.data);
		return false;
	}
	c->parts = (struct product_factor){.name = c->name,
					   .is_vector = c->is_vector || c->is_text,
					   .size = c->is_text ? levels_of(d, c) : c->size,
					   .list = c->is_text ? level_attrs(d, c, a)
						   : c->attrs ? c->attrs->list
							      : NULL};
	return product_place(&c->parts, a, why);
}

static bool measure_alone(const struct design *d, const struct design_term *t, const struct design_column *c,
			  uint64_t *width, char *why)
{
	const char *what = NULL;
	*width = c->is_text ? levels_of(d, c) : c->size;
	if (!c->is_text) return true;
	for (size_t k = 0; k < c->levels.count; k++)
		if (c->levels.entries[k].key.len == 0) what = "has the empty string for a level";
	if (!t->all_levels && *width < 2) what = "should have at least two distinct values";
	if (what)
		snprintf(why, DESIGN_WHY_SIZE, "column \"%.*s\" %s", (int)MIN(c->name.len, (size_t)80), c->name.data,
			 what);
	*width -= !t->all_levels && *width;
	return !what;
}

static bool measure_term(struct design *d, struct design_term *t, struct arena *a, uint64_t *width, char *why)
{
	if (t->count == 1) return measure_alone(d, t, &d->columns[t->columns[0]], width, why);
	t->parts = arena_zalloc(a, t->count, sizeof *t->parts);
	for (size_t k = 0; k < t->count; k++) t->parts[k] = &d->columns[t->columns[k]].parts;
	*width = product_size(t->parts, t->count);
	return true;
}

bool design_measure(struct design *d, struct arena *a, char why[DESIGN_WHY_SIZE])
{
	uint64_t size = 0, width;
	for (size_t k = 0; k < d->column_count; k++) {
		struct design_column *c = &d->columns[k];
		/* What is known may be of vectors of another length. */
		if (c->attrs && c->attrs->size != c->size && c->is_vector) c->attrs = NULL;
		if (c->interacts && !place_parts(d, c, a, why)) return false;
	}
	for (size_t k = 0; k < d->term_count; k++) {
		if (!measure_term(d, &d->terms[k], a, &width, why)) return false;
		size += width;
		if (width > INT32_MAX || size > INT32_MAX) {
			snprintf(why, DESIGN_WHY_SIZE, "the vector would have over %d elements", INT32_MAX);
			return false;
		}
		d->terms[k].width = (uint32_t)width;
	}
	d->size = (uint32_t)size;
	return true;
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

struct attrs *design_attrs(const struct design *d, struct arena *a)
{
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	*attrs = ports_size_only(d->size);
	if (d->size > PORTS_NAMED_MAX) return attrs;
	attrs->list = arena_zalloc(a, MAX(d->size, 1u), sizeof *attrs->list);
	struct attr *out = attrs->list;
	for (size_t k = 0; k < d->term_count; out += d->terms[k++].width) {
		const struct design_term *t = &d->terms[k];
		const struct design_column *c = &d->columns[t->columns[0]];
		if (t->count > 1)
			product_name(t->parts, t->count, a, out);
		else if (c->is_text)
			for (size_t m = 0; m < t->width; m++)
				out[m] = attr_of(ATTR_BINARY, assembly_join(a, c->name, "_", level_name(c, m)));
		else {
			struct column_def def = {.name = c->name, .type = c->type, .attrs = c->attrs};
			assembly_name(a, &def, c->size, out);
		}
	}
	return attrs;
}

/* --- Rows -------------------------------------------------------------------------------------------------------- */

static bool put_interaction(const struct design_term *t, const struct design *d, const struct column *const *columns,
			    const uint32_t *codes, size_t i, struct product_work *w, struct assembly *r, char *why)
{
	static const double one = 1;
	struct vec product;
	product_begin(w, t->count);
	for (size_t k = 0; k < t->count; k++) {
		uint32_t at = t->columns[k];
		if (d->columns[at].is_text)
			w->cells[k] = (struct vec){(uint32_t)t->parts[k]->size, 1, &codes[at], &one};
		else if (!product_cell(t->parts[k], columns[at], i, w, k, why))
			return false;
	}
	if (!product_multiply(t->parts, t->count, w, &product, why)) return false;
	for (uint32_t j = 0; j < product.nnz; j++) assembly_put_at(r, r->size + product.idx[j], product.val[j]);
	r->size += t->width;
	return true;
}

static void put_alone(const struct design_term *t, const struct design_column *c, const struct column *in,
		      uint32_t code, size_t i, struct assembly *r)
{
	if (c->is_text) {
		if (code < t->width) assembly_put_at(r, r->size + code, 1);
		r->size += t->width;
	} else if (assembly_is_invalid(in, i))
		for (size_t k = 0; k < c->size; k++) assembly_put(r, NAN);
	else if (c->is_vector)
		assembly_put_vec(r, column_vec_at(in, i));
	else
		assembly_put(r, column_number_at(in, i));
}

static size_t stored(const struct design_column *c, const struct column *in, size_t i)
{
	if (!c->is_vector) return 1;
	return column_valid(in, i) ? column_vec_at(in, i).nnz : c->size;
}

/* Values that a row may store. */
static bool count_values(const struct design *d, const struct column *const *columns, size_t i, size_t *out)
{
	uint64_t sum = 0;
	for (size_t k = 0; k < d->term_count; k++) {
		uint64_t product = 1;
		for (size_t m = 0; m < d->terms[k].count; m++) {
			uint32_t at = d->terms[k].columns[m];
			const struct design_column *c = &d->columns[at];
			product *= stored(c, columns[at], i);
			if (product > INT32_MAX) return false;
		}
		sum += product;
	}
	*out = (size_t)sum;
	return sum <= INT32_MAX;
}

bool design_row(const struct design *d, const struct column *const *columns, const uint32_t *codes, size_t i,
		struct product_work *w, struct column *out, char why[DESIGN_WHY_SIZE])
{
	size_t values;
	for (size_t k = 0; k < d->column_count; k++) {
		const struct design_column *c = &d->columns[k];
		if (!c->is_vector || !column_valid(columns[k], i) || columns[k]->size[i] == c->size) continue;
		snprintf(why, DESIGN_WHY_SIZE, "the vector in \"%.*s\" has %u entries, not %zu",
			 (int)MIN(c->name.len, (size_t)80), c->name.data, columns[k]->size[i], c->size);
		return false;
	}
	if (!count_values(d, columns, i, &values)) {
		snprintf(why, DESIGN_WHY_SIZE, "the vector would store over %d values", INT32_MAX);
		return false;
	}
	struct assembly r = assembly_begin(out, values);
	for (size_t k = 0; k < d->term_count; k++) {
		const struct design_term *t = &d->terms[k];
		uint32_t at = t->columns[0];
		if (t->count == 1)
			put_alone(t, &d->columns[at], columns[at], codes[at], i, &r);
		else if (!put_interaction(t, d, columns, codes, i, w, &r, why))
			return false;
	}
	assembly_end(out, &r);
	return true;
}
