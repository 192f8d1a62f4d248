/* Expressions by precedence climbing. From loose to tight, as in Spark's grammar: OR, AND, NOT, predicates (IS, IN,
 * BETWEEN, LIKE), comparisons, |, ^, &, shifts, + - ||, * / % DIV, signs, ::. */
#include "pipeline/sql/sql_parser.h"

#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_literal.h"

#include <stdio.h>
#include <strings.h>

/* --- Tokens ------------------------------------------------------------------------------------------------------ */

bool sql_advance(struct sql_parser *p)
{
	p->token = p->next;
	return sql_lex(&p->lexer, &p->next, p->e);
}

static bool is_word(const struct sql_token *t, const char *word)
{
	return t->kind == SQL_TOK_WORD && t->text.len == strlen(word) &&
	       strncasecmp(t->text.data, word, t->text.len) == 0;
}
static bool is_sign(const struct sql_token *t, const char *sign)
{
	return t->kind == SQL_TOK_SIGN && str_is(t->text, sign);
}

bool sql_at_word(const struct sql_parser *p, const char *word)
{
	return is_word(&p->token, word);
}
bool sql_at_sign(const struct sql_parser *p, const char *sign)
{
	return is_sign(&p->token, sign);
}
bool sql_next_is_word(const struct sql_parser *p, const char *word)
{
	return is_word(&p->next, word);
}
bool sql_next_is_sign(const struct sql_parser *p, const char *sign)
{
	return is_sign(&p->next, sign);
}

/* A lexer's failure shows as the end of the text, and p->e keeps why. */
static bool take(struct sql_parser *p, bool there)
{
	if (there && !sql_advance(p)) p->token.kind = p->next.kind = SQL_TOK_END;
	return there;
}
bool sql_take_word(struct sql_parser *p, const char *word)
{
	return take(p, sql_at_word(p, word));
}
bool sql_take_sign(struct sql_parser *p, const char *sign)
{
	return take(p, sql_at_sign(p, sign));
}
bool sql_expect_word(struct sql_parser *p, const char *word)
{
	return sql_take_word(p, word) || sql_unexpected(p);
}
bool sql_expect_sign(struct sql_parser *p, const char *sign)
{
	return sql_take_sign(p, sign) || sql_unexpected(p);
}

bool sql_unexpected(struct sql_parser *p)
{
	const struct sql_token *t = &p->token;
	if (p->e->text[0]) return false;
	if (t->kind == SQL_TOK_END) return sql_fail(p->e, t->at, "syntax error at the end of the statement");
	return sql_fail(p->e, t->at, "syntax error at or near '%.*s'", (int)MIN(t->raw.len, (size_t)64), t->raw.data);
}

bool sql_refuse(struct sql_parser *p, size_t at, const char *what)
{
	return sql_fail(p->e, at,
			"%s: SQLTransformer computes each row by itself, as serving must; put it into the SQL of the "
			"dataset that the job reads",
			what);
}

bool sql_word_in(struct str word, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == word.len && strncasecmp(*words, word.data, word.len) == 0) return true;
	return false;
}

/* --- Nodes ------------------------------------------------------------------------------------------------------- */

struct sql_node *sql_node_make(struct arena *a, enum sql_kind kind, size_t at, struct sql_node *const *args,
			       size_t count)
{
	struct sql_node *n = arena_zalloc(a, 1, sizeof *n);
	n->kind = kind;
	n->at = at;
	n->count = count;
	n->args = arena_copy(a, args, count * sizeof(struct sql_node *));
	for (size_t k = 0; k < count; k++) n->depth = MAX(n->depth, args[k]->depth + 1);
	return n;
}

bool sql_node_add(struct sql_parser *p, enum sql_kind kind, size_t at, struct sql_node *const *args, size_t count,
		  struct sql_node **out)
{
	if (++p->nodes > SQL_NODES_MAX)
		return sql_fail(p->e, at, "the statement has over %d expressions", SQL_NODES_MAX);
	*out = sql_node_make(p->arena, kind, at, args, count);
	return (*out)->depth < SQL_DEPTH_MAX ||
	       sql_fail(p->e, at, "expressions are nested over %d deep", SQL_DEPTH_MAX);
}

