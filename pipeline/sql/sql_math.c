/* Functions of numbers. Doubles are Java's Math; rounding is decimal, by the digits that a double prints as. */
#include "pipeline/sql/sql_function.h"

#include <math.h>

#define PI 3.14159265358979323846
#define CALL(name)                                                                                                   \
	static bool name(QN_UNUSED const struct sql_node *n, QN_UNUSED struct sql_run *r, const struct sql_value *a, \
			 struct sql_value *out)
/* A function of one double, x. */
#define REAL(name, expression)         \
	CALL(name)                     \
	{                              \
		double x = a[0].d;     \
		out->d = (expression); \
		return true;           \
	}
/* The same above a bound; null at it and below. */
#define LOGARITHM(name, bound, expression)             \
	CALL(name)                                     \
	{                                              \
		double x = a[0].d;                     \
		out->null = x <= (bound);              \
		out->d = out->null ? 0 : (expression); \
		return true;                           \
	}

REAL(fn_sqrt, sqrt(x))
REAL(fn_cbrt, cbrt(x))
REAL(fn_exp, exp(x))
REAL(fn_expm1, expm1(x))
REAL(fn_sin, sin(x))
REAL(fn_cos, cos(x))
REAL(fn_tan, tan(x))
REAL(fn_cot, 1 / tan(x))
REAL(fn_sec, 1 / cos(x))
REAL(fn_csc, 1 / sin(x))
REAL(fn_asin, asin(x))
REAL(fn_acos, acos(x))
REAL(fn_atan, atan(x))
REAL(fn_sinh, sinh(x))
REAL(fn_cosh, cosh(x))
REAL(fn_tanh, tanh(x))
REAL(fn_asinh, asinh(x))
REAL(fn_acosh, acosh(x))
REAL(fn_atanh, atanh(x))
REAL(fn_degrees, x *(180 / PI))
REAL(fn_radians, x *(PI / 180))
REAL(fn_rint, rint(x))
REAL(fn_signum, isnan(x) || x == 0 ? x : copysign(1, x))
LOGARITHM(fn_ln, 0, log(x))
LOGARITHM(fn_log10, 0, log10(x))
LOGARITHM(fn_log2, 0, log2(x))
LOGARITHM(fn_log1p, -1, log1p(x))

CALL(fn_log)
{
	out->null = a[0].d <= 0 || a[1].d <= 0;
	out->d = out->null ? 0 : log(a[1].d) / log(a[0].d);
	return true;
}

/* Java: 1^NaN, 1^∞ and (-1)^∞ are NaN. */
CALL(fn_power)
{
	double x = a[0].d, y = a[1].d;
	out->d = isnan(y) || (fabs(x) == 1 && isinf(y)) ? NAN : pow(x, y);
	return true;
}
CALL(fn_atan2)
{
	return out->d = atan2(a[0].d + 0.0, a[1].d + 0.0), true;
}
CALL(fn_hypot)
{
	return out->d = hypot(a[0].d, a[1].d), true;
}
CALL(fn_pi)
{
	return (void)a, out->d = PI, true;
}
CALL(fn_e)
{
	return (void)a, out->d = 2.71828182845904523536, true;
}

CALL(fn_factorial)
{
	out->null = a[0].i < 0 || a[0].i > 20;
	out->i = 1;
	for (int64_t k = 2; !out->null && k <= a[0].i; k++) out->i *= k;
	return true;
}

/* --- To whole numbers: WIDTH_BUCKET, FLOOR, CEIL ----------------------------------------------------------------- */

/* As Java casts: NaN is 0, beyond the range is its end. */
static int64_t to_long(double d)
{
	if (isnan(d)) return 0;
	return d >= 0x1p63 ? INT64_MAX : d <= -0x1p63 ? INT64_MIN : (int64_t)d;
}

/* In which of so many equal parts between two bounds a number lies; 0 before the first, count + 1 behind the last. */
CALL(width_bucket)
{
	double v = a[0].d, from = a[1].d, to = a[2].d;
	int64_t count = a[3].i;
	out->null = count <= 0 || count == INT64_MAX || isnan(v) || from == to || !isfinite(from) || !isfinite(to);
	if (out->null) return true;
	bool rises = from < to, before = rises ? v < from : v > from, past = rises ? v >= to : v <= to;
	if (before || past) return out->i = past ? count + 1 : 0, true;
	double width = rises ? to - from : from - to, in = rises ? v - from : from - v;
	out->i = (int64_t)((uint64_t)to_long((double)count * in / width) + 1); /* Java's long wraps */
	return true;
}

CALL(double_floor)
{
	return out->i = to_long(floor(a[0].d)), true;
}
CALL(double_ceil)
{
	return out->i = to_long(ceil(a[0].d)), true;
}
CALL(itself)
{
	return *out = a[0], true;
}

