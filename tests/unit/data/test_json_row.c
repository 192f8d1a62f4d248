/* JSON rows: values as API.md has them, faults with pointers, and what is written reads back. */
#include "tests/unit/data/data_support.h"

#include "data/csv_row_write.h"
#include "data/json_row.h"
#include "data/json_row_write.h"

static const char columns[] = "[{\"name\":\"d\",\"type\":\"double\"},{\"name\":\"i\",\"type\":\"int64\"},"
			      "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"s\",\"type\":\"string\"},"
			      "{\"name\":\"w\",\"type\":\"array<string>\"},{\"name\":\"x\",\"type\":\"array<double>\"},"
			      "{\"name\":\"v\",\"type\":\"vector\"}]";

struct reading {
	struct schema schema;
	struct json_row row;
	struct batch batch;
	struct buf scratch;
	struct err e;
};

static void begin_over(struct reading *r, const char *schema)
{
	*r = (struct reading){.scratch = BUF_INIT(1 << 20)};
	err_init(&r->e);
	assert_ok(schema_parse(&r->schema, data_json(schema), "", &r->e), &r->e);
	json_row_init(&r->row, &r->schema, NULL);
	batch_init(&r->batch, &r->schema);
}

static void begin(struct reading *r) { begin_over(r, columns); }

static void end(struct reading *r)
{
	json_row_release(&r->row);
	batch_release(&r->batch);
	schema_release(&r->schema);
	buf_release(&r->scratch);
}

static enum json_row_result read_len(struct reading *r, const char *text, size_t len)
{
	struct json_scan s;
	err_init(&r->e);
	json_scan_init(&s, text, len, &r->scratch);
	return json_row_read(&r->row, &s, json_scan_next(&s), &r->batch, &r->e);
}

static enum json_row_result read_row(struct reading *r, const char *text) { return read_len(r, text, strlen(text)); }

static const char *last_row(struct reading *r)
{
	struct buf b = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&b);
	json_row_write(&w, &r->batch, NULL, r->batch.rows - 1);
	const char *text = arena_strdup(&data_arena, buf_cstr(&b));
	buf_release(&b);
	return text;
}

static void values_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"{}", "{\"d\":null,\"i\":null,\"b\":null,\"s\":null,\"w\":null,\"x\":null,\"v\":null}"},
	    {"{\"d\":1.5,\"i\":-7,\"b\":true,\"s\":\"a\",\"w\":[\"p\",null,\"\"],\"x\":[1,2.5],\"v\":[0,1]}",
	     "{\"d\":1.5,\"i\":-7,\"b\":true,\"s\":\"a\",\"w\":[\"p\",null,\"\"],\"x\":[1,2.5],\"v\":[0,1]}"},
	    {"{\"v\":{\"size\":5,\"indices\":[1,4],\"values\":[2,\"NaN\"]},\"x\":[],\"w\":[],\"d\":\"-Infinity\",\"s\":"
	     "null,"
	     "\"i\":\"9007199254740993\",\"b\":false}",
	     "{\"d\":\"-Infinity\",\"i\":9007199254740993,\"b\":false,\"s\":null,\"w\":[],\"x\":[],"
	     "\"v\":{\"size\":5,\"indices\":[1,4],\"values\":[2,\"NaN\"]}}"},
	    {"{\"v\":{\"type\":1,\"values\":[3,4]},\"i\":5.0,\"d\":5,\"s\":\"\\u0000\\ud83d\\ude00\",\"other\":{\"a\":["
	     "1]}}",
	     "{\"d\":5,\"i\":5,\"b\":null,\"s\":\"\\u0000\xf0\x9f\x98\x80\",\"w\":null,\"x\":null,\"v\":[3,4]}"},
	    {"{\"v\":{\"values\":[],\"indices\":[],\"type\":0,\"size\":3}}",
	     "{\"d\":null,\"i\":null,\"b\":null,\"s\":null,\"w\":null,\"x\":null,\"v\":{\"size\":3,\"indices\":[],"
	     "\"values\":[]}}"},
	    {"{\"v\":[],\"d\":1e-7,\"i\":9223372036854775807}",
	     "{\"d\":1e-7,\"i\":9223372036854775807,\"b\":null,\"s\":null,\"w\":null,\"x\":null,\"v\":[]}"},
	};
	struct reading r;
	begin(&r);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_ok(read_row(&r, cases[i].in) == JSON_ROW_OK, &r.e);
		assert_string_equal(last_row(&r), cases[i].out);
		/* What was written is read as the same. */
		assert_ok(read_row(&r, cases[i].out) == JSON_ROW_OK, &r.e);
		assert_string_equal(last_row(&r), cases[i].out);
	}
	assert_int_equal(r.batch.rows, 2 * ARRAY_COUNT(cases));
	end(&r);
}