bool sql_call_add(struct sql_parser *p, const char *function, size_t at, struct sql_node *const *args, size_t count,
		  struct sql_node **out)
{
	if (!sql_node_add(p, SQL_CALL, at, args, count, out)) return false;
	(*out)->fn = sql_operator(function, count);
	return true;
}

void sql_args_push(struct sql_parser *p, struct sql_args *args, struct sql_node *n)
{
	if (args->count == args->cap) {
		size_t cap = args->cap ? args->cap * 2 : 4;
		struct sql_node **items = arena_alloc(p->arena, cap * sizeof *items);
		if (args->count) memcpy(items, args->items, args->count * sizeof *items);
		args->items = items;
		args->cap = cap;
	}
	args->items[args->count++] = n;
}

/* --- Operators --------------------------------------------------------------------------------------------------- */

enum {
	LEVEL_OR = 1,
	LEVEL_AND,
	LEVEL_PREDICATE,
	LEVEL_COMPARISON,
	LEVEL_BIT_OR,
	LEVEL_BIT_XOR,
	LEVEL_BIT_AND,
	LEVEL_SHIFT,
	LEVEL_SUM,
	LEVEL_PRODUCT
};

static const struct {
	const char *token, *function;
	int level;
} binaries[] = {
	{"OR", "or", LEVEL_OR},         {"AND", "and", LEVEL_AND},        {"=", "=", LEVEL_COMPARISON},
	{"==", "=", LEVEL_COMPARISON},  {"<=>", "<=>", LEVEL_COMPARISON}, {"<>", "<>", LEVEL_COMPARISON},
	{"!=", "<>", LEVEL_COMPARISON}, {"<", "<", LEVEL_COMPARISON},     {"<=", "<=", LEVEL_COMPARISON},
	{">", ">", LEVEL_COMPARISON},   {">=", ">=", LEVEL_COMPARISON},   {"|", "|", LEVEL_BIT_OR},
	{"^", "^", LEVEL_BIT_XOR},      {"&", "&", LEVEL_BIT_AND},        {"+", "+", LEVEL_SUM},
	{"-", "-", LEVEL_SUM},          {"||", "||", LEVEL_SUM},          {"*", "*", LEVEL_PRODUCT},
	{"/", "/", LEVEL_PRODUCT},      {"%", "%", LEVEL_PRODUCT},        {"DIV", "div", LEVEL_PRODUCT},
	{"<<", "<<", LEVEL_SHIFT},      {">>", ">>", LEVEL_SHIFT},        {">>>", ">>>", LEVEL_SHIFT},
};

static bool parse_level(struct sql_parser *p, int level, struct sql_node **out);

/* The row of the operator at hand; ARRAY_COUNT(binaries): there is none. */
static size_t binary_at(const struct sql_parser *p)
{
	size_t k = 0;
	while (k < ARRAY_COUNT(binaries) && !sql_at_word(p, binaries[k].token) && !sql_at_sign(p, binaries[k].token))
		k++;
	return k;
}

/* --- Predicates -------------------------------------------------------------------------------------------------- */

static bool negated(struct sql_parser *p, bool not, size_t at, struct sql_node **n)
{
	return !not || sql_call_add(p, "not", at, (struct sql_node *[]){*n}, 1, n);
}

