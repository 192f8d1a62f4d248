/* What an expression is made of: literals, columns, brackets, CASE, CAST, calls. */
#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_literal.h"
#include "pipeline/sql/sql_parser.h"

#include <stdio.h>

/* --- Types ------------------------------------------------------------------------------------------------------- */

static bool parse_length(struct sql_parser *p, int min, int max, int *out)
{
	int64_t v;
	size_t at = p->token.at;
	if (p->token.kind != SQL_TOK_NUMBER || !str_to_i64(p->token.text, &v)) return sql_unexpected(p);
	if (v < min || v > max) return sql_fail(p->e, at, "must be from %d to %d", min, max);
	*out = (int)v;
	return sql_advance(p);
}

bool sql_parse_type(struct sql_parser *p, struct sql_type *out)
{
	static const char *const sized[] = {"VARCHAR", "CHAR", "CHARACTER", NULL};
	enum sql_base base;
	int ignored;
	if (p->token.kind != SQL_TOK_WORD) return sql_unexpected(p);
	/* A cast does not cut: Spark takes these for STRING. */
	if (sql_word_in(p->token.text, sized)) {
		*out = SQL_TYPE(SQL_STRING);
		return sql_advance(p) && sql_expect_sign(p, "(") && parse_length(p, 0, INT32_MAX, &ignored) &&
		       sql_expect_sign(p, ")");
	}
	if (!sql_type_named(p->token.text, &base))
		return sql_fail(p->e, p->token.at,
				"there is no type %.*s here; there are BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, "
				"DECIMAL, DOUBLE, STRING",
				(int)MIN(p->token.text.len, (size_t)64), p->token.text.data);
	*out = SQL_TYPE(base);
	if (!sql_advance(p) || base != SQL_DECIMAL) return !p->e->text[0];
	out->precision = 10;
	if (!sql_take_sign(p, "(")) return true;
	if (!parse_length(p, 1, SQL_DECIMAL_DIGITS, &out->precision)) return false;
	if (sql_take_sign(p, ",") && !parse_length(p, 0, out->precision, &out->scale)) return false;
	return sql_expect_sign(p, ")");
}

/* --- Forms with words inside ------------------------------------------------------------------------------------- */

static bool parse_cast(struct sql_parser *p, bool tolerant, size_t at, struct sql_node **out)
{
	struct sql_node *n;
	struct sql_type type;
	if (!sql_expect_sign(p, "(") || !sql_parse_expression(p, &n) || !sql_expect_word(p, "AS") ||
	    !sql_parse_type(p, &type) || !sql_expect_sign(p, ")") || !sql_node_add(p, SQL_CAST, at, &n, 1, out))
		return false;
	(*out)->type = type;
	(*out)->tolerant = tolerant;
	return true;
}

static bool parse_case(struct sql_parser *p, size_t at, struct sql_node **out)
{
	struct sql_args args = {0};
	struct sql_node *n;
	bool of = !sql_at_word(p, "WHEN");
	if (of) {
		if (!sql_parse_expression(p, &n)) return false;
		sql_args_push(p, &args, n);
	}
	do {
		if (!sql_expect_word(p, "WHEN") || !sql_parse_expression(p, &n)) return false;
		sql_args_push(p, &args, n);
		if (!sql_expect_word(p, "THEN") || !sql_parse_expression(p, &n)) return false;
		sql_args_push(p, &args, n);
	} while (sql_at_word(p, "WHEN"));
	if (sql_take_word(p, "ELSE")) {
		if (!sql_parse_expression(p, &n)) return false;
		sql_args_push(p, &args, n);
	}
	return sql_expect_word(p, "END") && sql_call_add(p, of ? "case of" : "case", at, args.items, args.count, out);
}