static void wrong_values_are_faults_with_pointers(void **state)
{
	(void)state;
	static const struct {
		const char *in, *pointer;
	} cases[] = {
		{"{\"d\":\"1\"}", "/d"},
		{"{\"d\":1e999}", "/d"},
		{"{\"d\":[1]}", "/d"},
		{"{\"i\":1.5}", "/i"},
		{"{\"i\":\"x\"}", "/i"},
		{"{\"i\":9223372036854775808}", "/i"},
		{"{\"b\":1}", "/b"},
		{"{\"s\":1}", "/s"},
		{"{\"s\":{\"a\":1}}", "/s"},
		{"{\"w\":\"a\"}", "/w"},
		{"{\"w\":[\"a\",2]}", "/w/1"},
		{"{\"x\":[1,null]}", "/x/1"},
		{"{\"v\":[1,\"x\"]}", "/v/1"},
		{"{\"v\":7}", "/v"},
		{"{\"v\":{}}", "/v"},
		{"{\"v\":{\"size\":2,\"indices\":[0]}}", "/v"},
		{"{\"v\":{\"size\":2,\"indices\":[0,1],\"values\":[1]}}", "/v/indices"},
		{"{\"v\":{\"size\":2,\"indices\":[2],\"values\":[1]}}", "/v/indices/0"},
		{"{\"v\":{\"size\":3,\"indices\":[1,1],\"values\":[1,1]}}", "/v/indices/1"},
		{"{\"v\":{\"size\":3,\"indices\":[-1],\"values\":[1]}}", "/v/indices/0"},
		{"{\"v\":{\"size\":-3,\"indices\":[],\"values\":[]}}", "/v/size"},
		{"{\"v\":{\"size\":1e12,\"indices\":[],\"values\":[]}}", "/v/size"},
		{"{\"v\":{\"type\":2,\"values\":[]}}", "/v/type"},
		{"{\"v\":{\"type\":1,\"values\":[1],\"more\":1}}", "/v"},
		{"7", ""},
		{"[{}]", ""},
	};
	struct reading r;
	begin(&r);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		size_t rows = r.batch.rows;
		if (read_row(&r, cases[i].in) != JSON_ROW_FAULTS) fail_msg("accepted %s", cases[i].in);
		assert_int_equal(r.e.code, ERR_invalid);
		assert_string_equal(r.e.faults[0].pointer, cases[i].pointer);
		assert_int_equal(r.batch.rows, rows + 1);
		/* The row is there, with nulls: all columns go on together. */
		for (size_t c = 0; c < r.batch.column_count; c++) {
			assert_int_equal(r.batch.columns[c].rows, rows + 1);
			assert_false(column_valid(&r.batch.columns[c], rows));
		}
	}
	assert_int_equal(read_row(&r, "{\"d\":\"x\",\"i\":true,\"v\":[1,{}]}"), JSON_ROW_FAULTS);
	assert_int_equal(r.e.fault_count, 3);
	r.row.prefix = "/instances";
	r.row.index = 3;
	assert_int_equal(read_row(&r, "{\"d\":\"x\"}"), JSON_ROW_FAULTS);
	assert_string_equal(r.e.faults[0].pointer, "/instances/3/d");
	end(&r);
}

