/* CSV: does every option do what Spark's does, and is every byte of any file read exactly once? */
#include "tests/unit/data/data_support.h"

#include "data/csv_parse.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define RFC4180 "{\"header\":true,\"escape\":\"\\\"\",\"multiLine\":true}"

/* --- Options ------------------------------------------------------------ */

/* One row a rule: a file, the options, and what comes out. */
static const struct option_case {
	const char *options, *bytes, *schema, *rows;
} option_cases[] = {
    /* Defaults: no header, strings, the backslash escapes. */
    {"{}", "a,b\n1,2\n", "_c0:string,_c1:string", "{\"_c0\":\"a\",\"_c1\":\"b\"}\n{\"_c0\":\"1\",\"_c1\":\"2\"}\n"},
    {"{}", "\"a\\\"b\",\"c,d\"\n", "_c0:string,_c1:string", "{\"_c0\":\"a\\\"b\",\"_c1\":\"c,d\"}\n"},
    {"{}", "\"a\"\"b\",c\n", "_c0:string,_c1:string", "{\"_c0\":\"\\\"a\\\"\\\"b\\\"\",\"_c1\":\"c\"}\n"},
    {"{\"escape\":\"\\\"\"}", "\"a\"\"b\",c\n", "_c0:string,_c1:string", "{\"_c0\":\"a\\\"b\",\"_c1\":\"c\"}\n"},
    {"{\"quote\":\"\"}", "\"a,b\"\n", "_c0:string,_c1:string", "{\"_c0\":\"\\\"a\",\"_c1\":\"b\\\"\"}\n"},
    {"{\"quote\":\"'\"}", "'a,b',\"c\n", "_c0:string,_c1:string", "{\"_c0\":\"a,b\",\"_c1\":\"\\\"c\"}\n"},
    {"{\"charToEscapeQuoteEscaping\":\"#\"}", "\"a#\\\",b\n", "_c0:string,_c1:string",
     "{\"_c0\":\"a\\\\\",\"_c1\":\"b\"}\n"},
    /* Line ends, blank lines, a byte order mark. */
    {"{}", "a\r\nb\rc\n\n  \nd", "_c0:string", "{\"_c0\":\"a\"}\n{\"_c0\":\"b\"}\n{\"_c0\":\"c\"}\n{\"_c0\":\"d\"}\n"},
    {"{\"lineSep\":\";\"}", "a,b;c\nd,e;", "_c0:string,_c1:string",
     "{\"_c0\":\"a\",\"_c1\":\"b\"}\n{\"_c0\":\"c\\nd\",\"_c1\":\"e\"}\n"},
    {"{\"header\":true}", "\xef\xbb\xbfx,y\n1,2\n", "x:string,y:string", "{\"x\":\"1\",\"y\":\"2\"}\n"},
    {"{\"comment\":\"#\"}", "#x,y\n1,2\n #3,4\n", "_c0:string,_c1:string",
     "{\"_c0\":\"1\",\"_c1\":\"2\"}\n{\"_c0\":\" #3\",\"_c1\":\"4\"}\n"},
    /* Separators. */
    {"{\"sep\":\"\\t\"}", "a\tb\n", "_c0:string,_c1:string", "{\"_c0\":\"a\",\"_c1\":\"b\"}\n"},
    {"{\"sep\":\"\\\\t\"}", "a\tb\n", "_c0:string,_c1:string", "{\"_c0\":\"a\",\"_c1\":\"b\"}\n"},
    {"{\"delimiter\":\"::\"}", "a::b:c::\"d::e\"\n", "_c0:string,_c1:string,_c2:string",
     "{\"_c0\":\"a\",\"_c1\":\"b:c\",\"_c2\":\"d::e\"}\n"},
    /* Headers: nameless and doubled columns as Spark names them. */
    {"{\"header\":true}", "a,,A,b\n1,2,3,4\n", "a0:string,_c1:string,A2:string,b:string",
     "{\"a0\":\"1\",\"_c1\":\"2\",\"A2\":\"3\",\"b\":\"4\"}\n"},
    /* Blanks. */
    {"{\"ignoreLeadingWhiteSpace\":true}", " a, \"b\" ,c \n", "_c0:string,_c1:string,_c2:string",
     "{\"_c0\":\"a\",\"_c1\":\"b\",\"_c2\":\"c \"}\n"},
    {"{\"ignoreTrailingWhiteSpace\":true}", "a , b\t,\" c \"\n", "_c0:string,_c1:string,_c2:string",
     "{\"_c0\":\"a\",\"_c1\":\" b\",\"_c2\":\" c \"}\n"},
    /* Nulls. */
    {"{}", "a,,\"\"\n", "_c0:string,_c1:string,_c2:string", "{\"_c0\":\"a\",\"_c1\":null,\"_c2\":null}\n"},
    {"{\"nullValue\":\"NA\"}", "NA,,\"\",\"NA\"\n", "_c0:string,_c1:string,_c2:string,_c3:string",
     "{\"_c0\":null,\"_c1\":null,\"_c2\":\"\",\"_c3\":null}\n"},
    {"{\"emptyValue\":\"EMPTY\"}", "\"\",\n", "_c0:string,_c1:string", "{\"_c0\":\"EMPTY\",\"_c1\":null}\n"},
    /* Quotes that are not escaped. */
    {"{\"escape\":\"\\\"\"}", "\"a\"b\",c\n", "_c0:string,_c1:string", "{\"_c0\":\"\\\"a\\\"b\\\"\",\"_c1\":\"c\"}\n"},
    {"{\"escape\":\"\\\"\",\"unescapedQuoteHandling\":\"STOP_AT_CLOSING_QUOTE\"}", "\"a\"b,x\",c\n",
     "_c0:string,_c1:string", "{\"_c0\":\"a\\\"b,x\",\"_c1\":\"c\"}\n"},
    {"{\"escape\":\"\\\"\",\"unescapedQuoteHandling\":\"SKIP_VALUE\"}", "\"a\"b,c\n", "_c0:string,_c1:string",
     "{\"_c0\":null,\"_c1\":\"c\"}\n"},
    /* Encodings. */
    {"{\"encoding\":\"ISO-8859-1\"}", "caf\xe9\n", "_c0:string", "{\"_c0\":\"caf\xc3\xa9\"}\n"},
    {"{\"charset\":\"windows-1252\"}", "\x80\n", "_c0:string", "{\"_c0\":\"\xe2\x82\xac\"}\n"},
    {"{}", "a\xff\xc3\n", "_c0:string", "{\"_c0\":\"a\xef\xbf\xbd\xef\xbf\xbd\"}\n"},
    /* Lines are cut before quotes are looked at, unless multiLine. */
    {"{}", "\"a\nb\",c\n", "_c0:string", "{\"_c0\":\"a\"}\n{\"_c0\":\"b\\\"\"}\n"},
    {"{\"multiLine\":true}", "\"a\nb\",c\r\n\nd,\"\r\n\"\n", "_c0:string,_c1:string",
     "{\"_c0\":\"a\\nb\",\"_c1\":\"c\"}\n{\"_c0\":\"d\",\"_c1\":\"\\r\\n\"}\n"},
    /* Types. */
    {"{\"header\":true,\"inferSchema\":true}",
     "i,l,d,b,s,n,date,mix\n1,1,1,true,x,,2020-01-01,1\n-2,3000000000,1.5,FALSE,1,,2020-01-02,true\n",
     "i:int,l:int64,d:double,b:boolean,s:string,n:string,date:string,mix:string",
     "{\"i\":1,\"l\":1,\"d\":1,\"b\":true,\"s\":\"x\",\"n\":null,\"date\":\"2020-01-01\",\"mix\":\"1\"}\n"
     "{\"i\":-2,\"l\":3000000000,\"d\":1.5,\"b\":false,\"s\":\"1\",\"n\":null,\"date\":\"2020-01-02\",\"mix\":\"true\"}"
     "\n"},
    {"{\"inferSchema\":true}", "1e3,12345678901234567890,Inf,NaN, 7,1d\n",
     "_c0:double,_c1:double,_c2:double,_c3:double,_c4:double,_c5:double",
     "{\"_c0\":1000,\"_c1\":12345678901234567000,\"_c2\":\"Infinity\",\"_c3\":\"NaN\",\"_c4\":7,\"_c5\":1}\n"},
    {"{\"inferSchema\":true,\"nanValue\":\"?\",\"positiveInf\":\"oo\",\"negativeInf\":\"-oo\"}", "?\noo\n-oo\n",
     "_c0:double", "{\"_c0\":\"NaN\"}\n{\"_c0\":\"Infinity\"}\n{\"_c0\":\"-Infinity\"}\n"},
};

