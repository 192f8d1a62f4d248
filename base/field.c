#include "base/field.h"

#include <math.h>
#include <stdio.h>

enum { BOUNDS_TEXT_MAX = 4096, VECTOR_SIZE_MAX = 1 << 22 };

static const char *const type_names[] = {
	[FIELD_BOOL] = "boolean",	  [FIELD_INT] = "int",		     [FIELD_LONG] = "long",
	[FIELD_DOUBLE] = "double",	  [FIELD_STRING] = "string",	     [FIELD_ENUM] = "string",
	[FIELD_STRINGS] = "array<string>", [FIELD_DOUBLES] = "array<double>", [FIELD_INTS] = "array<int>",
	[FIELD_VECTOR] = "vector",	  [FIELD_TABLE] = "array<array<double>>", [FIELD_JSON] = "object",
};

const char *field_type_name(enum field_type type) { return type_names[type]; }

/* Where one value stands, for its faults. */
struct place {
	const struct field *f;
	const char *pointer;
	struct arena *arena;
	struct err *e;
};

static bool wrong_type(const struct place *at, const struct json *v)
{
	return err_fault(at->e, at->pointer, "must be %s, not %s", type_names[at->f->type], json_type_name(v->type));
}

static bool is_bounded(const struct field *f) { return f->min != 0 || f->max != 0; }

static const char *bounds_text(const struct field *f, char out[96])
{
	bool low = f->min > -INFINITY, high = f->max < INFINITY;
	char min[STR_NUMBER_MAX + 1], max[STR_NUMBER_MAX + 1];
	if (low) min[str_from_double(f->min, min)] = 0;
	if (high) max[str_from_double(f->max, max)] = 0;
	if (low && high) snprintf(out, 96, "in %c%s, %s%c", f->min_open ? '(' : '[', min, max, f->max_open ? ')' : ']');
	else if (low) snprintf(out, 96, "%s %s", f->min_open ? "greater than" : "at least", min);
	else snprintf(out, 96, "%s %s", f->max_open ? "less than" : "at most", max);
	return out;
}

static bool check_bounds(const struct place *at, double v)
{
	const struct field *f = at->f;
	char text[96];
	if (!is_bounded(f)) return true;
	bool low = f->min_open ? v > f->min : v >= f->min, high = f->max_open ? v < f->max : v <= f->max;
	/* NaN is within no bounds. */
	return (low && high) || err_fault(at->e, at->pointer, "must be %s", bounds_text(f, text));
}

static bool read_double(const struct place *at, const struct json *v, double *out)
{
	if (v->type == JSON_NUMBER && !isfinite(v->number))
		return err_fault(at->e, at->pointer, "is beyond the range of double");
	if (v->type == JSON_NUMBER) *out = v->number;
	else if (v->type == JSON_STRING && str_is(v->string, "NaN")) *out = NAN;
	else if (v->type == JSON_STRING && str_is(v->string, "Infinity")) *out = INFINITY;
	else if (v->type == JSON_STRING && str_is(v->string, "-Infinity")) *out = -INFINITY;
	else return wrong_type(at, v);
	return check_bounds(at, *out);
}

static bool read_integer(const struct place *at, const struct json *v, int64_t *out)
{
	bool wide = at->f->type == FIELD_LONG || is_bounded(at->f);
	if (v->type != JSON_NUMBER) return wrong_type(at, v);
	if (!v->is_int && v->number != nearbyint(v->number))
		return err_fault(at->e, at->pointer, "must be a whole number");
	bool fits = wide ? v->is_int || fabs(v->number) <= 0x1p53 : v->number >= INT32_MIN && v->number <= INT32_MAX;
	if (!fits) return err_fault(at->e, at->pointer, "must fit %d bits", wide ? 64 : 32);
	*out = v->is_int ? v->integer : (int64_t)v->number;
	return check_bounds(at, (double)*out);
}

