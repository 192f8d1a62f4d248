#include "data/json_row.h"

#include "data/pointer.h"

#include <math.h>
#include <stdio.h>

void json_row_init(struct json_row *r, const struct schema *schema, const uint8_t *wanted)
{
	*r = (struct json_row){.schema = schema, .wanted = wanted, .prefix = "", .index = SIZE_MAX, .unknown = MAP_INIT};
}

void json_row_release(struct json_row *r)
{
	map_release(&r->unknown);
	mem_free(r->seen);
	mem_free(r->indices);
	mem_free(r->values);
	*r = (struct json_row){0};
}

/* The value being read. */
struct value {
	struct json_row *r;
	struct json_scan *s;
	const struct column_def *def;
	struct column *c;
	struct err *e;
	bool bad;
};

/* --- Faults ------------------------------------------------------------ */

static struct pointer row_pointer(const struct json_row *r)
{
	struct pointer p;
	if (r->index != SIZE_MAX) return pointer_index(r->prefix, r->index);
	snprintf(p.text, sizeof p.text, "%s", r->prefix);
	return p;
}

/* sub: a member inside the value, or NULL; index: an element, or SIZE_MAX. */
static void fault_at(struct value *v, const char *sub, size_t index, const char *what)
{
	struct pointer p = pointer_keyn(row_pointer(v->r).text, v->def->name);
	if (sub) p = pointer_key(p.text, sub);
	if (index != SIZE_MAX) p = pointer_index(p.text, index);
	err_fault(v->e, p.text, "%s", what);
	v->bad = true;
}

static const char *const token_names[] = {
	[JSON_TOK_NULL] = "null",	  [JSON_TOK_TRUE] = "a boolean",	 [JSON_TOK_FALSE] = "a boolean",
	[JSON_TOK_NUMBER] = "a number", [JSON_TOK_STRING] = "a string",	 [JSON_TOK_ARRAY_BEGIN] = "an array",
	[JSON_TOK_OBJECT_BEGIN] = "an object",
};

/* The value whose first token is t cannot be a `what`. */
static bool wrong(struct value *v, enum json_tok t, const char *what, const char *sub, size_t index)
{
	char text[ERR_DETAIL_MAX];
	if (t == JSON_TOK_ERROR) return false;
	snprintf(text, sizeof text, "must be %s, not %s", what, token_names[t]);
	fault_at(v, sub, index, text);
	return json_scan_skip(v->s, t);
}

/* --- Scalars: each returns false only when the scan is broken ------------------------------------------------------------ */

/* *out stays as it is where the value is no number. */
static bool read_number(struct value *v, enum json_tok t, double *out, const char *sub, size_t index)
{
	struct str s = v->s->text;
	if (t == JSON_TOK_NUMBER) {
		*out = json_scan_double(v->s);
		if (isinf(*out)) fault_at(v, sub, index, "a number beyond the range of double");
	} else if (t == JSON_TOK_STRING && str_is(s, "NaN")) *out = NAN;
	else if (t == JSON_TOK_STRING && str_is(s, "Infinity")) *out = INFINITY;
	else if (t == JSON_TOK_STRING && str_is(s, "-Infinity")) *out = -INFINITY;
	else return wrong(v, t, "a number", sub, index);
	return true;
}

static bool read_double(struct value *v, enum json_tok t)
{
	double d = 0;
	if (!read_number(v, t, &d, NULL, SIZE_MAX)) return false;
	if (!v->bad) column_double(v->c, d);
	return true;
}

/* 5, "5" (beyond 2^53 JavaScript cannot write numbers), and 5.0, which some clients write. */
static bool read_int64(struct value *v, enum json_tok t)
{
	int64_t i = 0;
	if (t != JSON_TOK_NUMBER && t != JSON_TOK_STRING) return wrong(v, t, "an integer", NULL, SIZE_MAX);
	bool ok = str_to_i64(v->s->text, &i);
	if (!ok && t == JSON_TOK_NUMBER) {
		double d = json_scan_double(v->s);
		ok = fabs(d) <= 0x1p53 && d == nearbyint(d);
		i = ok ? (int64_t)d : 0;
	}
	if (!ok) fault_at(v, NULL, SIZE_MAX, "must be an integer of 64 bits");
	else if (v->def->is_int32 && (i < INT32_MIN || i > INT32_MAX)) fault_at(v, NULL, SIZE_MAX, "must fit 32 bits");
	else column_i64(v->c, i);
	return true;
}