static void broken_rows_leave_nothing(void **state)
{
	(void)state;
	static const char *const broken[] = {
	    "",
	    "{",
	    "{\"d\":1",
	    "{\"s\":\"a",
	    "{\"w\":[\"a\"",
	    "{\"x\":[1,",
	    "{\"v\":[1",
	    "{\"v\":{\"size\":2,\"values\":[1",
	    "{\"d\":01}",
	    "{\"s\":\"\xff\"}",
	    "{\"d\":1,}",
	    "{\"d\":1,\"d\":2}",
	    "{\"other\":1,\"other\":2}",
	    "nul",
	    "{\"v\":{\"indices\":[",
	    "{\"s\":\"\\ud800\"}",
	};
	struct reading r;
	begin(&r);
	assert_int_equal(read_row(&r, "{\"s\":\"first\"}"), JSON_ROW_OK);
	for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
		if (read_row(&r, broken[i]) != JSON_ROW_BROKEN) fail_msg("not broken: %s", broken[i]);
		assert_int_equal(r.e.code, ERR_invalid_json);
		assert_int_equal(r.batch.rows, 1);
		for (size_t c = 0; c < r.batch.column_count; c++) assert_int_equal(r.batch.columns[c].rows, 1);
	}
	assert_int_equal(read_row(&r, "{\"v\":[1,2],\"w\":[\"z\"]}"), JSON_ROW_OK);
	assert_string_equal(last_row(&r), "{\"d\":null,\"i\":null,\"b\":null,\"s\":null,\"w\":[\"z\"],\"x\":null,\"v\":[1,2]}");
	end(&r);
}

static void only_wanted_members_are_read(void **state)
{
	(void)state;
	uint8_t wanted[7] = {[1] = 1, [3] = 1};
	struct reading r;
	begin(&r);
	r.row.wanted = wanted;
	assert_int_equal(read_row(&r, "{\"d\":\"not a number\",\"s\":\"x\",\"unknown\":[[1]],\"i\":4}"), JSON_ROW_OK);
	assert_string_equal(last_row(&r), "{\"i\":4,\"s\":\"x\"}");
	r.row.strict = true;
	assert_int_equal(read_row(&r, "{\"d\":1,\"un/known\":[[1]],\"i\":4}"), JSON_ROW_FAULTS);
	assert_string_equal(r.e.faults[0].pointer, "/un~1known");
	end(&r);
}

static void warm_rows_allocate_nothing(void **state)
{
	(void)state;
	static const char text[] = "{\"s\":\"Mountain biking is "
				   "awesome!\\n\",\"v\":{\"size\":9,\"indices\":[3],\"values\":[1]},\"w\":[\"a\"]}";
	struct reading r;
	begin(&r);
	for (int i = 0; i < 3; i++) {
		batch_clear(&r.batch);
		assert_int_equal(read_row(&r, text), JSON_ROW_OK);
	}
	const void *texts = r.batch.columns[3].own.data, *values = r.batch.columns[6].f64, *seen = r.row.seen,
		   *scratch = r.scratch.data;
	for (int i = 0; i < 1000; i++) {
		batch_clear(&r.batch);
		assert_int_equal(read_row(&r, text), JSON_ROW_OK);
	}
	assert_ptr_equal(r.batch.columns[3].own.data, texts);
	assert_ptr_equal(r.batch.columns[6].f64, values);
	assert_ptr_equal(r.row.seen, seen);
	assert_ptr_equal(r.scratch.data, scratch);
	end(&r);
}

