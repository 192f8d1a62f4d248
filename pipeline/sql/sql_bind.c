/* Names to columns, arguments to types: what is wrong with a statement is found here, before there are rows. */
#include "pipeline/sql/sql_function.h"

#include "pipeline/regex.h"

#include <stdio.h>
#include <strings.h>

/* --- Casts nobody wrote ------------------------------------------------------------------------------------------ */

static bool is_constant(const struct sql_node *n)
{
	return n->kind == SQL_LITERAL || (n->kind == SQL_CAST && n->args[0]->kind == SQL_LITERAL);
}

/* A cast of a literal is the literal it gives; where it fails it stays a cast and fails with its rows. */
static struct sql_node *folded(struct sql_binder *b, struct sql_node *cast)
{
	struct sql_run r = {0};
	struct sql_value v;
	struct sql_node *literal = cast;
	if (is_constant(cast) && sql_eval_cast(cast, &r, &v)) {
		literal = sql_node_make(b->select->arena, SQL_LITERAL, cast->at, NULL, 0);
		literal->type = cast->type;
		literal->text = cast->args[0]->text;
		literal->eval = sql_eval_literal;
		literal->bound = true;
		if (!v.null && cast->type.base == SQL_STRING)
			v.s.data = arena_strndup(b->select->arena, v.s.data, v.s.len);
		literal->value = v;
	}
	sql_run_release(&r);
	return literal;
}

bool sql_coerce(struct sql_binder *b, struct sql_node *n, size_t k, struct sql_type to)
{
	struct sql_node *arg = n->args[k];
	char from[SQL_TYPE_TEXT], wanted[SQL_TYPE_TEXT];
	if (sql_type_same(arg->type, to)) return true;
	return sql_type_implicit(arg->type, to)
		       ? sql_convert(b, n, k, to)
		       : sql_fail(b->e, arg->at, "this is %s, but %s is wanted", sql_type_text(arg->type, from),
				  sql_type_text(to, wanted));
}

bool sql_convert(struct sql_binder *b, struct sql_node *n, size_t k, struct sql_type to)
{
	struct sql_node *arg = n->args[k];
	char from[SQL_TYPE_TEXT];
	if (sql_type_same(arg->type, to)) return true;
	if (!sql_is_scalar(arg->type))
		return sql_fail(b->e, arg->at, "%s cannot be cast", sql_type_text(arg->type, from));
	struct sql_node *cast = sql_node_make(b->select->arena, SQL_CAST, arg->at, &arg, 1);
	cast->type = to;
	cast->eval = sql_eval_cast;
	cast->bound = true;
	n->args[k] = folded(b, cast);
	return true;
}

bool sql_coerce_common(struct sql_binder *b, struct sql_node *n, bool (*takes)(const struct sql_node *n, size_t k),
		       struct sql_type *out)
{
	struct sql_type common = SQL_TYPE(SQL_NULL);
	char one[SQL_TYPE_TEXT], other[SQL_TYPE_TEXT];
	for (size_t k = 0; k < n->count; k++)
		if ((!takes || takes(n, k)) && !sql_type_common(common, n->args[k]->type, &common))
			return sql_fail(b->e, n->args[k]->at, "%s and %s have no type in common",
					sql_type_text(common, one), sql_type_text(n->args[k]->type, other));
	for (size_t k = 0; k < n->count; k++)
		if ((!takes || takes(n, k)) && !sql_coerce(b, n, k, common)) return false;
	*out = common;
	return true;
}

/* --- Columns ----------------------------------------------------------------------------------------------------- */

