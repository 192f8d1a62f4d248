/* CSV by RFC 4180; the header says which field is which column. */
#include "data/csv_parse.h"
#include "data/pointer.h"
#include "data/utf8.h"
#include "serving/row_format.h"

#include <stdio.h>

enum { CSV_FIELDS_MAX = 20480 };

static const struct csv_format rfc4180 = {
	.sep = ",",
	.sep_len = 1,
	.quote = '"',
	.escape = '"',
	.escape_escape = CSV_NO_CHAR,
	.newline = {'\n', '\r'},
	.unescaped = CSV_RAISE_ERROR,
	.fields_max = CSV_FIELDS_MAX,
};

/* How numbers are spelled that are none. */
static const struct csv_options spelling = {
	.nan_value = {"NaN", 3}, .positive_inf = {"Inf", 3}, .negative_inf = {"-Inf", 4}};

static bool is_newline(char c) { return c == '\n' || c == '\r'; }

static void parse(struct row_stream *st, struct str record)
{
	if (st->csv.parsed == record.data) return;
	csv_parse(&rfc4180, record.data, record.data + record.len, record.data + record.len, &st->csv.record);
	st->csv.parsed = record.data;
}

/* --- Header ------------------------------------------------------------------------------------------------------- */

/* A fault at a column. Its pointer has no row: the header is at fault. */
static void header_fault(struct err *e, struct str name, const char *what)
{
	err_fault(e, pointer_keyn("", name).text, "%s", what);
}

static const struct row_csv_field *find_field(const struct row_stream *st, struct str name, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (str_eq(st->csv.fields[i].name, name)) return &st->csv.fields[i];
	return NULL;
}

static void bind_field(struct row_stream *st, size_t i, struct str name, struct err *e)
{
	struct row_csv_field *f = &st->csv.fields[i];
	const struct predictor *p = st->predictor;
	name = utf8_mend(&st->arena, name);
	f->name = (struct str){arena_strndup(&st->arena, name.data ? name.data : "", name.len), name.len};
	f->slot = schema_find_first(&p->pipeline.schema, f->name);
	bool known = f->slot >= 0 && f->slot < (int)p->input.count;
	f->read = known && (st->options.answer == PREDICT_FULL || p->required[f->slot]);
	if (find_field(st, f->name, i)) header_fault(e, f->name, "the header names it twice");
	else if (!known && st->options.strict) header_fault(e, f->name, "no such column");
	else if (f->read && !(COL_BIT(p->input.columns[f->slot].type) & COL_SCALAR)) {
		if (p->required[f->slot]) header_fault(e, f->name, "arrays and vectors cannot come in CSV");
		f->read = false;
	}
	if (f->read) st->came[f->slot] = 1;
}

static bool bind_header(struct row_stream *st, struct err *e)
{
	const struct predictor *p = st->predictor;
	const struct csv_record *r = &st->csv.record;
	if (r->fault) return err_set(e, ERR_invalid, "the header cannot be read: %s", r->fault);
	st->csv.fields = arena_zalloc(&st->arena, r->count, sizeof *st->csv.fields);
	for (size_t i = 0; i < r->count; i++)
		bind_field(st, i, (struct str){r->fields[i].data, r->fields[i].len}, e);
	st->csv.count = r->count;
	for (size_t c = 0; c < p->input.count; c++)
		if (p->required[c] && !find_field(st, p->input.columns[c].name, st->csv.count))
			header_fault(e, p->input.columns[c].name, "is missing in the header");
	st->scorer.came = st->came;
	return !err_is(e);
}

/* --- Records ------------------------------------------------------------------------------------------------------ */

/* A record ends at a line end outside quotes, or at the end of all. */
static enum row_next next(struct row_stream *st, const char **p, const char *end, struct str *record, struct err *e)
{
	for (;;) {
		while (*p < end && is_newline(**p)) ++*p;
		if (*p == end) return ROW_NEXT_MORE;
		const char *to = csv_parse(&rfc4180, *p, end, end, &st->csv.record);
		st->csv.parsed = *p;
		if (to == end && !st->end) return ROW_NEXT_MORE;
		*record = (struct str){*p, (size_t)(to - *p)};
		*p = to;
		if (st->csv.count) return ROW_NEXT_RECORD;
		if (!bind_header(st, e)) return ROW_NEXT_ERROR;
	}
}

static bool row_fault(const struct row_stream *st, struct err *e, struct str column, const char *what)
{
	const struct json_row *at = &st->scratch->reader;
	struct pointer row = pointer_index(at->prefix, at->index);
	return err_fault(e, column.data ? pointer_keyn(row.text, column).text : row.text, "%s", what);
}

static bool read_field(struct row_stream *st, const struct row_csv_field *f, const struct csv_field *from,
		       struct err *e)
{
	char what[64];
	const struct column_def *def = &st->predictor->input.columns[f->slot];
	struct column *c = &st->scratch->batch.columns[f->slot];
	bool null = from->len == 0 && !from->quoted;
	if (!null && csv_cell(&spelling, def, c, (struct str){from->data, from->len})) return true;
	column_null(c);
	if (null) return true;
	snprintf(what, sizeof what, "is not %s", def->is_int32 ? "a 32-bit integer" : col_type_name(def->type));
	return row_fault(st, e, f->name, what);
}

static enum json_row_result read(struct row_stream *st, struct str record, struct err *e)
{
	struct batch *b = &st->scratch->batch;
	const struct csv_record *r = &st->csv.record;
	char what[96];
	parse(st, record);
	snprintf(what, sizeof what, "has %zu values where the header has %zu", r->count, st->csv.count);
	bool ok = !r->fault && r->count == st->csv.count;
	if (!ok) row_fault(st, e, (struct str){0}, r->fault ? r->fault : what);
	for (size_t i = 0; ok && i < r->count; i++)
		if (st->csv.fields[i].read) read_field(st, &st->csv.fields[i], &r->fields[i], e);
	/* Input columns that the header does not have, and are not required, are null. */
	for (size_t c = 0; ok && st->options.answer == PREDICT_FULL && c < st->predictor->input.count; c++)
		if (!st->came[c]) column_null(&b->columns[c]);
	if (!err_is(e)) {
		b->rows++;
		return JSON_ROW_OK;
	}
	batch_truncate(b, b->rows);
	return JSON_ROW_FAULTS;
}

static void fields(struct row_stream *st, struct str record, void (*each)(void *ctx, const struct row_field *f),
		   void *ctx)
{
	const struct csv_record *r = &st->csv.record;
	parse(st, record);
	for (size_t i = 0; i < MIN(r->count, st->csv.count); i++) {
		struct row_field f = {.name = st->csv.fields[i].name, .slot = st->csv.fields[i].slot};
		bool null = r->fields[i].len == 0 && !r->fields[i].quoted;
		if (!null) f.text = utf8_mend(&st->row_arena, (struct str){r->fields[i].data, r->fields[i].len});
		each(ctx, &f);
	}
}

const struct row_input row_csv = {.name = "csv", .numbered = true, .next = next, .read = read, .fields = fields};
