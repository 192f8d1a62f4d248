#include "server/commands/text_table.h"

#include "server/commands/cli.h"

enum { TEXT_TABLE_BYTES_MAX = 64 << 20, TEXT_TABLE_GAP = 2 };

void text_table_begin(struct text_table *t, const char *const *headers)
{
	*t = (struct text_table){0};
	while (headers[t->columns]) t->columns++;
	CHECK(t->columns <= TEXT_TABLE_COLUMNS_MAX);
	for (size_t i = 0; i < t->columns; i++) text_table_cell(t, STR(headers[i]));
}

void text_table_cell(struct text_table *t, struct str text)
{
	char *copy = arena_strndup(&t->arena, text.len ? text.data : "", text.len);
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f) copy[i] = ' ';
	MEM_GROW(t->cells, t->cap, t->count + 1);
	t->cells[t->count++] = (struct str){copy, text.len};
}

void text_table_json(struct text_table *t, const struct json *v)
{
	if (!v || v->type == JSON_NULL) text_table_cell(t, STR("-"));
	else text_table_cell(t, v->type == JSON_STRING ? v->string : v->raw);
}

/* Characters, near enough to what a terminal shows. */
static size_t width(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) n += ((unsigned char)s.data[i] & 0xc0) != 0x80;
	return n;
}

static void put_row(const struct text_table *t, const struct str *row, const size_t *widths, struct buf *out)
{
	for (size_t c = 0; c < t->columns; c++) {
		buf_append(out, row[c].data, row[c].len);
		if (c + 1 < t->columns) buf_printf(out, "%*s", (int)(widths[c] - width(row[c])) + TEXT_TABLE_GAP, "");
	}
	buf_char(out, '\n');
}

bool text_table_end(struct text_table *t, struct err *e)
{
	struct buf out = BUF_INIT(TEXT_TABLE_BYTES_MAX);
	size_t widths[TEXT_TABLE_COLUMNS_MAX] = {0};
	CHECK(t->count % t->columns == 0);
	for (size_t i = 0; i < t->count; i++) widths[i % t->columns] = MAX(widths[i % t->columns], width(t->cells[i]));
	for (size_t i = 0; i < t->count; i += t->columns) put_row(t, t->cells + i, widths, &out);
	bool ok = cli_write(out.data, out.len, e);
	buf_release(&out);
	arena_release(&t->arena);
	mem_free(t->cells);
	return ok;
}
