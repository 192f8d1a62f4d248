/* R formulas: what they resolve to, what is refused, and how RFormula serves without its label. */
#include "pipeline/formula.h"

#include "tests/unit/pipeline/stage_support.h"

#include <stdio.h>

static const char schema_text[] = "[{\"name\":\"y\",\"type\":\"double\"},{\"name\":\"a\",\"type\":\"double\"},"
				  "{\"name\":\"b\",\"type\":\"double\"},{\"name\":\"s\",\"type\":\"string\"},"
				  "{\"name\":\"w\",\"type\":\"array<string>\"}]";

/* "[a,{a,b}] intercept", or "refused: …". */
static void resolved(const struct schema *schema, const char *text, char out[256])
{
	struct arena a = ARENA_INIT;
	struct formula f;
	struct formula_terms t;
	struct buf b = BUF_INIT(1 << 20);
	char why[FORMULA_WHY_SIZE];
	if (!formula_parse(STR(text), &a, &f, why) || !formula_resolve(&f, schema, &a, &t, why))
		snprintf(out, 256, "refused: %s", why);
	else {
		formula_write(f.label, &t, f.intercept, &b);
		snprintf(out, 256, "%s", buf_cstr(&b) + strlen("ResolvedRFormula("));
	}
	buf_release(&b);
	arena_release(&a);
}

static void formulas(void **state)
{
	(void)state;
	static const struct {
		const char *text, *expected;
	} rows[] = {
	    {"y ~ .", "label=y, terms=[a,b,s], hasIntercept=true)"},
	    {"~ a", "label=, terms=[a], hasIntercept=true)"},
	    {"y ~ .:.", "label=y, terms=[a,b,s,{a,b},{a,s},{b,s}], hasIntercept=true)"},
	    {"y ~ .^2 - s", "label=y, terms=[a,b,{a,b},{a,s},{b,s}], hasIntercept=true)"},
	    {"y ~ a:b + b:a", "label=y, terms=[{a,b}], hasIntercept=true)"},
	    {"y ~ a*b - b:a", "label=y, terms=[a,b], hasIntercept=true)"},
	    {"y ~ a:b - .", "label=y, terms=[{a,b}], hasIntercept=true)"},
	    {"y ~ a - zz", "label=y, terms=[a], hasIntercept=true)"},
	    {"y ~ a - a + a", "label=y, terms=[a], hasIntercept=true)"},
	    {"y ~ a + 0 + 1", "label=y, terms=[a], hasIntercept=true)"},
	    {"y ~ a - 0", "label=y, terms=[a], hasIntercept=true)"},
	    {"y ~ a:a", "label=y, terms=[a], hasIntercept=true)"},
	    {"y ~ (a)", "label=y, terms=[a], hasIntercept=true)"},
	    {"y~a^1", "label=y, terms=[a], hasIntercept=true)"},
	    {"y ~ zz", "refused: there is no column \"zz\""},
	    {"y ~ a:zz", "refused: there is no column \"zz\""},
	    {"y ~ a - (b - s)", "refused: what is behind a minus"},
	    {"y ~ a^0", "refused: could not be read from position 7 on"},
	    {"y ~ a^99", "refused: a power is over"},
	    {"y ~ a ~ b", "refused: could not be read from position 7 on"},
	    {"y ~ (a", "refused: could not be read"},
	    {"y ~", "refused: could not be read"},
	    {"", "refused: could not be read from position 1 on"},
	    {"y ~ 10", "refused: could not be read"},
	    {"y ~ (a+b+s)^30", "refused: the formula has over 8192 terms"},
	};
	struct stage_table t;
	stage_table_init(&t, schema_text);
	for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
		char got[256];
		resolved(&t.schema, rows[k].text, got);
		if (strncmp(got, rows[k].expected, strlen(rows[k].expected)) != 0)
			fail_msg("%s: %s, expected %s", rows[k].text, got, rows[k].expected);
	}
	stage_table_release(&t);
}

static void nesting(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct formula f;
	char text[300], why[FORMULA_WHY_SIZE];
	memset(text, '(', sizeof text);
	memcpy(text, "y~", 2);
	assert_false(formula_parse((struct str){text, sizeof text}, &a, &f, why));
	assert_string_equal(why, "brackets are nested too deep");
	arena_release(&a);
}

/* The label is read only where the label that is made of it is wanted. */
static void serves_without_label(void **state)
{
	(void)state;
	struct stage_table t;
	struct pipeline p;
	struct pipeline_plan plan;
	struct err e;
	struct comm *c = comm_serial_create();
	err_init(&e);
	stage_table_init(&t, schema_text);
	for (int i = 0; i < 4; i++) {
		column_double(&t.rows.columns[0], i);
		column_double(&t.rows.columns[1], i);
		column_double(&t.rows.columns[2], 1);
		column_str(&t.rows.columns[3], i % 2 ? "u" : "v", 1);
		column_row_end(&t.rows.columns[4]);
	}
	t.rows.rows = 4;
	stage_pipeline(&p, "[{\"stage\":\"RFormula\",\"formula\":\"y ~ a + s\"}]", &t);
	assert_true(stage_fit(&p, &t, c, 2, &e));
	uint8_t *wanted = mem_zalloc(p.schema.count, 1);
	int features = schema_find(&p.schema, STR("features")), label = schema_find(&p.schema, STR("label"));
	assert_true(features >= 0 && label >= 0);
	wanted[features] = 1;
	pipeline_plan_make(&plan, &p, wanted, NULL);
	assert_true(plan.input_needed[1] && plan.input_needed[3] && !plan.input_needed[0]);
	pipeline_plan_release(&plan);
	wanted[label] = 1;
	pipeline_plan_make(&plan, &p, wanted, NULL);
	assert_true(plan.input_needed[0]);
	pipeline_plan_release(&plan);
	mem_free(wanted);
	pipeline_release(&p);
	stage_table_release(&t);
	comm_serial_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(formulas), cmocka_unit_test(nesting),
					   cmocka_unit_test(serves_without_label)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
