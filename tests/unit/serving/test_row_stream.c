/* Rows as bytes in pieces of any size: NDJSON and CSV in, NDJSON and CSV out. */
#include "serving/row_stream.h"
#include "tests/golden/golden.h"

#include <stdio.h>

static const struct row_stream_options ndjson = {
	.input = "ndjson", .output = "ndjson", .rows_max = 10000, .record_bytes_max = 1 << 20};
static const struct row_stream_options csv = {
	.input = "csv", .output = "csv", .rows_max = 10000, .record_bytes_max = 1 << 20};

static bool run(struct golden *g, const struct row_stream_options *o, const char *text, size_t piece, struct buf *out,
		uint64_t *refused, struct err *e)
{
	struct row_stream *st = row_stream_open(g->predictor, g->scratch, o);
	size_t len = strlen(text), at = 0;
	bool ok = true, end;
	err_init(e);
	buf_clear(out);
	do {
		size_t n = piece && piece < len - at ? piece : len - at;
		/* A copy of its own size, so that reading beyond a piece is seen by the sanitizers. */
		char *copy = mem_alloc(n ? n : 1);
		memcpy(copy, text + at, n);
		at += n;
		end = at == len;
		ok = row_stream_feed(st, copy, n, end, out, e);
		mem_free(copy);
	} while (ok && !end);
	*refused = row_stream_refused(st);
	row_stream_close(st);
	return ok;
}

/* The answer must not depend on how the bytes were cut. */
static const char *answer(struct golden *g, const struct row_stream_options *o, const char *text)
{
	struct buf out = BUF_INIT(1 << 24), again = BUF_INIT(1 << 24);
	struct err e;
	uint64_t refused;
	assert_ok(run(g, o, text, 0, &out, &refused, &e), &e);
	for (size_t piece = 1; piece < 40; piece = piece * 2 + 1) {
		assert_ok(run(g, o, text, piece, &again, &refused, &e), &e);
		assert_string_equal(buf_cstr(&again), buf_cstr(&out));
	}
	const char *copy = arena_strndup(&g->arena, out.len ? out.data : "", out.len);
	buf_release(&out);
	buf_release(&again);
	return copy;
}

static const struct err *refusal(struct golden *g, const struct row_stream_options *o, const char *text)
{
	struct err *e = arena_alloc(&g->arena, sizeof *e);
	struct buf out = BUF_INIT(1 << 24);
	uint64_t refused;
	assert_false(run(g, o, text, 0, &out, &refused, e));
	buf_release(&out);
	return e;
}

static const char *one(struct golden *g, const char *text)
{
	return golden_answer(g, arena_printf(&g->arena, "{\"text\":\"%s\"}", text), PREDICT_RESPONSE);
}

/* The number in {"sentiment":…}. */
static const char *number(struct golden *g, const char *text)
{
	const char *a = one(g, text);
	return arena_strndup(&g->arena, a + 13, strlen(a) - 14);
}

static int set_up(void **state)
{
	struct golden *g = mem_zalloc(1, sizeof *g);
	golden_fit(g, "sentiment");
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	golden_release(*state);
	mem_free(*state);
	return 0;
}

/* --- NDJSON ------------------------------------------------------------------------------------------------------- */

static void test_ndjson_lines(void **state)
{
	struct golden *g = *state;
	const char *want = arena_printf(&g->arena, "%s\n%s\n%s\n", one(g, "awesome"), one(g, "cold"), one(g, ""));
	assert_string_equal(answer(g, &ndjson, "{\"text\":\"awesome\"}\n{\"text\":\"cold\"}\n{\"text\":\"\"}\n"), want);
	const char *marked = "\xef\xbb\xbf{\"text\":\"awesome\"}\r\n\n  \t\n{\"text\":\"cold\"}\r\n{\"text\":\"\"}";
	assert_string_equal(answer(g, &ndjson, marked), want);
	assert_string_equal(answer(g, &ndjson, ""), "");
	assert_string_equal(answer(g, &ndjson, "\n\n"), "");
}

