/* Operators: arithmetic over integers, decimals and doubles, bits, comparisons, three-valued logic. */
#include "pipeline/sql/sql_compare.h"
#include "pipeline/sql/sql_function.h"

#include <math.h>

#define CALL(name)                                                                                                   \
	static bool name(QN_UNUSED const struct sql_node *n, QN_UNUSED struct sql_run *r, const struct sql_value *a, \
			 struct sql_value *out)

static bool overflow(const struct sql_node *n, struct sql_run *r)
{
	char type[SQL_TYPE_TEXT];
	return sql_bad(r, "the result of %s does not fit %s", n->fn->name, sql_type_text(n->type, type));
}

static bool by_zero(struct sql_run *r)
{
	return sql_bad(r, "division by zero; TRY_DIVIDE gives null instead");
}

/* --- Integers ---------------------------------------------------------------------------------------------------- */

static bool integer(const struct sql_node *n, struct sql_run *r, bool over, int64_t v, struct sql_value *out)
{
	out->i = v;
	return (!over && sql_integer_fits(n->type.base, v)) || overflow(n, r);
}

CALL(int_add)
{
	int64_t v;
	bool over = __builtin_add_overflow(a[0].i, a[1].i, &v);
	return integer(n, r, over, v, out);
}
CALL(int_subtract)
{
	int64_t v;
	bool over = __builtin_sub_overflow(a[0].i, a[1].i, &v);
	return integer(n, r, over, v, out);
}
CALL(int_multiply)
{
	int64_t v;
	bool over = __builtin_mul_overflow(a[0].i, a[1].i, &v);
	return integer(n, r, over, v, out);
}
CALL(int_div)
{
	if (a[1].i == 0) return by_zero(r);
	bool over = a[0].i == INT64_MIN && a[1].i == -1;
	return integer(n, r, over, over ? 0 : a[0].i / a[1].i, out);
}
CALL(int_remainder)
{
	if (a[1].i == 0) return by_zero(r);
	out->i = a[1].i == -1 ? 0 : a[0].i % a[1].i;
	return true;
}
CALL(int_pmod)
{
	if (!int_remainder(n, r, a, out)) return false;
	if (out->i < 0) out->i = (int64_t)(((sql_int128)out->i + a[1].i) % a[1].i);
	return true;
}

/* --- Decimals ---------------------------------------------------------------------------------------------------- */

static bool decimal(const struct sql_node *n, struct sql_run *r, bool ok, sql_int128 v, int scale,
		    struct sql_value *out)
{
	sql_int128 dec = 0;
	ok = ok && sql_decimal_rescale(v, scale, n->type.scale, &dec) && sql_decimal_fits(dec, n->type.precision);
	out->dec = dec;
	return ok || overflow(n, r);
}

/* Both at the larger scale of the two. */
static bool aligned(const struct sql_node *n, const struct sql_value *a, sql_int128 *x, sql_int128 *y, int *scale)
{
	int sx = n->args[0]->type.scale, sy = n->args[1]->type.scale;
	*scale = MAX(sx, sy);
	return sql_decimal_rescale(a[0].dec, sx, *scale, x) && sql_decimal_rescale(a[1].dec, sy, *scale, y);
}

CALL(dec_add)
{
	sql_int128 x = 0, y = 0, v = 0;
	int scale;
	bool ok = aligned(n, a, &x, &y, &scale) && !__builtin_add_overflow(x, y, &v);
	return decimal(n, r, ok, v, scale, out);
}
CALL(dec_subtract)
{
	sql_int128 x = 0, y = 0, v = 0;
	int scale;
	bool ok = aligned(n, a, &x, &y, &scale) && !__builtin_sub_overflow(x, y, &v);
	return decimal(n, r, ok, v, scale, out);
}
CALL(dec_multiply)
{
	sql_int128 v = 0;
	int drop = n->args[0]->type.scale + n->args[1]->type.scale - n->type.scale;
	bool ok = sql_decimal_multiply(a[0].dec, a[1].dec, drop, &v);
	return decimal(n, r, ok, v, n->type.scale, out);
}
CALL(dec_divide)
{
	sql_int128 v = 0;
	if (a[1].dec == 0) return by_zero(r);
	bool ok =
	    sql_decimal_divide(a[0].dec, n->args[0]->type.scale, a[1].dec, n->args[1]->type.scale, n->type.scale, &v);
	return decimal(n, r, ok, v, n->type.scale, out);
}
CALL(dec_remainder)
{
	sql_int128 x = 0, y = 0;
	int scale;
	if (a[1].dec == 0) return by_zero(r);
	bool ok = aligned(n, a, &x, &y, &scale);
	return decimal(n, r, ok, ok ? x % y : 0, scale, out);
}
CALL(dec_pmod)
{
	sql_int128 x = 0, y = 0;
	int scale;
	if (a[1].dec == 0) return by_zero(r);
	bool ok = aligned(n, a, &x, &y, &scale);
	sql_int128 rest = ok ? x % y : 0;
	return decimal(n, r, ok, ok && rest < 0 ? (rest + y) % y : rest, scale, out);
}
CALL(dec_div)
{
	sql_int128 x = 0, y = 0;
	int scale;
	if (a[1].dec == 0) return by_zero(r);
	bool ok = aligned(n, a, &x, &y, &scale);
	sql_int128 v = ok ? x / y : 0;
	return integer(n, r, !ok || v != (int64_t)v, (int64_t)v, out);
}