static bool read_boolean(struct value *v, enum json_tok t)
{
	if (t != JSON_TOK_TRUE && t != JSON_TOK_FALSE) return wrong(v, t, "true or false", NULL, SIZE_MAX);
	column_bool(v->c, t == JSON_TOK_TRUE);
	return true;
}

static bool read_string(struct value *v, enum json_tok t)
{
	if (t == JSON_TOK_STRING) {
		column_str(v->c, v->s->text.data, v->s->text.len);
		return true;
	}
	if (!v->r->text_of_any) return wrong(v, t, "a string", NULL, SIZE_MAX);
	const char *from = v->s->token;
	if (!json_scan_skip(v->s, t)) return false;
	column_str(v->c, from, (size_t)(v->s->p - from));
	return true;
}

/* --- Arrays ------------------------------------------------------------ */

static bool read_strings(struct value *v, enum json_tok t)
{
	if (t != JSON_TOK_ARRAY_BEGIN) return wrong(v, t, "an array of strings", NULL, SIZE_MAX);
	for (size_t i = 0; (t = json_scan_next(v->s)) != JSON_TOK_ARRAY_END; i++) {
		if (t == JSON_TOK_STRING) column_elem(v->c, v->s->text.data, v->s->text.len);
		else if (t == JSON_TOK_NULL) column_elem_null(v->c);
		else if (!wrong(v, t, "a string", NULL, i)) return false;
	}
	if (!v->bad) column_row_end(v->c);
	return true;
}

/* Elements go straight behind the column's last ones. */
static bool read_elements(struct value *v, const char *sub)
{
	enum json_tok t;
	for (size_t i = 0; (t = json_scan_next(v->s)) != JSON_TOK_ARRAY_END; i++) {
		double d = 0;
		if (!read_number(v, t, &d, sub, i)) return false;
		column_elem_double(v->c, d);
	}
	return true;
}

static bool read_doubles(struct value *v, enum json_tok t)
{
	if (t != JSON_TOK_ARRAY_BEGIN) return wrong(v, t, "an array of numbers", NULL, SIZE_MAX);
	if (!read_elements(v, NULL)) return false;
	if (!v->bad) column_row_end(v->c);
	return true;
}

/* --- Vectors ------------------------------------------------------------ */

/* A vector written as an object, as far as it was read. */
struct vector {
	double type, size;
	bool has_type, has_size, has_indices, has_values;
	size_t indices, values;
};

static bool read_list(struct value *v, struct vector *vec, bool is_values)
{
	struct json_row *r = v->r;
	const char *sub = is_values ? "values" : "indices";
	enum json_tok t = json_scan_next(v->s);
	size_t n = 0;
	if (t != JSON_TOK_ARRAY_BEGIN) return wrong(v, t, "an array of numbers", sub, SIZE_MAX);
	for (; (t = json_scan_next(v->s)) != JSON_TOK_ARRAY_END; n++) {
		double d = 0;
		if (!read_number(v, t, &d, sub, n)) return false;
		if (is_values) {
			MEM_GROW(r->values, r->values_cap, n + 1);
			r->values[n] = d;
		} else {
			MEM_GROW(r->indices, r->indices_cap, n + 1);
			if (!(d >= 0 && d <= INT32_MAX && d == nearbyint(d))) fault_at(v, sub, n, "must be an index");
			else r->indices[n] = (uint32_t)d;
		}
	}
	*(is_values ? &vec->values : &vec->indices) = n;
	*(is_values ? &vec->has_values : &vec->has_indices) = true;
	return true;
}

static bool read_vector_number(struct value *v, double *out, bool *has, const char *sub)
{
	*has = true;
	return read_number(v, json_scan_next(v->s), out, sub, SIZE_MAX);
}

