/* Spark SQL's expressions: values, types, names, and what is refused where. The parity fixtures hold a real Spark's
 * answers; these are the edges that they do not show. */
#include "pipeline/sql/sql.h"
#include "tests/support/malloc_count.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>

struct sheet {
	struct schema schema;
	struct batch b;
};

/* One row: x -2.5, nan NaN, n 7, i 3 (an INT), s "naïve 12", f null, v a vector. */
static void sheet_init(struct sheet *t)
{
	t->schema = SCHEMA_INIT;
	schema_add(&t->schema, &(struct column_def){.name = STR("x"), .type = COL_DOUBLE});
	schema_add(&t->schema, &(struct column_def){.name = STR("nan"), .type = COL_DOUBLE});
	schema_add(&t->schema, &(struct column_def){.name = STR("n"), .type = COL_INT64});
	schema_add(&t->schema, &(struct column_def){.name = STR("i"), .type = COL_INT64, .is_int32 = true});
	schema_add(&t->schema, &(struct column_def){.name = STR("s"), .type = COL_STRING});
	schema_add(&t->schema, &(struct column_def){.name = STR("f"), .type = COL_BOOLEAN});
	schema_add(&t->schema, &(struct column_def){.name = STR("v"), .type = COL_VECTOR});
	batch_init(&t->b, &t->schema);
	batch_clear(&t->b);
	column_double(&t->b.columns[0], -2.5);
	column_double(&t->b.columns[1], NAN);
	column_i64(&t->b.columns[2], 7);
	column_i64(&t->b.columns[3], 3);
	column_str(&t->b.columns[4], "na\xc3\xafve 12", 9);
	column_null(&t->b.columns[5]);
	column_dense(&t->b.columns[6], (double[]){1, 2}, 2);
	t->b.rows = 1;
}

static void sheet_release(struct sheet *t)
{
	batch_release(&t->b);
	schema_release(&t->schema);
}

/* "INT 3", "STRING abc", "DOUBLE null"; "error: …" of the row; "refused at 7: …" of the statement. */
static void answer(const struct sheet *t, const char *expression, char out[512])
{
	char statement[2048], type[SQL_TYPE_TEXT], text[512];
	struct arena a = ARENA_INIT;
	struct sql_run r = {0};
	struct sql_select s;
	struct sql_error e;
	snprintf(statement, sizeof statement, "SELECT %s AS out FROM __THIS__", expression);
	if (!sql_parse(STR(statement), &a, &s, &e) || !sql_bind(&s, &t->schema, &e)) {
		snprintf(out, 512, "refused at %zu: %s", e.at - strlen("SELECT "), e.text);
	} else {
		sql_run_begin(&r, &s, &t->b);
		sql_run_row(&r, 0);
		struct sql_type type_of = sql_type_of(s.items[0].expr);
		const struct sql_value *v = &r.items[0];
		bool ok = sql_eval_item(&s, 0, &r);
		size_t n = 0;
		if (ok && v->null)
			n = (size_t)snprintf(text, sizeof text, "null");
		else if (ok && type_of.base == SQL_STRING)
			n = (size_t)snprintf(text, sizeof text, "%.*s", (int)v->s.len, v->s.len ? v->s.data : "");
		else if (ok && type_of.base == SQL_DOUBLE)
			n = str_from_double_java(v->d, text);
		else if (ok && type_of.base == SQL_DECIMAL)
			n = sql_decimal_text(v->dec, type_of.scale, text);
		else if (ok && type_of.base == SQL_BOOLEAN)
			n = (size_t)snprintf(text, sizeof text, v->b ? "true" : "false");
		else if (ok)
			n = str_from_i64(v->i, text);
		if (ok)
			snprintf(out, 512, "%s %.*s", sql_type_text(type_of, type), (int)n, text);
		else
			snprintf(out, 512, "error: %s", r.why);
		sql_run_release(&r);
	}
	sql_release(&s);
	arena_release(&a);
}

struct row {
	const char *expression, *expected; /* expected: the answer, or how a refusal begins */
};

