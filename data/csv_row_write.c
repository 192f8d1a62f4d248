#include "data/csv_row_write.h"

#include "data/json_row_write.h"

#include <math.h>

static bool needs_quotes(struct str s)
{
	if (s.len == 0 || s.data[0] == ' ' || s.data[s.len - 1] == ' ') return true;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] == ',' || s.data[i] == '"' || s.data[i] == '\n' || s.data[i] == '\r') return true;
	return false;
}

void csv_row_text(struct buf *out, struct str s)
{
	if (!needs_quotes(s)) {
		buf_append(out, s.data, s.len);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '"') buf_char(out, '"');
		buf_char(out, s.data[i]);
	}
	buf_char(out, '"');
}

static void write_double(struct buf *out, double v)
{
	char text[STR_NUMBER_MAX];
	if (isnan(v)) buf_str(out, "NaN");
	else if (isinf(v)) buf_str(out, v > 0 ? "Infinity" : "-Infinity");
	else buf_append(out, text, str_from_double(v, text));
}

static void write_json(struct buf *out, const struct column *c, size_t row)
{
	struct buf json = BUF_INIT(out->max);
	struct json_writer w = JSON_WRITER(&json);
	json_row_cell(&w, c, row);
	csv_row_text(out, (struct str){json.data, json.len});
	if (!buf_ok(&json)) out->overflow = true;
	buf_release(&json);
}

void csv_row_cell(struct buf *out, const struct column *c, size_t row)
{
	char text[STR_NUMBER_MAX];
	if (!column_valid(c, row)) return;
	switch (c->type) {
	case COL_DOUBLE: write_double(out, c->f64[row]); break;
	case COL_INT64: buf_append(out, text, str_from_i64(c->i64[row], text)); break;
	case COL_BOOLEAN: buf_str(out, c->u8[row] ? "true" : "false"); break;
	case COL_STRING: csv_row_text(out, column_str_at(c, row)); break;
	default: write_json(out, c, row); break;
	}
}

static void write_line(struct buf *out, const struct batch *b, const uint8_t *shown, bool header, size_t row)
{
	bool first = true;
	for (size_t i = 0; i < b->column_count; i++) {
		if (b->columns[i].rows == 0 || (shown && !shown[i])) continue;
		if (!first) buf_char(out, ',');
		first = false;
		if (header) csv_row_text(out, b->schema->columns[i].name);
		else csv_row_cell(out, &b->columns[i], row);
	}
	buf_str(out, "\r\n");
}

void csv_row_header(struct buf *out, const struct batch *b, const uint8_t *shown) { write_line(out, b, shown, true, 0); }

void csv_row_write(struct buf *out, const struct batch *b, const uint8_t *shown, size_t row)
{
	write_line(out, b, shown, false, row);
}