static void test_a_bad_line_answers_its_problem(void **state)
{
	struct golden *g = *state;
	struct buf out = BUF_INIT(1 << 24);
	struct err e;
	uint64_t refused;
	const char *text = "{\"text\":\"awesome\"}\n{\"text\":5}\nnot json\n{}\n"
			   "{\"text\":null}\n{\"text\":\"a\"}x\n{\"text\":\"cold\"}\n";
	answer(g, &ndjson, text);
	assert_ok(run(g, &ndjson, text, 0, &out, &refused, &e), &e);
	assert_int_equal(refused, 5);
	char *line = strtok(out.data, "\n");
	const char *at_text = "\"pointer\":\"/text\"", *answered = "{\"sentiment\":", *broken = "invalid-json";
	const char *const wants[] = {answered, at_text, broken, at_text, at_text, broken, answered};
	for (size_t i = 0; i < ARRAY_COUNT(wants); i++, line = strtok(NULL, "\n")) {
		assert_non_null(line);
		if (!strstr(line, wants[i])) fail_msg("line %zu is %s", i, line);
	}
	assert_null(line);
	buf_release(&out);
}

static void test_lenient_rows_may_lack_members(void **state)
{
	(void)state;
	struct golden g;
	struct row_stream_options o = ndjson;
	golden_fit(&g, "passengers");
	const char *row = "{\"sex\":\"f\",\"class\":1,\"fare\":60.0}\n";
	assert_non_null(strstr(answer(&g, &o, row), "\"pointer\":\"/age\""));
	o.lenient = true;
	const char *want =
		golden_answer(&g, "{\"age\":null,\"sex\":\"f\",\"class\":1,\"fare\":60.0}", PREDICT_RESPONSE);
	assert_string_equal(answer(&g, &o, row), arena_printf(&g.arena, "%s\n", want));
	golden_release(&g);
}

static void test_limits(void **state)
{
	struct golden *g = *state;
	struct row_stream_options o = ndjson;
	o.rows_max = 2;
	assert_int_equal(refusal(g, &o, "{\"text\":\"\"}\n{\"text\":\"\"}\n{\"text\":\"\"}\n")->code, ERR_too_large);
	o = ndjson;
	o.record_bytes_max = 16;
	struct row_stream *st = row_stream_open(g->predictor, g->scratch, &o);
	struct buf out = BUF_INIT(1 << 20);
	struct err e;
	err_init(&e);
	assert_false(row_stream_feed(st, "{\"text\":\"0123456789\"", 20, false, &out, &e));
	assert_int_equal(e.code, ERR_too_large);
	row_stream_close(st);
	buf_release(&out);
}

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

static void test_csv_lines(void **state)
{
	struct golden *g = *state;
	const char *want = arena_printf(&g->arena, "sentiment\r\n%s\r\n%s\r\n%s\r\n", number(g, "awesome"),
					number(g, "so cold,\\nso \\\"bad\\\""), number(g, ""));
	assert_string_equal(answer(g, &csv, "text\nawesome\n\"so cold,\nso \"\"bad\"\"\"\n\"\"\n"), want);
	assert_string_equal(
		answer(g, &csv,
		   "\xef\xbb\xbfid,text,label\r\n1,awesome,good\r\n\r\n2,\"so cold,\nso \"\"bad\"\"\",\r\n3,\"\",x"),
		want);
	assert_string_equal(answer(g, &csv, "text"), "sentiment\r\n");
}