static void check_rows(const struct row *rows, size_t count)
{
	struct sheet t;
	sheet_init(&t);
	for (size_t k = 0; k < count; k++) {
		char got[512];
		answer(&t, rows[k].expression, got);
		bool prefix =
		    strncmp(rows[k].expected, "error", 5) == 0 || strncmp(rows[k].expected, "refused", 7) == 0;
		if (prefix ? strncmp(got, rows[k].expected, strlen(rows[k].expected)) != 0
			   : strcmp(got, rows[k].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[k].expression, got, rows[k].expected);
	}
	sheet_release(&t);
}
#define CHECK_ROWS(rows) check_rows(rows, ARRAY_COUNT(rows))

static void numbers(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"1", "INT 1"},
	    {"2147483648", "BIGINT 2147483648"},
	    {"-2147483648", "INT -2147483648"},
	    {"9223372036854775808", "DECIMAL(19,0) 9223372036854775808"},
	    {"1L", "BIGINT 1"},
	    {"1.50", "DECIMAL(3,2) 1.50"},
	    {"0.05", "DECIMAL(2,2) 0.05"},
	    {".5", "DECIMAL(1,1) 0.5"},
	    {"1e3", "DOUBLE 1000.0"},
	    {"1.5D", "DOUBLE 1.5"},
	    {"1.5BD", "DECIMAL(2,1) 1.5"},
	    {"2 + 3 * 4 - 1", "INT 13"},
	    {"7 / 2", "DOUBLE 3.5"},
	    {"n / 0", "error: division by zero"},
	    {"x / 0", "error: division by zero"},
	    {"x % 0", "error: division by zero"},
	    {"-7 % 3", "INT -1"},
	    {"pmod(-7, 3)", "INT 2"},
	    {"-7 DIV 2", "BIGINT -3"},
	    {"x DIV 2", "refused at 2: div wants integers"},
	    {"2147483647 + 1", "error: the result of + does not fit INT"},
	    {"2147483647 + 1L", "BIGINT 2147483648"},
	    {"9223372036854775807 + n", "error: the result of +"},
	    {"try_add(2147483647, 1)", "INT null"},
	    {"try_divide(1, 0)", "DOUBLE null"},
	    {"n * 1.5", "DECIMAL(23,1) 10.5"},
	    {"2 * 1.5", "DECIMAL(4,1) 3.0"},
	    {"1.10 + 2.2", "DECIMAL(4,2) 3.30"},
	    {"1.0 / 3", "DECIMAL(7,6) 0.333333"},
	    {"2.5 % 1", "DECIMAL(2,1) 0.5"},
	    {"x * 1.5", "DOUBLE -3.75"},
	    {"0.1 + 0.2 = 0.3", "BOOLEAN true"},
	    {"0.1D + 0.2D = 0.3D", "BOOLEAN false"},
	    {"'3' + 4", "BIGINT 7"},
	    {"'3' * 0.5", "DOUBLE 1.5"},
	    {"'a' + 'b'", "refused at 4: + wants numbers"},
	    {"true + 1", "refused"},
	    {"~5 & 12 | 1 ^ 3", "INT 10"},
	    {"- -3", "INT 3"},
	    {"-(x)", "DOUBLE 2.5"},
	};
	CHECK_ROWS(rows);
}

static void rounding(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"round(x)", "DOUBLE -3.0"},
	    {"bround(x)", "DOUBLE -2.0"},
	    {"round(2.675D, 2)", "DOUBLE 2.68"},
	    {"round(1234.5D, -2)", "DOUBLE 1200.0"},
	    {"round(5e-324, 3)", "DOUBLE 0.0"},
	    {"round(1e300, 2)", "DOUBLE 1.0E300"},
	    {"round(nan)", "DOUBLE NaN"},
	    {"round(2.345, 2)", "DECIMAL(4,2) 2.35"},
	    {"round(2.345)", "DECIMAL(2,0) 2"},
	    {"round(1250, -2)", "INT 1300"},
	    {"bround(1250, -2)", "INT 1200"},
	    {"round(2147483647, -1)", "error: the result of round"},
	    {"round(x, n)", "refused at 9: the number of digits"},
	    {"floor(x)", "BIGINT -3"},
	    {"ceil(x)", "BIGINT -2"},
	    {"floor(-1.5)", "DECIMAL(2,0) -2"},
	    {"floor(nan)", "BIGINT 0"},
	    {"ceil(i)", "BIGINT 3"},
	    {"abs(-2147483648)", "error: the result of"},
	    {"sign(x)", "DOUBLE -1.0"},
	    {"ln(0)", "DOUBLE null"},
	    {"log(2, 8)", "DOUBLE 3.0"},
	    {"power(1, nan)", "DOUBLE NaN"},
	    {"sqrt(-1)", "DOUBLE NaN"},
	    {"factorial(21)", "BIGINT null"},
	};
	CHECK_ROWS(rows);
}

