/* Spark's SQLTransformer: SELECT … FROM __THIS__ [WHERE …], row by row. What is selected is added to the table; columns
 * that are not selected stay, unread (docs/spark-differences.md). */
#include "data/dataset.h"
#include "pipeline/sql/sql.h"
#include "pipeline/stage.h"

struct sql_transformer_params {
	struct str statement;
	/* Made by columns(). */
	struct arena arena;
	struct sql_select select;
};

static const struct field params[] = {
	{.name = "statement",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct sql_transformer_params, statement),
	 .required = true,
	 .help = "SELECT … FROM __THIS__ [WHERE …]: expressions of Spark SQL over the columns of a row."},
	FIELD_END,
};

static void release(struct stage *s)
{
	struct sql_transformer_params *p = s->params;
	sql_release(&p->select);
	arena_release(&p->arena);
}

/* --- Columns ----------------------------------------------------------------------------------------------------- */

static bool statement_fault(const struct stage *s, struct err *e, const struct sql_error *why)
{
	const struct sql_transformer_params *p = s->params;
	size_t line = 1, start = 0;
	for (size_t i = 0; i < why->at && i < p->statement.len; i++) {
		if (p->statement.data[i] != '\n') continue;
		line++;
		start = i + 1;
	}
	return stage_fault(s, e, "statement", "line %zu, position %zu: %s", line, why->at - start + 1, why->text);
}

static enum col_type column_type(struct sql_type t)
{
	if (t.base == SQL_STRING) return COL_STRING;
	if (t.base == SQL_BOOLEAN) return COL_BOOLEAN;
	return sql_is_integer(t) ? COL_INT64 : COL_DOUBLE; /* decimals are written as doubles */
}

/* Is the name one that an earlier item, or *, gave the result already? */
static bool is_taken(const struct sql_select *q, size_t item)
{
	for (size_t k = 0; k < q->count; k++)
		if (q->items[k].is_star || (k < item && str_eq(q->items[k].name, q->items[item].name))) return true;
	return false;
}

/* A column under another name keeps all that is known of it. An expression may take over an existing column's name. */
static bool bind_output(struct stage *s, struct schema *schema, size_t k, struct err *e)
{
	const struct sql_transformer_params *p = s->params;
	const struct sql_item *item = &p->select.items[k];
	struct schema copy = SCHEMA_INIT;
	if (item->is_star || item->is_kept) return true;
	struct sql_type t = sql_type_of(item->expr);
	int slot = sql_column_of(item->expr);
	struct column_def def = {.type = column_type(t), .is_int32 = sql_is_integer(t) && t.base != SQL_BIGINT};
	if (slot >= 0) {
		schema_add(&copy,
			   &schema->columns[slot]); /* its attributes, which must not move while they are copied */
		def = copy.columns[0];
	}
	def.name = item->name;
	bool again = schema_find(schema, def.name) >= 0 && !is_taken(&p->select, k);
	bool ok = (again ? stage_output_again(s, schema, "statement", &def)
			 : stage_output(s, schema, "statement", &def, e)) >= 0;
	schema_release(&copy);
	return ok;
}

static bool bind_inputs(struct stage *s, const struct schema *schema, struct err *e)
{
	const struct sql_transformer_params *p = s->params;
	const struct sql_select *q = &p->select;
	bool ok = true;
	if (q->slot_count > STAGE_INPUTS_MAX)
		return stage_fault(s, e, "statement", "reads %zu columns; the limit is %d", q->slot_count,
				   STAGE_INPUTS_MAX);
	for (size_t k = 0; k < q->slot_count; k++)
		ok &= stage_input(s, schema, "statement", schema->columns[q->slots[k]].name, COL_ANY, e) >= 0;
	/* Selected as they are, they need not come with a request; a stored model still names them. */
	for (size_t k = 0; k < q->count; k++)
		if (q->items[k].is_kept)
			ok &= stage_input_fit_only(s, schema, "statement", q->items[k].name, COL_ANY, e) >= 0;
	return ok;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct sql_transformer_params *p = s->params;
	struct sql_error why;
	release(s);
	if (!sql_parse(p->statement, &p->arena, &p->select, &why)) return statement_fault(s, e, &why);
	/* What an earlier broken stage would have made may be missing. */
	if (!sql_bind(&p->select, schema, &why)) return !s->lenient && statement_fault(s, e, &why);
	s->filters = p->select.where != NULL;
	bool ok = bind_inputs(s, schema, e);
	for (size_t k = 0; k < p->select.count; k++) ok &= bind_output(s, schema, k, e);
	return ok;
}

