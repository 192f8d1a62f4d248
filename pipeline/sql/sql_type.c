#include "pipeline/sql/sql_type.h"

#include <stdio.h>
#include <strings.h>

static const struct {
	const char *name;
	enum sql_base base;
} names[] = {
	{"VOID", SQL_NULL},
	{"BOOLEAN", SQL_BOOLEAN},
	{"TINYINT", SQL_TINYINT},
	{"SMALLINT", SQL_SMALLINT},
	{"INT", SQL_INT},
	{"BIGINT", SQL_BIGINT},
	{"DECIMAL", SQL_DECIMAL},
	{"DOUBLE", SQL_DOUBLE},
	{"STRING", SQL_STRING},
	{"ARRAY", SQL_OTHER},
	/* Other spellings, behind those that are written. */
	{"BYTE", SQL_TINYINT},
	{"SHORT", SQL_SMALLINT},
	{"INTEGER", SQL_INT},
	{"LONG", SQL_BIGINT},
	{"DEC", SQL_DECIMAL},
	{"NUMERIC", SQL_DECIMAL},
};

static const struct {
	int64_t min, max;
	int digits;
} integers[SQL_BASE_COUNT] = {
	[SQL_TINYINT] = {INT8_MIN, INT8_MAX, 3},
	[SQL_SMALLINT] = {INT16_MIN, INT16_MAX, 5},
	[SQL_INT] = {INT32_MIN, INT32_MAX, 10},
	[SQL_BIGINT] = {INT64_MIN, INT64_MAX, 20},
};

bool sql_type_same(struct sql_type a, struct sql_type b)
{
	return a.base == b.base && (a.base != SQL_DECIMAL || (a.precision == b.precision && a.scale == b.scale));
}

const char *sql_type_text(struct sql_type t, char out[SQL_TYPE_TEXT])
{
	size_t k = 0;
	while (names[k].base != t.base) k++;
	if (t.base == SQL_DECIMAL)
		snprintf(out, SQL_TYPE_TEXT, "DECIMAL(%d,%d)", t.precision, t.scale);
	else
		snprintf(out, SQL_TYPE_TEXT, "%s", names[k].name);
	return out;
}

bool sql_type_named(struct str name, enum sql_base *out)
{
	for (size_t k = 1; k < ARRAY_COUNT(names); k++) {
		if (names[k].base == SQL_OTHER || strlen(names[k].name) != name.len ||
		    strncasecmp(names[k].name, name.data, name.len) != 0)
			continue;
		*out = names[k].base;
		return true;
	}
	return false;
}

bool sql_integer_fits(enum sql_base base, int64_t v)
{
	return v >= integers[base].min && v <= integers[base].max;
}

struct sql_type sql_type_of_column(const struct column_def *def)
{
	static const struct {
		enum col_type column;
		enum sql_base base;
	} scalars[] = {
		{COL_DOUBLE, SQL_DOUBLE}, {COL_INT64, SQL_BIGINT}, {COL_BOOLEAN, SQL_BOOLEAN}, {COL_STRING, SQL_STRING}};
	if (def->type == COL_INT64 && def->is_int32) return SQL_TYPE(SQL_INT);
	for (size_t k = 0; k < ARRAY_COUNT(scalars); k++)
		if (scalars[k].column == def->type) return SQL_TYPE(scalars[k].base);
	return SQL_TYPE(SQL_OTHER);
}

struct sql_type sql_decimal_type(int precision, int scale)
{
	enum { SCALE_KEPT = 6 };
	struct sql_type t = {SQL_DECIMAL, precision, scale};
	if (precision <= SQL_DECIMAL_DIGITS) return t;
	t.precision = SQL_DECIMAL_DIGITS;
	t.scale = MAX(SQL_DECIMAL_DIGITS - (precision - scale), MIN(scale, (int)SCALE_KEPT));
	return t;
}

struct sql_type sql_decimal_for(enum sql_base integer)
{
	return (struct sql_type){SQL_DECIMAL, integers[integer].digits, 0};
}

static struct sql_type wider_decimal(struct sql_type a, struct sql_type b)
{
	if (a.base != SQL_DECIMAL) a = sql_decimal_for(a.base);
	if (b.base != SQL_DECIMAL) b = sql_decimal_for(b.base);
	int scale = MAX(a.scale, b.scale), whole = MAX(a.precision - a.scale, b.precision - b.scale);
	return sql_decimal_type(whole + scale, scale);
}

/* Text meets a number as the widest of its kind. */
static enum sql_base beside_string(enum sql_base other)
{
	if (other >= SQL_TINYINT && other <= SQL_BIGINT) return SQL_BIGINT;
	return other == SQL_DECIMAL ? SQL_DOUBLE : other;
}

bool sql_type_common(struct sql_type a, struct sql_type b, struct sql_type *out)
{
	if (a.base > b.base) return sql_type_common(b, a, out);
	if (b.base == SQL_OTHER && a.base != SQL_NULL) return false;
	if (sql_type_same(a, b) || a.base == SQL_NULL)
		*out = b;
	else if (b.base == SQL_STRING)
		*out = SQL_TYPE(beside_string(a.base));
	else if (a.base == SQL_BOOLEAN)
		return false;
	else if (b.base == SQL_DECIMAL)
		*out = wider_decimal(a, b);
	else
		*out = b;
	return true;
}

bool sql_type_implicit(struct sql_type from, struct sql_type to)
{
	if (from.base == SQL_NULL || sql_type_same(from, to)) return true;
	if (from.base == SQL_OTHER || to.base == SQL_OTHER) return false;
	if (from.base == SQL_STRING || to.base == SQL_STRING) return true;
	if (sql_is_integer(from)) return sql_is_number(to);
	return from.base == SQL_DECIMAL && (to.base == SQL_DECIMAL || to.base == SQL_DOUBLE);
}
