/* The predictor gives what pipeline_apply gives, for one row as for many, and says what and where when it cannot. */
#include "data/json_row_write.h"
#include "tests/golden/golden.h"

#include <dirent.h>
#include <stdio.h>

/* --- The same as the plain path ----------------------------------------------------------------------------------- */

static const char *input_text(struct golden *g, size_t row)
{
	struct buf text = BUF_INIT(1 << 24);
	struct json_writer w = JSON_WRITER(&text);
	json_row_write(&w, &g->table.rows, NULL, row);
	const char *copy = arena_strndup(&g->arena, text.data, text.len);
	buf_release(&text);
	return copy;
}

/* Every column that the stages made, as the plain path made it, stands in the answer with the same text. */
static void assert_same_columns(const struct pipeline *p, const struct batch *plain, const char *answer)
{
	struct arena a = ARENA_INIT;
	struct json *root;
	struct err e;
	err_init(&e);
	assert_ok(json_parse(&a, answer, strlen(answer), &root, &e), &e);
	if (plain->rows == 0) assert_int_equal(root->type, JSON_NULL);
	for (size_t c = p->input_count; plain->rows && c < p->schema.count; c++) {
		struct buf cell = BUF_INIT(1 << 24);
		struct json_writer w = JSON_WRITER(&cell);
		struct str name = p->schema.columns[c].name;
		const struct json *got = json_get(root, arena_strndup(&a, name.data, name.len));
		assert_non_null(got);
		json_row_cell(&w, &plain->columns[c], 0);
		assert_string_equal(arena_strndup(&a, got->raw.data, got->raw.len), buf_cstr(&cell));
		buf_release(&cell);
	}
	arena_release(&a);
}

static void check_rows(struct golden *g)
{
	struct buf all = BUF_INIT(1 << 26), each = BUF_INIT(1 << 26);
	buf_str(&all, "{\"instances\":[");
	buf_str(&each, "{\"predictions\":[");
	for (size_t i = 0; i < g->table.rows.rows; i++) {
		struct batch plain;
		const char *body = input_text(g, i);
		pipeline_apply_rows(&g->pipeline, &g->table, i, i + 1, &plain);
		assert_same_columns(&g->pipeline, &plain, golden_answer(g, body, PREDICT_FULL));
		batch_release(&plain);
		buf_printf(&all, "%s%s", i ? "," : "", body);
		buf_printf(&each, "%s%s", i ? "," : "", golden_answer(g, body, PREDICT_RESPONSE));
	}
	buf_str(&all, "]}");
	buf_str(&each, "]}");
	assert_string_equal(golden_answer(g, buf_cstr(&all), PREDICT_RESPONSE), buf_cstr(&each));
	buf_release(&all);
	buf_release(&each);
}

/* A specimen of the conformance suite as golden_fit_text takes it. Its response is made plain, so that names do not
 * meet. */
static void fit_specimen(struct golden *g, const struct json *spec, const struct json *tables)
{
	struct buf text = BUF_INIT(1 << 24);
	struct json_writer w = JSON_WRITER(&text);
	char name[64];
	struct str rows = json_get(spec, "rows")->string;
	snprintf(name, sizeof name, "%.*s", (int)rows.len, rows.data);
	json_object_begin(&w);
	json_key(&w, "rows");
	json_value(&w, json_get(tables, name));
	json_key(&w, "pipeline");
	json_value(&w, json_get(spec, "pipeline"));
	json_object_end(&w);
	golden_fit_text(g, buf_cstr(&text));
	buf_release(&text);
}

static void test_every_stage_as_pipeline_apply(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct json *specimens, *tables;
	struct err e;
	err_init(&e);
	struct str specs = support_read(&a, arena_printf(&a, "%s/tests/conformance/specimens.json", support_source()));
	struct str rows = support_read(&a, arena_printf(&a, "%s/tests/conformance/rows.json", support_source()));
	assert_ok(json_parse(&a, specs.data, specs.len, &specimens, &e) &&
		      json_parse(&a, rows.data, rows.len, &tables, &e),
		  &e);
	for (const struct json *spec = specimens->child; spec; spec = spec->next) {
		struct golden g;
		fit_specimen(&g, spec, tables);
		check_rows(&g);
		golden_release(&g);
	}
	arena_release(&a);
}

static void test_pipelines_as_pipeline_apply(void **state)
{
	(void)state;
	for (size_t i = 0; golden_names[i]; i++) {
		struct golden g;
		golden_fit(&g, golden_names[i]);
		check_rows(&g);
		golden_release(&g);
	}
}

