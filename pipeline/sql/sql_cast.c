/* CAST in ANSI mode: what does not fit is an error of the row, or null under TRY_CAST. */
#include "pipeline/sql/sql_node.h"

#include <math.h>
#include <strings.h>

/* Java's trimAll: blanks and control characters at both ends. */
static struct str trimmed(struct str s)
{
	while (s.len && (unsigned char)s.data[0] <= ' ') s.data++, s.len--;
	while (s.len && (unsigned char)s.data[s.len - 1] <= ' ') s.len--;
	return s;
}

static bool is_one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == s.len && strncasecmp(*words, s.data, s.len) == 0) return true;
	return false;
}

static bool malformed(struct sql_run *r, struct str s, struct sql_type to)
{
	char type[SQL_TYPE_TEXT];
	return sql_bad(r, "'%.*s' is no %s; TRY_CAST gives null instead", (int)MIN(s.len, (size_t)64),
		       s.len ? s.data : "", sql_type_text(to, type));
}

static bool beyond(struct sql_run *r, struct sql_type to)
{
	char type[SQL_TYPE_TEXT];
	return sql_bad(r, "a value is out of the range of %s; TRY_CAST gives null instead", sql_type_text(to, type));
}

/* --- To each type ------------------------------------------------------------------------------------------------ */

typedef bool (*cast_fn)(struct sql_run *r, const struct sql_value *v, struct sql_type from, struct sql_type to,
			struct sql_value *out);

static bool to_boolean(struct sql_run *r, const struct sql_value *v, struct sql_type from, struct sql_type to,
		       struct sql_value *out)
{
	static const char *const yes[] = {"t", "true", "y", "yes", "1", NULL}, *const no[] = {"f",  "false", "n",
											      "no", "0",     NULL};
	if (from.base == SQL_STRING) {
		struct str s = trimmed(v->s);
		out->b = is_one_of(s, yes);
		return out->b || is_one_of(s, no) || malformed(r, v->s, to);
	}
	if (from.base == SQL_DOUBLE)
		out->b = v->d != 0;
	else if (from.base == SQL_DECIMAL)
		out->b = v->dec != 0;
	else
		out->b = v->i != 0;
	return true;
}

static bool double_to_integer(double d, enum sql_base base, int64_t *out)
{
	/* The doubles next to the ends; of BIGINT the upper end itself rounds up and saturates, as Java casts. */
	if (!(floor(d) <= 0x1p63 && ceil(d) >= -0x1p63)) return false;
	*out = d >= 0x1p63 ? INT64_MAX : (int64_t)d;
	return sql_integer_fits(base, *out);
}

static bool to_integer(struct sql_run *r, const struct sql_value *v, struct sql_type from, struct sql_type to,
		       struct sql_value *out)
{
	bool fits = true;
	if (from.base == SQL_STRING) {
		if (!str_to_i64(trimmed(v->s), &out->i) || !sql_integer_fits(to.base, out->i))
			return malformed(r, v->s, to);
		return true;
	}
	if (from.base == SQL_BOOLEAN)
		out->i = v->b;
	else if (from.base == SQL_DOUBLE)
		fits = double_to_integer(v->d, to.base, &out->i);
	else if (from.base == SQL_DECIMAL) {
		sql_int128 whole = v->dec / sql_pow10(from.scale);
		out->i = (int64_t)whole;
		fits = out->i == whole && sql_integer_fits(to.base, out->i);
	} else
		fits = sql_integer_fits(to.base, out->i = v->i);
	return fits || beyond(r, to);
}

static bool double_to_decimal(double d, int scale, sql_int128 *out)
{
	char text[STR_NUMBER_MAX];
	return sql_decimal_parse((struct str){text, str_from_double_java(d, text)}, scale, out);
}

