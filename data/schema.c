#include "data/schema.h"

#include "data/pointer.h"

#include <stdio.h>

static const char *const type_names[COL_TYPE_COUNT] = {
	[COL_DOUBLE] = "double",         [COL_INT64] = "int64",
	[COL_BOOLEAN] = "boolean",       [COL_STRING] = "string",
	[COL_STRINGS] = "array<string>", [COL_DOUBLES] = "array<double>",
	[COL_VECTOR] = "vector",         [COL_VECTORS] = "array<vector>",
};

/* Names that people bring along from Spark. */
static const struct {
	const char *name;
	enum col_type type;
	bool is_int32;
} type_aliases[] = {
	{"int", COL_INT64, true},   {"integer", COL_INT64, true},  {"long", COL_INT64, false},
	{"bigint", COL_INT64, false}, {"float", COL_DOUBLE, false},
};

const char *col_type_name(enum col_type type) { return type_names[type]; }

bool col_type_parse(struct str name, enum col_type *out)
{
	for (size_t i = 0; i < COL_TYPE_COUNT; i++) {
		if (!str_is(name, type_names[i])) continue;
		*out = (enum col_type)i;
		return true;
	}
	return false;
}

void col_types_text(unsigned set, char out[128])
{
	size_t len = 0;
	out[0] = 0;
	for (size_t i = 0; i < COL_TYPE_COUNT; i++) {
		if (!(set & COL_BIT(i))) continue;
		const char *join = len == 0 ? "" : set >> (i + 1) ? ", " : " or ";
		len += (size_t)snprintf(out + len, 128 - len, "%s%s", join, type_names[i]);
	}
}

void schema_release(struct schema *s)
{
	arena_release(&s->arena);
	map_release(&s->names);
	mem_free(s->columns);
	*s = SCHEMA_INIT;
}

void schema_copy(struct schema *to, const struct schema *from)
{
	*to = SCHEMA_INIT;
	for (size_t i = 0; i < from->count; i++) {
		const struct column_def *def = &from->columns[i];
		CHECK((def->earlier ? schema_add_again(to, def) : schema_add(to, def)) == (int)i);
	}
}

int schema_find(const struct schema *s, struct str name)
{
	const struct map_entry *found = map_find(&s->names, name);
	return found ? (int)found->value : SCHEMA_COLUMN_NONE;
}

int schema_find_first(const struct schema *s, struct str name)
{
	int slot = schema_find(s, name);
	while (slot >= 0 && s->columns[slot].earlier) slot = (int)s->columns[slot].earlier - 1;
	return slot;
}

static struct str copy_str(struct arena *a, struct str s) { return (struct str){arena_strndup(a, s.data, s.len), s.len}; }

static const struct attrs *copy_attrs(struct arena *a, const struct attrs *from)
{
	if (!from) return NULL;
	struct attrs *to = arena_copy(a, from, sizeof *from);
	if (!from->list) return to;
	size_t n = from->is_group ? from->size : 1;
	to->list = arena_copy(a, from->list, n * sizeof *to->list);
	for (size_t i = 0; i < n; i++) {
		struct attr *at = &to->list[i];
		if (at->name.len) at->name = copy_str(a, at->name);
		if (!at->values.count) continue;
		at->values.items = arena_copy(a, at->values.items, at->values.count * sizeof *at->values.items);
		for (size_t k = 0; k < at->values.count; k++) at->values.items[k] = copy_str(a, at->values.items[k]);
	}
	return to;
}

static int append(struct schema *s, const struct column_def *def, uint64_t earlier)
{
	MEM_GROW(s->columns, s->cap, s->count + 1);
	s->columns[s->count] = (struct column_def){.name = copy_str(&s->arena, def->name),
						   .type = def->type,
						   .is_int32 = def->is_int32,
						   .attrs = copy_attrs(&s->arena, def->attrs),
						   .earlier = (uint32_t)earlier};
	return (int)s->count++;
}