static void logic(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"f AND false", "BOOLEAN false"},
	    {"f AND true", "BOOLEAN null"},
	    {"f OR true", "BOOLEAN true"},
	    {"NOT f", "BOOLEAN null"},
	    {"false AND 1 / 0 > 1", "BOOLEAN false"},
	    {"true OR 1 / 0 > 1", "BOOLEAN true"},
	    {"f IS NULL", "BOOLEAN true"},
	    {"f IS NOT TRUE", "BOOLEAN true"},
	    {"f <=> NULL", "BOOLEAN true"},
	    {"x = NULL", "BOOLEAN null"},
	    {"x IS DISTINCT FROM NULL", "BOOLEAN true"},
	    {"nan = nan", "BOOLEAN true"},
	    {"nan > 1e300", "BOOLEAN true"},
	    {"0.0D = -0.0D", "BOOLEAN true"},
	    {"i IN (1, 2)", "BOOLEAN false"},
	    {"i IN (1, NULL)", "BOOLEAN null"},
	    {"i NOT IN (3, NULL)", "BOOLEAN false"},
	    {"i BETWEEN 4 AND NULL", "BOOLEAN false"},
	    {"i BETWEEN 1 AND NULL", "BOOLEAN null"},
	    {"i NOT BETWEEN 1 AND 3", "BOOLEAN false"},
	    {"1 < 2 = true", "BOOLEAN true"},
	    {"NOT i = 3 AND false", "BOOLEAN false"},
	    {"i + 1", "INT 4"},
	    {"n = '7'", "BOOLEAN true"},
	    {"n = 'seven'", "error: 'seven' is no BIGINT"},
	    {"s > 5 AND v", "refused"},
	    {"v = v", "refused"},
	    {"v IS NULL", "BOOLEAN false"},
	    {"CASE WHEN f THEN 1 END", "INT null"},
	    {"CASE i WHEN 3 THEN 'a' WHEN 1 / 0 THEN 'b' ELSE 'c' END", "STRING a"},
	    {"CASE WHEN i > 2 THEN 1 ELSE 2.5D END", "DOUBLE 1.0"},
	    {"if(f, 1, 2)", "INT 2"},
	    {"coalesce(f, i > 2)", "BOOLEAN true"},
	    {"coalesce(i, 1 / 0)", "DOUBLE 3.0"},
	    {"nvl2(f, 'a', 'b')", "STRING b"},
	    {"nullif(i, 3)", "INT null"},
	    {"nanvl(nan, 2)", "DOUBLE 2.0"},
	    {"greatest(x, nan, NULL)", "DOUBLE NaN"},
	    {"least(i, NULL, 2)", "INT 2"},
	    {"NULL", "refused at 0: NULL has no type"},
	    {"CAST(NULL AS INT)", "INT null"},
	};
	CHECK_ROWS(rows);
}

static void casts(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"CAST(' 12 ' AS INT)", "INT 12"},
	    {"CAST('12.7' AS INT)", "error: '12.7' is no INT"},
	    {"TRY_CAST('12.7' AS INT)", "INT null"},
	    {"CAST(12.7 AS INT)", "INT 12"},
	    {"CAST(-12.7D AS BIGINT)", "BIGINT -12"},
	    {"CAST(3e9 AS INT)", "error: a value is out of the range of INT"},
	    {"CAST(nan AS INT)", "error"},
	    {"TRY_CAST(300 AS TINYINT)", "TINYINT null"},
	    {"CAST('Infinity' AS DOUBLE)", "DOUBLE Infinity"},
	    {"CAST('1e3' AS DOUBLE)", "DOUBLE 1000.0"},
	    {"CAST('1.5d' AS DOUBLE)", "DOUBLE 1.5"},
	    {"CAST('x' AS DOUBLE)", "error: 'x' is no DOUBLE"},
	    {"CAST('yes' AS BOOLEAN)", "BOOLEAN true"},
	    {"CAST('2' AS BOOLEAN)", "error"},
	    {"CAST(0.0D AS BOOLEAN)", "BOOLEAN false"},
	    {"CAST(1e7 AS STRING)", "STRING 1.0E7"},
	    {"CAST(0.0000001 AS STRING)", "STRING 0.0000001"},
	    {"CAST(2.345 AS DECIMAL(3,2))", "DECIMAL(3,2) 2.35"},
	    {"CAST('1.005e1' AS DECIMAL(4,2))", "DECIMAL(4,2) 10.05"},
	    {"CAST(123.4 AS DECIMAL(4,2))", "error: a value is out of the range of DECIMAL(4,2)"},
	    {"CAST(0.1D AS DECIMAL(20,18))", "DECIMAL(20,18) 0.100000000000000000"},
	    {"i::string", "STRING 3"},
	    {"int('5')", "INT 5"},
	    {"CAST(v AS STRING)", "refused at 0: ARRAY cannot be cast"},
	    {"CAST(x AS DATE)", "refused at 10: there is no type DATE here"},
	};
	CHECK_ROWS(rows);
}