static void options_do_what_sparks_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(option_cases); i++) {
		const struct option_case *c = &option_cases[i];
		struct taken t = data_rows("csv", c->options, c->bytes, strlen(c->bytes));
		if (strcmp(t.schema, c->schema) != 0 || strcmp(t.rows, c->rows) != 0)
			fail_msg("%s of %s\n gave   %s\n %s wanted %s\n %s", c->options, c->bytes, t.schema, t.rows,
				 c->schema, c->rows);
	}
}

static void wrong_options_are_faults_at_once(void **state)
{
	(void)state;
	data_write_str("rows", "a,b\n");
	static const struct {
		const char *options, *pointer, *part;
	} cases[] = {
		{"{\"sep\":\"\"}", "/source/options/sep", "empty"},
		{"{\"sep\":\"\\\\\"}", "/source/options/sep", "backslash"},
		{"{\"sep\":\"\\n\"}", "/source/options/sep", "line end"},
		{"{\"sep\":\",\",\"delimiter\":\";\"}", "/source/options/sep", "agree"},
		{"{\"quote\":\"ab\"}", "/source/options/quote", "one character"},
		{"{\"escape\":\"\xc3\xa9\"}", "/source/options/escape", "ASCII"},
		{"{\"lineSep\":\"\\r\\n\"}", "/source/options/lineSep", "one ASCII"},
		{"{\"header\":\"yes\"}", "/source/options/header", "boolean"},
		{"{\"mode\":\"LOUD\"}", "/source/options/mode", "PERMISSIVE"},
		{"{\"encoding\":\"KOI8-R\"}", "/source/options/encoding", NULL},
		{"{\"locale\":\"de-DE\"}", "/source/options/locale", NULL},
		{"{\"unescapedQuoteHandling\":\"BACK_TO_DELIMITER\"}", "/source/options/unescapedQuoteHandling", NULL},
		{"{\"samplingRatio\":0}", "/source/options/samplingRatio", NULL},
		{"{\"maxColumns\":0}", "/source/options/maxColumns", NULL},
		{"{\"infer_schema\":true}", "/source/options/infer_schema", NULL},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		data_wants_fault(data_spec("csv", "rows", cases[i].options), cases[i].pointer, cases[i].part);
	data_wants_fault(data_spec("csv", "rows", "{\"quote\":\"ab\",\"header\":1}"), "/source/options/header", NULL);
}

/* --- Malformed records ------------------------------------------------------------ */

static const char *typed(const char *options)
{
	return arena_printf(
	    &data_arena,
	    "{\"format\":\"csv\",\"uri\":\"file:rows\",\"options\":%s,\"schema\":[{\"name\":\"a\",\"type\":\"int\"},"
	    "{\"name\":\"b\",\"type\":\"double\"},{\"name\":\"_corrupt_record\",\"type\":\"string\"}]}",
	    options);
}

static void modes_treat_malformed_records(void **state)
{
	(void)state;
	struct err e;
	struct taken t;
	err_init(&e);
	data_write_str("rows", "1,1.5\nx,2.5\n3\n4,5,6\n5000000000,7\n");
	t = data_must_take(typed("{}"));
	assert_string_equal(t.rows, "{\"a\":1,\"b\":1.5,\"_corrupt_record\":null}\n"
				    "{\"a\":null,\"b\":2.5,\"_corrupt_record\":\"x,2.5\"}\n"
				    "{\"a\":3,\"b\":null,\"_corrupt_record\":\"3\"}\n"
				    "{\"a\":4,\"b\":5,\"_corrupt_record\":\"4,5,6\"}\n"
				    "{\"a\":null,\"b\":7,\"_corrupt_record\":\"5000000000,7\"}\n");
	assert_int_equal(t.report.malformed, 4);
	assert_int_equal(t.report.first[0].line, 2);
	assert_string_equal(t.report.first[0].why, "the value of column a is not a 32-bit integer");
	assert_string_equal(t.report.first[2].why, "3 values where there should be 2");
	t = data_must_take(typed("{\"mode\":\"DROPMALFORMED\"}"));
	assert_string_equal(t.rows, "{\"a\":1,\"b\":1.5,\"_corrupt_record\":null}\n");
	assert_int_equal(t.report.malformed, 4);
	assert_false(data_take(typed("{\"mode\":\"FAILFAST\"}"), &t, &e));
	assert_int_equal(e.code, ERR_source);
	assert_non_null(strstr(e.detail, "line 2 of rows"));
}

static void limits_make_records_malformed(void **state)
{
	(void)state;
	struct taken t = data_rows("csv", "{\"maxCharsPerColumn\":3}", "abc,d\nabcd,e\n", 13);
	assert_int_equal(t.report.malformed, 1);
	assert_int_equal(t.report.first[0].line, 2);
	t = data_rows("csv", "{\"maxColumns\":2}", "a,b\na,b,c\n", 10);
	assert_int_equal(t.report.malformed, 1);
	assert_string_equal(t.report.first[0].why, "more values than maxColumns");
}

/* --- Hostile bytes ------------------------------------------------------------ */

static void hostile_files_are_read_or_refused(void **state)
{
	(void)state;
	struct err e;
	struct taken t;
	err_init(&e);
	t = data_rows("csv", "{}", "a\0b,\0\n", 6);
	assert_string_equal(t.rows, "{\"_c0\":\"a\\u0000b\",\"_c1\":\"\\u0000\"}\n");
	/* 10^5 columns. */
	char *wide = arena_alloc(&data_arena, 100001);
	memset(wide, ',', 100000);
	wide[100000] = '\n';
	data_write("rows", wide, 100001);
	assert_false(data_take(data_spec("csv", "rows", "{}"), &t, &e));
	assert_int_equal(e.code, ERR_source);
	/* A field of several windows. */
	size_t big = 3 << 20;
	char *field = arena_alloc(&data_arena, big + 4);
	memset(field, 'x', big);
	memcpy(field + big, ",y\n", 4);
	t = data_rows("csv", "{}", field, big + 3);
	assert_int_equal(t.report.rows, 1);
	assert_int_equal(strlen(t.rows), big + strlen("{\"_c0\":\"\",\"_c1\":\"y\"}\n"));
	/* A quote that is never closed ends at the line's end, or with multiLine at the file's. */
	t = data_rows("csv", "{}", "a,\"b\nc,d\n", 9);
	assert_string_equal(t.rows, "{\"_c0\":\"a\",\"_c1\":\"b\"}\n{\"_c0\":\"c\",\"_c1\":\"d\"}\n");
	t = data_rows("csv", "{\"multiLine\":true}", "a,\"b\nc,d\n", 9);
	assert_string_equal(t.rows, "{\"_c0\":\"a\",\"_c1\":\"b\\nc,d\\n\"}\n");
}

static void a_record_over_the_limit_is_an_error(void **state)
{
	(void)state;
	struct source_env env = data_env();
	struct source *s;
	struct err e;
	err_init(&e);
	env.record_bytes_max = 1 << 20;
	char *bytes = arena_alloc(&data_arena, 4 << 20);
	memset(bytes, 'x', 4 << 20);
	memcpy(bytes, "a\n\"", 3);
	data_write("rows", bytes, 4 << 20);
	assert_false(source_open(data_json(data_spec("csv", "rows", "{\"multiLine\":true,\"inferSchema\":true}")), &env, &s, &e));
	assert_int_equal(e.code, ERR_source);
	assert_non_null(strstr(e.detail, "quote not closed"));
}

static void empty_files_have_no_columns(void **state)
{
	(void)state;
	struct taken t;
	struct err e;
	err_init(&e);
	data_write_str("rows", "");
	assert_false(data_take(data_spec("csv", "rows", "{}"), &t, &e));
	assert_int_equal(e.code, ERR_source);
	t = data_rows("csv", "{\"header\":true}", "a,b", 3);
	assert_string_equal(t.schema, "a:string,b:string");
	assert_string_equal(t.rows, "");
}

/* --- Other people's files ------------------------------------------------------------ */

static bool same_rows(const char *rows, const struct json *expected)
{
	const char *line = rows;
	for (const struct json *want = expected->child; want; want = want->next) {
		const char *end = strchr(line, '\n');
		if (!end) return false;
		const struct json *got = data_json(arena_strndup(&data_arena, line, (size_t)(end - line)));
		if (got->count != want->count) return false;
		for (const struct json *g = got->child, *w = want->child; g; g = g->next, w = w->next)
			if (!str_eq(g->key, w->key) || !str_eq(g->string, w->string)) return false;
		line = end + 1;
	}
	return *line == 0;
}

static void csv_spectrum(void **state)
{
	(void)state;
	const char *root = support_shared(&data_arena, "conformance/csv-spectrum");
	DIR *d = opendir(arena_printf(&data_arena, "%s/csvs", root));
	size_t files = 0;
	for (struct dirent *entry; (entry = readdir(d));) {
		char *stem = arena_strdup(&data_arena, entry->d_name);
		if (!strstr(stem, ".csv")) continue;
		*strstr(stem, ".csv") = 0;
		struct str csv = support_read(&data_arena, arena_printf(&data_arena, "%s/csvs/%s.csv", root, stem));
		struct str json = support_read(&data_arena, arena_printf(&data_arena, "%s/json/%s.json", root, stem));
		struct taken t = data_rows("csv", RFC4180, csv.data, csv.len);
		if (!same_rows(t.rows, data_json(json.data))) fail_msg("%s gave\n%s wanted\n%s", stem, t.rows, json.data);
		files++;
	}
	closedir(d);
	assert_true(files >= 11);
}

static void h2o_edge_files(void **state)
{
	(void)state;
	static const struct {
		const char *name, *options, *schema;
		size_t rows, malformed;
	} cases[] = {
		{"iris.csv", "{\"inferSchema\":true,\"header\":true}",
		 "sepal_len:double,sepal_wid:double,petal_len:double,petal_wid:double,class:string", 150, 0},
		{"one-line-dataset-0.csv", "{}", NULL, 2, 0},
		{"one-line-dataset-1dos.csv", "{}", NULL, 2, 0},
		{"one-line-dataset-1unix.csv", "{}", NULL, 2, 0},
		{"one-line-dataset-2dos.csv", "{}", NULL, 2, 0},
		{"one-line-dataset-2unix.csv", "{}", NULL, 2, 0},
		{"two-lines-dataset.csv", "{}", NULL, 2, 0},
		{"parse_folder", "{\"inferSchema\":true}", NULL, 381, 0},
		{"parse_folder/prostate_[12].csv", "{\"inferSchema\":true}",
		 "_c0:int,_c1:int,_c2:int,_c3:string,_c4:int,_c5:int,_c6:double,_c7:double,_c8:int", 20, 0},
	};
	data_root = support_shared(&data_arena, "conformance/h2o-csv-edge");
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct taken t = data_must_take(data_spec("csv", cases[i].name, cases[i].options));
		if (cases[i].schema) assert_string_equal(t.schema, cases[i].schema);
		assert_int_equal(t.report.rows, cases[i].rows);
		assert_int_equal(t.report.malformed, cases[i].malformed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(options_do_what_sparks_do, data_arena_reset),
		cmocka_unit_test_teardown(wrong_options_are_faults_at_once, data_arena_reset),
		cmocka_unit_test_teardown(modes_treat_malformed_records, data_arena_reset),
		cmocka_unit_test_teardown(limits_make_records_malformed, data_arena_reset),
		cmocka_unit_test_teardown(hostile_files_are_read_or_refused, data_arena_reset),
		cmocka_unit_test_teardown(a_record_over_the_limit_is_an_error, data_arena_reset),
		cmocka_unit_test_teardown(empty_files_have_no_columns, data_arena_reset),
		cmocka_unit_test_teardown(csv_spectrum, data_arena_reset),
		cmocka_unit_test_teardown(h2o_edge_files, data_arena_reset),
	};
	return cmocka_run_group_tests(tests, data_dir_make, data_dir_remove);
}