/* TRIM([BOTH | LEADING | TRAILING] [what] FROM text), and without words (text) or (what, text); LTRIM and RTRIM too. */
static bool parse_trim(struct sql_parser *p, const char *function, size_t at, struct sql_node **out)
{
	static const struct {
		const char *word, *function;
	} sides[] = {{"BOTH", "trim"}, {"LEADING", "ltrim"}, {"TRAILING", "rtrim"}};
	struct sql_node *args[2];
	size_t count = 0;
	bool sided = false;
	for (size_t k = 0; k < ARRAY_COUNT(sides) && !sided; k++) {
		if (sql_next_is_sign(p, ")") || sql_next_is_sign(p, ",") || !sql_take_word(p, sides[k].word)) continue;
		function = sides[k].function;
		sided = true;
	}
	if (!sql_at_word(p, "FROM") && !sql_parse_expression(p, &args[count++])) return false;
	if (sql_take_word(p, "FROM") || (!sided && sql_take_sign(p, ","))) {
		if (!sql_parse_expression(p, &args[count++])) return false;
	} else if (sided)
		return sql_unexpected(p);
	return sql_expect_sign(p, ")") && sql_call_add(p, function, at, args, count, out);
}

/* Arguments that words may separate: SUBSTRING(text FROM place FOR length), POSITION(part IN text), OVERLAY(text PLACING
 * part FROM place FOR length). */
static bool parse_worded(struct sql_parser *p, struct sql_args *args)
{
	struct sql_node *n;
	do {
		if (!(args->count ? sql_parse_expression(p, &n) : sql_parse_operand(p, &n))) return false;
		sql_args_push(p, args, n);
	} while (sql_take_sign(p, ",") || sql_take_word(p, "FROM") || sql_take_word(p, "FOR") ||
		 (args->count == 1 && (sql_take_word(p, "IN") || sql_take_word(p, "PLACING"))));
	return sql_expect_sign(p, ")");
}

/* --- Calls ------------------------------------------------------------------------------------------------------- */

static bool parse_arguments(struct sql_parser *p, struct sql_args *args)
{
	struct sql_node *n;
	if (sql_take_sign(p, ")")) return true;
	do {
		if (!sql_parse_expression(p, &n)) return false;
		sql_args_push(p, args, n);
	} while (sql_take_sign(p, ","));
	return sql_expect_sign(p, ")");
}

/* INT(x) is CAST(x AS INT). */
static bool call_of_type(struct sql_parser *p, enum sql_base base, size_t at, const struct sql_args *args,
			 struct sql_node **out)
{
	if (args->count != 1) return sql_fail(p->e, at, "takes one argument");
	if (!sql_node_add(p, SQL_CAST, at, args->items, 1, out)) return false;
	(*out)->type = base == SQL_DECIMAL ? (struct sql_type){SQL_DECIMAL, 10, 0} : SQL_TYPE(base);
	return true;
}

static bool parse_call(struct sql_parser *p, struct sql_node **out)
{
	struct sql_token name = p->token;
	struct sql_args args = {0};
	const struct sql_function *fn = sql_function_find(name.text, 0);
	enum sql_base base;
	static const char *const trims[] = {"trim", "ltrim", "rtrim", NULL},
				*const worded[] = {"SUBSTRING", "SUBSTR", "POSITION", "OVERLAY", NULL};
	if (sql_function_of_many(name.text))
		return sql_refuse(p, name.at, "functions of many rows (aggregates, windows, generators)");
	if (!fn && !sql_type_named(name.text, &base))
		return sql_fail(p->e, name.at, "there is no function %.*s here", (int)MIN(name.text.len, (size_t)64),
				name.text.data);
	if (!sql_advance(p) || !sql_advance(p)) return false;
	if (sql_word_in(name.text, trims)) return parse_trim(p, fn->name, name.at, out);
	bool ok = sql_word_in(name.text, worded) ? parse_worded(p, &args) : parse_arguments(p, &args);
	if (!ok) return false;
	if (sql_at_word(p, "OVER")) return sql_refuse(p, p->token.at, "windows");
	if (!fn) return call_of_type(p, base, name.at, &args, out);
	if (!sql_node_add(p, SQL_CALL, name.at, args.items, args.count, out)) return false;
	(*out)->fn = sql_function_find(name.text, args.count);
	return true;
}