/* --- Doubles ----------------------------------------------------------------------------------------------------- */

CALL(double_add)
{
	return out->d = a[0].d + a[1].d, true;
}
CALL(double_subtract)
{
	return out->d = a[0].d - a[1].d, true;
}
CALL(double_multiply)
{
	return out->d = a[0].d * a[1].d, true;
}
CALL(double_divide)
{
	return out->d = a[0].d / a[1].d, a[1].d != 0 || by_zero(r);
}
CALL(double_remainder)
{
	return out->d = fmod(a[0].d, a[1].d), a[1].d != 0 || by_zero(r);
}
CALL(double_pmod)
{
	if (!double_remainder(n, r, a, out)) return false;
	if (out->d < 0) out->d = fmod(out->d + a[1].d, a[1].d);
	return true;
}

/* --- Which of them, and of which type the result (Spark's DecimalPrecision)
 * ------------------------------------------- */

static struct sql_type sum_type(struct sql_type x, struct sql_type y)
{
	int scale = MAX(x.scale, y.scale);
	return sql_decimal_type(MAX(x.precision - x.scale, y.precision - y.scale) + scale + 1, scale);
}
static struct sql_type product_type(struct sql_type x, struct sql_type y)
{
	return sql_decimal_type(x.precision + y.precision + 1, x.scale + y.scale);
}
static struct sql_type quotient_type(struct sql_type x, struct sql_type y)
{
	int scale = MAX(6, x.scale + y.precision + 1);
	return sql_decimal_type(x.precision - x.scale + y.scale + scale, scale);
}
static struct sql_type rest_type(struct sql_type x, struct sql_type y)
{
	int scale = MAX(x.scale, y.scale);
	return sql_decimal_type(MIN(x.precision - x.scale, y.precision - y.scale) + scale, scale);
}
static struct sql_type whole_type(struct sql_type x, struct sql_type y)
{
	(void)x, (void)y;
	return SQL_TYPE(SQL_BIGINT);
}

static const struct arithmetic {
	const char *name, *tolerant;
	sql_call_fn integer, decimal, floating; /* NULL integer: as doubles; NULL floating: refused */
	struct sql_type (*type)(struct sql_type x, struct sql_type y);
} arithmetics[] = {
	{"+", "try_add", int_add, dec_add, double_add, sum_type},
	{"-", "try_subtract", int_subtract, dec_subtract, double_subtract, sum_type},
	{"*", "try_multiply", int_multiply, dec_multiply, double_multiply, product_type},
	{"/", "try_divide", NULL, dec_divide, double_divide, quotient_type},
	{"%", "try_mod", int_remainder, dec_remainder, double_remainder, rest_type},
	{"mod", "mod", int_remainder, dec_remainder, double_remainder, rest_type},
	{"pmod", "pmod", int_pmod, dec_pmod, double_pmod, rest_type},
	{"div", "div", int_div, dec_div, NULL, whole_type},
};

/* An integer beside a decimal: of a literal the digits that it has, else all that its type may have. */
static struct sql_type as_decimal(const struct sql_node *n)
{
	struct sql_type t = n->type.base == SQL_DECIMAL ? n->type : sql_decimal_for(n->type.base);
	if (n->kind != SQL_LITERAL || !sql_is_integer(n->type)) return t;
	t.precision = 1;
	while (!sql_decimal_fits(n->value.i, t.precision)) t.precision++;
	return t;
}

static bool bind_decimals(struct sql_binder *b, struct sql_node *n, const struct arithmetic *row)
{
	for (size_t k = 0; k < 2; k++)
		if (!sql_coerce(b, n, k, as_decimal(n->args[k]))) return false;
	n->call = row->decimal;
	n->type = row->type(n->args[0]->type, n->args[1]->type);
	return true;
}