/* More rows than a batch holds. */
static void test_order_is_kept_over_batches(void **state)
{
	(void)state;
	struct golden g;
	struct buf body = BUF_INIT(1 << 24), want = BUF_INIT(1 << 24);
	const char *rows[] = {"{\"text\":\"awesome ride\"}", "{\"text\":\"rude and cold\"}", "{\"text\":\"\"}"};
	const char *answers[ARRAY_COUNT(rows)];
	golden_fit(&g, "sentiment");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) answers[i] = golden_answer(&g, rows[i], PREDICT_RESPONSE);
	buf_str(&body, "{ \"instances\" : [");
	buf_str(&want, "{\"predictions\":[");
	for (size_t i = 0; i < 2 * BATCH_ROWS + 100; i++) {
		buf_printf(&body, "%s%s", i ? ", " : "", rows[i * i % 3]);
		buf_printf(&want, "%s%s", i ? "," : "", answers[i * i % 3]);
	}
	buf_str(&body, "]}");
	buf_str(&want, "]}");
	assert_string_equal(golden_answer(&g, buf_cstr(&body), PREDICT_RESPONSE), buf_cstr(&want));
	buf_release(&body);
	buf_release(&want);
	golden_release(&g);
}

/* --- What is needed ----------------------------------------------------------------------------------------------- */

static void test_the_label_need_not_come(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "sentiment");
	const char *plain = golden_answer(&g, "{\"text\":\"awesome\"}", PREDICT_RESPONSE);
	assert_string_equal(plain, golden_answer(&g, "{\"text\":\"awesome\",\"label\":\"good\"}", PREDICT_RESPONSE));
	assert_string_equal(
		plain, golden_answer(&g, "{\"label\":17,\"text\":\"awesome\",\"more\":{\"a\":[1]}}", PREDICT_RESPONSE));
	/* What can be made of the inputs that came: without a label no index of it. */
	assert_null(strstr(golden_answer(&g, "{\"text\":\"awesome\"}", PREDICT_FULL), "labelIndex"));
	const char *labelled = golden_answer(&g, "{\"text\":\"awesome\",\"label\":\"good\"}", PREDICT_FULL);
	assert_non_null(strstr(labelled, "\"labelIndex\":1"));
	assert_null(strstr(golden_answer(&g, "{\"text\":\"awesome\",\"label\":null}", PREDICT_FULL), "labelIndex"));
	golden_release(&g);
}

static void test_full_has_the_response_first(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "sentiment");
	const char *full = golden_answer(&g, "{\"text\":\"awesome\"}", PREDICT_FULL);
	assert_true(strncmp(full, "{\"sentiment\":", 13) == 0);
	for (const char *const *c =
		 (const char *const[]){"words", "tf1", "features", "rawPrediction", "probability", "prediction", NULL};
	     *c; c++)
		assert_non_null(strstr(full, *c));
	golden_release(&g);
}

static void test_a_dropped_row_answers_null(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "passengers");
	const char *good = "{\"age\":30,\"sex\":\"m\",\"class\":3,\"fare\":8}",
		   *bad = "{\"age\":30,\"sex\":\"m\",\"class\":3,\"fare\":null}";
	assert_string_equal(golden_answer(&g, bad, PREDICT_RESPONSE), "null");
	const char *answer = golden_answer(&g, good, PREDICT_RESPONSE);
	const char *body = arena_printf(&g.arena, "{\"instances\":[%s,%s,%s]}", bad, good, bad);
	const char *many = golden_answer(&g, body, PREDICT_RESPONSE);
	assert_string_equal(many, arena_printf(&g.arena, "{\"predictions\":[null,%s,null]}", answer));
	golden_release(&g);
}

static void test_no_instances_no_predictions(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "sentiment");
	assert_string_equal(golden_answer(&g, "{\"instances\":[]}", PREDICT_RESPONSE), "{\"predictions\":[]}");
	assert_string_equal(golden_answer(&g, "{\"instances\":[]}", PREDICT_FULL), "{\"predictions\":[]}");
	golden_release(&g);
}

/* Not the first member, and a text that only looks like it. */
static void test_instances_are_found(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "sentiment");
	const char *one = golden_answer(&g, "{\"text\":\"a\"}", PREDICT_RESPONSE);
	const char *many =
		golden_answer(&g, "{\"parameters\":{\"x\":[1]},\"instances\":[{\"text\":\"a\"}]}", PREDICT_RESPONSE);
	assert_string_equal(many, arena_printf(&g.arena, "{\"predictions\":[%s]}", one));
	assert_true(golden_answer(&g, "{\"text\":\"{\\\"instances\\\":[]}\"}", PREDICT_RESPONSE)[2] == 's');
	golden_release(&g);
}