static bool read_string(const struct place *at, const struct json *v, struct str *out)
{
	if (v->type != JSON_STRING) return wrong_type(at, v);
	*out = (struct str){arena_strndup(at->arena, v->string.data, v->string.len), v->string.len};
	if (at->f->type != FIELD_ENUM) return true;
	char list[256] = "";
	for (const char *const *c = at->f->choices; *c; c++) {
		if (str_is(*out, *c)) return true;
		size_t n = strlen(list);
		snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", *c);
	}
	return err_fault(at->e, at->pointer, "must be one of %s", list);
}

/* Lists of any element: grows nothing, for the count is known. */
#define READ_LIST(name, list_type, item_type, read_item)                                                               \
	static bool name(const struct place *at, const struct json *v, list_type *out)                                 \
	{                                                                                                              \
		if (v->type != JSON_ARRAY) return wrong_type(at, v);                                                   \
		if (v->count < at->f->count_min)                                                                       \
			return err_fault(at->e, at->pointer, "must have at least %u elements", at->f->count_min);      \
		item_type *items = arena_zalloc(at->arena, v->count, sizeof *items);                                   \
		size_t n = 0;                                                                                          \
		bool ok = true;                                                                                        \
		for (const struct json *m = v->child; m; m = m->next, n++) {                                           \
			char pointer[ERR_POINTER_MAX];                                                                 \
			snprintf(pointer, sizeof pointer, "%s/%zu", at->pointer, n);                                   \
			struct place item = {at->f, pointer, at->arena, at->e};                                        \
			ok &= read_item(&item, m, &items[n]);                                                          \
		}                                                                                                      \
		*out = (list_type){items, n};                                                                          \
		return ok;                                                                                             \
	}
READ_LIST(read_doubles, struct f64_list, double, read_double)
READ_LIST(read_integers, struct i64_list, int64_t, read_integer)
READ_LIST(read_strings, struct str_list, struct str, read_string)

static bool read_table(const struct place *at, const struct json *v, struct f64_table *out)
{
	if (v->type != JSON_ARRAY) return wrong_type(at, v);
	struct f64_list *rows = arena_zalloc(at->arena, v->count, sizeof *rows);
	size_t n = 0;
	bool ok = true;
	for (const struct json *m = v->child; m; m = m->next, n++) {
		char pointer[ERR_POINTER_MAX];
		snprintf(pointer, sizeof pointer, "%s/%zu", at->pointer, n);
		struct place row = {at->f, pointer, at->arena, at->e};
		ok &= read_doubles(&row, m, &rows[n]);
	}
	*out = (struct f64_table){rows, n};
	return ok;
}

/* A vector as an object. */
struct vector_parts {
	int64_t type, size;
	struct i64_list indices;
	struct f64_list values;
};

static const struct field vector_parts[] = {
	{.name = "type", .type = FIELD_INT, .offset = offsetof(struct vector_parts, type), .max = 1},
	{.name = "size", .type = FIELD_INT, .offset = offsetof(struct vector_parts, size), .max = VECTOR_SIZE_MAX},
	{.name = "indices", .type = FIELD_INTS, .offset = offsetof(struct vector_parts, indices), .max = INT32_MAX},
	{.name = "values", .type = FIELD_DOUBLES, .offset = offsetof(struct vector_parts, values), .required = true},
	FIELD_END,
};

static bool scatter(const struct place *at, const struct vector_parts *parts, double *out)
{
	const struct i64_list *indices = &parts->indices;
	if (indices->count != parts->values.count)
		return err_fault(at->e, at->pointer, "must have as many values as indices");
	for (size_t i = 0; i < indices->count; i++) {
		if (indices->items[i] >= parts->size || (i > 0 && indices->items[i] <= indices->items[i - 1]))
			return err_fault(at->e, at->pointer, "must have indices that rise and are below its size");
		out[indices->items[i]] = parts->values.items[i];
	}
	return true;
}

static bool read_vector(const struct place *at, const struct json *v, struct f64_list *out)
{
	struct vector_parts parts = {0};
	if (v->type != JSON_OBJECT) return read_doubles(at, v, out);
	if (!fields_parse(vector_parts, v, at->pointer, NULL, at->arena, &parts, NULL, at->e)) return false;
	*out = parts.values;
	if (!json_get(v, "size") && !json_get(v, "indices")) return true;
	double *items = arena_zalloc(at->arena, (size_t)parts.size, sizeof *items);
	*out = (struct f64_list){items, (size_t)parts.size};
	return scatter(at, &parts, items);
}

