#include "pipeline/feature_test.h"

#include "pipeline/ports.h"

#include <math.h>

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
	json_row_doubles(w, t->p, t->size);
	json_key(w, "statistics");
	json_row_doubles(w, t->statistic, t->size);
	json_key(w, "degreesOfFreedom");
	json_array_begin(w);
	for (size_t j = 0; j < t->size; j++) json_int(w, t->freedom[j]);
	json_array_end(w);
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

void feature_rows_release(struct feature_rows *r)
{
	numbering_release(&r->labels);
	mem_free(r->label_rows);
}

/* So many more rows with this label, whose number is told. */
static bool add_label(struct feature_rows *r, const struct stage *s, double value, double rows, uint32_t *number,
		      struct err *e)
{
	size_t had = r->labels.count;
	*number = numbering_of(&r->labels, value);
	if (*number == FEATURE_CATEGORIES_MAX)
		return err_set(e, ERR_data,
			       "%s (stage %zu): the label has more than %d different values; is it categorical?",
			       s->type->name, s->index, FEATURE_CATEGORIES_MAX);
	MEM_GROW(r->label_rows, r->label_rows_cap, r->labels.count);
	if (*number == had) r->label_rows[*number] = 0;
	r->label_rows[*number] += rows;
	return true;
}

bool feature_rows_add(struct feature_rows *r, const struct stage *s, const struct batch *b, size_t i, struct vec *v,
		      uint32_t *label, struct err *e)
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
	r->rows++;
	return add_label(r, s, value, 1, label, e);
}

void feature_rows_pack(const struct feature_rows *r, struct buf *out)
{
	buf_u8(out, r->sized);
	buf_u64(out, r->size);
	buf_f64(out, r->rows);
	buf_u64(out, r->labels.count);
	buf_append(out, r->labels.values, r->labels.count * sizeof *r->labels.values);
	buf_append(out, r->label_rows, r->labels.count * sizeof *r->label_rows);
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
		if (!add_label(r, s, value, n, &(*to)[k], e)) return false;
	}
	return true;
}