static bool read_vector_member(struct value *v, struct vector *vec)
{
	struct str key = v->s->text;
	if (str_is(key, "values") && !vec->has_values) return read_list(v, vec, true);
	if (str_is(key, "indices") && !vec->has_indices) return read_list(v, vec, false);
	if (str_is(key, "size") && !vec->has_size) return read_vector_number(v, &vec->size, &vec->has_size, "size");
	if (str_is(key, "type") && !vec->has_type) return read_vector_number(v, &vec->type, &vec->has_type, "type");
	fault_at(v, NULL, SIZE_MAX, "a vector's members are size, indices, values and type, each once");
	return json_scan_skip(v->s, json_scan_next(v->s));
}

static void append_sparse(struct value *v, const struct vector *vec)
{
	const struct json_row *r = v->r;
	if (!vec->has_size || !(vec->size >= 0 && vec->size <= INT32_MAX && vec->size == nearbyint(vec->size)))
		fault_at(v, "size", SIZE_MAX, "must be the vector's length");
	if (vec->indices != vec->values) fault_at(v, "indices", SIZE_MAX, "must be as many as values");
	for (size_t k = 0; !v->bad && k < vec->indices; k++) {
		if (r->indices[k] >= vec->size) fault_at(v, "indices", k, "must be below size");
		else if (k > 0 && r->indices[k] <= r->indices[k - 1]) fault_at(v, "indices", k, "must increase strictly");
	}
	if (!v->bad) column_sparse(v->c, (uint32_t)vec->size, r->indices, r->values, vec->indices);
}

static bool read_vector_object(struct value *v)
{
	struct vector vec = {0};
	enum json_tok t;
	while ((t = json_scan_next(v->s)) == JSON_TOK_KEY)
		if (!read_vector_member(v, &vec)) return false;
	if (t != JSON_TOK_OBJECT_END) return false;
	bool dense = vec.has_type && vec.type == 1;
	if (vec.has_type && vec.type != 0 && vec.type != 1)
		fault_at(v, "type", SIZE_MAX, "must be 0 (sparse) or 1 (dense)");
	else if (!vec.has_values || (!dense && !vec.has_indices))
		fault_at(v, NULL, SIZE_MAX, "must be an array of numbers, or {\"size\",\"indices\",\"values\"}");
	else if (dense && !v->bad) column_dense(v->c, v->r->values, vec.values);
	else if (!v->bad) append_sparse(v, &vec);
	return true;
}

static bool read_vector(struct value *v, enum json_tok t)
{
	if (t == JSON_TOK_OBJECT_BEGIN) return read_vector_object(v);
	if (t != JSON_TOK_ARRAY_BEGIN)
		return wrong(v, t, "an array of numbers or {\"size\",\"indices\",\"values\"}", NULL, SIZE_MAX);
	size_t from = v->c->f64_count;
	if (!read_elements(v, NULL)) return false;
	if (v->bad) return true;
	/* The values are there already: the row ends behind them. */
	column_vec_end(v->c, (uint32_t)(v->c->f64_count - from), 0, true);
	return true;
}

/* Arrays of numbers, all of one length. */
static bool read_vectors(struct value *v, enum json_tok t)
{
	size_t size = 0;
	if (t != JSON_TOK_ARRAY_BEGIN) return wrong(v, t, "an array of arrays of numbers", NULL, SIZE_MAX);
	for (size_t i = 0; (t = json_scan_next(v->s)) != JSON_TOK_ARRAY_END; i++) {
		size_t begin = v->c->f64_count;
		if (t != JSON_TOK_ARRAY_BEGIN) {
			if (!wrong(v, t, "an array of numbers", NULL, i)) return false;
			continue;
		}
		if (!read_elements(v, NULL)) return false;
		if (i == 0) size = v->c->f64_count - begin;
		if (size == 0) fault_at(v, NULL, i, "must not be empty");
		else if (v->c->f64_count - begin != size) fault_at(v, NULL, i, "must be as long as the first");
	}
	/* The values are there already: the row ends behind them. */
	if (!v->bad) column_vec_end(v->c, (uint32_t)size, 0, true);
	return true;
}

