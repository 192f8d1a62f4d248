#include "pipeline/formula_design.h"

#include "pipeline/ports.h"

#include <math.h>
#include <stdio.h>

/* --- Measures ---------------------------------------------------------------------------------------------------- */

static size_t levels_of(const struct design *d, const struct design_column *c)
{
	return c->levels.count + d->keep;
}

static const struct attr *attr_at(const struct design_column *c, size_t k)
{
	return c->attrs && c->attrs->list ? &c->attrs->list[k] : NULL;
}

/* Elements that element k stands for in an interaction: a nominal number one for each value. 0: how many is not known.
 */
static uint64_t spread(const struct design_column *c, size_t k)
{
	const struct attr *a = attr_at(c, k);
	if (!a || a->type != ATTR_NOMINAL) return 1;
	return a->values.count ? a->values.count : a->num_values;
}

static bool place_elements(const struct design *d, struct design_column *c, struct arena *a, char *why)
{
	uint64_t at = 0;
	c->offsets = arena_zalloc(a, c->size + 1, sizeof *c->offsets);
	for (size_t k = 0; k < c->size; k++) {
		uint64_t width = c->is_text ? levels_of(d, c) : spread(c, k);
		at += width;
		if (width && at <= INT32_MAX) {
			c->offsets[k + 1] = (uint32_t)at;
			continue;
		}
		snprintf(why, DESIGN_WHY_SIZE, "column \"%.*s\" is nominal, but its values are not known",
			 (int)MIN(c->name.len, (size_t)100), c->name.data);
		return false;
	}
	return true;
}