static bool bind_numbers(struct sql_binder *b, struct sql_node *n, struct sql_type t, sql_call_fn call)
{
	n->call = call;
	n->type = t;
	return sql_coerce(b, n, 0, t) && sql_coerce(b, n, 1, t);
}

static bool bind_arithmetic(struct sql_binder *b, struct sql_node *n)
{
	const struct arithmetic *row = arithmetics;
	struct sql_type x = n->args[0]->type, y = n->args[1]->type, t;
	while (strcmp(row->name, n->fn->name) != 0 && strcmp(row->tolerant, n->fn->name) != 0) row++;
	if (!sql_type_common(x, y, &t) || !(sql_is_number(t) || t.base == SQL_NULL))
		return sql_fail(b->e, n->at, "%s wants numbers", n->fn->name);
	if (t.base == SQL_NULL) t = SQL_TYPE(row->floating ? SQL_DOUBLE : SQL_BIGINT);
	/* Text that meets a decimal, or NULL, is not one itself. */
	if (t.base == SQL_DECIMAL && x.base != SQL_NULL && y.base != SQL_NULL) return bind_decimals(b, n, row);
	if (t.base == SQL_DECIMAL || (sql_is_integer(t) && !row->integer)) t = SQL_TYPE(SQL_DOUBLE);
	if (t.base == SQL_DOUBLE && !row->floating)
		return sql_fail(b->e, n->at, "%s wants integers or decimals", n->fn->name);
	if (t.base == SQL_DOUBLE) return bind_numbers(b, n, t, row->floating);
	return bind_numbers(b, n, row->floating ? t : SQL_TYPE(SQL_BIGINT), row->integer);
}

/* --- One number -------------------------------------------------------------------------------------------------- */

CALL(int_negative)
{
	return integer(n, r, a[0].i == INT64_MIN, a[0].i == INT64_MIN ? 0 : -a[0].i, out);
}
CALL(dec_negative)
{
	return out->dec = -a[0].dec, true;
}
CALL(double_negative)
{
	return out->d = -a[0].d, true;
}
CALL(itself)
{
	return *out = a[0], true;
}
CALL(int_abs)
{
	return a[0].i < 0 ? int_negative(n, r, a, out) : itself(n, r, a, out);
}
CALL(dec_abs)
{
	return out->dec = a[0].dec < 0 ? -a[0].dec : a[0].dec, true;
}
CALL(double_abs)
{
	return out->d = fabs(a[0].d), true;
}

static const struct {
	const char *name;
	sql_call_fn integer, decimal, floating;
} singles[] = {
	{"unary -", int_negative, dec_negative, double_negative},
	{"negative", int_negative, dec_negative, double_negative},
	{"positive", itself, itself, itself},
	{"abs", int_abs, dec_abs, double_abs},
};

static bool bind_single(struct sql_binder *b, struct sql_node *n)
{
	size_t k = 0;
	enum sql_base base = n->args[0]->type.base;
	while (strcmp(singles[k].name, n->fn->name) != 0) k++;
	if ((base == SQL_STRING || base == SQL_NULL) && !sql_coerce(b, n, 0, SQL_TYPE(SQL_DOUBLE))) return false;
	n->type = n->args[0]->type;
	n->call = sql_is_integer(n->type)       ? singles[k].integer
		  : n->type.base == SQL_DECIMAL ? singles[k].decimal
						: singles[k].floating;
	return sql_is_number(n->type) || sql_fail(b->e, n->args[0]->at, "%s wants a number", n->fn->name);
}

/* --- Bits -------------------------------------------------------------------------------------------------------- */

CALL(bit_and)
{
	return out->i = a[0].i & a[1].i, true;
}
CALL(bit_or)
{
	return out->i = a[0].i | a[1].i, true;
}
CALL(bit_xor)
{
	return out->i = a[0].i ^ a[1].i, true;
}
CALL(bit_not)
{
	return out->i = ~a[0].i, true;
}

static bool bind_bits(struct sql_binder *b, struct sql_node *n)
{
	if (!sql_coerce_common(b, n, NULL, &n->type)) return false;
	return sql_is_integer(n->type) || sql_fail(b->e, n->at, "%s wants integers", n->fn->name);
}

