#include "data/csv_infer.h"

#include "data/csv_reader.h"
#include "data/utf8.h"

#include <stdio.h>
#include <strings.h>

enum { CSV_NAME_MAX = 1024 };

/* --- Names ------------------------------------------------------------ */

/* How often a header's name occurs, whatever the case: a map from lower-cased names, so that wide files stay cheap. */
static struct map_entry *name_count(struct map *names, struct str name)
{
	char lower[CSV_NAME_MAX];
	size_t n = MIN(name.len, sizeof lower);
	for (size_t i = 0; i < n; i++)
		lower[i] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] + 32) : name.data[i];
	return map_put(names, (struct str){lower, n}, NULL);
}

/* CSVUtils.makeSafeHeader: nameless columns are _c<index>; names that occur twice get their index behind them. */
static bool add_columns(const struct csv_options *o, const struct csv_record *record, struct schema *out, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct map names = MAP_INIT;
	struct str *header = arena_zalloc(&a, record->count + 1, sizeof *header);
	bool ok = !record->fault || err_set(e, ERR_source, "the first record: %s", record->fault);
	for (size_t i = 0; ok && i < record->count; i++) {
		if (!o->header || !csv_token(o, &record->fields[i], &header[i]) || header[i].len == 0) header[i].len = 0;
		else name_count(&names, header[i] = utf8_mend(&a, header[i]))->value++;
	}
	for (size_t i = 0; ok && i < record->count; i++) {
		struct str name = header[i];
		if (name.len == 0) name = STR(arena_printf(&a, "_c%zu", i));
		else if (name_count(&names, name)->value > 1)
			name = STR(arena_printf(&a, "%.*s%zu", (int)name.len, name.data, i));
		ok = schema_add(out, &(struct column_def){.name = name, .type = COL_STRING}) >= 0 ||
		     err_set(e, ERR_source, "the header names the column %.*s twice", (int)MIN(name.len, (size_t)100), name.data);
	}
	map_release(&names);
	arena_release(&a);
	return ok;
}

/* --- Types ------------------------------------------------------------ */

/* What the values of a column so far allow, narrowest first; a column only moves down. */
enum seen { SEEN_NOTHING, SEEN_INT, SEEN_LONG, SEEN_DOUBLE, SEEN_BOOLEAN, SEEN_STRING };

static const struct {
	enum col_type type;
	bool is_int32;
} seen_types[] = {
	[SEEN_NOTHING] = {COL_STRING, false}, [SEEN_INT] = {COL_INT64, true},	     [SEEN_LONG] = {COL_INT64, false},
	[SEEN_DOUBLE] = {COL_DOUBLE, false},  [SEEN_BOOLEAN] = {COL_BOOLEAN, false}, [SEEN_STRING] = {COL_STRING, false},
};

static enum seen value_type(const struct csv_options *o, struct str s)
{
	int64_t i;
	double d;
	bool b;
	if (str_to_i64(s, &i)) return i >= INT32_MIN && i <= INT32_MAX ? SEEN_INT : SEEN_LONG;
	if (csv_double(o, s, &d)) return SEEN_DOUBLE;
	return csv_boolean(s, &b) ? SEEN_BOOLEAN : SEEN_STRING;
}

static enum seen merge(enum seen so_far, enum seen next)
{
	if (so_far == SEEN_NOTHING || so_far == next) return next;
	return so_far <= SEEN_DOUBLE && next <= SEEN_DOUBLE ? MAX(so_far, next) : SEEN_STRING;
}

static void see_record(const struct csv_options *o, const struct csv_record *record, uint8_t *seen, size_t columns)
{
	for (size_t i = 0; i < MIN(record->count, columns); i++) {
		struct str s;
		if (seen[i] == SEEN_STRING || !csv_token(o, &record->fields[i], &s) || s.len == 0) continue;
		seen[i] = (uint8_t)merge((enum seen)seen[i], value_type(o, s));
	}
}

/* The first record of the first file that has one makes the columns; types come from all others. */
static bool see_range(const struct source_config *c, const struct source_range *range, struct schema *out, uint8_t **seen,
		      struct err *e)
{
	const struct csv_options *o = c->options;
	struct csv_reader r;
	enum csv_result got;
	if (!csv_reader_open(&r, c, range, e)) return false;
	for (uint64_t n = 0; (got = csv_reader_next(&r, e)) == CSV_RECORD; n++) {
		if (out->count == 0) {
			if (!add_columns(o, &r.record, out, e)) got = CSV_ERROR;
			if (got == CSV_ERROR) break;
			*seen = mem_zalloc(out->count + 1, 1);
		}
		if (!o->infer_schema) break;
		if (o->header && n == 0) continue;
		if (source_sampled(&o->common, n)) see_record(o, &r.record, *seen, out->count);
	}
	csv_reader_close(&r);
	return got != CSV_ERROR;
}

bool csv_infer(const struct source_config *c, const struct source_range *ranges, size_t count, struct schema *out, struct err *e)
{
	const struct csv_options *o = c->options;
	uint8_t *seen = NULL;
	bool ok = true, unsure = false;
	for (size_t i = 0; ok && i < count && (o->infer_schema || out->count == 0); i++) {
		ok = see_range(c, &ranges[i], out, &seen, e);
		unsure |= ranges[i].partial;
	}
	for (size_t i = 0; ok && o->infer_schema && i < out->count; i++) {
		out->columns[i].type = seen_types[seen[i]].type;
		out->columns[i].is_int32 = seen_types[seen[i]].is_int32;
		/* Only nulls in the part that was read: what comes later may be of any type. */
		if (unsure && seen[i] == SEEN_NOTHING) {
			schema_release(out);
			break;
		}
	}
	mem_free(seen);
	return ok;
}