static bool check_interacting(const struct design_column *c, char *why)
{
	const char *what = NULL;
	if (c->type == COL_BOOLEAN) what = "is boolean, which cannot interact";
	if (c->is_vector && !(c->attrs && c->attrs->list))
		what = "is a vector whose elements' attributes are not known, so it cannot interact";
	if (what)
		snprintf(why, DESIGN_WHY_SIZE, "column \"%.*s\" %s", (int)MIN(c->name.len, (size_t)80), c->name.data,
			 what);
	return !what;
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

static bool measure_term(const struct design *d, const struct design_term *t, uint64_t *width, char *why)
{
	if (t->count == 1) return measure_alone(d, t, &d->columns[t->columns[0]], width, why);
	*width = 1;
	for (size_t k = 0; k < t->count; k++) {
		const struct design_column *c = &d->columns[t->columns[k]];
		*width = MIN(*width, (uint64_t)INT32_MAX + 1) * c->offsets[c->size];
	}
	return true;
}

bool design_measure(struct design *d, struct arena *a, char why[DESIGN_WHY_SIZE])
{
	uint64_t size = 0, width;
	for (size_t k = 0; k < d->column_count; k++) {
		struct design_column *c = &d->columns[k];
		/* What is known may be of vectors of another length. */
		if (c->attrs && c->attrs->size != c->size && c->is_vector) c->attrs = NULL;
		if (c->interacts && !(check_interacting(c, why) && place_elements(d, c, a, why))) return false;
	}
	for (size_t k = 0; k < d->term_count; k++) {
		if (!measure_term(d, &d->terms[k], &width, why)) return false;
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

static struct str level_name(const struct design_column *c, size_t k)
{
	return k < c->levels.count ? c->levels.entries[k].key : STR("__unknown");
}

static struct str number_name(struct arena *a, size_t k)
{
	return STR(arena_printf(a, "%zu", k));
}

/* Element `at` of a column in an interaction: column, column_level, vector_element, vector_element_value. */
static struct str element_name(struct arena *a, const struct design_column *c, size_t at)
{
	size_t k = 0;
	if (c->is_text) return assembly_join(a, c->name, "_", level_name(c, at));
	while (c->offsets[k + 1] <= at) k++;
	const struct attr *attr = attr_at(c, k);
	struct str own = attr ? attr->name : (struct str){0}, name = own.len ? own : c->name;
	if (c->is_vector) name = assembly_join(a, c->name, "_", own.len ? own : number_name(a, k));
	if (!attr || attr->type != ATTR_NOMINAL) return name;
	size_t value = at - c->offsets[k];
	return assembly_join(a, name, "_",
			     value < attr->values.count ? attr->values.items[value] : number_name(a, value));
}

static void name_interaction(const struct design *d, const struct design_term *t, struct arena *a, struct attr *out)
{
	for (uint32_t at = 0; at < t->width; at++) {
		struct str name = {0};
		uint32_t rest = at;
		for (size_t k = t->count; k-- > 0;) {
			const struct design_column *c = &d->columns[t->columns[k]];
			struct str part = element_name(a, c, rest % c->offsets[c->size]);
			name = name.len ? assembly_join(a, part, ":", name) : part;
			rest /= c->offsets[c->size];
		}
		out[at] = attr_of(ATTR_NUMERIC, name);
	}
}

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
			name_interaction(d, t, a, out);
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

void design_work_release(struct design_work *w)
{
	for (int k = 0; k < 2; k++) {
		mem_free(w->idx[k]);
		mem_free(w->val[k]);
	}
	*w = (struct design_work){0};
}

static void work_room(struct design_work *w, size_t need)
{
	if (need <= w->cap) return;
	size_t cap = MAX(need, w->cap * 2);
	for (int k = 0; k < 2; k++) {
		w->idx[k] = mem_realloc(w->idx[k], cap, sizeof **w->idx);
		w->val[k] = mem_realloc(w->val[k], cap, sizeof **w->val);
	}
	w->cap = cap;
}

/* One stored element of a column in an interaction: its place and value. */
struct element {
	uint32_t at;
	double v;
};

static bool element(const struct design_column *c, size_t k, double v, struct element *out, char *why)
{
	uint32_t width = c->offsets[k + 1] - c->offsets[k];
	const struct attr *a = attr_at(c, k);
	*out = (struct element){c->offsets[k], v};
	if (!a || a->type != ATTR_NOMINAL) return true;
	if (!(v >= 0 && v < width && v == trunc(v))) {
		snprintf(why, DESIGN_WHY_SIZE, "column \"%.*s\" holds %g, which is none of its %u values",
			 (int)MIN(c->name.len, (size_t)80), c->name.data, v, width);
		return false;
	}
	*out = (struct element){c->offsets[k] + (uint32_t)v, 1};
	return true;
}

static size_t stored(const struct design_column *c, const struct column *in, size_t i)
{
	return c->is_vector ? column_vec_at(in, i).nnz : 1;
}

/* Element m of those that row i of the column stores. */
static bool stored_at(const struct design_column *c, const struct column *in, uint32_t code, size_t i, size_t m,
		      struct element *out, char *why)
{
	if (c->is_text) {
		*out = (struct element){code, 1};
		return true;
	}
	if (!c->is_vector) return element(c, 0, column_number_at(in, i), out, why);
	struct vec v = column_vec_at(in, i);
	return element(c, v.idx ? v.idx[m] : m, v.val[m], out, why);
}

static bool null_in(const struct design_column *c, char *why)
{
	snprintf(why, DESIGN_WHY_SIZE, "column \"%.*s\" is null and cannot interact", (int)MIN(c->name.len, (size_t)80),
		 c->name.data);
	return false;
}

/* Multiplied out from the last column to the first, as Spark rounds. The first varies slowest, so places come out
 * ascending. */
static bool put_interaction(const struct design *d, const struct design_term *t, const struct column *const *columns,
			    const uint32_t *codes, size_t i, struct design_work *w, struct assembly *r, char *why)
{
	size_t count = 1, from = 0;
	uint32_t size = 1;
	work_room(w, 1);
	w->idx[0][0] = 0;
	w->val[0][0] = 1;
	for (size_t k = t->count; k-- > 0; from = !from) {
		const struct design_column *c = &d->columns[t->columns[k]];
		const struct column *in = columns[t->columns[k]];
		if (!c->is_text && !column_valid(in, i)) return null_in(c, why);
		size_t n = stored(c, in, i), made = 0;
		work_room(w, n * count);
		for (size_t m = 0; m < n; m++) {
			struct element x;
			if (!stored_at(c, in, codes[t->columns[k]], i, m, &x, why)) return false;
			for (size_t j = 0; x.v != 0 && j < count; j++, made++) {
				w->idx[!from][made] = w->idx[from][j] + x.at * size;
				w->val[!from][made] = w->val[from][j] * x.v;
			}
		}
		size *= c->offsets[c->size];
		count = made;
	}
	for (size_t j = 0; j < count; j++) assembly_put_at(r, r->size + w->idx[from][j], w->val[from][j]);
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

/* Values that a row may store. */
static bool count_values(const struct design *d, const struct column *const *columns, size_t i, size_t *out)
{
	uint64_t sum = 0;
	for (size_t k = 0; k < d->term_count; k++) {
		uint64_t product = 1;
		for (size_t m = 0; m < d->terms[k].count; m++) {
			uint32_t at = d->terms[k].columns[m];
			const struct design_column *c = &d->columns[at];
			product *= column_valid(columns[at], i) ? stored(c, columns[at], i) : c->size;
			if (product > INT32_MAX) return false;
		}
		sum += product;
	}
	*out = (size_t)sum;
	return sum <= INT32_MAX;
}

bool design_row(const struct design *d, const struct column *const *columns, const uint32_t *codes, size_t i,
		struct design_work *w, struct column *out, char why[DESIGN_WHY_SIZE])
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
		else if (!put_interaction(d, t, columns, codes, i, w, &r, why))
			return false;
	}
	assembly_end(out, &r);
	return true;
}
