/* Plain text: a row a line (or a file, with wholetext) in one column, `value` unless the schema names it otherwise. */
#include "data/rows.h"
#include "data/utf8.h"

struct text_options {
	struct source_options common;
	bool wholetext;
};

static const struct field option_fields[] = {
	SOURCE_TEXT_OPTIONS(struct text_options),
	{"wholetext", FIELD_BOOL, offsetof(struct text_options, wholetext), "false", .help = "a row a file"},
	FIELD_END,
};

static bool text_check(const struct source_config *c, const struct schema *given, const char *pointer, struct err *e)
{
	(void)given;
	return source_options_check(c->options, pointer, e);
}

static bool text_infer(const struct source_config *c, const struct source_range *ranges, size_t count, struct schema *out,
		       struct err *e)
{
	(void)c, (void)ranges, (void)count, (void)e;
	return schema_add(out, &(struct column_def){.name = STR("value"), .type = COL_STRING}) == 0;
}

static bool add_text(struct rows *rows, struct str text, uint64_t line, struct err *e)
{
	if (source_wants(rows->reading, 0)) utf8_column_str(&rows->reading->b->columns[0], text.data, text.len);
	return rows_add(rows, NULL, line, text, e);
}

static bool read_lines(struct rows *rows, struct err *e)
{
	struct window w;
	struct lines l;
	struct str line;
	enum lines_result got;
	if (!source_lines_open(rows->reading->config, rows->range, &w, &l, e)) return false;
	while ((got = lines_next(&l, &line, e)) == LINES_LINE)
		if (!add_text(rows, line, l.count, e)) break;
	window_close(&w);
	return got == LINES_END;
}

/* The range in which the file begins has its row. */
static bool read_whole(struct rows *rows, struct err *e)
{
	struct window w;
	if (rows->range->begin > 0 || rows->range->end == 0) return true;
	if (!source_range_open(rows->reading->config, rows->range, 0, &w, e)) return false;
	bool ok = true;
	while (ok && !w.at_end) ok = window_more(&w, e);
	ok = ok && add_text(rows, (struct str){w.p, (size_t)(w.stop - w.p)}, 1, e);
	window_close(&w);
	return ok;
}

static bool text_read(struct source_reading *reading, const struct source_range *range, struct err *e)
{
	const struct text_options *o = reading->config->options;
	struct rows rows;
	rows_init(&rows, reading, range, source_line_sep(&o->common));
	return (o->wholetext ? read_whole : read_lines)(&rows, e);
}

const struct source_format text_source = {
	.name = "text",
	.help = "plain text: a row a line in the column value",
	.options = option_fields,
	.options_size = sizeof(struct text_options),
	.types = COL_BIT(COL_STRING),
	.columns_max = 1,
	.check = text_check,
	.infer = text_infer,
	.read = text_read,
};
