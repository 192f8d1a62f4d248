#include "pipeline/response.h"

#include <stdio.h>

enum { RESPONSE_FIELDS_MAX = 256 };

static const struct attrs *attrs_of(const struct pipeline *p, int slot) { return p->schema.columns[slot].attrs; }

/* The output port of the last stage that this parameter named; NULL: none. */
static const struct stage_port *last_output(const struct pipeline *p, const char *param)
{
	const struct stage *s = &p->stages[p->count - 1];
	for (size_t i = 0; i < s->out_count; i++)
		if (strcmp(s->out[i].param, param) == 0) return &s->out[i];
	return NULL;
}

/* "probability[1]" → column, element. False where the brackets are not whole. */
static bool split_reference(struct str text, struct response_field *f)
{
	const char *open = memchr(text.data, '[', text.len);
	f->has_index = open != NULL;
	f->column = text;
	f->slot = SCHEMA_COLUMN_NONE;
	if (!open) return text.len > 0;
	if (text.data[text.len - 1] != ']' || open == text.data) return false;
	f->column.len = (size_t)(open - text.data);
	f->element = (struct str){open + 1, text.len - f->column.len - 2};
	return f->element.len > 0;
}

/* The element's index: a number, or an attribute's name. */
static bool element_index(const struct attrs *attrs, struct response_field *f)
{
	int64_t i;
	for (size_t k = 0; attrs && attrs->list && k < attrs->size; k++)
		if (str_eq(attrs->list[k].name, f->element)) {
			f->index = (uint32_t)k;
			return true;
		}
	if (!str_to_i64(f->element, &i) || i < 0 || i > UINT32_MAX) return false;
	f->index = (uint32_t)i;
	return !attrs || !attrs->is_group || (uint64_t)i < attrs->size;
}

static void add(struct pipeline *p, struct str name, const char *column, const char *element)
{
	struct response_field *f = &p->response[p->response_count++];
	*f = (struct response_field){.name = name, .column = STR(column), .has_index = element != NULL};
	if (element) f->element = STR(element);
}

/* Made of columns that apply can do without: a label, which who asks for predictions does not have. */
static bool is_optional(const struct stage *s, size_t output)
{
	for (size_t k = 0; k < s->in_count; k++)
		if (s->in[k].for_output == output + 1) return true;
	return false;
}

/* Binary classifiers answer score and prediction, other models prediction, other pipelines the last stage's columns. */
static void make_default(struct pipeline *p)
{
	const struct stage *last = &p->stages[p->count - 1];
	const struct stage_port *prediction = last_output(p, "predictionCol");
	const struct stage_port *probability = last_output(p, "probabilityCol");
	p->response = arena_zalloc(&p->arena, MAX(last->out_count, (size_t)2), sizeof *p->response);
	p->response_count = 0;
	if (probability && attrs_of(p, probability->slot) && attrs_of(p, probability->slot)->size == 2)
		add(p, STR("score"), arena_strndup(&p->arena, probability->name.data, probability->name.len), "1");
	if (prediction)
		add(p, STR("prediction"), arena_strndup(&p->arena, prediction->name.data, prediction->name.len), NULL);
	if (p->response_count > 0) return;
	for (size_t i = 0; i < last->out_count; i++) {
		if (is_optional(last, i)) continue;
		const char *name = arena_strndup(&p->arena, last->out[i].name.data, last->out[i].name.len);
		add(p, STR(name), name, NULL);
	}
}

void response_rebind(struct pipeline *p)
{
	if (!p->response_given) make_default(p);
	for (size_t i = 0; i < p->response_count; i++) {
		struct response_field *f = &p->response[i];
		f->slot = schema_find(&p->schema, f->column);
		if (f->slot >= 0 && f->has_index) element_index(attrs_of(p, f->slot), f);
	}
}

static bool parse_field(struct pipeline *p, const struct json *member, const char *at, struct response_field *f,
			struct err *e)
{
	if (member->type != JSON_STRING)
		return err_fault(e, at, "must be a string such as \"probability[1]\", not %s",
				 json_type_name(member->type));
	struct str text = {arena_strndup(&p->arena, member->string.data, member->string.len), member->string.len};
	*f = (struct response_field){
		.name = {arena_strndup(&p->arena, member->key.data, member->key.len), member->key.len}};
	if (!split_reference(text, f)) return err_fault(e, at, "must be a column, or column[element]");
	if (!p->bound) return true;
	int slot = schema_find(&p->schema, f->column);
	if (slot < 0)
		return err_fault(e, at, "the pipeline makes no column \"%.*s\"", (int)MIN(f->column.len, (size_t)128),
				 f->column.data);
	if (!f->has_index) return true;
	enum col_type type = p->schema.columns[slot].type;
	if (type != COL_VECTOR && type != COL_DOUBLES && type != COL_STRINGS)
		return err_fault(e, at, "column \"%.*s\" is %s and has no elements", (int)MIN(f->column.len, (size_t)128),
				 f->column.data, col_type_name(type));
	/* Before the fit the elements' names are not known yet; a name is then taken on trust and checked after it. */
	int64_t number;
	bool named = !str_to_i64(f->element, &number);
	if (!element_index(attrs_of(p, slot), f) && !(named && !p->stages[p->count - 1].fitted))
		return err_fault(e, at, "column \"%.*s\" has no element [%.*s]", (int)MIN(f->column.len, (size_t)128),
				 f->column.data, (int)MIN(f->element.len, (size_t)64), f->element.data);
	return true;
}

bool pipeline_response(struct pipeline *p, const struct json *response, const char *pointer, struct err *e)
{
	if (!response || response->type == JSON_NULL) {
		p->response_given = false;
		if (p->bound) response_rebind(p);
		return true;
	}
	if (response->type != JSON_OBJECT || response->count == 0)
		return err_fault(e, pointer, "must be an object of answer fields, at least one");
	if (response->count > RESPONSE_FIELDS_MAX)
		return err_fault(e, pointer, "has %zu fields; the limit is %d", response->count, RESPONSE_FIELDS_MAX);
	p->response = arena_zalloc(&p->arena, response->count, sizeof *p->response);
	p->response_count = 0;
	bool ok = true;
	for (const struct json *m = response->child; m; m = m->next) {
		char at[ERR_POINTER_MAX];
		snprintf(at, sizeof at, "%s/%.*s", pointer, (int)MIN(m->key.len, (size_t)64), m->key.data);
		ok &= parse_field(p, m, at, &p->response[p->response_count], e);
		p->response_count++;
	}
	p->response_given = true;
	if (ok && p->bound) response_rebind(p);
	return ok;
}

void response_write(const struct pipeline *p, struct json_writer *w)
{
	json_object_begin(w);
	for (size_t i = 0; i < p->response_count; i++) {
		const struct response_field *f = &p->response[i];
		json_keyn(w, f->name);
		if (f->has_index)
			json_fmt(w, "%.*s[%.*s]", (int)f->column.len, f->column.data, (int)f->element.len, f->element.data);
		else json_str(w, f->column);
	}
	json_object_end(w);
}