/* --- Refusals ----------------------------------------------------------------------------------------------------- */

struct refusal {
	const char *body;
	enum err_code code;
	const char *pointers[3];
	bool strict;
};

static void check_refusals(struct golden *g, const struct refusal *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct refusal *t = &list[i];
		struct predictor_request r = {
			.body = t->body, .len = strlen(t->body), .strict = t->strict, .limits = GOLDEN_LIMITS};
		const struct err *e = golden_refusal(g, &r);
		size_t faults = 0;
		if (e->code != t->code) fail_msg("%s: %s (%s)", t->body, err_slug(e->code), e->detail);
		for (; faults < ARRAY_COUNT(t->pointers) && t->pointers[faults]; faults++)
			assert_string_equal(e->faults[faults].pointer, t->pointers[faults]);
		if (e->fault_count != faults) fail_msg("%s: %zu faults", t->body, e->fault_count);
		/* The scratch is as good as before. */
		golden_answer(g, "{\"text\":\"fine\",\"color\":\"red\"}", PREDICT_RESPONSE);
	}
}

static void test_refusals_say_where(void **state)
{
	(void)state;
	static const struct refusal list[] = {
		{"{}", ERR_invalid, {"/text"}, false},
		{"{\"text\":5}", ERR_invalid, {"/text"}, false},
		{"{\"text\":[]}", ERR_invalid, {"/text"}, false},
		{"{\"text\":null}", ERR_data, {"/text"}, false},
		{"{\"text\":\"a\",\"x\":1,\"y\":2}", ERR_invalid, {"/x", "/y"}, true},
		{"{\"x~/\":1,\"text\":\"a\"}", ERR_invalid, {"/x~0~1"}, true},
		{"[]", ERR_invalid, {""}, false},
		{"\"text\"", ERR_invalid, {""}, false},
		{"", ERR_invalid_json, {NULL}, false},
		{"{", ERR_invalid_json, {NULL}, false},
		{"{\"text\":\"a\"", ERR_invalid_json, {NULL}, false},
		{"{\"text\":\"a\"} x", ERR_invalid_json, {NULL}, false},
		{"{\"text\":\"a\",\"text\":\"b\"}", ERR_invalid_json, {NULL}, false},
		{"{\"text\":\"\xff\"}", ERR_invalid_json, {NULL}, false},
		{"{\"x\":NaN,\"text\":\"a\"}", ERR_invalid_json, {NULL}, false},
		{"{\"instances\":5}", ERR_invalid, {"/instances"}, false},
		{"{\"instances\":[{\"text\":\"a\"},{\"text\":5},{},{\"text\":\"b\"}]}", ERR_invalid,
		 {"/instances/1/text", "/instances/2/text"}, false},
		{"{\"instances\":[{\"text\":\"a\"},7]}", ERR_invalid, {"/instances/1"}, false},
		{"{\"instances\":[{\"text\":\"a\"},{\"text\":null}]}", ERR_data, {"/instances/1/text"}, false},
		{"{\"instances\":[{\"text\":\"a\"}", ERR_invalid_json, {NULL}, false},
		{"{\"instances\":[{\"text\":\"a\"}]", ERR_invalid_json, {NULL}, false},
		{"{\"instances\":[{\"text\":\"a\"}]}]", ERR_invalid_json, {NULL}, false},
		{"{\"instances\":[],\"instances\":[]}", ERR_invalid_json, {NULL}, false},
		{"{\"instances\":[{\"text\":\"a\"}],\"more\":1}", ERR_invalid, {"/more"}, true},
		{"{\"instances\":[{\"text\":\"a\",\"z\":1}]}", ERR_invalid, {"/instances/0/z"}, true},
	};
	struct golden g;
	golden_fit(&g, "sentiment");
	check_refusals(&g, list, ARRAY_COUNT(list));
	golden_release(&g);
}

static const char colors[] =
	"{\"rows\":{\"format\":\"inline\","
	"\"schema\":[{\"name\":\"color\",\"type\":\"string\"},{\"name\":\"x\",\"type\":\"double\"}],"
	"\"rows\":[{\"color\":\"red\",\"x\":1},{\"color\":\"blue\",\"x\":2}]},"
	"\"pipeline\":[{\"stage\":\"StringIndexer\",\"inputCol\":\"color\",\"outputCol\":\"i\"},"
	"{\"stage\":\"VectorAssembler\",\"inputCols\":[\"i\",\"x\"],\"outputCol\":\"v\"}]}";