static bool parse_is(struct sql_parser *p, struct sql_node *left, size_t at, struct sql_node **out)
{
	static const struct {
		const char *word, *function;
	} tests[] = {{"NULL", "isnull"}, {"TRUE", "is true"}, {"FALSE", "is false"}, {"UNKNOWN", "isnull"}};
	bool not = sql_take_word(p, "NOT");
	for (size_t k = 0; k < ARRAY_COUNT(tests); k++) {
		if (!sql_take_word(p, tests[k].word)) continue;
		const char *function = not &&strcmp(tests[k].function, "isnull") == 0 ? "isnotnull" : tests[k].function;
		return sql_call_add(p, function, at, &left, 1, out) &&
		       negated(p, not &&strcmp(function, "isnotnull") != 0, at, out);
	}
	struct sql_node *right;
	if (!sql_expect_word(p, "DISTINCT") || !sql_expect_word(p, "FROM") || !sql_parse_operand(p, &right))
		return false;
	return sql_call_add(p, "<=>", at, (struct sql_node *[]){left, right}, 2, out) && negated(p, !not, at, out);
}

static bool parse_in(struct sql_parser *p, struct sql_node *left, size_t at, struct sql_node **out)
{
	struct sql_args args = {0};
	sql_args_push(p, &args, left);
	if (!sql_expect_sign(p, "(")) return false;
	if (sql_at_word(p, "SELECT") || sql_at_word(p, "WITH")) return sql_refuse(p, p->token.at, "subqueries");
	do {
		struct sql_node *n;
		if (!sql_parse_expression(p, &n)) return false;
		sql_args_push(p, &args, n);
	} while (sql_take_sign(p, ","));
	return sql_expect_sign(p, ")") && sql_call_add(p, "in", at, args.items, args.count, out);
}

static bool parse_between(struct sql_parser *p, struct sql_node *left, size_t at, struct sql_node **out)
{
	struct sql_node *low, *high;
	return sql_parse_operand(p, &low) && sql_expect_word(p, "AND") && sql_parse_operand(p, &high) &&
	       sql_call_add(p, "between", at, (struct sql_node *[]){left, low, high}, 3, out);
}

struct likes {
	const char *word, *function;
	const char *any, *all, *not_any, *not_all; /* NULL: there is no such form */
};

/* LIKE ANY (…), LIKE ALL (…): NOT is of each comparison. */
static bool parse_likes(struct sql_parser *p, const char *function, struct sql_node *left, size_t at,
			struct sql_node **out)
{
	struct sql_args args = {0};
	sql_args_push(p, &args, left);
	if (!sql_advance(p) || !sql_expect_sign(p, "(")) return false;
	do {
		struct sql_node *n;
		if (!sql_parse_expression(p, &n)) return false;
		sql_args_push(p, &args, n);
	} while (sql_take_sign(p, ","));
	return sql_expect_sign(p, ")") && sql_call_add(p, function, at, args.items, args.count, out);
}

static bool parse_like(struct sql_parser *p, const struct likes *l, bool not, struct sql_node *left, size_t at,
		       struct sql_node **out)
{
	struct sql_node *args[3] = {left};
	size_t count = 2;
	if (l->any && (sql_at_word(p, "ANY") || sql_at_word(p, "SOME")))
		return parse_likes(p, not ? l->not_any : l->any, left, at, out);
	if (l->all && sql_at_word(p, "ALL")) return parse_likes(p, not ? l->not_all : l->all, left, at, out);
	if (!sql_parse_operand(p, &args[1])) return false;
	if (l->any && sql_take_word(p, "ESCAPE") && !sql_parse_primary(p, &args[count++])) return false;
	return sql_call_add(p, l->function, at, args, count, out) && negated(p, not, at, out);
}

