/* JSON Lines: an object a line, read by data/json_row.h. */
#include "data/json_infer.h"
#include "data/json_row.h"
#include "data/rows.h"

#include <stdio.h>

enum { JSONL_WHY_MAX = 160 };

struct jsonl_options {
	struct source_options common;
};

static const struct field option_fields[] = {
	SOURCE_TEXT_OPTIONS(struct jsonl_options),
	SOURCE_RECORD_OPTIONS(struct jsonl_options),
	FIELD_END,
};

static bool jsonl_check(const struct source_config *c, const struct schema *given, const char *pointer, struct err *e)
{
	(void)given;
	return source_options_check(c->options, pointer, e);
}

/* --- Inference ------------------------------------------------------------ */

struct inference {
	struct json_infer infer;
	struct buf scratch;
	bool corrupt; /* some line was no object */
};

static bool infer_line(const struct source_config *c, struct inference *f, struct str line, struct err *e)
{
	struct json_scan s;
	const char *why;
	json_scan_init(&s, line.data, line.len, &f->scratch);
	bool ok = json_infer_row(&f->infer, &s, json_scan_next(&s), &why);
	if (ok && json_scan_next(&s) != JSON_TOK_END) ok = false;
	if (!ok) f->corrupt = true;
	/* Past the limit nothing more is learned, whatever the mode. */
	return f->infer.columns.count <= c->columns_max ||
	       err_set(e, ERR_source, "the records have more than %zu columns (limits.columns)", c->columns_max);
}

static bool infer_range(const struct source_config *c, const struct source_range *range, struct inference *f, struct err *e)
{
	struct window w;
	struct lines l;
	struct str line;
	enum lines_result got;
	if (!source_lines_open(c, range, &w, &l, e)) return false;
	while ((got = lines_next(&l, &line, e)) == LINES_LINE) {
		if (lines_blank(line) || !source_sampled(c->options, l.count)) continue;
		if (!infer_line(c, f, line, e)) got = LINES_ERROR;
		if (got == LINES_ERROR) break;
	}
	window_close(&w);
	return got != LINES_ERROR;
}

static bool jsonl_infer(const struct source_config *c, const struct source_range *ranges, size_t count, struct schema *out,
			struct err *e)
{
	const struct source_options *o = c->options;
	struct inference f = {.scratch = BUF_INIT(c->record_bytes_max)};
	bool ok = true;
	json_infer_init(&f.infer, c->columns_max);
	for (size_t i = 0; ok && i < count; i++) ok = infer_range(c, &ranges[i], &f, e);
	if (ok) {
		json_infer_schema(&f.infer, out);
		/* As Spark: malformed records get a column of their own. */
		if (f.corrupt && source_mode_of(o) == SOURCE_PERMISSIVE && out->count > 0)
			schema_add(out, &(struct column_def){.name = o->corrupt_column, .type = COL_STRING});
	}
	json_infer_release(&f.infer);
	buf_release(&f.scratch);
	return ok;
}

/* --- Rows ------------------------------------------------------------ */

struct jsonl {
	struct source_reading *reading;
	struct rows rows;
	struct json_row row;
	struct buf scratch;
	uint8_t *wanted; /* without the column for corrupt records, which is no member */
	char why[JSONL_WHY_MAX];
};

static void append_nulls(struct jsonl *j)
{
	for (size_t i = 0; i < j->reading->schema->count; i++)
		if (j->wanted[i]) column_null(&j->reading->b->columns[i]);
}

/* Appends the line's row, nulls for what is wrong; why it is malformed comes back, NULL: it is not. */
static const char *append_line(struct jsonl *j, struct str line)
{
	struct batch *b = j->reading->b;
	struct json_scan s;
	struct err e;
	size_t rows = b->rows;
	err_init(&e);
	json_scan_init(&s, line.data, line.len, &j->scratch);
	enum json_row_result got = json_row_read(&j->row, &s, json_scan_next(&s), b, &e);
	if (got != JSON_ROW_BROKEN && json_scan_next(&s) != JSON_TOK_END) {
		batch_truncate(b, rows);
		got = JSON_ROW_BROKEN;
	}
	b->rows = rows; /* rows_add counts it */
	if (got == JSON_ROW_OK) return NULL;
	if (got == JSON_ROW_BROKEN) {
		append_nulls(j);
		return s.err ? s.err : "not a JSON object";
	}
	snprintf(j->why, sizeof j->why, "%.40s: %.100s", e.faults[0].pointer, e.faults[0].detail);
	return j->why;
}

static bool read_lines(struct jsonl *j, const struct source_range *range, struct err *e)
{
	struct window w;
	struct lines l;
	struct str line;
	enum lines_result got;
	if (!source_lines_open(j->reading->config, range, &w, &l, e)) return false;
	while ((got = lines_next(&l, &line, e)) == LINES_LINE) {
		if (lines_blank(line)) continue;
		const char *why = append_line(j, line);
		if (!rows_add(&j->rows, why, l.count, line, e)) got = LINES_ERROR;
		if (got == LINES_ERROR) break;
	}
	window_close(&w);
	return got != LINES_ERROR;
}

static bool jsonl_read(struct source_reading *reading, const struct source_range *range, struct err *e)
{
	const struct schema *s = reading->schema;
	int corrupt = source_corrupt_slot(reading->config, s);
	struct jsonl j = {.reading = reading, .scratch = BUF_INIT(reading->config->record_bytes_max)};
	j.wanted = mem_alloc(s->count + 1);
	for (size_t i = 0; i < s->count; i++) j.wanted[i] = source_wants(reading, i) && (int)i != corrupt;
	json_row_init(&j.row, s, j.wanted);
	j.row.text_of_any = !reading->is_request;
	rows_init(&j.rows, reading, range, source_line_sep(reading->config->options));
	bool ok = read_lines(&j, range, e);
	json_row_release(&j.row);
	buf_release(&j.scratch);
	mem_free(j.wanted);
	return ok;
}

const struct source_format jsonl_source = {
	.name = "jsonl",
	.help = "JSON Lines: an object a line",
	.options = option_fields,
	.options_size = sizeof(struct jsonl_options),
	.types = COL_ANY,
	.check = jsonl_check,
	.infer = jsonl_infer,
	.read = jsonl_read,
};