static bool read_value(const struct place *at, const struct json *v, void *to)
{
	switch (at->f->type) {
	case FIELD_BOOL:
		if (v->type != JSON_BOOL) return wrong_type(at, v);
		*(bool *)to = v->boolean;
		return true;
	case FIELD_INT:
	case FIELD_LONG: return read_integer(at, v, to);
	case FIELD_DOUBLE: return read_double(at, v, to);
	case FIELD_STRING:
	case FIELD_ENUM: return read_string(at, v, to);
	case FIELD_STRINGS: return read_strings(at, v, to);
	case FIELD_DOUBLES: return read_doubles(at, v, to);
	case FIELD_VECTOR: return read_vector(at, v, to);
	case FIELD_INTS: return read_integers(at, v, to);
	case FIELD_TABLE: return read_table(at, v, to);
	case FIELD_JSON: *(const struct json **)to = v; return true;
	}
	return false;
}

static int find_field(const struct field *table, struct str name)
{
	for (int i = 0; table[i].name; i++)
		if (str_is(name, table[i].name)) return i;
	return -1;
}

/* Adds the fault, with the nearest parameter where one is near. */
static void unknown(const struct field *table, struct str name, const char *pointer, struct err *e)
{
	const char *near = NULL;
	size_t best = MAX(name.len / 3, (size_t)1) + 1;
	for (const struct field *f = table; f->name; f++) {
		size_t distance = str_distance(name, STR(f->name));
		if (distance >= best) continue;
		best = distance;
		near = f->name;
	}
	err_fault(e, pointer, "there is no such parameter%s%s%s", near ? "; did you mean " : "", near ? near : "",
		  near ? "?" : "");
}

static bool is_ignored(const char *const *ignore, struct str name)
{
	for (; ignore && *ignore; ignore++)
		if (str_is(name, *ignore)) return true;
	return false;
}

static void fill_default(const struct field *f, struct arena *a, char *out)
{
	struct err e;
	struct json *v;
	err_init(&e);
	bool ok = json_parse(a, f->fallback, strlen(f->fallback), &v, &e);
	CHECK(ok);
	struct place at = {f, "/default", a, &e};
	ok = read_value(&at, v, out + f->offset);
	CHECK(ok); /* the table's own default is out of its bounds */
}

/* A member's name as a JSON pointer token (RFC 6901). */
static void pointer_add(char *to, size_t size, const char *base, struct str name)
{
	size_t n = (size_t)snprintf(to, size, "%s/", base);
	for (size_t i = 0; i < name.len && n + 3 < size; i++) {
		char c = name.data[i];
		if (c == '~' || c == '/') {
			to[n++] = '~';
			c = c == '~' ? '0' : '1';
		}
		to[n++] = c;
	}
	to[MIN(n, size - 1)] = 0;
}

bool fields_parse(const struct field *table, const struct json *obj, const char *base, const char *const *ignore,
		  struct arena *a, void *out, field_set *given, struct err *e)
{
	size_t faults = e->fault_count;
	char pointer[ERR_POINTER_MAX];
	field_set seen = 0;
	if (obj->type != JSON_OBJECT) return err_fault(e, base, "must be an object, not %s", json_type_name(obj->type));
	for (const struct json *m = obj->child; m; m = m->next) {
		pointer_add(pointer, sizeof pointer, base, m->key);
		int i = find_field(table, m->key);
		if (i < 0 && !is_ignored(ignore, m->key)) unknown(table, m->key, pointer, e);
		if (i < 0 || m->type == JSON_NULL) continue;
		CHECK(i < FIELDS_MAX);
		struct place at = {&table[i], pointer, a, e};
		if (read_value(&at, m, (char *)out + table[i].offset)) seen |= (field_set)1 << i;
	}
	for (int i = 0; table[i].name; i++) {
		if (seen >> i & 1) continue;
		const struct json *m = json_get(obj, table[i].name);
		if (table[i].fallback) fill_default(&table[i], a, out);
		else if (table[i].required && (!m || m->type == JSON_NULL)) {
			pointer_add(pointer, sizeof pointer, base, STR(table[i].name));
			err_fault(e, pointer, "is required");
		}
	}
	if (given) *given = seen;
	return e->fault_count == faults;
}

