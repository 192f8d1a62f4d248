#include "data/json_infer.h"

/* What the values of a member were. */
enum {
	SEEN_INT = 1u,
	SEEN_DOUBLE = 2,
	SEEN_BOOLEAN = 4,
	SEEN_STRING = 8,
	SEEN_NUMBERS = 16,     /* arrays of numbers */
	SEEN_STRINGS = 32,     /* arrays of strings */
	SEEN_EMPTY_ARRAY = 64,
	SEEN_VECTOR = 128,     /* {"values":…} */
	SEEN_OTHER = 256,
	SEEN_RAGGED = 512,     /* arrays of numbers of different lengths */
	SEEN_SPECIAL = 1024,   /* "NaN" and its like: a number beside numbers, a string beside strings */
};

struct json_seen {
	unsigned what;
	size_t length; /* of the first array of numbers */
	uint64_t row;  /* the last that had the member: finds duplicates */
	bool ghost;    /* only a broken row has it */
};

void json_infer_init(struct json_infer *f, size_t columns_max)
{
	*f = (struct json_infer){.columns = MAP_INIT, .columns_max = columns_max};
}

void json_infer_release(struct json_infer *f)
{
	map_release(&f->columns);
	mem_free(f->seen);
}

static unsigned number_kind(struct json_scan *s)
{
	int64_t i;
	return str_to_i64(s->text, &i) ? SEEN_INT : SEEN_DOUBLE;
}

static bool is_special(struct str s) { return str_is(s, "NaN") || str_is(s, "Infinity") || str_is(s, "-Infinity"); }

/* After [. */
static bool see_array(struct json_scan *s, struct json_seen *seen)
{
	enum json_tok t;
	size_t n = 0;
	unsigned what = 0;
	for (; (t = json_scan_next(s)) != JSON_TOK_ARRAY_END; n++) {
		if (t == JSON_TOK_ERROR) return false;
		if (t == JSON_TOK_NUMBER || (t == JSON_TOK_STRING && what != SEEN_STRINGS && is_special(s->text)))
			what |= SEEN_NUMBERS;
		else if (t == JSON_TOK_STRING || t == JSON_TOK_NULL) what |= SEEN_STRINGS;
		else what |= SEEN_OTHER;
		if (!json_scan_skip(s, t)) return false;
	}
	if (n == 0) what = SEEN_EMPTY_ARRAY;
	if (what == SEEN_NUMBERS || what == SEEN_EMPTY_ARRAY) {
		bool any = seen->what & (SEEN_NUMBERS | SEEN_EMPTY_ARRAY);
		if (any && seen->length != n) what |= SEEN_RAGGED;
		if (!any) seen->length = n;
	}
	seen->what |= what;
	return true;
}

/* After {: a vector has values and size or type, and nothing that a vector has not. */
static bool see_object(struct json_scan *s, struct json_seen *seen)
{
	enum json_tok t;
	bool values = false, shape = false, other = false;
	while ((t = json_scan_next(s)) == JSON_TOK_KEY) {
		if (str_is(s->text, "values")) values = true;
		else if (str_is(s->text, "size") || str_is(s->text, "type")) shape = true;
		else if (!str_is(s->text, "indices")) other = true;
		if (!json_scan_skip(s, json_scan_next(s))) return false;
	}
	seen->what |= values && shape && !other ? SEEN_VECTOR : SEEN_OTHER;
	return t == JSON_TOK_OBJECT_END;
}

static bool see_value(struct json_scan *s, struct json_seen *seen)
{
	enum json_tok t = json_scan_next(s);
	switch (t) {
	case JSON_TOK_NULL: return true;
	case JSON_TOK_TRUE:
	case JSON_TOK_FALSE: seen->what |= SEEN_BOOLEAN; return true;
	case JSON_TOK_NUMBER: seen->what |= number_kind(s); return true;
	case JSON_TOK_STRING:
		seen->what |= is_special(s->text) ? SEEN_SPECIAL : s->text.len ? SEEN_STRING : 0;
		return true;
	case JSON_TOK_ARRAY_BEGIN: return see_array(s, seen);
	case JSON_TOK_OBJECT_BEGIN: return see_object(s, seen);
	default: return false;
	}
}

static bool see_member(struct json_infer *f, struct json_scan *s, const char **why)
{
	bool made;
	struct map_entry *entry = map_put(&f->columns, s->text, &made);
	if (made) {
		if (f->columns.count > f->columns_max) {
			*why = "more columns than limits.columns";
			return false;
		}
		entry->value = f->columns.count - 1;
		MEM_GROW(f->seen, f->cap, f->columns.count);
		f->seen[entry->value] = (struct json_seen){0};
	}
	struct json_seen *seen = &f->seen[entry->value];
	if (seen->row == f->row) {
		*why = "a member name occurs twice in an object";
		return false;
	}
	seen->row = f->row;
	seen->ghost = false;
	return see_value(s, seen);
}

bool json_infer_row(struct json_infer *f, struct json_scan *s, enum json_tok first, const char **why)
{
	enum json_tok t;
	size_t had = f->columns.count;
	*why = NULL;
	f->row++;
	if (first != JSON_TOK_OBJECT_BEGIN) {
		*why = first == JSON_TOK_ERROR ? s->err : "not a JSON object";
		return false;
	}
	while ((t = json_scan_next(s)) == JSON_TOK_KEY)
		if (!see_member(f, s, why)) break;
	if (t == JSON_TOK_OBJECT_END) return true;
	if (!*why) *why = s->err;
	for (size_t i = had; i < f->columns.count; i++) f->seen[i] = (struct json_seen){.row = f->row, .ghost = true};
	return false;
}

static enum col_type type_of(unsigned what)
{
	unsigned numbers = SEEN_NUMBERS | SEEN_EMPTY_ARRAY | SEEN_RAGGED;
	if (what == SEEN_INT) return COL_INT64;
	if ((what & (SEEN_INT | SEEN_DOUBLE)) && !(what & ~(SEEN_INT | SEEN_DOUBLE | SEEN_SPECIAL))) return COL_DOUBLE;
	if (what == SEEN_BOOLEAN) return COL_BOOLEAN;
	if (what && !(what & ~(SEEN_STRINGS | SEEN_EMPTY_ARRAY | SEEN_RAGGED))) return COL_STRINGS;
	if ((what & SEEN_NUMBERS) && !(what & ~numbers)) return what & SEEN_RAGGED ? COL_DOUBLES : COL_VECTOR;
	if ((what & SEEN_VECTOR) && !(what & ~(numbers | SEEN_VECTOR))) return COL_VECTOR;
	return COL_STRING;
}

void json_infer_schema(const struct json_infer *f, struct schema *out)
{
	for (size_t i = 0; i < f->columns.count; i++)
		if (!f->seen[i].ghost)
			schema_add(out, &(struct column_def){.name = f->columns.entries[i].key, .type = type_of(f->seen[i].what)});
}
