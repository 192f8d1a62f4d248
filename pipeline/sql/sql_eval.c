/* Evaluation of what is no function: literals, columns, earlier items, strict calls; and what a run holds. */
#include "pipeline/sql/sql_function.h"

#include "pipeline/regex.h"

#include <stdarg.h>
#include <stdio.h>

void sql_run_begin(struct sql_run *r, const struct sql_select *s, const struct batch *b)
{
	r->b = b;
	if (!r->items) r->items = mem_zalloc(MAX(s->count, (size_t)1), sizeof *r->items);
	if (!r->matches) r->matches = mem_zalloc(MAX(s->regex_count, (size_t)1), sizeof(struct regex_match *));
	r->match_count = s->regex_count;
	r->work.max = SQL_ROW_TEXT_MAX;
}

void sql_run_row(struct sql_run *r, size_t row)
{
	r->row = row;
	r->text_used = 0;
	arena_reset(&r->text);
}

void sql_run_release(struct sql_run *r)
{
	for (size_t k = 0; k < r->match_count; k++) regex_match_free(r->matches[k]);
	mem_free(r->matches);
	mem_free(r->items);
	arena_release(&r->text);
	buf_release(&r->work);
	*r = (struct sql_run){0};
}

bool sql_bad(struct sql_run *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(r->why, sizeof r->why, fmt, args);
	va_end(args);
	return false;
}

char *sql_room(struct sql_run *r, size_t len)
{
	if (len > SQL_ROW_TEXT_MAX - r->text_used) {
		sql_bad(r, "the expressions make over %d bytes of text", SQL_ROW_TEXT_MAX);
		return NULL;
	}
	r->text_used += len;
	return arena_alloc(&r->text, len + 1);
}

bool sql_eval(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return n->eval(n, r, out);
}

bool sql_eval_item(const struct sql_select *s, size_t k, struct sql_run *r)
{
	return sql_eval(s->items[k].expr, r, &r->items[k]);
}

bool sql_eval_literal(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	(void)r;
	*out = n->value;
	return true;
}

bool sql_eval_column(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	const struct column *c = &r->b->columns[n->slot];
	*out = (struct sql_value){.null = !column_valid(c, r->row)};
	if (out->null) return true;
	if (c->type == COL_DOUBLE)
		out->d = c->f64[r->row];
	else if (c->type == COL_INT64)
		out->i = c->i64[r->row];
	else if (c->type == COL_BOOLEAN)
		out->b = c->u8[r->row];
	else if (c->type == COL_STRING)
		out->s = column_str_at(c, r->row);
	return true;
}

bool sql_eval_item_value(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	*out = r->items[n->item];
	return true;
}

/* Null where an argument is, and nothing behind that argument is looked at, as in Spark. */
bool sql_eval_strict(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	struct sql_value a[SQL_STRICT_ARGS_MAX];
	for (size_t k = 0; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, &a[k])) return false;
		if (!a[k].null) continue;
		*out = a[k];
		return true;
	}
	*out = (struct sql_value){0};
	if (n->call(n, r, a, out)) return true;
	*out = (struct sql_value){.null = true};
	return n->tolerant;
}