static bool starts_predicate(const struct sql_parser *p)
{
	static const char *const after_not[] = {"IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "REGEXP", NULL};
	const struct sql_token *t = sql_at_word(p, "NOT") ? &p->next : &p->token;
	return sql_at_word(p, "IS") || (t->kind == SQL_TOK_WORD && sql_word_in(t->text, after_not));
}

static bool parse_predicate(struct sql_parser *p, struct sql_node **left)
{
	static const struct likes likes[] = {
	    {"LIKE", "like", "like any", "like all", "not like any", "not like all"},
	    {"ILIKE", "ilike", "ilike any", "ilike all", "not ilike any", "not ilike all"},
	    {.word = "RLIKE", .function = "rlike"},
	    {.word = "REGEXP", .function = "rlike"},
	};
	size_t at = p->token.at;
	if (sql_take_word(p, "IS")) return parse_is(p, *left, at, left);
	bool not = sql_take_word(p, "NOT");
	if (sql_take_word(p, "IN")) return parse_in(p, *left, at, left) && negated(p, not, at, left);
	if (sql_take_word(p, "BETWEEN")) return parse_between(p, *left, at, left) && negated(p, not, at, left);
	for (size_t k = 0; k < ARRAY_COUNT(likes); k++)
		if (sql_take_word(p, likes[k].word))
			return parse_like(p, &likes[k], not, *left, at, left);
	return sql_unexpected(p);
}

/* --- Levels ------------------------------------------------------------------------------------------------------ */

/* A number's sign is part of it. */
static bool parse_negative_number(struct sql_parser *p, size_t at, struct sql_node **out)
{
	return sql_advance(p) && sql_node_add(p, SQL_LITERAL, at, NULL, 0, out) &&
	       sql_literal_number(p->arena, p->token.text, true, *out, p->e) && sql_advance(p);
}

static bool parse_unary(struct sql_parser *p, struct sql_node **out)
{
	size_t at = p->token.at;
	bool is_number = sql_at_sign(p, "-") && p->next.kind == SQL_TOK_NUMBER;
	struct sql_node *n;
	if (!is_number && sql_take_sign(p, "-"))
		return parse_level(p, LEVEL_PRODUCT + 1, &n) && sql_call_add(p, "unary -", at, &n, 1, out);
	if (sql_take_sign(p, "+"))
		return parse_level(p, LEVEL_PRODUCT + 1, &n) && sql_call_add(p, "positive", at, &n, 1, out);
	if (sql_take_sign(p, "~")) return parse_level(p, LEVEL_PRODUCT + 1, &n) && sql_call_add(p, "~", at, &n, 1, out);
	if (sql_take_word(p, "NOT") || sql_take_sign(p, "!"))
		return parse_level(p, LEVEL_PREDICATE, &n) && sql_call_add(p, "not", at, &n, 1, out);
	if (!(is_number ? parse_negative_number(p, at, out) : sql_parse_primary(p, out))) return false;
	while (sql_take_sign(p, "::")) {
		struct sql_type type;
		if (!sql_parse_type(p, &type) || !sql_node_add(p, SQL_CAST, at, out, 1, out)) return false;
		(*out)->type = type;
	}
	return true;
}

static bool climb(struct sql_parser *p, int level, struct sql_node **out)
{
	if (!parse_unary(p, out)) return false;
	for (;;) {
		size_t k = binary_at(p), at = p->token.at;
		if (level <= LEVEL_PREDICATE && starts_predicate(p)) {
			if (!parse_predicate(p, out)) return false;
			continue;
		}
		if (k == ARRAY_COUNT(binaries) || binaries[k].level < level) return true;
		struct sql_node *right;
		if (!sql_advance(p) || !parse_level(p, binaries[k].level + 1, &right) ||
		    !sql_call_add(p, binaries[k].function, at, (struct sql_node *[]){*out, right}, 2, out))
			return false;
	}
}

static bool parse_level(struct sql_parser *p, int level, struct sql_node **out)
{
	if (++p->depth > SQL_DEPTH_MAX)
		return sql_fail(p->e, p->token.at, "expressions are nested over %d deep", SQL_DEPTH_MAX);
	bool ok = climb(p, level, out);
	p->depth--;
	return ok;
}

bool sql_parse_expression(struct sql_parser *p, struct sql_node **out)
{
	return parse_level(p, LEVEL_OR, out);
}
bool sql_parse_operand(struct sql_parser *p, struct sql_node **out)
{
	return parse_level(p, LEVEL_COMPARISON, out);
}