/* --- Apply ------------------------------------------------------------------------------------------------------- */

static void drop_run(void *run)
{
	sql_run_release(run);
	mem_free(run);
}

static struct sql_run *run_of(const struct sql_select *q, const struct batch *b, struct scratch *sc)
{
	struct sql_run *r = scratch_room(sc, 0, sizeof *r);
	sc->drop[0] = drop_run;
	sql_run_begin(r, q, b);
	return r;
}

static bool filter(const struct stage *s, struct sql_run *r, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct sql_transformer_params *p = s->params;
	uint8_t *keep = scratch_room(sc, 1, b->rows);
	bool any = false;
	for (size_t i = 0; i < b->rows; i++) {
		struct sql_value v;
		sql_run_row(r, i);
		if (!sql_eval(p->select.where, r, &v)) return stage_data_error(s, b, i, e, "%s", r->why);
		keep[i] = !v.null && v.b;
		any |= !keep[i];
	}
	if (any) batch_filter(b, keep);
	return true;
}

static bool put(struct column *out, struct sql_type t, const struct sql_value *v)
{
	if (v->null)
		column_null(out);
	else if (t.base == SQL_DOUBLE)
		column_double(out, v->d);
	else if (t.base == SQL_DECIMAL)
		column_double(out, sql_decimal_double(v->dec, t.scale));
	else if (t.base == SQL_BOOLEAN)
		column_bool(out, v->b);
	else if (t.base != SQL_STRING)
		column_i64(out, v->i);
	else if (v->s.len > BATCH_BYTES_MAX - out->own.len)
		return false;
	else
		column_str(out, v->s.data, v->s.len);
	return true;
}

static bool apply_row(const struct stage *s, struct sql_run *r, struct batch *b, size_t i, struct err *e)
{
	const struct sql_transformer_params *p = s->params;
	size_t made = 0;
	sql_run_row(r, i);
	for (size_t k = 0; k < p->select.count; k++) {
		const struct sql_item *item = &p->select.items[k];
		if (item->is_star || item->is_kept) continue;
		struct column *out = &b->columns[s->out[made++].slot];
		int slot = sql_column_of(item->expr);
		if (slot >= 0) {
			column_copy_row(out, &b->columns[slot], i);
			continue;
		}
		if (!sql_eval_item(&p->select, k, r)) return stage_data_error(s, b, i, e, "%s", r->why);
		if (!put(out, sql_type_of(item->expr), &r->items[k]))
			return stage_data_error(s, b, i, e, "the batch's text is over the limit");
	}
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct sql_transformer_params *p = s->params;
	struct sql_run *r = run_of(&p->select, b, sc);
	if (p->select.where && !filter(s, r, b, sc, e)) return false;
	for (size_t i = 0; i < b->rows; i++)
		if (!apply_row(s, r, b, i, e)) return false;
	return true;
}

const struct stage_type sql_transformer_stage = {
	.name = "SQLTransformer",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Computes columns, and filters rows, by a statement of Spark SQL.",
	.inputs = "any",
	.outputs = "double, int64, boolean, string, or as the column selected",
	.params = params,
	.params_size = sizeof(struct sql_transformer_params),
	.columns = columns,
	.apply = apply,
	.release = release,
};