static void texts(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"'it''s' \" \\\"x\\\"\"", "STRING its \"x\""},
	    {"'a\\tb\\u00e9\\101'", "STRING a\tb\xc3\xa9"
				    "A"},
	    {"r'a\\tb'", "STRING a\\tb"},
	    {"length(s)", "INT 8"},
	    {"octet_length(s)", "INT 9"},
	    {"upper('stra\xc3\x9f"
	     "e')",
	     "STRING STRASSE"},
	    {"initcap('hELLO wORLD')", "STRING Hello World"},
	    {"substring(s, 3, 2)", "STRING \xc3\xafv"},
	    {"substring(s, -2)", "STRING 12"},
	    {"substring(s, 0, 2)", "STRING na"},
	    {"substring(s, -10, 4)", "STRING na"},
	    {"substring(s FROM 1 FOR 2)", "STRING na"},
	    {"left(s, 3)", "STRING na\xc3\xaf"},
	    {"right(s, 2)", "STRING 12"},
	    {"right(s, 0)", "STRING "},
	    {"trim('  a ')", "STRING a"},
	    {"trim(BOTH 'xy' FROM 'xaxyx')", "STRING a"},
	    {"trim(TRAILING FROM 'a ')", "STRING a"},
	    {"s || i || f", "STRING null"},
	    {"concat(s, i, true)", "STRING na\xc3\xafve 123true"},
	    {"concat_ws('-', 'a', f, i)", "STRING a-3"},
	    {"lpad('7', 3, '0')", "STRING 007"},
	    {"rpad('abc', 2)", "STRING ab"},
	    {"lpad('a', 6, '\xc3\xa9x')", "STRING \xc3\xa9x\xc3\xa9x\xc3\xa9"
					  "a"},
	    {"repeat('ab', 2)", "STRING abab"},
	    {"repeat('ab', 1000000000)", "error: the expressions make over"},
	    {"reverse('a\xc3\xa9')", "STRING \xc3\xa9"
				     "a"},
	    {"instr(s, 'v')", "INT 4"},
	    {"locate('a', 'banana', 3)", "INT 4"},
	    {"position('1' IN s)", "INT 7"},
	    {"replace(s, 'na')", "STRING \xc3\xafve 12"},
	    {"translate('abc', 'ac', 'x')", "STRING xb"},
	    {"split_part('a,b,c', ',', -1)", "STRING c"},
	    {"split_part('a', ',', 0)", "error"},
	    {"substring_index('a.b.c', '.', 2)", "STRING a.b"},
	    {"substring_index('a.b.c', '.', -2)", "STRING b.c"},
	    {"ascii('\xc3\xa9')", "INT 233"},
	    {"chr(65)", "STRING A"},
	    {"s LIKE 'na_ve%'", "BOOLEAN true"},
	    {"s LIKE '%1'", "BOOLEAN false"},
	    {"'a%b' LIKE 'a\\%b'", "BOOLEAN true"},
	    {"'a%b' LIKE 'a/%%' ESCAPE '/'", "BOOLEAN true"},
	    {"'x' LIKE 'a\\\\b'", "error: in a LIKE pattern"},
	    {"'aXbXc' LIKE '%X%c'", "BOOLEAN true"},
	    {"s ILIKE 'NA%'", "BOOLEAN true"},
	    {"s RLIKE '\\\\d+$'", "BOOLEAN true"},
	    {"regexp_extract(s, '(\\\\d)(\\\\d)', 2)", "STRING 2"},
	    {"regexp_extract(s, '(z)', 1)", "STRING "},
	    {"regexp_extract(s, '(z)', 2)", "STRING "},
	    {"regexp_extract(s, '(\\\\d)', 2)", "error: the pattern has no group 2"},
	    {"shiftleft(i, 35)", "INT 24"},
	    {"regexp_replace('abc', '(b)', '[$1]')", "STRING a[b]c"},
	    {"regexp_replace('abc', '', '-')", "STRING -a-b-c-"},
	    {"regexp_replace(s, s, '')", "refused at 18: the pattern must be"},
	    {"regexp_replace(s, '(', '')", "refused at 18"},
	    {"length(5)", "INT 1"},
	    {"md5(5)", "refused at 4: md5 wants a STRING, this is INT"},
	    {"hash(v)", "refused at 5: vectors and arrays"},
	    {"hash()", "refused at 0: hash takes 1 or more arguments"},
	    {"log()", "refused at 0: log takes 1 argument"},
	    {"like(s, 'na%')", "BOOLEAN true"},
	    {"s LIKE ANY ('x', 'na%')", "BOOLEAN true"},
	    {"s RLIKE ANY ('x')", "refused at 8"},
	    {"s LIKE ANY ()", "refused at 12"},
	    {"trim('n', s, s)", "refused at 11"},
	    {"trim(BOTH 'n', s)", "refused at 13"},
	    {"url_decode('%C3')", "error: the decoded URL is not UTF-8"},
	    {"url_decode('%C')", "error: in a URL % must stand"},
	    {"format_number(1, 341)", "error: format_number writes at most 340 digits"},
	    {"format_number(x * 1e308, 0)", "STRING -∞"},
	    {"format_number(-1e22, 1)", "STRING -10,000,000,000,000,000,000,000.0"},
	    {"conv('18446744073709551616', 10, 16)", "error: the number is too large"},
	    {"elt(3, s, n)", "error: elt has no text 3, there are 2"},
	    {"getbit(i, 32)", "error: there is no bit 32 of 32"},
	    {"floor(x, n)", "refused at 9: the number of digits"},
	    {"levenshtein(repeat('ab', 3000), repeat('ba', 3000))", "error: levenshtein of texts of 6000 and 6000"},
	    {"levenshtein('', repeat('x', 100000))", "INT 100000"},
	    {"99999999999999999999999999999999999999 * 9.9", "error"},
	    {"-123456789012345678901234567890.12345678 * 3.3",
	     "DECIMAL(38,6) -407407403740740740374074074037.407407"},
	};
	CHECK_ROWS(rows);
}

