/* What looks at nulls or leaves arguments alone: CASE, IF, COALESCE, IN, BETWEEN, GREATEST … */
#include "pipeline/sql/sql_compare.h"
#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_literal.h"

#include <math.h>

#define EVAL(name) static bool name(const struct sql_node *n, struct sql_run *r, struct sql_value *out)

static const struct sql_value null_value = {.null = true};

static bool put_bool(struct sql_value *out, bool v)
{
	*out = (struct sql_value){0};
	out->b = v;
	return true;
}

/* --- Tests ------------------------------------------------------------------------------------------------------- */

EVAL(is_null)
{
	return sql_eval(n->args[0], r, out) && put_bool(out, out->null);
}
EVAL(is_not_null)
{
	return sql_eval(n->args[0], r, out) && put_bool(out, !out->null);
}
EVAL(is_true)
{
	return sql_eval(n->args[0], r, out) && put_bool(out, !out->null && out->b);
}
EVAL(is_false)
{
	return sql_eval(n->args[0], r, out) && put_bool(out, !out->null && !out->b);
}
EVAL(is_nan)
{
	return sql_eval(n->args[0], r, out) && put_bool(out, !out->null && isnan(out->d));
}

static bool bind_test(struct sql_binder *b, struct sql_node *n)
{
	(void)b;
	n->type = SQL_TYPE(SQL_BOOLEAN);
	return true;
}

/* True where one is equal, else null where a null stood in the way. */
EVAL(in)
{
	struct sql_value v, x;
	bool unknown = false;
	if (!sql_eval(n->args[0], r, &v)) return false;
	*out = v;
	if (v.null) return true;
	for (size_t k = 1; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, &x)) return false;
		if (!x.null && sql_compare(n->args[0]->type, &v, &x) == 0) return put_bool(out, true);
		unknown |= x.null;
	}
	if (unknown)
		*out = null_value;
	else
		put_bool(out, false);
	return true;
}

/* v >= low AND v <= high, three-valued. */
EVAL(between)
{
	struct sql_value v, low, high;
	struct sql_type t = n->args[0]->type;
	if (!sql_eval(n->args[0], r, &v)) return false;
	*out = v;
	if (v.null) return true;
	if (!sql_eval(n->args[1], r, &low)) return false;
	if (!low.null && sql_compare(t, &v, &low) < 0) return put_bool(out, false);
	if (!sql_eval(n->args[2], r, &high)) return false;
	if (!high.null && sql_compare(t, &v, &high) > 0) return put_bool(out, false);
	*out = null_value;
	return low.null || high.null || put_bool(out, true);
}

/* --- CASE and IF ------------------------------------------------------------------------------------------------- */

/* CASE WHEN when THEN then … [ELSE else]: arguments in that order. */
static bool is_when(const struct sql_node *n, size_t k)
{
	return k % 2 == 0 && k + 1 < n->count;
}
static bool is_result(const struct sql_node *n, size_t k)
{
	return !is_when(n, k);
}
/* CASE of WHEN when THEN then …: the same behind the first argument. */
static bool is_compared(const struct sql_node *n, size_t k)
{
	return k == 0 || (k % 2 == 1 && k + 1 < n->count);
}
static bool is_result_of(const struct sql_node *n, size_t k)
{
	return !is_compared(n, k);
}
static bool not_first(const struct sql_node *n, size_t k)
{
	(void)n;
	return k > 0;
}

static bool bind_case(struct sql_binder *b, struct sql_node *n)
{
	for (size_t k = 0; k < n->count; k++)
		if (is_when(n, k) && !sql_coerce(b, n, k, SQL_TYPE(SQL_BOOLEAN))) return false;
	return sql_coerce_common(b, n, is_result, &n->type);
}

static bool bind_case_of(struct sql_binder *b, struct sql_node *n)
{
	struct sql_type t;
	return sql_coerce_common(b, n, is_compared, &t) && sql_coerce_common(b, n, is_result_of, &n->type);
}

static bool bind_if(struct sql_binder *b, struct sql_node *n)
{
	return sql_coerce(b, n, 0, SQL_TYPE(SQL_BOOLEAN)) && sql_coerce_common(b, n, not_first, &n->type);
}

static bool bind_nvl2(struct sql_binder *b, struct sql_node *n)
{
	return sql_coerce_common(b, n, not_first, &n->type);
}

EVAL(case_when)
{
	size_t k = 0;
	for (; k + 1 < n->count; k += 2) {
		if (!sql_eval(n->args[k], r, out)) return false;
		if (!out->null && out->b) return sql_eval(n->args[k + 1], r, out);
	}
	*out = null_value;
	return k == n->count || sql_eval(n->args[k], r, out);
}

EVAL(case_of)
{
	struct sql_value v, x;
	size_t k = 1;
	if (!sql_eval(n->args[0], r, &v)) return false;
	for (; k + 1 < n->count; k += 2) {
		if (v.null) continue;
		if (!sql_eval(n->args[k], r, &x)) return false;
		if (!x.null && sql_compare(n->args[0]->type, &v, &x) == 0) return sql_eval(n->args[k + 1], r, out);
	}
	*out = null_value;
	return k == n->count || sql_eval(n->args[k], r, out);
}

EVAL(if_else)
{
	if (!sql_eval(n->args[0], r, out)) return false;
	return sql_eval(n->args[!out->null && out->b ? 1 : 2], r, out);
}

EVAL(nvl2)
{
	if (!sql_eval(n->args[0], r, out)) return false;
	return sql_eval(n->args[out->null ? 2 : 1], r, out);
}

/* --- Nulls and extremes ------------------------------------------------------------------------------------------ */

static bool bind_common(struct sql_binder *b, struct sql_node *n)
{
	return sql_coerce_common(b, n, NULL, &n->type);
}

