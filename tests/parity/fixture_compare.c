#include "tests/parity/fixture.h"

#include <math.h>
#include <stdio.h>

double fixture_number(const struct json *v)
{
	if (v->type == JSON_NUMBER) return v->number;
	if (v->type == JSON_BOOL) return v->boolean;
	if (v->type == JSON_STRING && str_is(v->string, "NaN")) return NAN;
	if (v->type == JSON_STRING && str_is(v->string, "Infinity")) return INFINITY;
	if (v->type == JSON_STRING && str_is(v->string, "-Infinity")) return -INFINITY;
	fail_msg("the fixture has %s where a number belongs", json_type_name(v->type));
	return 0;
}

bool fixture_close(double ours, double spark, struct fixture_slack s)
{
	if (isnan(ours) || isnan(spark)) return isnan(ours) && isnan(spark);
	if (ours == spark) return true;
	return fabs(ours - spark) <= s.atol + s.rtol * fmax(fabs(ours), fabs(spark));
}

static bool differ(char where[512], const char *fmt, ...) QN_PRINTF(2, 3);
static bool differ(char where[512], const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(where, 512, fmt, args);
	va_end(args);
	return false;
}

static bool is_vector(const struct json *v)
{
	return json_get(v, "d") || (json_get(v, "n") && json_get(v, "i")) ||
	       (json_get(v, "indices") && json_get(v, "size"));
}

/* Entry k of a vector in any of its spellings; size through *size. */
static double vector_entry(const struct json *v, size_t k, size_t *size)
{
	const struct json *dense = v->type == JSON_ARRAY ? v : json_get(v, "d");
	if (dense) {
		*size = dense->count;
		return k < dense->count ? fixture_number(json_at(dense, k)) : 0;
	}
	const struct json *n = json_get(v, "n") ? json_get(v, "n") : json_get(v, "size");
	const struct json *idx = json_get(v, "i") ? json_get(v, "i") : json_get(v, "indices");
	const struct json *val = json_get(v, "v") ? json_get(v, "v") : json_get(v, "values");
	*size = (size_t)n->integer;
	size_t at = 0;
	for (const struct json *i = idx->child; i; i = i->next, at++)
		if ((size_t)i->integer == k) return fixture_number(json_at(val, at));
	return 0;
}

void fixture_param(struct json_writer *w, const struct json *value)
{
	size_t n;
	if (!is_vector(value)) {
		json_value(w, value);
		return;
	}
	vector_entry(value, 0, &n);
	json_array_begin(w);
	for (size_t k = 0; k < n; k++) json_row_double(w, vector_entry(value, k, &n));
	json_array_end(w);
}

/* The slack of an entry: norm_rtol is relative to Spark's largest one. */
static struct fixture_slack vector_slack(const struct json *spark, struct fixture_slack slack)
{
	double largest = 0;
	size_t n;
	vector_entry(spark, 0, &n);
	for (size_t k = 0; slack.norm_rtol > 0 && k < n; k++) largest = fmax(largest, fabs(vector_entry(spark, k, &n)));
	if (isfinite(largest)) slack.atol += slack.norm_rtol * largest;
	return slack;
}

static bool same_vector(const struct json *ours, const struct json *spark, struct fixture_slack slack, char where[512])
{
	size_t n, m;
	vector_entry(ours, 0, &n);
	vector_entry(spark, 0, &m);
	if (n != m) return differ(where, "a vector of length %zu, Spark's has %zu", n, m);
	slack = vector_slack(spark, slack);
	for (size_t k = 0; k < n; k++) {
		double x = vector_entry(ours, k, &n), y = vector_entry(spark, k, &m);
		if (!fixture_close(x, y, slack)) return differ(where, "entry %zu is %.17g, Spark's is %.17g", k, x, y);
	}
	return true;
}

static bool is_number(const struct json *v)
{
	return v->type == JSON_NUMBER ||
	       (v->type == JSON_STRING &&
		(str_is(v->string, "NaN") || str_is(v->string, "Infinity") || str_is(v->string, "-Infinity")));
}

static bool same_members(const struct json *ours, const struct json *spark, struct fixture_slack slack, char where[512])
{
	if (ours->count != spark->count) return differ(where, "%zu members, Spark has %zu", ours->count, spark->count);
	const struct json *x = ours->child, *y = spark->child;
	for (size_t k = 0; y; y = y->next, k++) {
		char inner[512], name[128];
		snprintf(name, sizeof name, "%.*s", (int)y->key.len, y->key.data);
		const struct json *mine = spark->type == JSON_OBJECT ? json_get(ours, name) : x;
		if (!mine) return differ(where, "no member %s", name);
		if (!fixture_same(mine, y, slack, inner)) {
			if (spark->type == JSON_OBJECT) return differ(where, "%.100s: %.380s", name, inner);
			return differ(where, "[%zu]: %.400s", k, inner);
		}
		if (spark->type == JSON_ARRAY) x = x->next;
	}
	return true;
}

