/* Rows that stand in the specification itself: an array of objects, read from the specification's text. */
#include "data/json_infer.h"
#include "data/json_row.h"
#include "data/pointer.h"
#include "data/rows.h"

struct inline_options {
	struct source_options common;
};

static const struct field option_fields[] = {FIELD_END};

static bool inline_check(const struct source_config *c, const struct schema *given, const char *pointer, struct err *e)
{
	(void)c, (void)given, (void)pointer, (void)e;
	return true;
}

static bool infer_row(struct json_infer *f, struct buf *scratch, const struct json *row, size_t index, struct err *e)
{
	struct json_scan s;
	const char *why;
	json_scan_init(&s, row->raw.data, row->raw.len, scratch);
	return json_infer_row(f, &s, json_scan_next(&s), &why) ||
	       err_fault(e, pointer_index("/source/rows", index).text, "%s", why ? why : "must be an object");
}

static bool inline_infer(const struct source_config *c, const struct source_range *ranges, size_t count, struct schema *out,
			 struct err *e)
{
	struct json_infer f;
	struct buf scratch = BUF_INIT(c->record_bytes_max);
	bool ok = true;
	size_t i = 0;
	(void)ranges, (void)count;
	json_infer_init(&f, c->columns_max);
	for (const struct json *row = c->rows->child; row; row = row->next) ok &= infer_row(&f, &scratch, row, i++, e);
	if (ok) json_infer_schema(&f, out);
	json_infer_release(&f);
	buf_release(&scratch);
	return ok;
}

/* The range counts rows, not bytes. Every wrong value is a fault: whoever wrote the rows can mend them. */
static bool inline_read(struct source_reading *reading, const struct source_range *range, struct err *e)
{
	struct buf scratch = BUF_INIT(reading->config->record_bytes_max);
	struct json_row row;
	struct rows rows;
	uint64_t i = 0;
	bool ok = true;
	json_row_init(&row, reading->schema, reading->wanted);
	row.prefix = "/source/rows";
	rows_init(&rows, reading, range, LINES_ANY_END);
	for (const struct json *v = reading->config->rows->child; v && i < range->end; v = v->next, i++) {
		size_t before = reading->b->rows;
		struct json_scan s;
		if (i < range->begin) continue;
		row.index = i;
		json_scan_init(&s, v->raw.data, v->raw.len, &scratch);
		ok &= json_row_read(&row, &s, json_scan_next(&s), reading->b, e) == JSON_ROW_OK;
		reading->b->rows = before; /* rows_add counts it */
		if (!ok) batch_truncate(reading->b, before);
		else if (!(ok = rows_add(&rows, NULL, i + 1, v->raw, e))) break;
	}
	json_row_release(&row);
	buf_release(&scratch);
	return ok;
}

const struct source_format inline_source = {
	.name = "inline",
	.help = "rows in the specification itself, as objects",
	.options = option_fields,
	.options_size = sizeof(struct inline_options),
	.types = COL_ANY,
	.in_place = true,
	.check = inline_check,
	.infer = inline_infer,
	.read = inline_read,
};
