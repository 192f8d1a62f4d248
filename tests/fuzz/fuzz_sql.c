/* A statement is accepted or refused with a place within it and a reason. What is accepted is evaluated over a row
 * without harm, twice to the same answer. */
#include "tests/fuzz/fuzz.h"

#include "pipeline/sql/sql.h"

static void fill(struct schema *schema, struct batch *b)
{
	schema_add(schema, &(struct column_def){.name = STR("x"), .type = COL_DOUBLE});
	schema_add(schema, &(struct column_def){.name = STR("n"), .type = COL_INT64});
	schema_add(schema, &(struct column_def){.name = STR("s"), .type = COL_STRING});
	schema_add(schema, &(struct column_def){.name = STR("f"), .type = COL_BOOLEAN});
	schema_add(schema, &(struct column_def){.name = STR("v"), .type = COL_VECTOR});
	batch_init(b, schema);
	batch_clear(b);
	column_double(&b->columns[0], -2.5);
	column_i64(&b->columns[1], INT64_MAX);
	column_str(&b->columns[2], "na\xc3\xafve 12", 9);
	column_null(&b->columns[3]);
	column_dense(&b->columns[4], (double[]){1, 2}, 2);
	b->rows = 1;
}

static void same(struct sql_type t, const struct sql_value *a, const struct sql_value *b)
{
	CHECK(a->null == b->null);
	if (a->null || t.base == SQL_OTHER) return;
	if (t.base == SQL_STRING)
		CHECK(str_eq(a->s, b->s) && str_utf8_valid(a->s.data, a->s.len));
	else if (t.base == SQL_BOOLEAN)
		CHECK(a->b == b->b);
	else if (t.base == SQL_DECIMAL)
		CHECK(a->dec == b->dec && sql_decimal_fits(a->dec, t.precision));
	else
		CHECK(a->i == b->i);
}

static void evaluate(const struct sql_select *s, const struct batch *b)
{
	struct sql_run one = {0}, other = {0};
	sql_run_begin(&one, s, b);
	sql_run_begin(&other, s, b);
	sql_run_row(&one, 0);
	sql_run_row(&other, 0);
	for (size_t k = 0; k < s->count; k++) {
		if (s->items[k].is_star || s->items[k].is_kept) continue;
		bool ok = sql_eval_item(s, k, &one);
		CHECK(ok == sql_eval_item(s, k, &other));
		CHECK(ok || one.why[0]);
		if (!ok) break;
		same(sql_type_of(s->items[k].expr), &one.items[k], &other.items[k]);
	}
	struct sql_value keep;
	if (s->where && !sql_eval(s->where, &one, &keep)) CHECK(one.why[0]);
	sql_run_release(&one);
	sql_run_release(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct schema schema = SCHEMA_INIT;
	struct batch b;
	struct sql_select s;
	struct sql_error e;
	struct str text = {(const char *)data, size};
	fill(&schema, &b);
	bool ok = sql_parse(text, &a, &s, &e) && sql_bind(&s, &schema, &e);
	CHECK(ok || (e.text[0] && e.at <= size));
	if (ok) evaluate(&s, &b);
	sql_release(&s);
	batch_release(&b);
	schema_release(&schema);
	arena_release(&a);
	return 0;
}
