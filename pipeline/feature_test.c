#include "pipeline/feature_test.h"

#include "pipeline/ports.h"

#include <math.h>
#include <stdlib.h>

/* --- Results ------------------------------------------------------------------------------------------------- */

void feature_tests_room(struct stage *s, struct feature_tests *t, size_t size)
{
	t->size = size;
	t->p = arena_zalloc(&s->arena, size, sizeof *t->p);
	t->statistic = arena_zalloc(&s->arena, size, sizeof *t->statistic);
	t->freedom = arena_zalloc(&s->arena, size, sizeof *t->freedom);
}

void feature_tests_encode(const struct feature_tests *t, struct buf *out)
{
	buf_u64(out, t->size);
	buf_append(out, t->p, t->size * sizeof *t->p);
	buf_append(out, t->statistic, t->size * sizeof *t->statistic);
	buf_append(out, t->freedom, t->size * sizeof *t->freedom);
}

bool feature_tests_decode(struct stage *s, struct feature_tests *t, struct cursor *in, struct err *e)
{
	size_t size = cursor_count(in, 2 * sizeof(double) + sizeof(int64_t));
	const void *p = cursor_bytes(in, size * sizeof *t->p);
	const void *statistic = cursor_bytes(in, size * sizeof *t->statistic);
	const void *freedom = cursor_bytes(in, size * sizeof *t->freedom);
	if (in->bad) return err_set(e, ERR_bad_model, "the tests of its features are cut");
	feature_tests_room(s, t, size);
	if (size) {
		memcpy(t->p, p, size * sizeof *t->p);
		memcpy(t->statistic, statistic, size * sizeof *t->statistic);
		memcpy(t->freedom, freedom, size * sizeof *t->freedom);
	}
	return true;
}

void feature_tests_state(const struct feature_tests *t, struct json_writer *w)
{
	json_key(w, "pValues");
	json_array_begin(w);
	for (size_t j = 0; j < t->size; j++) json_row_double(w, t->p[j]);
	json_array_end(w);
	json_key(w, "statistics");
	json_array_begin(w);
	for (size_t j = 0; j < t->size; j++) json_row_double(w, t->statistic[j]);
	json_array_end(w);
	json_key(w, "degreesOfFreedom");
	json_array_begin(w);
	for (size_t j = 0; j < t->size; j++) json_int(w, t->freedom[j]);
	json_array_end(w);
}

/* --- Labels -------------------------------------------------------------------------------------------------- */

uint64_t feature_hash(double value)
{
	uint64_t bits;
	value += 0.0;
	memcpy(&bits, &value, sizeof bits);
	bits ^= bits >> 32;
	return bits * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

void feature_labels_release(struct feature_labels *l)
{
	mem_free(l->values);
	mem_free(l->rows);
	mem_free(l->slots);
}

/* The slot of the label, or the free one where it belongs. */
static uint32_t *label_slot(const struct feature_labels *l, double label)
{
	size_t at = feature_hash(label) & (l->slots_cap - 1);
	while (l->slots[at] && l->values[l->slots[at] - 1] != label) at = (at + 1) & (l->slots_cap - 1);
	return &l->slots[at];
}

static void labels_grow(struct feature_labels *l)
{
	l->slots_cap = MAX(l->slots_cap * 2, (size_t)16);
	mem_free(l->slots);
	l->slots = mem_zalloc(l->slots_cap, sizeof *l->slots);
	for (size_t k = 0; k < l->count; k++) *label_slot(l, l->values[k]) = (uint32_t)k + 1;
}

int64_t feature_labels_number(struct feature_labels *l, double label)
{
	if (l->count * 2 >= l->slots_cap) labels_grow(l);
	uint32_t *slot = label_slot(l, label);
	if (*slot) return *slot - 1;
	if (l->count == FEATURE_CATEGORIES_MAX) return -1;
	MEM_GROW(l->values, l->values_cap, l->count + 1);
	MEM_GROW(l->rows, l->rows_cap, l->count + 1);
	l->values[l->count] = label;
	l->rows[l->count] = 0;
	*slot = (uint32_t)++l->count;
	return *slot - 1;
}

struct numbered {
	double value;
	uint32_t number;
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct numbered *)a)->value, y = ((const struct numbered *)b)->value;
	return (x > y) - (x < y);
}