bool field_given(const struct field *table, field_set given, const char *name)
{
	int i = find_field(table, STR(name));
	CHECK(i >= 0);
	return given >> i & 1;
}

static void write_doubles(struct json_writer *w, const struct f64_list *l)
{
	json_array_begin(w);
	for (size_t i = 0; i < l->count; i++) json_row_double(w, l->items[i]);
	json_array_end(w);
}

static void write_value(const struct field *f, const char *values, struct json_writer *w)
{
	const void *v = values + f->offset;
	switch (f->type) {
	case FIELD_BOOL: json_bool(w, *(const bool *)v); break;
	case FIELD_INT:
	case FIELD_LONG: json_int(w, *(const int64_t *)v); break;
	case FIELD_DOUBLE: json_row_double(w, *(const double *)v); break;
	case FIELD_STRING:
	case FIELD_ENUM: json_str(w, *(const struct str *)v); break;
	case FIELD_DOUBLES:
	case FIELD_VECTOR: write_doubles(w, v); break;
	case FIELD_JSON: json_value(w, *(const struct json *const *)v); break;
	case FIELD_STRINGS:
		json_array_begin(w);
		for (size_t i = 0; i < ((const struct str_list *)v)->count; i++)
			json_str(w, ((const struct str_list *)v)->items[i]);
		json_array_end(w);
		break;
	case FIELD_INTS:
		json_array_begin(w);
		for (size_t i = 0; i < ((const struct i64_list *)v)->count; i++)
			json_int(w, ((const struct i64_list *)v)->items[i]);
		json_array_end(w);
		break;
	case FIELD_TABLE:
		json_array_begin(w);
		for (size_t i = 0; i < ((const struct f64_table *)v)->count; i++)
			write_doubles(w, &((const struct f64_table *)v)->rows[i]);
		json_array_end(w);
		break;
	}
}

void fields_write(const struct field *table, const void *values, field_set given, struct json_writer *w)
{
	for (int i = 0; table[i].name; i++) {
		if (!(given >> i & 1)) continue;
		json_key(w, table[i].name);
		write_value(&table[i], values, w);
	}
}

void field_bounds(const struct field *f, struct buf *out)
{
	char text[96];
	for (const char *const *c = f->choices; c && *c; c++) buf_printf(out, "%s%s", c == f->choices ? "one of " : ", ", *c);
	if (f->count_min) buf_printf(out, "at least %u elements%s", f->count_min, is_bounded(f) ? ", each " : "");
	if (is_bounded(f)) buf_str(out, bounds_text(f, text));
}

static void describe_bounds(const struct field *f, struct json_writer *w)
{
	struct buf text = BUF_INIT(BOUNDS_TEXT_MAX);
	field_bounds(f, &text);
	if (f->type == FIELD_ENUM) {
		json_array_begin(w);
		for (const char *const *c = f->choices; *c; c++) json_cstr(w, *c);
		json_array_end(w);
	} else if (text.len) json_cstr(w, buf_cstr(&text));
	else json_null(w);
	buf_release(&text);
}

void fields_describe(const struct field *table, struct json_writer *w)
{
	json_array_begin(w);
	for (const struct field *f = table; f->name; f++) {
		json_object_begin(w);
		json_key(w, "name");
		json_cstr(w, f->name);
		json_key(w, "type");
		json_cstr(w, type_names[f->type]);
		json_key(w, "default");
		if (f->fallback) json_raw(w, f->fallback, strlen(f->fallback));
		else json_null(w);
		json_key(w, "bounds");
		describe_bounds(f, w);
		json_key(w, "required");
		json_bool(w, f->required);
		json_key(w, "help");
		json_cstr(w, f->help);
		json_object_end(w);
	}
	json_array_end(w);
}
