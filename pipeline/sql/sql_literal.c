#include "pipeline/sql/sql_literal.h"

#include "pipeline/sql/sql_function.h"

#include <math.h>
#include <strings.h>

static void become(struct sql_node *n, struct sql_type type, struct str text)
{
	n->type = type;
	n->text = text;
	n->eval = sql_eval_literal;
	n->bound = true;
}

void sql_literal_text(struct str text, struct sql_node *n)
{
	become(n, SQL_TYPE(SQL_STRING), text);
	n->value.s = text;
}

void sql_literal_bool(bool v, struct sql_node *n)
{
	become(n, SQL_TYPE(SQL_BOOLEAN), STR(v ? "true" : "false"));
	n->value.b = v;
}

void sql_literal_null(struct sql_node *n)
{
	become(n, SQL_TYPE(SQL_NULL), STR("NULL"));
	n->value.null = true;
}

/* --- Numbers ----------------------------------------------------------------------------------------------------- */

static bool is_exponential(struct str s)
{
	return memchr(s.data, 'e', s.len) || memchr(s.data, 'E', s.len);
}

static bool integer(struct sql_node *n, struct str text, enum sql_base base, struct sql_error *e)
{
	int64_t v;
	if (!str_to_i64(text, &v) || !sql_integer_fits(base, v))
		return sql_fail(e, n->at, "%.*s is out of the range of its type", (int)MIN(text.len, (size_t)64),
				text.data);
	become(n, SQL_TYPE(base), text);
	n->value.i = v;
	return true;
}

static bool floating(struct arena *a, struct sql_node *n, struct str text, struct sql_error *e)
{
	double v;
	char shown[STR_NUMBER_MAX];
	if (!str_to_double(text, &v) || !isfinite(v))
		return sql_fail(e, n->at, "%.*s is out of the range of DOUBLE", (int)MIN(text.len, (size_t)64),
				text.data);
	size_t len = str_from_double_java(v, shown);
	become(n, SQL_TYPE(SQL_DOUBLE), (struct str){arena_strndup(a, shown, len), len});
	n->value.d = v;
	return true;
}

/* As many digits as are written, leading zeros apart (0.05: two, both behind the point). */
static bool decimal(struct arena *a, struct sql_node *n, struct str text, struct sql_error *e)
{
	const char *point = memchr(text.data, '.', text.len);
	int scale = point ? (int)MIN((size_t)(text.data + text.len - point - 1), (size_t)1000) : 0, precision = 1;
	sql_int128 v;
	char shown[SQL_DECIMAL_TEXT];
	if (scale > SQL_DECIMAL_DIGITS || !sql_decimal_parse(text, scale, &v))
		return sql_fail(e, n->at, "the decimal has more than %d digits", SQL_DECIMAL_DIGITS);
	while (!sql_decimal_fits(v, precision)) precision++;
	size_t len = sql_decimal_text(v, scale, shown);
	become(n, (struct sql_type){SQL_DECIMAL, MAX(precision, scale), scale},
	       (struct str){arena_strndup(a, shown, len), len});
	n->value.dec = v;
	return true;
}

bool sql_literal_number(struct arena *a, struct str written, bool negative, struct sql_node *n, struct sql_error *e)
{
	static const struct {
		const char *suffix;
		enum sql_base base;
	} suffixes[] = {
	    {"BD", SQL_DECIMAL}, {"L", SQL_BIGINT}, {"S", SQL_SMALLINT}, {"Y", SQL_TINYINT}, {"D", SQL_DOUBLE}};
	enum sql_base base = SQL_NULL;
	struct str text = {arena_printf(a, "%s%.*s", negative ? "-" : "", (int)written.len, written.data),
			   written.len + negative};
	for (size_t k = 0; k < ARRAY_COUNT(suffixes) && base == SQL_NULL; k++) {
		size_t len = strlen(suffixes[k].suffix);
		if (text.len <= len || strncasecmp(text.data + text.len - len, suffixes[k].suffix, len) != 0) continue;
		base = suffixes[k].base;
		text.len -= len;
	}
	bool whole = !memchr(text.data, '.', text.len) && !is_exponential(text);
	double v;
	int64_t small;
	if (!str_to_double(text, &v) || (!whole && base >= SQL_TINYINT && base <= SQL_BIGINT))
		return sql_fail(e, n->at, "%.*s is no number (there is no FLOAT here; use DOUBLE)",
				(int)MIN(written.len, (size_t)64), written.data);
	if (base >= SQL_TINYINT && base <= SQL_BIGINT) return integer(n, text, base, e);
	if (base == SQL_DOUBLE || (base == SQL_NULL && is_exponential(text))) return floating(a, n, text, e);
	if (base == SQL_NULL && whole && str_to_i64(text, &small))
		return integer(n, text, sql_integer_fits(SQL_INT, small) ? SQL_INT : SQL_BIGINT, e);
	return decimal(a, n, text, e);
}