int schema_add(struct schema *s, const struct column_def *def)
{
	bool made;
	struct map_entry *entry = map_put(&s->names, def->name, &made);
	if (!made) return SCHEMA_COLUMN_NONE;
	entry->value = s->count;
	return append(s, def, 0);
}

int schema_add_again(struct schema *s, const struct column_def *def)
{
	struct map_entry *entry = map_find(&s->names, def->name);
	CHECK(entry);
	uint64_t earlier = entry->value + 1;
	entry->value = s->count;
	return append(s, def, earlier);
}

/* --- JSON ------------------------------------------------------------ */

static bool parse_type(struct str name, struct column_def *def)
{
	for (size_t i = 0; i < ARRAY_COUNT(type_aliases); i++) {
		if (!str_is(name, type_aliases[i].name)) continue;
		def->type = type_aliases[i].type;
		def->is_int32 = type_aliases[i].is_int32;
		return true;
	}
	return col_type_parse(name, &def->type);
}

static bool check_members(const struct json *obj, const char *pointer, struct err *e)
{
	bool ok = true;
	for (const struct json *m = obj->child; m; m = m->next) {
		if (str_is(m->key, "name") || str_is(m->key, "type") || str_is(m->key, "attributes")) continue;
		ok = err_fault(e, pointer_keyn(pointer, m->key).text, "not a member of a column (name, type, attributes)");
	}
	return ok;
}

static bool parse_column(struct schema *s, const struct json *obj, const char *pointer, struct err *e)
{
	const struct json *name = json_get(obj, "name"), *type = json_get(obj, "type"), *attrs = json_get(obj, "attributes");
	struct pointer at_name = pointer_key(pointer, "name");
	struct column_def def = {.type = COL_STRING};
	bool ok = check_members(obj, pointer, e);

	if (!name || name->type != JSON_STRING || name->string.len == 0)
		ok = err_fault(e, at_name.text, "a column's name must be a string that is not empty");
	else def.name = name->string;

	if (!type || type->type != JSON_STRING || !parse_type(type->string, &def)) {
		char all[128];
		col_types_text(COL_ANY, all);
		ok = err_fault(e, pointer_key(pointer, "type").text, "must be %s", all);
	}

	struct arena scratch = ARENA_INIT;
	if (attrs && attrs->type != JSON_NULL) {
		struct attrs *parsed = NULL;
		struct pointer at = pointer_key(pointer, "attributes");
		if (attrs_parse(&scratch, attrs, def.type == COL_VECTOR, at.text, &parsed, e)) def.attrs = parsed;
		else ok = false;
	}
	if (ok && schema_add(s, &def) < 0) ok = err_fault(e, at_name.text, "there is a column of this name already");
	arena_release(&scratch);
	return ok;
}

bool schema_parse(struct schema *s, const struct json *array, const char *pointer, struct err *e)
{
	if (array->type != JSON_ARRAY || array->count == 0)
		return err_fault(e, pointer, "a schema is an array of {\"name\",\"type\"}, at least one");
	bool ok = true;
	size_t i = 0;
	for (const struct json *c = array->child; c; c = c->next, i++) {
		struct pointer at = pointer_index(pointer, i);
		if (c->type != JSON_OBJECT) ok = err_fault(e, at.text, "must be an object {\"name\",\"type\"}");
		else if (!parse_column(s, c, at.text, e)) ok = false;
	}
	return ok;
}

static void write_columns(const struct schema *s, bool int_as_such, struct json_writer *w)
{
	json_array_begin(w);
	for (size_t i = 0; i < s->count; i++) {
		const struct column_def *c = &s->columns[i];
		json_object_begin(w);
		json_key(w, "name");
		json_str(w, c->name);
		json_key(w, "type");
		json_cstr(w, int_as_such && c->is_int32 ? "int" : type_names[c->type]);
		if (c->attrs) {
			json_key(w, "attributes");
			attrs_write(c->attrs, w);
		}
		json_object_end(w);
	}
	json_array_end(w);
}

void schema_write(const struct schema *s, struct json_writer *w) { write_columns(s, false, w); }
void schema_store(const struct schema *s, struct json_writer *w) { write_columns(s, true, w); }