static void rows_are_written_as_csv(void **state)
{
	(void)state;
	struct reading r;
	struct buf out = BUF_INIT(1 << 16);
	begin(&r);
	assert_int_equal(
	    read_row(
		&r,
		"{\"d\":\"NaN\",\"i\":1,\"b\":true,\"s\":\"a,\\\"b\\\"\\n\",\"w\":[\"p,q\"],\"x\":[1,2],\"v\":[0.5]}"),
	    JSON_ROW_OK);
	assert_int_equal(read_row(&r, "{\"s\":\"\"}"), JSON_ROW_OK);
	csv_row_header(&out, &r.batch, NULL);
	csv_row_write(&out, &r.batch, NULL, 0);
	csv_row_write(&out, &r.batch, NULL, 1);
	csv_row_write(&out, &r.batch, (uint8_t[]){1, 1, 0, 0, 0, 0, 0}, 0);
	assert_string_equal(buf_cstr(&out), "d,i,b,s,w,x,v\r\n"
					    "NaN,1,true,\"a,\"\"b\"\"\n\",\"[\"\"p,q\"\"]\",\"[1,2]\",[0.5]\r\n"
					    ",,,\"\",,,\r\n"
					    "NaN,1\r\n");
	buf_release(&out);
	end(&r);
}

/* --- JSON Lines ------------------------------------------------------------ */

static void json_lines_infer_their_types(void **state)
{
	(void)state;
	static const char text[] = "{\"i\":1,\"d\":1,\"m\":1,\"b\":true,\"s\":\"x\",\"n\":null,\"w\":[],\"v\":[1,2],"
				   "\"r\":[1],\"o\":{\"a\":1},\"nan\":1}\n"
				   "\n"
				   "{\"i\":2,\"d\":1.5,\"m\":\"x\",\"b\":false,\"s\":\"\",\"w\":[\"a\"],\"v\":{"
				   "\"size\":2,\"indices\":[],\"values\":[]},"
				   "\"r\":[1,2],\"late\":3,\"nan\":\"NaN\"}\r\n";
	struct taken t = data_rows("jsonl", "{}", text, strlen(text));
	assert_string_equal(t.schema, "i:int64,d:double,m:string,b:boolean,s:string,n:string,w:array<string>,v:vector,"
				      "r:array<double>,o:string,nan:double,late:int64");
	assert_string_equal(t.rows,
			    "{\"i\":1,\"d\":1,\"m\":\"1\",\"b\":true,\"s\":\"x\",\"n\":null,\"w\":[],\"v\":[1,2],\"r\":[1],"
			    "\"o\":\"{\\\"a\\\":1}\",\"nan\":1,\"late\":null}\n"
			    "{\"i\":2,\"d\":1.5,\"m\":\"x\",\"b\":false,\"s\":\"\",\"n\":null,\"w\":[\"a\"],"
			    "\"v\":{\"size\":2,\"indices\":[],\"values\":[]},\"r\":[1,2],\"o\":null,\"nan\":\"NaN\",\"late\":3}\n");
	assert_int_equal(t.report.malformed, 0);
}

static void malformed_lines_follow_the_mode(void **state)
{
	(void)state;
	static const char text[] = "{\"a\":1}\n{\"a\":\n[1]\n{\"a\":2}x\n{\"a\":3,\"zz\":{\"y\"}}\n{\"a\":4}\n";
	struct err e;
	struct taken t = data_rows("jsonl", "{}", text, strlen(text));
	err_init(&e);
	assert_string_equal(t.schema, "a:int64,_corrupt_record:string");
	assert_string_equal(t.rows, "{\"a\":1,\"_corrupt_record\":null}\n"
				    "{\"a\":null,\"_corrupt_record\":\"{\\\"a\\\":\"}\n"
				    "{\"a\":null,\"_corrupt_record\":\"[1]\"}\n"
				    "{\"a\":null,\"_corrupt_record\":\"{\\\"a\\\":2}x\"}\n"
				    "{\"a\":null,\"_corrupt_record\":\"{\\\"a\\\":3,\\\"zz\\\":{\\\"y\\\"}}\"}\n"
				    "{\"a\":4,\"_corrupt_record\":null}\n");
	assert_int_equal(t.report.malformed, 4);
	assert_int_equal(t.report.first[1].line, 3);
	t = data_rows("jsonl", "{\"mode\":\"dropmalformed\"}", text, strlen(text));
	assert_string_equal(t.rows, "{\"a\":1}\n{\"a\":4}\n");
	assert_false(data_take(data_spec("jsonl", "rows", "{\"mode\":\"FAILFAST\"}"), &t, &e));
	assert_non_null(strstr(e.detail, "line 2 of rows"));
}