/* A stage's refusal points at the field that it reads, or at the row where several could be meant. */
static void test_stages_blame_the_field(void **state)
{
	(void)state;
	struct golden g;
	golden_fit_text(&g, colors);
	const char *unseen = "{\"instances\":[{\"color\":\"red\",\"x\":1},{\"color\":\"pink\",\"x\":1},"
			     "{\"color\":\"blue\",\"x\":\"NaN\"}]}";
	struct predictor_request r = {.body = unseen, .len = strlen(unseen), .limits = GOLDEN_LIMITS};
	const struct err *e = golden_refusal(&g, &r);
	assert_int_equal(e->code, ERR_data);
	assert_int_equal(e->fault_count, 2);
	assert_string_equal(e->faults[0].pointer, "/instances/1/color");
	assert_non_null(strstr(e->faults[0].detail, "pink"));
	assert_null(strstr(e->faults[0].detail, "shard"));
	assert_string_equal(e->faults[1].pointer, "/instances/2");
	golden_release(&g);
}

static void test_limits(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "sentiment");
	const char *body = "{\"instances\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]}";
	struct predictor_request r = {.body = body, .len = strlen(body), .limits = {2, 1 << 20}};
	assert_int_equal(golden_refusal(&g, &r)->code, ERR_too_large);
	r.limits = (struct predictor_limits){3, 20};
	assert_int_equal(golden_refusal(&g, &r)->code, ERR_too_large);
	golden_release(&g);
}

/* Of the JSON that must be refused nothing gets an answer, and what may be read is refused as a row, not as JSON. */
static void test_json_test_suite(void **state)
{
	(void)state;
	struct golden g;
	struct arena a = ARENA_INIT;
	const char *dir = support_shared(&a, "conformance/json-test-suite/test_parsing");
	DIR *d = opendir(dir);
	size_t files = 0;
	golden_fit(&g, "sentiment");
	for (struct dirent *f; (f = readdir(d));) {
		if (f->d_name[0] == '.') continue;
		struct str body = support_read(&a, arena_printf(&a, "%s/%s", dir, f->d_name));
		struct predictor_request r = {.body = body.data, .len = body.len, .limits = GOLDEN_LIMITS};
		const struct err *e = golden_refusal(&g, &r);
		bool as_json = e->code == ERR_invalid_json;
		if (f->d_name[0] == 'n' && !as_json) fail_msg("%s: %s", f->d_name, e->detail);
		if (f->d_name[0] == 'y' && as_json && !strstr(f->d_name, "duplicated"))
			fail_msg("%s: %s", f->d_name, e->detail);
		if (e->code != ERR_invalid_json) assert_int_equal(e->code, ERR_invalid);
		files++;
	}
	closedir(d);
	assert_true(files > 300);
	golden_release(&g);
	arena_release(&a);
}

/* --- Containers --------------------------------------------------------------------------------------------------- */

static void test_bad_containers_are_refused(void **state)
{
	(void)state;
	struct golden g;
	golden_fit(&g, "vectors");
	for (size_t cut = 0; cut < g.container.len; cut += 1 + g.container.len / 97) {
		struct predictor *p;
		struct err e;
		err_init(&e);
		assert_false(predictor_create(g.container.data, cut, "cut", 1, &p, &e));
		assert_int_equal(e.code, ERR_bad_model);
	}
	assert_string_equal(predictor_label(g.predictor), "golden:1");
	golden_release(&g);
}

static void test_warming_leaves_no_trace(void **state)
{
	(void)state;
	for (size_t i = 0; golden_names[i]; i++) {
		struct golden g;
		golden_fit(&g, golden_names[i]);
		const char *row = arena_strndup(&g.arena, g.ask->child->raw.data, g.ask->child->raw.len);
		const char *before = golden_answer(&g, row, PREDICT_FULL);
		predictor_warm(g.predictor);
		assert_string_equal(before, golden_answer(&g, row, PREDICT_FULL));
		golden_release(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_stage_as_pipeline_apply),
		cmocka_unit_test(test_pipelines_as_pipeline_apply),
		cmocka_unit_test(test_order_is_kept_over_batches),
		cmocka_unit_test(test_the_label_need_not_come),
		cmocka_unit_test(test_full_has_the_response_first),
		cmocka_unit_test(test_a_dropped_row_answers_null),
		cmocka_unit_test(test_no_instances_no_predictions),
		cmocka_unit_test(test_instances_are_found),
		cmocka_unit_test(test_refusals_say_where),
		cmocka_unit_test(test_stages_blame_the_field),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_json_test_suite),
		cmocka_unit_test(test_bad_containers_are_refused),
		cmocka_unit_test(test_warming_leaves_no_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