/* --- Names ------------------------------------------------------------------------------------------------------- */

static void name_of(struct buf *out, const struct sql_node *n);

static void name_list(struct buf *out, const struct sql_node *n, size_t from)
{
	for (size_t k = from; k < n->count; k++) {
		if (k > from) buf_str(out, ", ");
		name_of(out, n->args[k]);
	}
}

static bool is_short(const struct sql_node *n)
{
	const char *s = n->fn->signature;
	return n->count < (s ? strcspn(s, ":") - (strchr(s, '?') != NULL) : n->fn->max);
}

static void name_arguments(struct buf *out, const struct sql_node *n, size_t from)
{
	name_list(out, n, from);
	if (n->fn->lacking && is_short(n)) buf_printf(out, ", %s", n->fn->lacking);
}

/* In a form % is the next argument, ~ all that are left; behind a backslash they are themselves. */
static void name_form(struct buf *out, const struct sql_node *n, const char *form)
{
	size_t k = 0;
	for (const char *f = form; *f; f++) {
		if (*f == '%' && k < n->count)
			name_of(out, n->args[k++]);
		else if (*f == '~')
			name_arguments(out, n, k);
		else
			buf_char(out, *f == '\\' ? *++f : *f);
	}
}

static void name_when(struct buf *out, const struct sql_node *of, const struct sql_node *when)
{
	if (of) buf_char(out, '(');
	if (of) name_of(out, of);
	if (of) buf_str(out, " = ");
	name_of(out, when);
	if (of) buf_char(out, ')');
}

/* CASE a WHEN b is written as CASE WHEN (a = b). */
static void name_case(struct buf *out, const struct sql_node *n, size_t first)
{
	buf_str(out, "CASE");
	for (size_t k = first; k < n->count; k++) {
		bool is_else = k + 1 == n->count && (n->count - first) % 2 == 1, is_when = (k - first) % 2 == 0;
		buf_str(out, is_else ? " ELSE " : is_when ? " WHEN " : " THEN ");
		name_when(out, first && is_when && !is_else ? n->args[0] : NULL, n->args[k]);
	}
	buf_str(out, " END");
}

static void name_of(struct buf *out, const struct sql_node *n)
{
	char type[SQL_TYPE_TEXT];
	if (n->kind == SQL_LITERAL || n->kind == SQL_COLUMN)
		buf_append(out, n->text.data, n->text.len);
	else if (n->kind == SQL_CAST) {
		buf_str(out, n->tolerant ? "TRY_CAST(" : "CAST(");
		name_of(out, n->args[0]);
		buf_printf(out, " AS %s)", sql_type_text(n->type, type));
	} else if (strcmp(n->fn->name, "case") == 0)
		name_case(out, n, 0);
	else if (strcmp(n->fn->name, "case of") == 0)
		name_case(out, n, 1);
	else if (n->fn->form)
		name_form(out, n, n->fn->form);
	else {
		buf_printf(out, "%s(", n->fn->name);
		name_arguments(out, n, 0);
		buf_char(out, ')');
	}
}

struct str sql_name(struct arena *a, const struct sql_node *n)
{
	struct buf out = BUF_INIT(SQL_STATEMENT_MAX);
	name_of(&out, n);
	struct str name = {arena_strndup(a, out.data ? out.data : "", out.len), out.len};
	buf_release(&out);
	return name;
}
