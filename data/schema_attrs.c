/* Spark's ml_attr JSON. Sources: mllib/src/main/scala/org/apache/spark/ml/attribute/{attributes,AttributeGroup}.scala:
 * default numeric attributes of a group are left out when written and filled in when read. */
#include "data/schema.h"

#include "data/pointer.h"

#include <math.h>

static const char *const attr_names[] = {[ATTR_NUMERIC] = "numeric", [ATTR_NOMINAL] = "nominal", [ATTR_BINARY] = "binary"};

struct attr attr_of(enum attr_type type, struct str name)
{
	return (struct attr){.type = type, .name = name, .min = NAN, .max = NAN, .std = NAN, .sparsity = NAN};
}

/* --- Reading ------------------------------------------------------------ */

struct reader {
	struct arena *arena;
	struct err *e;
	bool ok;
};

static void fault(struct reader *r, const char *pointer, const char *member, const char *what)
{
	r->ok = err_fault(r->e, pointer_key(pointer, member).text, "%s", what);
}

static struct str keep_str(struct reader *r, struct str s)
{
	return (struct str){arena_strndup(r->arena, s.data, s.len), s.len};
}

static void read_string(struct reader *r, const struct json *v, const char *pointer, struct attr *out)
{
	if (v->type == JSON_STRING) out->name = keep_str(r, v->string);
	else fault(r, pointer, "name", "must be a string");
}

static void read_values(struct reader *r, const struct json *v, const char *pointer, struct attr *out)
{
	if (v->type != JSON_ARRAY) {
		fault(r, pointer, "vals", "must be an array of strings");
		return;
	}
	struct str *items = arena_alloc(r->arena, (v->count + 1) * sizeof *items);
	size_t n = 0;
	for (const struct json *item = v->child; item; item = item->next) {
		if (item->type != JSON_STRING) {
			fault(r, pointer, "vals", "must be an array of strings");
			return;
		}
		items[n++] = keep_str(r, item->string);
	}
	out->values = (struct str_list){items, n};
}

static void read_ordinal(struct reader *r, const struct json *v, const char *pointer, struct attr *out)
{
	if (v->type != JSON_BOOL) fault(r, pointer, "ord", "must be true or false");
	out->ordinal = v->boolean;
	out->ordinal_given = true;
}

static void read_num_values(struct reader *r, const struct json *v, const char *pointer, struct attr *out)
{
	if (v->type == JSON_NUMBER && v->is_int && v->integer > 0) out->num_values = (uint64_t)v->integer;
	else fault(r, pointer, "num_vals", "must be a whole number above 0");
}

static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
	{"min", offsetof(struct attr, min)},
	{"max", offsetof(struct attr, max)},
	{"std", offsetof(struct attr, std)},
	{"sparsity", offsetof(struct attr, sparsity)},
};

static double *number_of(struct attr *at, struct str key)
{
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		if (str_is(key, numbers[i].key)) return (double *)((char *)at + numbers[i].offset);
	return NULL;
}

static const struct {
	const char *key;
	void (*read)(struct reader *r, const struct json *v, const char *pointer, struct attr *out);
} members[] = {
	{"name", read_string},
	{"vals", read_values},
	{"ord", read_ordinal},
	{"num_vals", read_num_values},
};

/* Members that Spark has and we have no use for (type and idx are the caller's) pass. */
static struct attr read_attr(struct reader *r, const struct json *obj, enum attr_type type, const char *pointer)
{
	struct attr at = attr_of(type, (struct str){0});
	for (const struct json *m = obj->child; m; m = m->next) {
		for (size_t i = 0; i < ARRAY_COUNT(members); i++)
			if (str_is(m->key, members[i].key)) members[i].read(r, m, pointer, &at);
		double *number = number_of(&at, m->key);
		if (!number) continue;
		if (m->type == JSON_NUMBER) *number = m->number;
		else r->ok = err_fault(r->e, pointer_keyn(pointer, m->key).text, "must be a number");
	}
	return at;
}

static void read_group_type(struct reader *r, const struct json *array, enum attr_type type, const char *pointer,
			    struct attrs *out)
{
	struct pointer array_at = pointer_key(pointer, attr_names[type]);
	size_t i = 0;
	if (array->type != JSON_ARRAY) {
		fault(r, pointer, attr_names[type], "must be an array of attributes");
		return;
	}
	for (const struct json *obj = array->child; obj; obj = obj->next, i++) {
		struct pointer at = pointer_index(array_at.text, i);
		const struct json *idx = json_get(obj, "idx");
		if (idx && idx->is_int && idx->integer >= 0 && (uint64_t)idx->integer < out->size)
			out->list[idx->integer] = read_attr(r, obj, type, at.text);
		else fault(r, at.text, "idx", "must be an index below num_attrs");
	}
}

