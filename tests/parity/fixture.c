#include "tests/parity/fixture.h"

#include <stdio.h>

static size_t doubles(const struct json *array, double **out)
{
	size_t n = 0;
	*out = mem_alloc((array->count + 1) * sizeof **out);
	for (const struct json *m = array->child; m; m = m->next) (*out)[n++] = fixture_number(m);
	return n;
}

static void put_vector(struct column *c, const struct json *v)
{
	const struct json *dense = json_get(v, "d");
	double *val;
	size_t n = doubles(dense ? dense : json_get(v, "v"), &val);
	if (dense) column_dense(c, val, n);
	else {
		uint32_t *idx = mem_alloc((n + 1) * sizeof *idx);
		size_t k = 0;
		for (const struct json *m = json_get(v, "i")->child; m; m = m->next) idx[k++] = (uint32_t)m->integer;
		column_sparse(c, (uint32_t)json_get(v, "n")->integer, idx, val, n);
		mem_free(idx);
	}
	mem_free(val);
}

static void put_strings(struct column *c, const struct json *v)
{
	for (const struct json *m = v->child; m; m = m->next)
		if (m->type == JSON_NULL) column_elem_null(c);
		else column_elem(c, m->string.data, m->string.len);
	column_row_end(c);
}

void fixture_put(struct column *c, const struct json *v)
{
	double *list;
	if (v->type == JSON_NULL) {
		column_null(c);
		return;
	}
	switch (c->type) {
	case COL_DOUBLE: column_double(c, fixture_number(v)); break;
	case COL_INT64: column_i64(c, v->integer); break;
	case COL_BOOLEAN: column_bool(c, v->boolean); break;
	case COL_STRING: column_str(c, v->string.data, v->string.len); break;
	case COL_STRINGS: put_strings(c, v); break;
	case COL_DOUBLES: {
		size_t n = doubles(v, &list);
		column_doubles(c, list, n);
		mem_free(list);
		break;
	}
	default: put_vector(c, v);
	}
}

/* Spark's VectorAssembler looks at the first row for the length of a vector whose metadata do not tell, but under
 * "keep". */
static size_t first_vector_size(const struct json *fixture_case, const struct json *rows, size_t column)
{
	const struct json *mode = json_get(json_get(fixture_case, "params"), "handleInvalid");
	if (mode && str_is(mode->string, "keep")) return 0;
	for (const struct json *row = rows ? rows->child : NULL; row; row = row->next) {
		const struct json *v = json_at(row, column);
		if (v->type != JSON_OBJECT) continue;
		return json_get(v, "d") ? json_get(v, "d")->count : (size_t)json_get(v, "n")->integer;
	}
	return 0;
}

static bool read_column(struct schema *schema, struct str stage, const struct json *fixture_case,
			const struct json *field, const struct json *rows, char why[256])
{
	struct arena a = ARENA_INIT;
	struct err e;
	struct column_def def = {.name = json_get(field, "name")->string, .is_int32 = json_get(field, "spark") != NULL};
	struct str type = json_get(field, "type")->string;
	struct attrs *attrs = NULL, sized = {.is_group = true};
	err_init(&e);
	if (!col_type_parse(type, &def.type)) {
		snprintf(why, 256, "Quern has no type %.*s", (int)type.len, type.data);
		return false;
	}
	char *name = arena_strndup(&a, def.name.data, def.name.len);
	const struct json *given = json_get(json_get(fixture_case, "attributes"), name);
	if (given) assert_ok(attrs_parse(&a, given, def.type == COL_VECTOR, "/attributes", &attrs, &e), &e);
	def.attrs = attrs;
	if (def.type == COL_VECTOR && !attrs && str_is(stage, "VectorAssembler"))
		sized.size = first_vector_size(fixture_case, rows, schema->count);
	if (sized.size) def.attrs = &sized;
	assert_true(schema_add(schema, &def) >= 0);
	arena_release(&a);
	return true;
}

bool fixture_read(struct fixture_table *t, struct str stage, const struct json *fixture_case, const char *rows_key,
		  char why[256])
{
	const struct json *rows = json_get(fixture_case, rows_key), *fields = json_get(fixture_case, "schema");
	if (strcmp(rows_key, "apply") == 0 && json_get(fixture_case, "applySchema"))
		fields = json_get(fixture_case, "applySchema");
	*t = (struct fixture_table){0};
	for (const struct json *f = fields->child; f; f = f->next)
		if (!read_column(&t->schema, stage, fixture_case, f, rows, why)) {
			schema_release(&t->schema);
			return false;
		}
	batch_init(&t->rows, &t->schema);
	batch_clear(&t->rows);
	for (const struct json *row = rows ? rows->child : NULL; row; row = row->next) {
		size_t k = 0;
		for (const struct json *v = row->child; v; v = v->next) fixture_put(&t->rows.columns[k++], v);
		assert_int_equal(k, t->schema.count);
		t->rows.rows++;
	}
	return rows != NULL || fixture_read_source(t, json_get(fixture_case, "source"), why);
}

void fixture_release(struct fixture_table *t)
{
	batch_release(&t->rows);
	schema_release(&t->schema);
}