static void test_csv_refusals(void **state)
{
	struct golden *g = *state;
	struct row_stream_options strict = csv;
	strict.strict = true;
	static const struct {
		const char *text, *pointer;
		bool strict;
	} cases[] = {
		{"label\nx\n", "/text", false},
		{"text,text\na,b\n", "/text", false},
		{"text,id\na,1\n", "/id", true},
		{"text,id\na,1\nb\n", "/1", false},
		{"text\na\n\"b\"c\n", "/1", false},
		{"text,id\n,1\n", "/0/text", false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct err *e = refusal(g, cases[i].strict ? &strict : &csv, cases[i].text);
		assert_int_equal(err_status(e->code), 422);
		assert_string_equal(e->faults[0].pointer, cases[i].pointer);
	}
	assert_int_equal(refusal(g, &csv, "")->code, ERR_invalid);
}

static void test_csv_values(void **state)
{
	(void)state;
	struct golden g;
	struct row_stream_options o = csv;
	golden_fit(&g, "passengers");
	o.output = "ndjson";
	const char *got = answer(&g, &o, "age,sex,class,fare\n30.0,m,3,8.0\n,f,1,60.0\n40,m,1,NaN\n40,m,x,1\n");
	const char *a = golden_answer(&g, "{\"age\":30.0,\"sex\":\"m\",\"class\":3,\"fare\":8.0}", PREDICT_RESPONSE);
	const char *b = golden_answer(&g, "{\"age\":null,\"sex\":\"f\",\"class\":1,\"fare\":60.0}", PREDICT_RESPONSE);
	const char *good = arena_printf(&g.arena, "%s\n%s\nnull\n", a, b);
	assert_true(strncmp(got, good, strlen(good)) == 0);
	assert_non_null(strstr(got + strlen(good), "\"pointer\":\"/3/class\""));
	golden_release(&g);
	golden_fit(&g, "vectors");
	const struct err *e = refusal(&g, &csv, "v,z,flag\n1,2,true\n");
	assert_string_equal(e->faults[0].pointer, "/v");
	golden_release(&g);
}

/* --- Columns that came in ----------------------------------------------------------------------------------------- */

static struct row_stream_options echoing(const char *input, const char *output)
{
	struct row_stream_options o = ndjson;
	o.input = input;
	o.output = output;
	o.answer = PREDICT_FULL;
	o.echo = o.lenient = true;
	return o;
}

static void test_echo_keeps_what_came(void **state)
{
	struct golden *g = *state;
	struct row_stream_options o = echoing("ndjson", "ndjson");
	const char *row = "{\"id\":1e2,\"t\\u00e9\":{\"a\":[1, 2]},\"text\":\"awesome\","
			  "\"prediction\":\"mine\",\"sentiment\":7}\n";
	const char *want = "{\"id\":1e2,\"té\":{\"a\":[1, 2]},\"text\":\"awesome\",\"sentiment\":7,\"words\":[";
	const char *got = answer(g, &o, row);
	assert_true(strncmp(got, want, strlen(want)) == 0);
	/* A column made replaces one of its name; a field of the response gives way. */
	assert_null(strstr(got, "mine"));
	assert_null(strstr(strstr(got, "\"sentiment\"") + 1, "\"sentiment\""));
	const char *plain = answer(g, &o, "{\"text\":\"awesome\"}\n");
	assert_non_null(strstr(plain, arena_printf(&g->arena, ",\"sentiment\":%s}\n", number(g, "awesome"))));
}

static void test_echo_from_csv_to_ndjson(void **state)
{
	(void)state;
	struct golden g;
	struct row_stream_options o = echoing("csv", "ndjson");
	golden_fit(&g, "passengers");
	const char *got = answer(&g, &o, "name,age,sex,class,fare,survived\nAnn,,f,1,60,1\n");
	const char *want =
		"{\"name\":\"Ann\",\"age\":null,\"sex\":\"f\",\"class\":1,\"fare\":60,\"survived\":1,\"ageFull\":";
	assert_true(strncmp(got, want, strlen(want)) == 0);
	golden_release(&g);
}

static void test_echo_to_csv(void **state)
{
	struct golden *g = *state;
	struct row_stream_options from_csv = echoing("csv", "csv"), from_json = echoing("ndjson", "csv");
	const char *head =
		"id,text,words,bigrams,tf1,tf2,tf,idf,features,rawPrediction,probability,prediction,sentiment\r\n";
	const char *a = answer(g, &from_csv, "id,text\n 7 ,\"a, b\"\n8,c\n");
	assert_true(strncmp(a, head, strlen(head)) == 0);
	assert_true(strncmp(a + strlen(head), "\" 7 \",\"a, b\",", 13) == 0);
	const char *b = answer(g, &from_json,
			       "{\"id\":\" 7 \",\"text\":\"a, b\"}\n{\"other\":1,\"text\":\"c\",\"id\":8}\n"
			       "{\"text\":\"d\",\"id\":null}\n");
	assert_true(strncmp(b, a, strlen(a)) == 0);
	assert_true(strncmp(b + strlen(a), ",d,", 3) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ndjson_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_bad_line_answers_its_problem, set_up, tear_down),
		cmocka_unit_test(test_lenient_rows_may_lack_members),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_csv_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_csv_refusals, set_up, tear_down),
		cmocka_unit_test(test_csv_values),
		cmocka_unit_test_setup_teardown(test_echo_keeps_what_came, set_up, tear_down),
		cmocka_unit_test(test_echo_from_csv_to_ndjson),
		cmocka_unit_test_setup_teardown(test_echo_to_csv, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
