/* Rows as JSON: a line each, a document of its own; or the elements of an array. */
#include "serving/row_format.h"

static bool is_blank(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] != ' ' && line.data[i] != '\t' && line.data[i] != '\r') return false;
	return true;
}

static enum row_next next_line(struct row_stream *st, const char **p, const char *end, struct str *record, struct err *e)
{
	(void)e;
	while (*p < end) {
		const char *from = *p, *to = memchr(from, '\n', (size_t)(end - from));
		if (!to && !st->end) return ROW_NEXT_MORE;
		*p = to ? to + 1 : end;
		*record = (struct str){from, (size_t)((to ? to : end) - from)};
		if (!is_blank(*record)) return ROW_NEXT_RECORD;
	}
	return ROW_NEXT_MORE;
}

/* The array was scanned, so an element ends where its scan does. */
static enum row_next next_element(struct row_stream *st, const char **p, const char *end, struct str *record,
				  struct err *e)
{
	struct json_scan scan;
	while (*p < end && memchr(", \t\r\n", **p, 5)) ++*p;
	if (*p == end) return ROW_NEXT_MORE;
	json_scan_init(&scan, *p, (size_t)(end - *p), &st->scratch->text);
	if (!json_scan_skip(&scan, json_scan_next(&scan))) {
		json_scan_error(&scan, e);
		return ROW_NEXT_ERROR;
	}
	*record = (struct str){*p, (size_t)(scan.p - *p)};
	*p = scan.p;
	return ROW_NEXT_RECORD;
}

static enum json_row_result read(struct row_stream *st, struct str record, struct err *e)
{
	struct json_scan scan;
	json_scan_init(&scan, record.data, record.len, &st->scratch->text);
	enum json_tok first = json_scan_next(&scan);
	if (first != JSON_TOK_ERROR) {
		enum json_row_result got =
			predictor_read(st->predictor, st->scratch, &st->scorer.rules, &scan, first, e);
		if (got == JSON_ROW_BROKEN || json_scan_next(&scan) == JSON_TOK_END) return got;
		if (got == JSON_ROW_OK) batch_truncate(&st->scratch->batch, st->scratch->batch.rows - 1);
	}
	err_init(e);
	json_scan_error(&scan, e);
	return JSON_ROW_BROKEN;
}

static void fields(struct row_stream *st, struct str record, void (*each)(void *ctx, const struct row_field *f),
		   void *ctx)
{
	struct json_scan scan;
	json_scan_init(&scan, record.data, record.len, &st->scratch->text);
	json_scan_next(&scan);
	while (json_scan_next(&scan) == JSON_TOK_KEY) {
		struct row_field f = {.name = scan.text};
		if (f.name.data == st->scratch->text.data) /* it had escapes, and the value may need the buffer */
			f.name = (struct str){arena_strndup(&st->row_arena, f.name.data, f.name.len), f.name.len};
		f.slot = schema_find_first(&st->predictor->pipeline.schema, f.name);
		enum json_tok first = json_scan_next(&scan);
		const char *from = scan.token;
		if (!json_scan_skip(&scan, first)) return;
		f.json = (struct str){from, (size_t)(scan.p - from)};
		each(ctx, &f);
	}
}

const struct row_input row_ndjson = {.name = "ndjson", .next = next_line, .read = read, .fields = fields};
const struct row_input row_elements = {
	.name = "elements", .numbered = true, .next = next_element, .read = read, .fields = fields};