/* As Java shifts: by the lowest five or six bits of the distance. */
static unsigned distance_of(const struct sql_node *n, int64_t by)
{
	return (unsigned)by & (n->type.base == SQL_INT ? 31 : 63);
}
CALL(shift_left)
{
	uint64_t v = (uint64_t)a[0].i << distance_of(n, a[1].i);
	return out->i = n->type.base == SQL_INT ? (int32_t)v : (int64_t)v, true;
}
CALL(shift_right)
{
	return out->i = a[0].i >> distance_of(n, a[1].i), true;
}
CALL(shift_right_unsigned)
{
	bool narrow = n->type.base == SQL_INT;
	uint64_t v = (narrow ? (uint32_t)a[0].i : (uint64_t)a[0].i) >> distance_of(n, a[1].i);
	return out->i = narrow ? (int32_t)v : (int64_t)v, true;
}

static bool bind_shift(struct sql_binder *b, struct sql_node *n)
{
	n->type = SQL_TYPE(n->args[0]->type.base == SQL_BIGINT ? SQL_BIGINT : SQL_INT);
	return sql_coerce(b, n, 0, n->type) && sql_coerce(b, n, 1, SQL_TYPE(SQL_INT));
}

CALL(bit_count)
{
	return out->i = __builtin_popcountll((uint64_t)a[0].i), true;
}

CALL(bit_get)
{
	int64_t width = n->args[0]->type.base == SQL_BIGINT ? 64 : 8 << (n->args[0]->type.base - SQL_TINYINT);
	if (a[1].i < 0 || a[1].i >= width)
		return sql_bad(r, "there is no bit %lld of %lld", (long long)a[1].i, (long long)width);
	return out->i = a[0].i >> a[1].i & 1, true;
}

static bool bind_bit_get(struct sql_binder *b, struct sql_node *n)
{
	if (!sql_is_integer(n->args[0]->type) && !sql_coerce(b, n, 0, SQL_TYPE(SQL_BIGINT))) return false;
	n->type = SQL_TYPE(SQL_TINYINT);
	return sql_coerce(b, n, 1, SQL_TYPE(SQL_INT));
}

/* --- Comparisons ------------------------------------------------------------------------------------------------- */

int sql_compare(struct sql_type t, const struct sql_value *a, const struct sql_value *b)
{
	if (t.base == SQL_STRING) return str_cmp(a->s, b->s);
	if (t.base == SQL_DECIMAL) return (a->dec > b->dec) - (a->dec < b->dec);
	if (t.base == SQL_BOOLEAN) return a->b - b->b;
	if (t.base != SQL_DOUBLE) return (a->i > b->i) - (a->i < b->i);
	if (isnan(a->d) || isnan(b->d)) return isnan(a->d) - isnan(b->d);
	return (a->d > b->d) - (a->d < b->d);
}

static int compared(const struct sql_node *n, const struct sql_value *a)
{
	return sql_compare(n->args[0]->type, &a[0], &a[1]);
}

CALL(equal)
{
	return out->b = compared(n, a) == 0, true;
}
CALL(not_equal)
{
	return out->b = compared(n, a) != 0, true;
}
CALL(less)
{
	return out->b = compared(n, a) < 0, true;
}
CALL(less_equal)
{
	return out->b = compared(n, a) <= 0, true;
}
CALL(greater)
{
	return out->b = compared(n, a) > 0, true;
}
CALL(greater_equal)
{
	return out->b = compared(n, a) >= 0, true;
}

static bool null_safe_equal(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	struct sql_value a[2];
	if (!sql_eval(n->args[0], r, &a[0]) || !sql_eval(n->args[1], r, &a[1])) return false;
	*out = (struct sql_value){0};
	out->b = a[0].null || a[1].null ? a[0].null && a[1].null : compared(n, a) == 0;
	return true;
}

bool sql_bind_compared(struct sql_binder *b, struct sql_node *n)
{
	struct sql_type t;
	n->type = SQL_TYPE(SQL_BOOLEAN);
	if (!sql_coerce_common(b, n, NULL, &t)) return false;
	return sql_is_scalar(t) || sql_fail(b->e, n->at, "vectors and arrays cannot be compared");
}

/* --- Logic ------------------------------------------------------------------------------------------------------- */

/* AND and OR: `decides` settles it whatever the other side is, and then the other side is not looked at. */
static bool connect(const struct sql_node *n, struct sql_run *r, bool decides, struct sql_value *out)
{
	struct sql_value left, right;
	if (!sql_eval(n->args[0], r, &left)) return false;
	*out = left;
	if (!left.null && left.b == decides) return true;
	if (!sql_eval(n->args[1], r, &right)) return false;
	if (!left.null || (!right.null && right.b == decides)) *out = right;
	return true;
}