/* --- Primary ----------------------------------------------------------------------------------------------------- */

/* Adjacent strings are one: 'a' 'b' is 'ab'. */
static bool parse_text(struct sql_parser *p, struct sql_node **out)
{
	struct buf whole = BUF_INIT(SQL_STATEMENT_MAX);
	bool ok = sql_node_add(p, SQL_LITERAL, p->token.at, NULL, 0, out);
	while (ok && p->token.kind == SQL_TOK_TEXT) {
		buf_append(&whole, p->token.text.data, p->token.text.len);
		ok = sql_advance(p);
	}
	if (ok) sql_literal_text((struct str){arena_strndup(p->arena, whole.data, whole.len), whole.len}, *out);
	buf_release(&whole);
	return ok;
}

static bool parse_column(struct sql_parser *p, struct sql_node **out)
{
	struct sql_token first = p->token;
	if (!sql_node_add(p, SQL_COLUMN, first.at, NULL, 0, out) || !sql_advance(p)) return false;
	(*out)->text = first.text;
	if (!sql_take_sign(p, ".")) return true;
	if (p->token.kind != SQL_TOK_WORD && p->token.kind != SQL_TOK_QUOTED) return sql_unexpected(p);
	(*out)->qualifier = first.text;
	(*out)->text = p->token.text;
	return sql_advance(p);
}

static bool parse_bracket(struct sql_parser *p, struct sql_node **out)
{
	if (sql_at_word(p, "SELECT") || sql_at_word(p, "WITH")) return sql_refuse(p, p->token.at, "subqueries");
	return sql_parse_expression(p, out) && sql_expect_sign(p, ")");
}

static bool parse_constant(struct sql_parser *p, struct sql_node **out)
{
	size_t at = p->token.at;
	if (!sql_node_add(p, SQL_LITERAL, at, NULL, 0, out)) return false;
	if (sql_take_word(p, "NULL"))
		sql_literal_null(*out);
	else if (sql_take_word(p, "TRUE"))
		sql_literal_bool(true, *out);
	else if (sql_take_word(p, "FALSE"))
		sql_literal_bool(false, *out);
	else
		return sql_literal_number(p->arena, p->token.text, false, *out, p->e) && sql_advance(p);
	return true;
}

bool sql_parse_primary(struct sql_parser *p, struct sql_node **out)
{
	static const char *const reserved[] = {"SELECT",  "FROM", "WHERE", "AND",   "OR",     "WHEN",
					       "THEN",    "ELSE", "AS",    "IN",    "IS",     "LIKE",
					       "BETWEEN", "ON",   "GROUP", "ORDER", "HAVING", NULL};
	static const char *const constants[] = {"NULL", "TRUE", "FALSE", NULL};
	const struct sql_token *t = &p->token;
	size_t at = t->at;
	if (t->kind == SQL_TOK_TEXT) return parse_text(p, out);
	if (t->kind == SQL_TOK_NUMBER || (t->kind == SQL_TOK_WORD && sql_word_in(t->text, constants)))
		return parse_constant(p, out);
	if (sql_take_sign(p, "(")) return parse_bracket(p, out);
	if (t->kind == SQL_TOK_QUOTED) return parse_column(p, out);
	bool is_like = sql_at_word(p, "LIKE") && sql_next_is_sign(p, "(");
	if (t->kind != SQL_TOK_WORD || (!is_like && sql_word_in(t->text, reserved))) return sql_unexpected(p);
	if (sql_at_word(p, "EXISTS") && sql_next_is_sign(p, "(")) return sql_refuse(p, at, "subqueries");
	if (sql_at_word(p, "CASE") && !sql_next_is_sign(p, ".") && sql_take_word(p, "CASE"))
		return parse_case(p, at, out);
	if (!sql_next_is_sign(p, "(")) return parse_column(p, out);
	if (sql_take_word(p, "CAST")) return parse_cast(p, false, at, out);
	if (sql_take_word(p, "TRY_CAST")) return parse_cast(p, true, at, out);
	return parse_call(p, out);
}