static void refuse(const char *statement, size_t at, const char *part)
{
	struct sheet t;
	struct arena a = ARENA_INIT;
	struct sql_select s;
	struct sql_error e;
	sheet_init(&t);
	assert_false(sql_parse(STR(statement), &a, &s, &e) && sql_bind(&s, &t.schema, &e));
	if (e.at != at || !strstr(e.text, part)) fail_msg("%s: at %zu: %s", statement, e.at, e.text);
	sql_release(&s);
	arena_release(&a);
	sheet_release(&t);
}

static void refusals(void **state)
{
	(void)state;
	refuse("SELEC x FROM __THIS__", 0, "at or near 'SELEC'");
	refuse("SELECT x", 8, "end of the statement");
	refuse("SELECT x FROM other", 14, "tables other than __THIS__");
	refuse("SELECT x FROM __THIS__ JOIN b", 23, "joins");
	refuse("SELECT x FROM __THIS__, b", 22, "joins");
	refuse("SELECT count(*) FROM __THIS__", 7, "dataset");
	refuse("SELECT x FROM __THIS__ GROUP BY x", 23, "GROUP BY");
	refuse("SELECT DISTINCT x FROM __THIS__", 7, "DISTINCT");
	refuse("SELECT (SELECT 1) FROM __THIS__", 8, "subqueries");
	refuse("SELECT x IN (SELECT 1) FROM __THIS__", 13, "subqueries");
	refuse("SELECT x FROM __THIS__ ORDER BY x", 23, "ORDER BY");
	refuse("SELECT x FROM __THIS__ WHERE n", 29, "BOOLEAN");
	refuse("SELECT sx FROM __THIS__", 7, "did you mean");
	refuse("SELECT t.x FROM __THIS__", 7, "no table");
	refuse("SELECT nope(x) FROM __THIS__", 7, "no function nope");
	refuse("SELECT upper() FROM __THIS__", 7, "1 argument");
	refuse("SELECT upper(x, s) FROM __THIS__", 7, "1 argument, not 2");
	refuse("SELECT 'x FROM __THIS__", 7, "not closed");
	refuse("SELECT x /* FROM __THIS__", 9, "not closed");
	refuse("SELECT 1.5F FROM __THIS__", 7, "no FLOAT");
	refuse("SELECT x FROM __THIS__ WHERE x > 1 ) ", 35, "near ')'");
}