static bool and (const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return connect(n, r, false, out);
}
static bool or (const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return connect(n, r, true, out);
}
CALL(not )
{
	return out->b = !a[0].b, true;
}

const struct sql_function sql_operators[] = {
	{"+", .min = 2, .max = 2, .bind = bind_arithmetic, .form = "(% + %)"},
	{"-", .min = 2, .max = 2, .bind = bind_arithmetic, .form = "(% - %)"},
	{"*", .min = 2, .max = 2, .bind = bind_arithmetic, .form = "(% * %)"},
	{"/", .min = 2, .max = 2, .bind = bind_arithmetic, .form = "(% / %)"},
	{"%", .min = 2, .max = 2, .bind = bind_arithmetic, .form = "(% \\% %)"},
	{"div", .min = 2, .max = 2, .bind = bind_arithmetic, .form = "(% div %)"},
	{"mod", .min = 2, .max = 2, .bind = bind_arithmetic},
	{"pmod", .min = 2, .max = 2, .bind = bind_arithmetic},
	{"try_add", .min = 2, .max = 2, .bind = bind_arithmetic, .tolerant = true},
	{"try_subtract", .min = 2, .max = 2, .bind = bind_arithmetic, .tolerant = true},
	{"try_multiply", .min = 2, .max = 2, .bind = bind_arithmetic, .tolerant = true},
	{"try_divide", .min = 2, .max = 2, .bind = bind_arithmetic, .tolerant = true},
	{"try_mod", .min = 2, .max = 2, .bind = bind_arithmetic, .tolerant = true},
	{"unary -", .min = 1, .max = 1, .bind = bind_single, .form = "(- %)"},
	{"negative", .min = 1, .max = 1, .bind = bind_single},
	{"positive", .min = 1, .max = 1, .bind = bind_single, .form = "(+ %)"},
	{"abs", .min = 1, .max = 1, .bind = bind_single},
	{"&", .min = 2, .max = 2, .call = bit_and, .bind = bind_bits, .form = "(% & %)"},
	{"|", .min = 2, .max = 2, .call = bit_or, .bind = bind_bits, .form = "(% | %)"},
	{"^", .min = 2, .max = 2, .call = bit_xor, .bind = bind_bits, .form = "(% ^ %)"},
	{"<<", .min = 2, .max = 2, .call = shift_left, .bind = bind_shift, .form = "(% << %)"},
	{">>", .min = 2, .max = 2, .call = shift_right, .bind = bind_shift, .form = "(% >> %)"},
	{">>>", .min = 2, .max = 2, .call = shift_right_unsigned, .bind = bind_shift, .form = "(% >>> %)"},
	{"shiftleft", .min = 2, .max = 2, .call = shift_left, .bind = bind_shift},
	{"shiftright", .min = 2, .max = 2, .call = shift_right, .bind = bind_shift},
	{"shiftrightunsigned", .min = 2, .max = 2, .call = shift_right_unsigned, .bind = bind_shift},
	{"bit_count", "l:i", bit_count},
	{"bit_get", .min = 2, .max = 2, .call = bit_get, .bind = bind_bit_get},
	{"getbit", .min = 2, .max = 2, .call = bit_get, .bind = bind_bit_get},
	{"~", .min = 1, .max = 1, .call = bit_not, .bind = bind_bits, .form = "\\~%"},
	{"=", .min = 2, .max = 2, .call = equal, .bind = sql_bind_compared, .form = "(% = %)"},
	{"<>", .min = 2, .max = 2, .call = not_equal, .bind = sql_bind_compared, .form = "(NOT (% = %))"},
	{"<", .min = 2, .max = 2, .call = less, .bind = sql_bind_compared, .form = "(% < %)"},
	{"<=", .min = 2, .max = 2, .call = less_equal, .bind = sql_bind_compared, .form = "(% <= %)"},
	{">", .min = 2, .max = 2, .call = greater, .bind = sql_bind_compared, .form = "(% > %)"},
	{">=", .min = 2, .max = 2, .call = greater_equal, .bind = sql_bind_compared, .form = "(% >= %)"},
	{"<=>", .min = 2, .max = 2, .eval = null_safe_equal, .bind = sql_bind_compared, .form = "(% <=> %)"},
	{"equal_null", .min = 2, .max = 2, .eval = null_safe_equal, .bind = sql_bind_compared},
	{"and", .signature = "bb:b", .eval = and, .form = "(% AND %)"},
	{"or", .signature = "bb:b", .eval = or, .form = "(% OR %)"},
	{"not", .signature = "b:b", .call = not, .form = "(NOT %)"},
	{0},
};