uint32_t *feature_labels_order(const struct feature_labels *l)
{
	struct numbered *sorted = mem_zalloc(MAX(l->count, (size_t)1), sizeof *sorted);
	uint32_t *order = mem_zalloc(MAX(l->count, (size_t)1), sizeof *order);
	for (size_t k = 0; k < l->count; k++) sorted[k] = (struct numbered){l->values[k], (uint32_t)k};
	qsort(sorted, l->count, sizeof *sorted, by_value);
	for (size_t k = 0; k < l->count; k++) order[k] = sorted[k].number;
	mem_free(sorted);
	return order;
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

static bool too_many_labels(const struct stage *s, struct err *e)
{
	return err_set(e, ERR_data, "%s (stage %zu): the label has more than %d different values; is it categorical?",
		       s->type->name, s->index, FEATURE_CATEGORIES_MAX);
}

bool feature_rows_add(struct feature_rows *r, const struct stage *s, const struct batch *b, size_t i, struct vec *v,
		      size_t *label, struct err *e)
{
	const struct column *features = stage_in(s, b, 0), *labels = stage_in(s, b, 1);
	if (!column_valid(features, i)) return stage_data_error(s, b, i, e, "the vector is null");
	if (!column_valid(labels, i)) return stage_data_error(s, b, i, e, "the label is null");
	*v = column_vec_at(features, i);
	if (!r->sized) r->size = v->size;
	r->sized = true;
	if (v->size != r->size)
		return stage_data_error(s, b, i, e, "the vector has %u entries, those of other rows %zu", v->size,
					r->size);
	double value = column_number_at(labels, i);
	if (isnan(value)) return stage_data_error(s, b, i, e, "the label is NaN");
	int64_t number = feature_labels_number(&r->labels, value);
	if (number < 0) return too_many_labels(s, e);
	*label = (size_t)number;
	r->labels.rows[number]++;
	r->rows++;
	return true;
}

void feature_rows_pack(const struct feature_rows *r, struct buf *out)
{
	buf_u8(out, r->sized);
	buf_u64(out, r->size);
	buf_f64(out, r->rows);
	buf_u64(out, r->labels.count);
	buf_append(out, r->labels.values, r->labels.count * sizeof *r->labels.values);
	buf_append(out, r->labels.rows, r->labels.count * sizeof *r->labels.rows);
}

bool feature_rows_merge(struct feature_rows *r, const struct stage *s, struct cursor *in, uint32_t **to, struct err *e)
{
	bool sized = cursor_u8(in);
	size_t size = cursor_u64(in);
	r->rows += cursor_f64(in);
	size_t count = cursor_u64(in);
	const unsigned char *values = cursor_bytes(in, count * sizeof(double));
	const unsigned char *rows = cursor_bytes(in, count * sizeof(double));
	if (sized && !r->sized) r->size = size;
	if (sized && r->size != size)
		return err_set(e, ERR_data, "%s (stage %zu): some rows have vectors of %zu entries, others of %zu",
			       s->type->name, s->index, r->size, size);
	r->sized |= sized;
	*to = mem_zalloc(MAX(count, (size_t)1), sizeof **to);
	for (size_t k = 0; k < count; k++) {
		double value, n;
		memcpy(&value, values + k * sizeof value, sizeof value);
		memcpy(&n, rows + k * sizeof n, sizeof n);
		int64_t number = feature_labels_number(&r->labels, value);
		if (number < 0) return too_many_labels(s, e);
		(*to)[k] = (uint32_t)number;
		r->labels.rows[number] += n;
	}
	return true;
}