static void read_group(struct reader *r, const struct json *obj, const char *pointer, struct attrs *out)
{
	const struct json *num = json_get(obj, "num_attrs"), *attrs = json_get(obj, "attrs");
	out->is_group = true;
	if (!num || !num->is_int || num->integer < 0 || num->integer > INT32_MAX) {
		fault(r, pointer, "num_attrs", "must be the vector's length");
		return;
	}
	out->size = (size_t)num->integer;
	if (!attrs) return;
	if (attrs->type != JSON_OBJECT) {
		fault(r, pointer, "attrs", "must be an object");
		return;
	}
	if (out->size > SCHEMA_ATTRS_MAX) {
		fault(r, pointer, "num_attrs", "too many attributes to list one by one; leave attrs out");
		return;
	}
	out->list = arena_alloc(r->arena, (out->size + 1) * sizeof *out->list);
	for (size_t i = 0; i < out->size; i++) out->list[i] = attr_of(ATTR_NUMERIC, (struct str){0});
	struct pointer at = pointer_key(pointer, "attrs");
	for (size_t t = 0; t < ARRAY_COUNT(attr_names); t++) {
		const struct json *array = json_get(attrs, attr_names[t]);
		if (array) read_group_type(r, array, (enum attr_type)t, at.text, out);
	}
}

static void read_scalar(struct reader *r, const struct json *obj, const char *pointer, struct attrs *out)
{
	const struct json *type = json_get(obj, "type");
	size_t t = type ? 0 : ATTR_NUMERIC;
	if (type)
		while (t < ARRAY_COUNT(attr_names) && !(type->type == JSON_STRING && str_is(type->string, attr_names[t]))) t++;
	if (t == ARRAY_COUNT(attr_names)) {
		fault(r, pointer, "type", "must be numeric, nominal or binary");
		return;
	}
	out->size = 1;
	out->list = arena_alloc(r->arena, sizeof *out->list);
	*out->list = read_attr(r, obj, (enum attr_type)t, pointer);
}

bool attrs_parse(struct arena *a, const struct json *ml_attr, bool is_vector, const char *pointer, struct attrs **out,
		 struct err *e)
{
	const struct json *inside = json_get(ml_attr, "ml_attr");
	if (inside) ml_attr = inside;
	if (ml_attr->type != JSON_OBJECT) return err_fault(e, pointer, "must be an object, the inside of Spark's ml_attr");
	struct reader r = {a, e, true};
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	(is_vector ? read_group : read_scalar)(&r, ml_attr, pointer, attrs);
	if (r.ok) *out = attrs;
	return r.ok;
}

/* --- Writing ------------------------------------------------------------ */

static void write_attr(const struct attr *at, struct json_writer *w)
{
	if (at->ordinal || at->ordinal_given) {
		json_key(w, "ord");
		json_bool(w, at->ordinal);
	}
	if (at->values.count) {
		json_key(w, "vals");
		json_array_begin(w);
		for (size_t i = 0; i < at->values.count; i++) json_str(w, at->values.items[i]);
		json_array_end(w);
	}
	if (at->num_values) {
		json_key(w, "num_vals");
		json_int(w, (int64_t)at->num_values);
	}
	for (size_t i = 0; at->type == ATTR_NUMERIC && i < ARRAY_COUNT(numbers); i++) {
		double v = *(const double *)((const char *)at + numbers[i].offset);
		if (isnan(v)) continue;
		json_key(w, numbers[i].key);
		json_double(w, v);
	}
	if (at->name.len) {
		json_key(w, "name");
		json_str(w, at->name);
	}
}

static bool is_default(const struct attr *at)
{
	return at->type == ATTR_NUMERIC && !at->name.len && isnan(at->min) && isnan(at->max) && isnan(at->std) &&
	       isnan(at->sparsity);
}

static void write_group_type(const struct attrs *attrs, enum attr_type type, struct json_writer *w)
{
	bool any = false;
	for (size_t i = 0; i < attrs->size; i++) {
		const struct attr *at = &attrs->list[i];
		if (at->type != type || is_default(at)) continue;
		if (!any) {
			json_key(w, attr_names[type]);
			json_array_begin(w);
		}
		any = true;
		json_object_begin(w);
		write_attr(at, w);
		json_key(w, "idx");
		json_int(w, (int64_t)i);
		json_object_end(w);
	}
	if (any) json_array_end(w);
}

static void write_group(const struct attrs *attrs, struct json_writer *w)
{
	if (attrs->list) {
		json_key(w, "attrs");
		json_object_begin(w);
		for (size_t t = 0; t < ARRAY_COUNT(attr_names); t++) write_group_type(attrs, (enum attr_type)t, w);
		json_object_end(w);
	}
	json_key(w, "num_attrs");
	json_int(w, (int64_t)attrs->size);
}

void attrs_write(const struct attrs *attrs, struct json_writer *w)
{
	json_object_begin(w);
	if (attrs->is_group) {
		write_group(attrs, w);
	} else {
		write_attr(&attrs->list[0], w);
		json_key(w, "type");
		json_cstr(w, attr_names[attrs->list[0].type]);
	}
	json_object_end(w);
}