CALL(dec_floor)
{
	sql_int128 unit = sql_pow10(n->args[0]->type.scale), v = a[0].dec;
	out->dec = v / unit - (v % unit < 0);
	return true;
}
CALL(dec_ceil)
{
	sql_int128 unit = sql_pow10(n->args[0]->type.scale), v = a[0].dec;
	out->dec = v / unit + (v % unit > 0);
	return true;
}

static bool bind_whole(struct sql_binder *b, struct sql_node *n)
{
	bool floors = n->fn->name[0] == 'f';
	struct sql_type t = n->args[0]->type;
	n->type = t.base == SQL_DECIMAL ? sql_decimal_type(t.precision - t.scale + 1, 0) : SQL_TYPE(SQL_BIGINT);
	if (t.base == SQL_DECIMAL)
		n->call = floors ? dec_floor : dec_ceil;
	else if (sql_is_integer(t))
		return n->call = itself, sql_coerce(b, n, 0, n->type);
	else
		return n->call = floors ? double_floor : double_ceil, sql_coerce(b, n, 0, SQL_TYPE(SQL_DOUBLE));
	return true;
}

/* --- ROUND and BROUND -------------------------------------------------------------------------------------------- */

static bool half_even(const struct sql_node *n)
{
	return n->fn->name[0] == 'b';
}

CALL(double_round)
{
	out->d = sql_double_round(a[0].d, n->count > 1 ? (int)a[1].i : 0, half_even(n));
	return true;
}

CALL(int_round)
{
	int64_t scale = n->count > 1 ? a[1].i : 0;
	if (scale >= 0) return out->i = a[0].i, true;
	bool ok =
	    sql_integer_round(a[0].i, (int)scale, half_even(n), &out->i) && sql_integer_fits(n->type.base, out->i);
	return ok || sql_bad(r, "the result of %s is out of the range of its type", n->fn->name);
}

/* How many digits go when so many are to stay behind the point. */
static int dropped(const struct sql_node *n, int scale)
{
	return MIN(MAX(n->args[0]->type.scale - scale, 0), SQL_DECIMAL_DIGITS + 1);
}

/* Below scale 0 the dropped digits come back as zeros. */
static bool put_rounded(const struct sql_node *n, struct sql_run *r, sql_int128 v, int scale, struct sql_value *out)
{
	bool ok =
	    scale >= 0 || v == 0 || (-scale <= SQL_DECIMAL_DIGITS && !__builtin_mul_overflow(v, sql_pow10(-scale), &v));
	out->dec = v;
	return (ok && sql_decimal_fits(v, n->type.precision)) ||
	       sql_bad(r, "the result of %s does not fit a DECIMAL", n->fn->name);
}

CALL(dec_round)
{
	int scale = n->count > 1 ? (int)a[1].i : 0;
	return put_rounded(n, r, sql_decimal_drop(a[0].dec, dropped(n, scale), half_even(n)), scale, out);
}

/* Towards -∞ for sign -1, towards ∞ for 1. */
static bool dec_whole_at(const struct sql_node *n, struct sql_run *r, const struct sql_value *a, int sign,
			 struct sql_value *out)
{
	int drop = dropped(n, (int)a[1].i);
	bool all = drop > SQL_DECIMAL_DIGITS;
	sql_int128 unit = all ? 0 : sql_pow10(drop), v = a[0].dec, rest = all ? v : v % unit;
	return put_rounded(n, r, (all ? 0 : v / unit) + (sign > 0 ? rest > 0 : -(rest < 0)), (int)a[1].i, out);
}
CALL(dec_floor_at)
{
	return dec_whole_at(n, r, a, -1, out);
}
CALL(dec_ceil_at)
{
	return dec_whole_at(n, r, a, 1, out);
}

static struct sql_type rounded_type(struct sql_type t, int64_t scale)
{
	int whole = t.precision - t.scale + 1;
	if (scale < 0) return sql_decimal_type(MAX(whole, (int)MIN(-scale, (int64_t)SQL_DECIMAL_DIGITS) + 1), 0);
	int kept = (int)MIN((int64_t)t.scale, scale);
	return (struct sql_type){SQL_DECIMAL, MIN(whole + kept, (int)SQL_DECIMAL_DIGITS), kept};
}

static bool bind_digits(struct sql_binder *b, struct sql_node *n)
{
	if (n->count < 2) return true;
	if (!sql_coerce(b, n, 1, SQL_TYPE(SQL_INT))) return false;
	return n->args[1]->kind == SQL_LITERAL ||
	       sql_fail(b->e, n->args[1]->at, "the number of digits must be a literal");
}