static bool (*const readers[COL_TYPE_COUNT])(struct value *v, enum json_tok t) = {
	[COL_DOUBLE] = read_double,   [COL_INT64] = read_int64,	    [COL_BOOLEAN] = read_boolean, [COL_STRING] = read_string,
	[COL_STRINGS] = read_strings, [COL_DOUBLES] = read_doubles, [COL_VECTOR] = read_vector,
	[COL_VECTORS] = read_vectors,
};

/* --- Rows ------------------------------------------------------------ */

static bool is_wanted(const struct json_row *r, size_t column) { return !r->wanted || r->wanted[column]; }

static int find_column(struct json_row *r, struct str key)
{
	const struct schema *s = r->schema;
	if (r->next < s->count && str_eq(s->columns[r->next].name, key)) return (int)r->next;
	return schema_find_first(s, key);
}

static bool read_value(struct json_row *r, struct json_scan *s, size_t column, struct batch *b, struct err *e)
{
	struct column *c = &b->columns[column];
	struct value v = {.r = r, .s = s, .def = &r->schema->columns[column], .c = c, .e = e};
	size_t rows = c->rows;
	enum json_tok t = json_scan_next(s);
	if (t == JSON_TOK_ERROR) return false;
	if (t == JSON_TOK_NULL) {
		column_null(c);
		return true;
	}
	if (!readers[v.def->type](&v, t)) return false;
	if (v.bad) {
		column_truncate(c, rows);
		column_null(c);
	}
	return true;
}

static bool duplicate(struct json_scan *s)
{
	s->err = "a member name occurs twice in an object";
	return false;
}

static bool unknown_member(struct json_row *r, struct json_scan *s, struct str key, struct err *e)
{
	bool made;
	map_put(&r->unknown, key, &made);
	if (!made) return duplicate(s);
	if (r->strict) err_fault(e, pointer_keyn(row_pointer(r).text, key).text, "no such column");
	return json_scan_skip(s, json_scan_next(s));
}

static bool read_members(struct json_row *r, struct json_scan *s, struct batch *b, struct err *e)
{
	enum json_tok t;
	while ((t = json_scan_next(s)) == JSON_TOK_KEY) {
		int column = find_column(r, s->text);
		if (column < 0) {
			if (!unknown_member(r, s, s->text, e)) return false;
			continue;
		}
		if (r->seen[column] == r->row) return duplicate(s);
		r->seen[column] = r->row;
		r->next = (size_t)column + 1;
		if (!(is_wanted(r, (size_t)column) ? read_value(r, s, (size_t)column, b, e) :
						     json_scan_skip(s, json_scan_next(s))))
			return false;
	}
	return t == JSON_TOK_OBJECT_END;
}

static void begin_row(struct json_row *r)
{
	size_t had = r->seen_cap;
	MEM_GROW(r->seen, r->seen_cap, r->schema->count);
	if (r->seen_cap > had) memset(r->seen + had, 0, (r->seen_cap - had) * sizeof *r->seen);
	/* Rows are told apart by number; when numbers run out the marks start anew. */
	if (++r->row == 0) {
		memset(r->seen, 0, r->seen_cap * sizeof *r->seen);
		r->row = 1;
	}
	r->next = 0;
	if (r->unknown.count) map_clear(&r->unknown);
}

enum json_row_result json_row_read(struct json_row *r, struct json_scan *s, enum json_tok first, struct batch *b, struct err *e)
{
	size_t faults = e->fault_count;
	begin_row(r);
	bool ok = first == JSON_TOK_OBJECT_BEGIN ? read_members(r, s, b, e) : json_scan_skip(s, first);
	if (!ok) {
		batch_truncate(b, b->rows);
		err_init(e);
		json_scan_error(s, e);
		return JSON_ROW_BROKEN;
	}
	if (first != JSON_TOK_OBJECT_BEGIN)
		err_fault(e, row_pointer(r).text, "a row must be an object, not %s", token_names[first]);
	for (size_t i = 0; i < r->schema->count; i++)
		if (r->seen[i] != r->row && is_wanted(r, i)) column_null(&b->columns[i]);
	b->rows++;
	return e->fault_count == faults ? JSON_ROW_OK : JSON_ROW_FAULTS;
}