bool fixture_same(const struct json *ours, const struct json *spark, struct fixture_slack slack, char where[512])
{
	if (is_vector(spark) && (ours->type == JSON_ARRAY || is_vector(ours)))
		return same_vector(ours, spark, slack, where);
	if (is_number(ours) && is_number(spark)) {
		double x = fixture_number(ours), y = fixture_number(spark);
		return fixture_close(x, y, slack) || differ(where, "%.17g, Spark's is %.17g", x, y);
	}
	if (ours->type != spark->type)
		return differ(where, "%s, Spark's is %s", json_type_name(ours->type), json_type_name(spark->type));
	switch (ours->type) {
	case JSON_NULL: return true;
	case JSON_BOOL: return ours->boolean == spark->boolean || differ(where, "the other boolean");
	case JSON_STRING:
		return str_eq(ours->string, spark->string) ||
		       differ(where, "\"%.*s\", Spark's is \"%.*s\"", (int)MIN(ours->string.len, (size_t)200),
			      ours->string.data, (int)MIN(spark->string.len, (size_t)200), spark->string.data);
	default: return same_members(ours, spark, slack, where);
	}
}

static bool vector_cell(const struct column *c, size_t i, const struct json *spark, struct fixture_slack slack,
			char where[512])
{
	struct vec v = column_vec_at(c, i);
	const struct json *dense = json_get(spark, "d"), *idx = json_get(spark, "i");
	if ((v.idx == NULL) != (dense != NULL)) return differ(where, "%s, Spark's is not", v.idx ? "sparse" : "dense");
	const struct json *val = dense ? dense : json_get(spark, "v");
	size_t size = dense ? dense->count : (size_t)json_get(spark, "n")->integer;
	if (v.size != size || v.nnz != val->count)
		return differ(where, "size %u with %u values, Spark's is %zu with %zu", v.size, v.nnz, size,
			      val->count);
	const struct json *x = val->child, *at = idx ? idx->child : NULL;
	slack = vector_slack(spark, slack);
	for (uint32_t k = 0; k < v.nnz; k++, x = x->next) {
		if (at && v.idx[k] != (uint32_t)at->integer)
			return differ(where, "index %u, Spark's is %lld", v.idx[k], (long long)at->integer);
		if (!fixture_close(v.val[k], fixture_number(x), slack))
			return differ(where, "value %u is %.17g, Spark's is %.17g", k, v.val[k], fixture_number(x));
		at = at ? at->next : NULL;
	}
	return true;
}

/* Dense ones of one length, as columns hold them. */
static bool vectors_cell(const struct column *c, size_t i, const struct json *spark, struct fixture_slack slack,
			 char where[512])
{
	const double *ours = c->f64 + c->off[i];
	size_t values = c->off[i + 1] - c->off[i], at = 0;
	for (const struct json *v = spark->child; v; v = v->next) {
		const struct json *dense = json_get(v, "d");
		if (!dense || dense->count != c->size[i]) return differ(where, "Spark has a vector of another form");
		for (const struct json *x = dense->child; x; x = x->next, at++)
			if (at < values && !fixture_close(ours[at], fixture_number(x), slack))
				return differ(where, "value %zu is %.17g, Spark's is %.17g", at, ours[at],
					      fixture_number(x));
	}
	return at == values || differ(where, "%zu values, Spark has %zu", values, at);
}

static bool text_same(struct str ours, const struct json *spark, char where[512])
{
	return (spark->type == JSON_STRING && str_eq(ours, spark->string)) ||
	       differ(where, "\"%.*s\", Spark's is \"%.*s\"", (int)MIN(ours.len, (size_t)200), ours.data,
		      (int)MIN(spark->string.len, (size_t)200), spark->string.data);
}

static bool strings_cell(const struct column *c, size_t i, const struct json *spark, char where[512])
{
	uint64_t k = c->off[i];
	if (c->off[i + 1] - k != spark->count)
		return differ(where, "%llu tokens, Spark has %zu", (unsigned long long)(c->off[i + 1] - k),
			      spark->count);
	for (const struct json *m = spark->child; m; m = m->next, k++) {
		bool null = column_elem_is_null(c, k);
		if (null != (m->type == JSON_NULL)) return differ(where, "null on one side");
		if (!null && !text_same((struct str){c->text + c->span[k].off, c->span[k].len}, m, where)) return false;
	}
	return true;
}

bool fixture_cell(const struct column *c, size_t i, const struct json *spark, struct fixture_slack slack,
		  char where[512])
{
	if (column_valid(c, i) != (spark->type != JSON_NULL)) return differ(where, "null on one side");
	if (!column_valid(c, i)) return true;
	switch (c->type) {
	case COL_VECTOR: return vector_cell(c, i, spark, slack, where);
	case COL_VECTORS: return vectors_cell(c, i, spark, slack, where);
	case COL_STRINGS: return strings_cell(c, i, spark, where);
	case COL_STRING: return text_same(column_str_at(c, i), spark, where);
	case COL_DOUBLES: return differ(where, "arrays of doubles are not compared yet");
	default:
		return fixture_close(column_number_at(c, i), fixture_number(spark), slack) ||
		       differ(where, "%.17g, Spark's is %.17g", column_number_at(c, i), fixture_number(spark));
	}
}
