#include "serving/answer.h"

#include "data/json_row_write.h"

enum { ANSWER_KEY_MAX = 1 << 20 };

static struct str key_text(struct arena *a, struct str name)
{
	struct buf text = BUF_INIT(ANSWER_KEY_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_keyn(&w, name);
	struct str key = {arena_strndup(a, text.data, text.len), text.len};
	buf_release(&text);
	return key;
}

static bool has_name(const struct answer *a, struct str name)
{
	for (size_t i = 0; i < a->count; i++)
		if (str_eq(a->fields[i].name, name)) return true;
	return false;
}

static void add(struct answer *a, struct answer_field f)
{
	if (has_name(a, f.name)) return;
	f.name = (struct str){arena_strndup(&a->arena, f.name.data, f.name.len), f.name.len};
	f.key = key_text(&a->arena, f.name);
	a->fields[a->count++] = f;
}

static void add_response(struct answer *a, const struct pipeline *p)
{
	for (size_t i = 0; i < p->response_count; i++) {
		const struct response_field *f = &p->response[i];
		add(a, (struct answer_field){
			   .name = f->name, .slot = f->slot, .has_index = f->has_index, .index = f->index});
	}
}

/* A name once: what it means at the end, unless it is the input's and the row shows it anyway. */
static bool is_shown(const struct pipeline *p, size_t column, bool beside_input)
{
	struct str name = p->schema.columns[column].name;
	return schema_find(&p->schema, name) == (int)column &&
	       !(beside_input && schema_find_first(&p->schema, name) < (int)p->input_count);
}

static void add_columns(struct answer *a, const struct pipeline *p, const uint8_t *columns, bool beside_input)
{
	for (size_t c = p->input_count; c < p->schema.count; c++)
		if (columns[c] && is_shown(p, c, beside_input))
			add(a, (struct answer_field){
				   .name = p->schema.columns[c].name, .slot = (int)c, .is_column = true});
}

void answer_make(struct answer *a, const struct pipeline *p, const uint8_t *columns, bool beside_input)
{
	*a = (struct answer){0};
	a->fields = arena_zalloc(&a->arena, p->response_count + p->schema.count + 1, sizeof *a->fields);
	if (columns && beside_input) add_columns(a, p, columns, true);
	add_response(a, p);
	if (columns && !beside_input) add_columns(a, p, columns, false);
}

void answer_release(struct answer *a)
{
	arena_release(&a->arena);
	*a = (struct answer){0};
}

/* --- Cells -------------------------------------------------------------------------------------------------------- */

static void take_string(const struct column *c, uint64_t k, struct column *tmp)
{
	column_clear(tmp, COL_STRING);
	if (column_elem_is_null(c, k)) column_null(tmp);
	else column_str(tmp, c->text + c->span[k].off, c->span[k].len);
}

static void take_element(const struct column *c, size_t row, uint32_t index, struct column *tmp)
{
	uint64_t at = c->off[row] + index;
	column_clear(tmp, COL_DOUBLE);
	if (c->type == COL_VECTOR && index < c->size[row]) column_double(tmp, vec_at(column_vec_at(c, row), index));
	else if (c->type == COL_DOUBLES && at < c->off[row + 1]) column_double(tmp, c->f64[at]);
	else if (c->type == COL_STRINGS && at < c->off[row + 1]) take_string(c, at, tmp);
	else column_null(tmp);
}

const struct column *answer_cell(const struct answer_field *f, const struct batch *b, size_t *row, struct column *tmp)
{
	const struct column *c = &b->columns[f->slot];
	if (!f->has_index || !column_valid(c, *row)) return c;
	take_element(c, *row, f->index, tmp);
	*row = 0;
	return tmp;
}

void answer_json_field(const struct answer_field *f, const struct batch *b, size_t row, struct column *tmp,
		       struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	const struct column *c = answer_cell(f, b, &row, tmp);
	buf_append(out, f->key.data, f->key.len);
	json_row_cell(&w, c, row);
}

void answer_json(const struct answer *a, const struct batch *b, size_t row, struct column *tmp, struct buf *out)
{
	buf_char(out, '{');
	for (size_t i = 0; i < a->count; i++) {
		if (i > 0) buf_char(out, ',');
		answer_json_field(&a->fields[i], b, row, tmp, out);
	}
	buf_char(out, '}');
}