static void limits(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct sql_select s;
	struct sql_error e;
	struct buf text = BUF_INIT((size_t)1 << 20);
	buf_str(&text, "SELECT ");
	for (int k = 0; k < 10000; k++) buf_char(&text, '(');
	assert_false(sql_parse((struct str){text.data, text.len}, &a, &s, &e));
	assert_non_null(strstr(e.text, "nested over 256 deep"));
	buf_clear(&text);
	buf_str(&text, "SELECT 1");
	for (int k = 0; k < 300; k++) buf_str(&text, " + 1");
	assert_false(sql_parse((struct str){text.data, text.len}, &a, &s, &e));
	assert_non_null(strstr(e.text, "nested over 256 deep"));
	buf_clear(&text);
	buf_str(&text, "SELECT 1");
	for (int k = 0; k < 20000; k++) buf_str(&text, ",1");
	assert_false(sql_parse((struct str){text.data, text.len}, &a, &s, &e));
	assert_non_null(strstr(e.text, "1024 expressions"));
	buf_release(&text);
	arena_release(&a);
}

static void names(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"x + 1", "(x + 1)"},
	    {"n % 2", "(n % 2)"},
	    {"-x", "(- x)"},
	    {"UPPER(s)", "upper(s)"},
	    {"CAST(x AS DECIMAL(10,2))", "x"},
	    {"i IN (1, 2)", "(i IN (1, 2))"},
	    {"CASE WHEN f THEN 'a' ELSE 'b' END", "CASE WHEN f THEN a ELSE b END"},
	    {"NOT f AND x IS NULL", "((NOT f) AND (x IS NULL))"},
	    {"t.x", "x"},
	    {"2.50", "2.50"},
	};
	for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
		char statement[256];
		struct arena a = ARENA_INIT;
		struct sql_select s;
		struct sql_error e;
		snprintf(statement, sizeof statement, "SELECT %s FROM __THIS__ t", rows[k].expression);
		assert_true(sql_parse(STR(statement), &a, &s, &e));
		if (!str_is(s.items[0].name, rows[k].expected))
			fail_msg("%s is named %.*s", rows[k].expression, (int)s.items[0].name.len,
				 s.items[0].name.data);
		arena_release(&a);
	}
}

static void warm_rows_allocate_nothing(void **state)
{
	(void)state;
	static const char statement[] =
		"SELECT upper(s) || lpad(n, 30, 'ab') AS a, regexp_replace(s, '(\\\\w)', '$1-') AS b, round(x / 3, 2) AS c, "
		"CASE WHEN s LIKE '%v%' THEN concat_ws(',', s, i, f) ELSE reverse(s) END AS d, CAST(n * 1.5 AS STRING) AS e, "
		"initcap(a) AS g, md5(s) || hex(s) || format_number(x, 3) AS h, levenshtein(s, a) + hash(s, x) AS j, "
		"overlay(s, 'xx', 2) || elt(1, trim('n', s)) AS k, s NOT LIKE ALL ('a', 'b%') AS l FROM __THIS__";
	struct sheet t;
	struct arena a = ARENA_INIT;
	struct sql_run r = {0};
	struct sql_select s;
	struct sql_error e;
	size_t before = 0;
	if (!malloc_counts()) skip();
	sheet_init(&t);
	assert_true(sql_parse(STR(statement), &a, &s, &e) && sql_bind(&s, &t.schema, &e));
	for (int round = 0; round < 8; round++) {
		if (round == 4) before = malloc_count();
		sql_run_begin(&r, &s, &t.b);
		sql_run_row(&r, 0);
		for (size_t k = 0; k < s.count; k++) assert_true(sql_eval_item(&s, k, &r));
	}
	assert_int_equal(malloc_count(), before);
	sql_run_release(&r);
	sql_release(&s);
	arena_release(&a);
	sheet_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(rounding), cmocka_unit_test(logic),  cmocka_unit_test(casts),
		cmocka_unit_test(texts),   cmocka_unit_test(refusals), cmocka_unit_test(limits), cmocka_unit_test(names),
		cmocka_unit_test(warm_rows_allocate_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
