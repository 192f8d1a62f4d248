/* SELECT items FROM __THIS__ [alias] [WHERE condition]; everything else of a query is refused by name. */
#include "pipeline/sql/sql_parser.h"

#include <stdarg.h>
#include <stdio.h>

bool sql_fail(struct sql_error *e, size_t at, const char *fmt, ...)
{
	va_list args;
	e->at = at;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
	return false;
}

static const struct {
	const char *word, *what;
} refusals[] = {
	{"JOIN", "joins"},
	{"INNER", "joins"},
	{"LEFT", "joins"},
	{"RIGHT", "joins"},
	{"FULL", "joins"},
	{"CROSS", "joins"},
	{"NATURAL", "joins"},
	{"SEMI", "joins"},
	{"ANTI", "joins"},
	{"GROUP", "GROUP BY"},
	{"HAVING", "HAVING"},
	{"ORDER", "ORDER BY"},
	{"SORT", "SORT BY"},
	{"CLUSTER", "CLUSTER BY"},
	{"LIMIT", "LIMIT"},
	{"OFFSET", "OFFSET"},
	{"UNION", "UNION"},
	{"INTERSECT", "INTERSECT"},
	{"EXCEPT", "EXCEPT"},
	{"MINUS", "MINUS"},
	{"WINDOW", "windows"},
	{"LATERAL", "LATERAL"},
	{"PIVOT", "PIVOT"},
	{"UNPIVOT", "UNPIVOT"},
	{"TABLESAMPLE", "TABLESAMPLE"},
	{"DISTRIBUTE", "DISTRIBUTE BY"},
	{"WITH", "WITH"},
	{"DISTINCT", "DISTINCT"},
};

/* A clause that is not for single rows, or plainly an error. */
static bool not_expected(struct sql_parser *p)
{
	for (size_t k = 0; k < ARRAY_COUNT(refusals); k++)
		if (sql_at_word(p, refusals[k].word)) return sql_refuse(p, p->token.at, refusals[k].what);
	return sql_unexpected(p);
}

/* A word that may be an alias without AS. */
static bool is_alias(const struct sql_parser *p)
{
	static const char *const clauses[] = {"FROM", "WHERE", "ON", "USING", NULL};
	for (size_t k = 0; k < ARRAY_COUNT(refusals); k++)
		if (sql_at_word(p, refusals[k].word)) return false;
	return p->token.kind == SQL_TOK_QUOTED ||
	       (p->token.kind == SQL_TOK_WORD && !sql_word_in(p->token.text, clauses));
}

/* *name stays as it was where there is no alias. */
static bool parse_alias(struct sql_parser *p, struct str *name)
{
	bool as = sql_take_word(p, "AS");
	if (!(as ? p->token.kind == SQL_TOK_QUOTED || p->token.kind == SQL_TOK_WORD : is_alias(p)))
		return !as || sql_unexpected(p);
	*name = p->token.text;
	return sql_advance(p);
}

/* --- Items ------------------------------------------------------------------------------------------------------- */

static bool parse_star(struct sql_parser *p, struct sql_item *item)
{
	item->is_star = true;
	if (sql_at_word(p, "EXCEPT"))
		return sql_fail(
		    p->e, p->token.at,
		    "* EXCEPT: columns cannot be taken away from a pipeline; those that no stage reads cost nothing");
	return true;
}

/* A column that is only cast keeps its name. */
static const struct sql_node *named_by(const struct sql_node *n)
{
	return n->kind == SQL_CAST && n->args[0]->kind == SQL_COLUMN ? n->args[0] : n;
}

static bool parse_item(struct sql_parser *p, struct sql_item *item)
{
	*item = (struct sql_item){0};
	if (sql_take_sign(p, "*")) return parse_star(p, item);
	/* t.* : only __THIS__ is there, whatever its alias. */
	bool named = p->token.kind == SQL_TOK_WORD || p->token.kind == SQL_TOK_QUOTED;
	if (named && sql_next_is_sign(p, ".")) {
		struct sql_parser before = *p;
		if (!sql_advance(p) || !sql_advance(p)) return false;
		if (sql_take_sign(p, "*")) return parse_star(p, item);
		*p = before;
	}
	if (!sql_parse_expression(p, &item->expr)) return false;
	item->name = item->expr->kind == SQL_COLUMN ? item->expr->text : (struct str){0};
	struct str alias = {0};
	if (!parse_alias(p, &alias)) return false;
	if (alias.len)
		item->name = alias;
	else if (item->expr->kind != SQL_COLUMN)
		item->name = sql_name(p->arena, named_by(item->expr));
	return item->name.len || sql_fail(p->e, item->expr->at, "the result column has no name");
}

static bool parse_items(struct sql_parser *p, struct sql_select *out)
{
	size_t cap = 0;
	struct sql_item *items = NULL, item;
	bool ok;
	do {
		if (out->count == SQL_ITEMS_MAX)
			sql_fail(p->e, p->token.at, "there are over %d expressions", SQL_ITEMS_MAX);
		ok = out->count < SQL_ITEMS_MAX && parse_item(p, &item);
		if (!ok) break;
		MEM_GROW(items, cap, out->count + 1);
		items[out->count++] = item;
	} while (sql_take_sign(p, ","));
	out->items = arena_copy(p->arena, items, out->count * sizeof *items);
	mem_free(items);
	return ok;
}

/* --- The statement ----------------------------------------------------------------------------------------------- */

static bool parse_table(struct sql_parser *p, struct str *alias)
{
	bool named = p->token.kind == SQL_TOK_WORD || p->token.kind == SQL_TOK_QUOTED;
	if (sql_at_sign(p, "(")) return sql_refuse(p, p->token.at, "subqueries");
	if (!named) return sql_unexpected(p);
	if (!str_is(p->token.text, "__THIS__")) return sql_refuse(p, p->token.at, "tables other than __THIS__");
	return sql_advance(p) && parse_alias(p, alias) && (!sql_at_sign(p, ",") || sql_refuse(p, p->token.at, "joins"));
}

static bool parse_statement(struct sql_parser *p, struct sql_select *out)
{
	if (!sql_advance(p) || !sql_advance(p)) return false;
	if (!sql_take_word(p, "SELECT")) return not_expected(p);
	if (sql_at_word(p, "DISTINCT")) return not_expected(p);
	if (sql_at_word(p, "ALL") && !sql_next_is_sign(p, ",") && !sql_next_is_word(p, "FROM")) sql_take_word(p, "ALL");
	if (!parse_items(p, out)) return false;
	if (!sql_take_word(p, "FROM")) return not_expected(p);
	if (!parse_table(p, &out->table)) return false;
	if (sql_take_word(p, "WHERE") && !sql_parse_expression(p, &out->where)) return false;
	sql_take_sign(p, ";");
	return (p->token.kind == SQL_TOK_END && !p->e->text[0]) || not_expected(p);
}

bool sql_parse(struct str text, struct arena *a, struct sql_select *out, struct sql_error *e)
{
	*e = (struct sql_error){0};
	*out = (struct sql_select){.arena = a, .text = text};
	if (text.len > SQL_STATEMENT_MAX) return sql_fail(e, 0, "the statement is over %d bytes", SQL_STATEMENT_MAX);
	if (!str_utf8_valid(text.data, text.len)) return sql_fail(e, 0, "the statement is no UTF-8");
	struct sql_parser p = {.lexer = {.text = text, .room = arena_alloc(a, text.len + 1)}, .arena = a, .e = e};
	return parse_statement(&p, out);
}