/* FLOOR(x, digits): always of decimals; of doubles and texts those that Spark takes for wide enough. */
static bool bind_whole_at(struct sql_binder *b, struct sql_node *n)
{
	static const struct sql_type of_double = {SQL_DECIMAL, 30, 15}, of_text = {SQL_DECIMAL, 38, 18};
	struct sql_type t = n->args[0]->type;
	if (sql_is_integer(t)) t = sql_decimal_for(t.base);
	if (t.base != SQL_DECIMAL) t = t.base == SQL_STRING ? of_text : of_double;
	if (!bind_digits(b, n) || !sql_convert(b, n, 0, t)) return false;
	n->type = rounded_type(t, n->args[1]->value.i);
	return true;
}

static bool bind_round(struct sql_binder *b, struct sql_node *n)
{
	struct sql_type t = n->args[0]->type;
	if (!bind_digits(b, n)) return false;
	bool real = !sql_is_integer(t) && t.base != SQL_DECIMAL;
	if (real && !sql_coerce(b, n, 0, SQL_TYPE(SQL_DOUBLE))) return false;
	n->type = n->args[0]->type;
	n->call = real ? double_round : t.base == SQL_DECIMAL ? dec_round : int_round;
	if (t.base == SQL_DECIMAL) n->type = rounded_type(t, n->count > 1 ? n->args[1]->value.i : 0);
	return true;
}

const struct sql_function sql_math_functions[] = {
	{"sqrt", "d:d", fn_sqrt, .form = "SQRT(~)"},
	{"cbrt", "d:d", fn_cbrt, .form = "CBRT(~)"},
	{"exp", "d:d", fn_exp, .form = "EXP(~)"},
	{"expm1", "d:d", fn_expm1, .form = "EXPM1(~)"},
	{"ln", "d:d", fn_ln},
	{"log", "d:d", fn_ln, .form = "LOG(E(), %)"},
	{"log", "dd:d", fn_log, .form = "LOG(~)"},
	{"log10", "d:d", fn_log10, .form = "LOG10(~)"},
	{"log2", "d:d", fn_log2, .form = "LOG2(~)"},
	{"log1p", "d:d", fn_log1p, .form = "LOG1P(~)"},
	{"pow", "dd:d", fn_power},
	{"power", "dd:d", fn_power, .form = "POWER(~)"},
	{"sin", "d:d", fn_sin, .form = "SIN(~)"},
	{"cos", "d:d", fn_cos, .form = "COS(~)"},
	{"tan", "d:d", fn_tan, .form = "TAN(~)"},
	{"cot", "d:d", fn_cot, .form = "COT(~)"},
	{"sec", "d:d", fn_sec, .form = "SEC(~)"},
	{"csc", "d:d", fn_csc, .form = "CSC(~)"},
	{"asin", "d:d", fn_asin, .form = "ASIN(~)"},
	{"acos", "d:d", fn_acos, .form = "ACOS(~)"},
	{"atan", "d:d", fn_atan, .form = "ATAN(~)"},
	{"atan2", "dd:d", fn_atan2, .form = "ATAN2(~)"},
	{"sinh", "d:d", fn_sinh, .form = "SINH(~)"},
	{"cosh", "d:d", fn_cosh, .form = "COSH(~)"},
	{"tanh", "d:d", fn_tanh, .form = "TANH(~)"},
	{"asinh", "d:d", fn_asinh, .form = "ASINH(~)"},
	{"acosh", "d:d", fn_acosh, .form = "ACOSH(~)"},
	{"atanh", "d:d", fn_atanh, .form = "ATANH(~)"},
	{"hypot", "dd:d", fn_hypot, .form = "HYPOT(~)"},
	{"degrees", "d:d", fn_degrees, .form = "DEGREES(~)"},
	{"radians", "d:d", fn_radians, .form = "RADIANS(~)"},
	{"rint", "d:d", fn_rint},
	{"sign", "d:d", fn_signum},
	{"signum", "d:d", fn_signum, .form = "SIGNUM(~)"},
	{"pi", ":d", fn_pi, .form = "PI(~)"},
	{"e", ":d", fn_e, .form = "E(~)"},
	{"factorial", "i:l", fn_factorial},
	{"width_bucket", "dddl:l", width_bucket},
	{"floor", .min = 1, .max = 1, .bind = bind_whole, .form = "FLOOR(~)"},
	{"floor", .min = 2, .max = 2, .bind = bind_whole_at, .call = dec_floor_at},
	{"ceil", .min = 1, .max = 1, .bind = bind_whole, .form = "CEIL(~)"},
	{"ceil", .min = 2, .max = 2, .bind = bind_whole_at, .call = dec_ceil_at},
	{"ceiling", .min = 1, .max = 1, .bind = bind_whole},
	{"ceiling", .min = 2, .max = 2, .bind = bind_whole_at, .call = dec_ceil_at},
	{"round", .min = 1, .max = 2, .bind = bind_round, .lacking = "0"},
	{"bround", .min = 1, .max = 2, .bind = bind_round, .lacking = "0"},
	{0},
};