/* --- Rows in the specification ------------------------------------------------------------ */

static void inline_rows_are_rows(void **state)
{
	(void)state;
	struct taken t = data_must_take(
	    "{\"format\":\"inline\",\"rows\":[{\"s\":\"a\\u0000b\",\"x\":[1,2]},{\"x\":[3,4],\"s\":null}]}");
	assert_string_equal(t.schema, "s:string,x:vector");
	assert_string_equal(t.rows, "{\"s\":\"a\\u0000b\",\"x\":[1,2]}\n{\"s\":null,\"x\":[3,4]}\n");
	data_wants_fault("{\"format\":\"inline\",\"schema\":[{\"name\":\"a\",\"type\":\"int64\"}],\"rows\":[{\"a\":1},{"
			 "\"a\":\"x\"},{\"a\":true}]}",
			 "/source/rows/2/a", NULL);
	data_wants_fault("{\"format\":\"inline\",\"rows\":[{\"a\":1},7]}", "/source/rows/1", NULL);
	data_wants_fault("{\"format\":\"inline\",\"rows\":7}", "/source/rows", NULL);
	data_wants_fault("{\"format\":\"inline\",\"rows\":[],\"uri\":\"file:x\"}", "/source/uri", NULL);
}

static void vectors_of_a_row_are_of_one_length(void **state)
{
	static const char *const whole[] = {"{\"h\":[[1],[-2.5]]}", "{\"h\":[]}", "{\"h\":null}", "{\"h\":[[1,2],[3,4],[5,6]]}"};
	static const struct {
		const char *row, *pointer;
	} faulty[] = {
		{"{\"h\":[[1],[2,3]]}", "/h/1"}, {"{\"h\":[[],[]]}", "/h/0"}, {"{\"h\":[[1],2]}", "/h/1"},
		{"{\"h\":{}}", "/h"},		 {"{\"h\":[[\"x\"]]}", "/h/0"},
	};
	struct reading r;
	(void)state;
	begin_over(&r, "[{\"name\":\"h\",\"type\":\"array<vector>\"}]");
	for (size_t i = 0; i < ARRAY_COUNT(whole); i++) {
		assert_int_equal(read_row(&r, whole[i]), JSON_ROW_OK);
		assert_string_equal(last_row(&r), whole[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(faulty); i++) {
		assert_int_equal(read_row(&r, faulty[i].row), JSON_ROW_FAULTS);
		assert_string_equal(r.e.faults[0].pointer, faulty[i].pointer);
		assert_string_equal(last_row(&r), "{\"h\":null}");
	}
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(values_are_read_and_written, data_arena_reset),
		cmocka_unit_test_teardown(wrong_values_are_faults_with_pointers, data_arena_reset),
		cmocka_unit_test_teardown(broken_rows_leave_nothing, data_arena_reset),
		cmocka_unit_test_teardown(only_wanted_members_are_read, data_arena_reset),
		cmocka_unit_test_teardown(warm_rows_allocate_nothing, data_arena_reset),
		cmocka_unit_test_teardown(rows_are_written_as_csv, data_arena_reset),
		cmocka_unit_test_teardown(json_lines_infer_their_types, data_arena_reset),
		cmocka_unit_test_teardown(malformed_lines_follow_the_mode, data_arena_reset),
		cmocka_unit_test_teardown(inline_rows_are_rows, data_arena_reset),
		cmocka_unit_test_teardown(vectors_of_a_row_are_of_one_length, data_arena_reset),
	};
	return cmocka_run_group_tests(tests, data_dir_make, data_dir_remove);
}