static bool same_name(struct str a, struct str b)
{
	return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

/* Does the name mean this very column, and not a later one that took it over? */
static bool is_current(const struct schema *schema, size_t c)
{
	return schema_find(schema, schema->columns[c].name) == (int)c;
}

/* As it is written, else whatever the case. -1: none; -2: several. */
static int find_column(const struct schema *schema, struct str name)
{
	int found = schema_find(schema, name);
	for (size_t c = 0; found < 0 && c < schema->count; c++) {
		if (!is_current(schema, c) || !same_name(schema->columns[c].name, name)) continue;
		for (size_t d = c + 1; d < schema->count; d++)
			if (is_current(schema, d) && same_name(schema->columns[d].name, name)) return -2;
		found = (int)c;
	}
	return found;
}

static bool unknown_column(struct sql_binder *b, const struct sql_node *n)
{
	size_t best = SIZE_MAX;
	struct str near = {0};
	for (size_t c = 0; c < b->schema->count; c++) {
		size_t d = str_distance(b->schema->columns[c].name, n->text);
		if (d >= best) continue;
		best = d;
		near = b->schema->columns[c].name;
	}
	if (best > 2)
		return sql_fail(b->e, n->at, "there is no column \"%.*s\" at this point of the pipeline",
				(int)MIN(n->text.len, (size_t)100), n->text.data);
	return sql_fail(b->e, n->at,
			"there is no column \"%.*s\" at this point of the pipeline; did you mean \"%.*s\"?",
			(int)MIN(n->text.len, (size_t)80), n->text.data, (int)MIN(near.len, (size_t)80), near.data);
}

static void note_slot(struct sql_binder *b, int slot)
{
	struct sql_select *s = b->select;
	for (size_t k = 0; k < s->slot_count; k++)
		if (s->slots[k] == slot) return;
	MEM_GROW(s->slots, b->slot_cap, s->slot_count + 1);
	s->slots[s->slot_count++] = slot;
}

/* An earlier item's alias, where no column has the name. */
static bool bind_alias(struct sql_binder *b, struct sql_node *n)
{
	const struct sql_select *s = b->select;
	for (size_t k = 0; k < b->items_bound; k++) {
		if (n->qualifier.len || s->items[k].is_star || !same_name(s->items[k].name, n->text)) continue;
		n->item = k;
		n->slot = sql_column_of(s->items[k].expr);
		n->type = s->items[k].expr->type;
		n->eval = n->slot >= 0 ? sql_eval_column : sql_eval_item_value;
		return true;
	}
	return unknown_column(b, n);
}

static bool bind_column(struct sql_binder *b, struct sql_node *n)
{
	const struct sql_select *s = b->select;
	struct str q = n->qualifier;
	if (q.len && !same_name(q, STR("__THIS__")) && !(s->table.len && same_name(q, s->table)))
		return sql_fail(b->e, n->at, "there is no table \"%.*s\", only __THIS__", (int)MIN(q.len, (size_t)100),
				q.data);
	int slot = find_column(b->schema, n->text);
	if (slot == -2)
		return sql_fail(b->e, n->at, "\"%.*s\" is ambiguous: several columns differ only in case",
				(int)MIN(n->text.len, (size_t)100), n->text.data);
	if (slot < 0) return bind_alias(b, n);
	n->slot = slot;
	n->type = sql_type_of_column(&b->schema->columns[slot]);
	n->eval = sql_eval_column;
	return true;
}

/* --- Calls ------------------------------------------------------------------------------------------------------- */

static struct sql_type letter_type(char c)
{
	static const struct {
		char letter;
		enum sql_base base;
	} letters[] = {{'s', SQL_STRING}, {'t', SQL_STRING}, {'d', SQL_DOUBLE},
		       {'i', SQL_INT},    {'l', SQL_BIGINT}, {'b', SQL_BOOLEAN}};
	size_t k = 0;
	while (letters[k].letter != c) k++;
	return SQL_TYPE(letters[k].base);
}

static bool check_count(struct sql_binder *b, const struct sql_node *n)
{
	size_t min, max;
	sql_function_counts(n->fn, &min, &max);
	if (n->count >= min && n->count <= max) return true;
	if (min == max)
		return sql_fail(b->e, n->at, "%s takes %zu argument%s, not %zu", n->fn->name, min, min == 1 ? "" : "s",
				n->count);
	if (max == SQL_NODES_MAX)
		return sql_fail(b->e, n->at, "%s takes %zu or more arguments, not %zu", n->fn->name, min, n->count);
	return sql_fail(b->e, n->at, "%s takes from %zu to %zu arguments, not %zu", n->fn->name, min, max, n->count);
}

/* "s?i:s": see struct sql_function. */
static bool bind_signature(struct sql_binder *b, struct sql_node *n)
{
	const char *at = n->fn->signature, *colon = strchr(at, ':');
	char from[SQL_TYPE_TEXT];
	for (size_t k = 0; k < n->count; k++) {
		enum sql_base base = n->args[k]->type.base;
		if (*at == '?') at++;
		if (*at == 't' && base != SQL_STRING && base != SQL_NULL)
			return sql_fail(b->e, n->args[k]->at, "%s wants a STRING, this is %s", n->fn->name,
					sql_type_text(n->args[k]->type, from));
		if (!sql_coerce(b, n, k, letter_type(*at))) return false;
		if (at[1] != '*' && at[1] != ':') at++;
	}
	n->type = letter_type(colon[1]);
	return true;
}

static bool bind_call(struct sql_binder *b, struct sql_node *n)
{
	const struct sql_function *fn = n->fn;
	n->tolerant |= fn->tolerant;
	n->call = fn->call;
	n->eval = fn->eval;
	if (!check_count(b, n)) return false;
	if (fn->signature && !bind_signature(b, n)) return false;
	if (fn->bind && !fn->bind(b, n)) return false;
	if (!n->eval) n->eval = sql_eval_strict;
	CHECK(n->eval != sql_eval_strict || (n->call && n->count <= SQL_STRICT_ARGS_MAX));
	return true;
}

static bool bind_cast(struct sql_binder *b, struct sql_node *n)
{
	char from[SQL_TYPE_TEXT];
	if (sql_is_scalar(n->args[0]->type)) {
		n->eval = sql_eval_cast;
		return true;
	}
	return sql_fail(b->e, n->at, "%s cannot be cast", sql_type_text(n->args[0]->type, from));
}

static bool bind_node(struct sql_binder *b, struct sql_node *n)
{
	if (n->bound) return true;
	for (size_t k = 0; k < n->count; k++)
		if (!bind_node(b, n->args[k])) return false;
	bool ok = n->kind == SQL_COLUMN ? bind_column(b, n) : n->kind == SQL_CAST ? bind_cast(b, n) : bind_call(b, n);
	if (ok && n->kind == SQL_COLUMN && n->slot >= 0) note_slot(b, n->slot);
	n->bound = ok;
	return ok;
}

/* --- The statement ----------------------------------------------------------------------------------------------- */

static bool bind_item(struct sql_binder *b, struct sql_item *item)
{
	struct sql_node *n = item->expr;
	if (item->is_star) return true;
	/* A column that only passes by under its own name is read by nobody here. */
	bool bare = n->kind == SQL_COLUMN;
	if (!(bare ? bind_column(b, n) : bind_node(b, n))) return false;
	item->is_kept = bare && n->slot >= 0 && str_eq(item->name, b->schema->columns[n->slot].name);
	if (bare && n->slot >= 0 && !item->is_kept) note_slot(b, n->slot);
	n->bound = true;
	if (!bare && !sql_is_scalar(n->type)) return sql_fail(b->e, n->at, "vectors and arrays pass only as they are");
	return n->type.base != SQL_NULL || sql_fail(b->e, n->at, "NULL has no type; write CAST(NULL AS …)");
}

bool sql_bind(struct sql_select *s, const struct schema *schema, struct sql_error *e)
{
	struct sql_binder b = {.select = s, .schema = schema, .e = e};
	*e = (struct sql_error){0};
	if (s->where && !bind_node(&b, s->where)) return false;
	if (s->where && s->where->type.base != SQL_BOOLEAN && s->where->type.base != SQL_NULL)
		return sql_fail(e, s->where->at, "WHERE wants a BOOLEAN");
	for (; b.items_bound < s->count; b.items_bound++)
		if (!bind_item(&b, &s->items[b.items_bound])) return false;
	return true;
}

void sql_release(struct sql_select *s)
{
	for (size_t k = 0; k < s->regex_count; k++) regex_free(s->regexes[k]);
	mem_free(s->regexes);
	mem_free(s->slots);
	*s = (struct sql_select){0};
}

struct sql_type sql_type_of(const struct sql_node *n)
{
	return n->type;
}
int sql_column_of(const struct sql_node *n)
{
	return n->kind == SQL_COLUMN ? n->slot : SCHEMA_COLUMN_NONE;
}