static bool to_decimal(struct sql_run *r, const struct sql_value *v, struct sql_type from, struct sql_type to,
		       struct sql_value *out)
{
	sql_int128 dec = 0;
	bool ok;
	if (from.base == SQL_STRING) {
		double number; /* tells what is no number from what is too large */
		if (!str_to_double(trimmed(v->s), &number)) return malformed(r, v->s, to);
		ok = sql_decimal_parse(trimmed(v->s), to.scale, &dec);
	} else if (from.base == SQL_DOUBLE && !isfinite(v->d))
		return out->null = true;
	else if (from.base == SQL_DOUBLE)
		ok = double_to_decimal(v->d, to.scale, &dec);
	else if (from.base == SQL_DECIMAL)
		ok = sql_decimal_rescale(v->dec, from.scale, to.scale, &dec);
	else
		ok = sql_decimal_rescale(from.base == SQL_BOOLEAN ? v->b : v->i, 0, to.scale, &dec);
	out->dec = dec;
	return (ok && sql_decimal_fits(dec, to.precision)) || beyond(r, to);
}

/* Java's parseDouble, and the names of what is not finite in any case. */
static bool text_to_double(struct str s, double *out)
{
	static const char *const inf[] = {"inf", "+inf", "infinity", "+infinity", NULL};
	static const char *const minus[] = {"-inf", "-infinity", NULL}, *const nan_names[] = {"nan", NULL};
	static const char suffixes[] = "dDfF";
	s = trimmed(s);
	if (is_one_of(s, nan_names))
		*out = NAN;
	else if (is_one_of(s, inf))
		*out = INFINITY;
	else if (is_one_of(s, minus))
		*out = -INFINITY;
	else {
		if (s.len > 1 && memchr(suffixes, s.data[s.len - 1], sizeof suffixes - 1)) s.len--;
		return str_to_double(s, out);
	}
	return true;
}

static bool to_double(struct sql_run *r, const struct sql_value *v, struct sql_type from, struct sql_type to,
		      struct sql_value *out)
{
	double d = 0;
	if (from.base == SQL_STRING && !text_to_double(v->s, &d)) return malformed(r, v->s, to);
	if (from.base == SQL_DECIMAL)
		d = sql_decimal_double(v->dec, from.scale);
	else if (from.base == SQL_BOOLEAN)
		d = v->b;
	else if (from.base != SQL_STRING)
		d = (double)v->i;
	out->d = d;
	return true;
}

static bool to_string(struct sql_run *r, const struct sql_value *v, struct sql_type from, struct sql_type to,
		      struct sql_value *out)
{
	char text[SQL_DECIMAL_TEXT];
	size_t len;
	(void)to;
	if (from.base == SQL_BOOLEAN) {
		out->s = STR(v->b ? "true" : "false");
		return true;
	}
	if (from.base == SQL_DOUBLE)
		len = str_from_double_java(v->d, text);
	else if (from.base == SQL_DECIMAL)
		len = sql_decimal_text(v->dec, from.scale, text);
	else
		len = str_from_i64(v->i, text);
	char *room = sql_room(r, len);
	if (!room) return false;
	memcpy(room, text, len);
	out->s = (struct str){room, len};
	return true;
}

static const cast_fn casts[SQL_BASE_COUNT] = {
	[SQL_BOOLEAN] = to_boolean, [SQL_TINYINT] = to_integer, [SQL_SMALLINT] = to_integer, [SQL_INT] = to_integer,
	[SQL_BIGINT] = to_integer,  [SQL_DECIMAL] = to_decimal, [SQL_DOUBLE] = to_double,    [SQL_STRING] = to_string,
};

bool sql_eval_cast(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	struct sql_value v;
	struct sql_type from = n->args[0]->type;
	if (!sql_eval(n->args[0], r, &v)) return false;
	*out = v;
	if (v.null || sql_type_same(from, n->type)) return true;
	*out = (struct sql_value){0};
	if (casts[n->type.base](r, &v, from, n->type, out)) return true;
	*out = (struct sql_value){.null = true};
	return n->tolerant;
}
