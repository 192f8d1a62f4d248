#include "server/commands/spark_value.h"

#include <strings.h>

/* --- Numbers, choices and what stays -------------------------------------------------------------------------- */

static bool is_double(enum field_type t)
{
	return t == FIELD_DOUBLE || t == FIELD_DOUBLES || t == FIELD_VECTOR || t == FIELD_TABLE;
}

static void write_text(struct str s, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_str(&w, s);
}

static void write_string(const struct field *f, struct str s, struct buf *out)
{
	if (is_double(f->type) && str_is(s, "Inf")) s = STR("Infinity");
	if (is_double(f->type) && str_is(s, "-Inf")) s = STR("-Infinity");
	for (const char *const *c = f->type == FIELD_ENUM ? f->choices : NULL; c && *c; c++)
		if (s.len == strlen(*c) && strncasecmp(s.data, *c, s.len) == 0) s = STR(*c);
	write_text(s, out);
}

/* Arrays are walked, for they may hold infinities. */
static void write_plain(const struct field *f, const struct json *v, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	if (v->type == JSON_STRING)
		write_string(f, v->string, out);
	else if (v->type != JSON_ARRAY)
		json_value(&w, v);
	else {
		buf_char(out, '[');
		for (const struct json *m = v->child; m; m = m->next) {
			write_plain(f, m, out);
			if (m->next) buf_char(out, ',');
		}
		buf_char(out, ']');
	}
}

/* --- Vectors and matrices ------------------------------------------------------------------------------------- */

struct grid {
	size_t rows, cols;
	const struct json **cells; /* row by row; NULL: 0 */
};

static bool take_size(const struct json *v, size_t max, size_t *out)
{
	if (!v || v->type != JSON_NUMBER || !v->is_int || v->integer < 0 || (uint64_t)v->integer > max) return false;
	*out = (size_t)v->integer;
	return true;
}

/* The elements of the array at key; NULL where there is none. */
static const struct json **elements(struct arena *a, const struct json *obj, const char *key, size_t *count)
{
	const struct json *array = json_get(obj, key);
	if (!array || array->type != JSON_ARRAY) return NULL;
	const struct json **out = arena_zalloc(a, array->count, sizeof *out);
	*count = 0;
	for (const struct json *m = array->child; m; m = m->next) out[(*count)++] = m;
	return out;
}

static bool is_sparse(const struct json *v)
{
	const struct json *type = json_get(v, "type");
	return type && type->is_int && type->integer == 0;
}

static bool sparse_vector(const struct json *v, struct arena *a, struct grid *g)
{
	size_t indices, values, at;
	const struct json **index = elements(a, v, "indices", &indices), **value = elements(a, v, "values", &values);
	if (!take_size(json_get(v, "size"), SPARK_CELLS_MAX, &g->cols)) return false;
	if (!index || !value || indices != values) return false;
	g->cells = arena_zalloc(a, g->cols, sizeof *g->cells);
	for (size_t i = 0; i < values; i++) {
		if (!take_size(index[i], SPARK_CELLS_MAX, &at) || at >= g->cols) return false;
		g->cells[at] = value[i];
	}
	return true;
}

static bool vector(const struct json *v, struct arena *a, struct grid *g)
{
	g->rows = 1;
	if (is_sparse(v)) return sparse_vector(v, a, g);
	g->cells = elements(a, v, "values", &g->cols);
	return g->cells && g->cols <= SPARK_CELLS_MAX;
}

/* Spark's matrices go column by column, or row by row where isTransposed. `lines` are what runs are of. */
struct runs {
	size_t lines, length;
	bool by_row;
};

static const struct json **cell(struct grid *g, const struct runs *r, size_t line, size_t k)
{
	return &g->cells[r->by_row ? line * g->cols + k : k * g->cols + line];
}

static bool sparse_matrix(const struct json *v, const struct runs *r, struct arena *a, struct grid *g)
{
	size_t starts, indices, values, from = 0, to, at;
	const struct json **start = elements(a, v, "colPtrs", &starts), **value = elements(a, v, "values", &values);
	const struct json **index = elements(a, v, "rowIndices", &indices);
	if (!start || !index || !value || starts != r->lines + 1 || indices != values) return false;
	for (size_t line = 0; line < r->lines; line++, from = to) {
		if (!take_size(start[line + 1], values, &to)) return false;
		for (size_t i = from; i < to; i++) {
			if (!take_size(index[i], SPARK_CELLS_MAX, &at) || at >= r->length) return false;
			*cell(g, r, line, at) = value[i];
		}
	}
	return true;
}

static bool dense_matrix(const struct json *v, const struct runs *r, struct arena *a, struct grid *g)
{
	size_t values;
	const struct json **value = elements(a, v, "values", &values);
	if (!value || values != g->rows * g->cols) return false;
	for (size_t line = 0; line < r->lines; line++)
		for (size_t k = 0; k < r->length; k++) *cell(g, r, line, k) = value[line * r->length + k];
	return true;
}

static bool matrix(const struct json *v, struct arena *a, struct grid *g)
{
	const struct json *transposed = json_get(v, "isTransposed");
	if (!take_size(json_get(v, "numRows"), SPARK_CELLS_MAX, &g->rows) ||
	    !take_size(json_get(v, "numCols"), SPARK_CELLS_MAX, &g->cols) ||
	    (g->cols && g->rows > SPARK_CELLS_MAX / g->cols))
		return false;
	struct runs r = {g->cols, g->rows, transposed && transposed->boolean};
	if (r.by_row) r = (struct runs){g->rows, g->cols, true};
	g->cells = arena_zalloc(a, g->rows * g->cols, sizeof *g->cells);
	return is_sparse(v) ? sparse_matrix(v, &r, a, g) : dense_matrix(v, &r, a, g);
}

static void write_row(const struct field *numbers, const struct json **cells, size_t count, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i) buf_char(out, ',');
		if (cells[i])
			write_plain(numbers, cells[i], out);
		else
			buf_char(out, '0');
	}
	buf_char(out, ']');
}

static void write_rows(const struct field *numbers, const struct grid *g, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < g->rows; i++) {
		if (i) buf_char(out, ',');
		write_row(numbers, g->cells + i * g->cols, g->cols, out);
	}
	buf_char(out, ']');
}

static bool nested_deeper(const struct json *v, unsigned levels)
{
	for (const struct json *m = v->child; m; m = m->next)
		if (levels == 0 || nested_deeper(m, levels - 1)) return true;
	return false;
}

bool spark_value(const struct field *f, const struct json *v, struct arena *a, struct buf *out, struct err *e)
{
	static const struct field numbers = {.type = FIELD_DOUBLES};
	struct grid g = {0};
	if (nested_deeper(v, SPARK_NESTING_MAX)) return err_set(e, ERR_invalid, "is nested too deeply");
	if (!json_get(v, "values") || !json_get(v, "type"))
		write_plain(f, v, out);
	else if (json_get(v, "numRows")) {
		if (!matrix(v, a, &g)) return err_set(e, ERR_invalid, "is a broken matrix");
		write_rows(&numbers, &g, out);
	} else {
		if (!vector(v, a, &g)) return err_set(e, ERR_invalid, "is a broken vector");
		write_row(&numbers, g.cells, g.cols, out);
	}
	return true;
}