static bool bind_ordered(struct sql_binder *b, struct sql_node *n)
{
	return bind_common(b, n) &&
	       (sql_is_scalar(n->type) || sql_fail(b->e, n->at, "vectors and arrays have no order"));
}

EVAL(coalesce)
{
	*out = null_value;
	for (size_t k = 0; k < n->count && out->null; k++)
		if (!sql_eval(n->args[k], r, out)) return false;
	return true;
}

EVAL(null_if)
{
	struct sql_value x;
	if (!sql_eval(n->args[0], r, out) || !sql_eval(n->args[1], r, &x)) return false;
	if (!out->null && !x.null && sql_compare(n->type, out, &x) == 0) *out = null_value;
	return true;
}

/* NULLIFZERO(x) is NULLIF(x, 0), ZEROIFNULL(x) COALESCE(x, 0). */
static bool bind_zero(struct sql_binder *b, struct sql_node *n)
{
	struct sql_node *zero = sql_node_make(b->select->arena, SQL_LITERAL, n->at, NULL, 0);
	struct sql_node *args[] = {n->args[0], zero};
	if (!sql_literal_number(b->select->arena, STR("0"), false, zero, b->e)) return false;
	n->args = arena_copy(b->select->arena, args, sizeof args);
	n->count = 2;
	return bind_ordered(b, n);
}

/* DECODE(x, value, result …[, otherwise]): CASE x WHEN where null equals null. */
EVAL(decode)
{
	struct sql_value v, x;
	size_t k = 1;
	if (!sql_eval(n->args[0], r, &v)) return false;
	for (; k + 1 < n->count; k += 2) {
		if (!sql_eval(n->args[k], r, &x)) return false;
		bool same = v.null || x.null ? v.null && x.null : sql_compare(n->args[0]->type, &v, &x) == 0;
		if (same) return sql_eval(n->args[k + 1], r, out);
	}
	*out = null_value;
	return k == n->count || sql_eval(n->args[k], r, out);
}

static bool bind_typeof(struct sql_binder *b, struct sql_node *n)
{
	char text[SQL_TYPE_TEXT];
	enum sql_base base = n->args[0]->type.base;
	if (!sql_is_scalar(n->args[0]->type)) return sql_fail(b->e, n->at, "vectors and arrays have no SQL type");
	char *name = arena_strdup(b->select->arena, base == SQL_NULL ? "void" : sql_type_text(n->args[0]->type, text));
	for (char *c = name; *c; c++)
		if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
	n->type = SQL_TYPE(SQL_STRING);
	n->value.s = STR(name);
	return true;
}

EVAL(nan_vl)
{
	if (!sql_eval(n->args[0], r, out)) return false;
	return out->null || !isnan(out->d) || sql_eval(n->args[1], r, out);
}

static bool extreme(const struct sql_node *n, struct sql_run *r, int sign, struct sql_value *out)
{
	struct sql_value x;
	*out = null_value;
	for (size_t k = 0; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, &x)) return false;
		if (!x.null && (out->null || sign * sql_compare(n->type, &x, out) > 0)) *out = x;
	}
	return true;
}

EVAL(greatest)
{
	return extreme(n, r, 1, out);
}
EVAL(least)
{
	return extreme(n, r, -1, out);
}

const struct sql_function sql_conditionals[] = {
	{"isnull", .min = 1, .max = 1, .eval = is_null, .bind = bind_test, .form = "(% IS NULL)"},
	{"isnotnull", .min = 1, .max = 1, .eval = is_not_null, .bind = bind_test, .form = "(% IS NOT NULL)"},
	{"is true", .signature = "b:b", .eval = is_true, .form = "(% <=> true)"},
	{"is false", .signature = "b:b", .eval = is_false, .form = "(% <=> false)"},
	{"isnan", .signature = "d:b", .eval = is_nan},
	{"in", .min = 2, .max = SQL_ANY_NUMBER, .eval = in, .bind = sql_bind_compared, .form = "(% IN (~))"},
	{"between", .min = 3, .max = 3, .eval = between, .bind = sql_bind_compared},
	{"case", .min = 2, .max = SQL_ANY_NUMBER, .eval = case_when, .bind = bind_case},
	{"case of", .min = 3, .max = SQL_ANY_NUMBER, .eval = case_of, .bind = bind_case_of},
	{"if", .min = 3, .max = 3, .eval = if_else, .bind = bind_if, .form = "(IF(%, %, %))"},
	{"nvl2", .min = 3, .max = 3, .eval = nvl2, .bind = bind_nvl2},
	{"coalesce", .min = 1, .max = SQL_ANY_NUMBER, .eval = coalesce, .bind = bind_common},
	{"ifnull", .min = 2, .max = 2, .eval = coalesce, .bind = bind_common},
	{"nvl", .min = 2, .max = 2, .eval = coalesce, .bind = bind_common},
	{"nullif", .min = 2, .max = 2, .eval = null_if, .bind = bind_ordered},
	{"nullifzero", .min = 1, .max = 1, .eval = null_if, .bind = bind_zero},
	{"zeroifnull", .min = 1, .max = 1, .eval = coalesce, .bind = bind_zero},
	{"decode", .min = 3, .max = SQL_ANY_NUMBER, .eval = decode, .bind = bind_case_of},
	{"typeof", .min = 1, .max = 1, .eval = sql_eval_literal, .bind = bind_typeof},
	{"nanvl", .signature = "dd:d", .eval = nan_vl},
	{"greatest", .min = 2, .max = SQL_ANY_NUMBER, .eval = greatest, .bind = bind_ordered},
	{"least", .min = 2, .max = SQL_ANY_NUMBER, .eval = least, .bind = bind_ordered},
	{0},
};
