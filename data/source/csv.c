/* CSV by Spark's rules (data/csv_parse.h, csv_options.h, csv_infer.h). */
#include "data/csv_infer.h"
#include "data/csv_reader.h"
#include "data/pointer.h"
#include "data/rows.h"

#include <stdio.h>

enum { CSV_WHY_MAX = 160 };

/* Where a wanted column's values come from. */
struct target {
	size_t field; /* in the record; SIZE_MAX: the header does not name it */
	struct column *column;
	const struct column_def *def;
};

struct csv {
	struct source_reading *reading;
	const struct source_range *range;
	const struct csv_options *options;
	struct csv_reader reader;
	struct rows rows;
	struct target *targets;
	size_t target_count;
	size_t expected; /* values in a record */
	uint64_t header_at;
	char why[CSV_WHY_MAX];
};

static bool csv_check(const struct source_config *c, const struct schema *given, const char *pointer, struct err *e)
{
	const struct csv_options *o = c->options;
	if (o->infer_schema && given)
		return err_fault(e, pointer_key(pointer, "inferSchema").text, "the source has a schema already");
	return csv_options_check(o, pointer, e);
}

/* --- Which field goes where ------------------------------------------------------------ */

static void add_target(struct csv *c, size_t slot, size_t field)
{
	if (!source_wants(c->reading, slot)) return;
	c->targets[c->target_count++] =
		(struct target){field, &c->reading->b->columns[slot], &c->reading->schema->columns[slot]};
}

/* By place: every column of the schema but the one for corrupt records is a field of the file. */
static void bind_by_place(struct csv *c)
{
	const struct schema *s = c->reading->schema;
	int corrupt = source_corrupt_slot(c->reading->config, s);
	size_t field = 0;
	for (size_t i = 0; i < s->count; i++)
		if ((int)i != corrupt) add_target(c, i, field++);
	c->expected = field;
}

/* By the header's names; what it does not name is null. */
static void bind_by_name(struct csv *c, const struct csv_record *header)
{
	const struct schema *s = c->reading->schema;
	size_t *fields = mem_alloc((s->count + 1) * sizeof *fields);
	for (size_t i = 0; i < s->count; i++) fields[i] = SIZE_MAX;
	for (size_t i = 0; i < header->count; i++) {
		int slot = schema_find_first(s, (struct str){header->fields[i].data, header->fields[i].len});
		if (slot >= 0 && fields[slot] == SIZE_MAX) fields[slot] = i;
	}
	int corrupt = source_corrupt_slot(c->reading->config, s);
	for (size_t i = 0; i < s->count; i++)
		if ((int)i != corrupt) add_target(c, i, fields[i]);
	c->expected = header->count;
	mem_free(fields);
}

/* enforceSchema false: the header must name the schema's columns, in their order. */
static bool check_header(const struct csv *c, const struct csv_record *header, struct err *e)
{
	const struct schema *s = c->reading->schema;
	int corrupt = source_corrupt_slot(c->reading->config, s);
	bool same = header->count == c->expected;
	for (size_t i = 0, field = 0; same && i < s->count; i++) {
		struct str name;
		if ((int)i == corrupt) continue;
		same = csv_token(c->options, &header->fields[field++], &name) && str_eq(name, s->columns[i].name);
	}
	return same || err_set(e, ERR_source,
			       "the header of %s does not name the schema's columns in order (enforceSchema is false)",
			       c->range->name);
}

/* The header stands at header_at of the file, before this range or in it. */
static bool read_header(struct csv *c, struct err *e)
{
	struct source_range whole = *c->range;
	struct csv_reader r;
	whole.begin = 0;
	whole.end = whole.size;
	if (!csv_reader_open(&r, c->reading->config, &whole, e)) return false;
	bool ok = csv_reader_next(&r, e) == CSV_RECORD;
	if (ok) c->header_at = r.at;
	if (ok && c->reading->is_request) bind_by_name(c, &r.record);
	else if (ok && !c->options->enforce_schema) ok = check_header(c, &r.record, e);
	csv_reader_close(&r);
	return ok || !err_is(e);
}

/* --- Values ------------------------------------------------------------ */

/* Appends the record at hand; what is wrong with it comes back, NULL: nothing. */
static const char *append_record(struct csv *c)
{
	const struct csv_record *r = &c->reader.record;
	const char *why = r->fault;
	if (!why && r->count != c->expected) {
		snprintf(c->why, sizeof c->why, "%zu values where there should be %zu", r->count, c->expected);
		why = c->why;
	}
	for (const struct target *t = c->targets; t < c->targets + c->target_count; t++) {
		struct str s;
		if (t->field >= r->count || !csv_token(c->options, &r->fields[t->field], &s)) {
			column_null(t->column);
		} else if (!csv_cell(c->options, t->def, t->column, s)) {
			column_null(t->column);
			if (why) continue;
			snprintf(c->why, sizeof c->why, "the value of column %.*s is not %s",
				 (int)MIN(t->def->name.len, (size_t)80), t->def->name.data,
				 t->def->is_int32 ? "a 32-bit integer" : col_type_name(t->def->type));
			why = c->why;
		}
	}
	return why;
}

static bool read_records(struct csv *c, struct err *e)
{
	for (;;) {
		enum csv_result got = csv_reader_next(&c->reader, e);
		if (got != CSV_RECORD) return got == CSV_END;
		if (c->reader.at == c->header_at) continue;
		const char *why = append_record(c);
		if (!rows_add(&c->rows, why, c->reader.line, c->reader.raw, e)) return false;
	}
}

static bool csv_read(struct source_reading *reading, const struct source_range *range, struct err *e)
{
	struct csv c = {.reading = reading, .range = range, .options = reading->config->options, .header_at = UINT64_MAX};
	c.targets = mem_alloc((reading->schema->count + 1) * sizeof *c.targets);
	rows_init(&c.rows, reading, range, source_line_sep(&c.options->common));
	if (!reading->is_request || !c.options->header) bind_by_place(&c);
	bool ok = !c.options->header || read_header(&c, e);
	if (ok && (ok = csv_reader_open(&c.reader, reading->config, range, e))) {
		ok = read_records(&c, e);
		csv_reader_close(&c.reader);
	}
	mem_free(c.targets);
	return ok;
}

/* --- Cuts ------------------------------------------------------------ */

/* With multiLine only reading from the beginning tells where records begin. */
static bool csv_cut(const struct source_config *config, const struct source_range *whole, uint64_t *offsets, size_t count,
		    struct err *e)
{
	const struct csv_options *o = config->options;
	struct csv_reader r;
	size_t i = 0;
	enum csv_result got = CSV_END;
	if (!o->multi_line || count == 0) return true;
	if (!csv_reader_open(&r, config, whole, e)) return false;
	while (i < count && (got = csv_reader_next(&r, e)) == CSV_RECORD)
		while (i < count && offsets[i] <= r.at) offsets[i++] = r.at;
	while (got == CSV_END && i < count) offsets[i++] = whole->size;
	csv_reader_close(&r);
	return got != CSV_ERROR;
}

const struct source_format csv_source = {
	.name = "csv",
	.help = "comma-separated values, by Spark's options",
	.options = csv_option_fields,
	.options_size = sizeof(struct csv_options),
	.types = COL_SCALAR,
	.check = csv_check,
	.infer = csv_infer,
	.cut = csv_cut,
	.read = csv_read,
};
