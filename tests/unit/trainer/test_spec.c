/* Job specifications: every fault at once with its pointer; what is written repeats the job exactly. */
#include "tests/support/support.h"

#include "trainer/spec.h"

#include <stdio.h>

#define SOURCE                                                       \
	"\"source\":{\"format\":\"inline\",\"rows\":[{\"text\":\"a " \
	"b\",\"label\":1.0},{\"text\":\"c\",\"label\":0.0}]}"
#define PIPELINE                                                                                                       \
	"\"pipeline\":[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"},"                       \
	"{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"features\",\"numFeatures\":16},"              \
	"{\"stage\":\"LogisticRegression\"}]"
#define MINIMAL "\"name\":\"n\"," SOURCE "," PIPELINE

static const struct spec_defaults defaults = {.workers = 2, .memory_max = (uint64_t)1 << 30};
static const struct source_env look = {.spool_dir = "/tmp",
				       .memory_max = 1 << 24,
				       .record_bytes_max = 1 << 20,
				       .columns_max = 100,
				       .inline_rows_max = 100};

static bool parse(struct spec *sp, const char *text, const struct source_env *env, struct err *e)
{
	err_init(e);
	return spec_parse(sp, text, strlen(text), &defaults, env, e);
}

static bool has_fault(const struct err *e, const char *pointer)
{
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		if (strcmp(e->faults[i].pointer, pointer) == 0) return true;
	return false;
}

static void print_faults(const struct err *e)
{
	print_error("%s\n", e->detail);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		print_error("  %s %s\n", e->faults[i].pointer, e->faults[i].detail);
}

static void three_members_suffice(void **state)
{
	struct spec sp;
	struct err e;
	(void)state;
	assert_ok(parse(&sp, "{" MINIMAL "}", &look, &e), &e);
	assert_true(str_is(sp.name, "n") && str_is(sp.kind, "train") && str_is(sp.executor, "local"));
	assert_int_equal(sp.workers, 2);
	assert_true(sp.memory_max == (uint64_t)1 << 30 && sp.level == STORAGE_MEMORY_AND_DISK);
	assert_true(sp.priority == 3 && sp.max_attempts == 3 && sp.timeout_s == 86400);
	assert_true(sp.split_test == 0 && sp.seed >= 0 && sp.seed < (int64_t)1 << SPEC_SEED_DRAWN_BITS);
	spec_release(&sp);
}

static void all_members_are_read(void **state)
{
	struct spec sp;
	struct err e;
	(void)state;
	static const char text[] =
		"{" MINIMAL ",\"kind\":\"train\",\"split\":{\"test\":0.2,\"seed\":-42},\"evaluate\":[],\"tune\":null,"
		"\"response\":{\"answer\":\"prediction\"},\"promote\":{\"alias\":\"production\"},\"resources\":"
		"{\"workers\":5,\"executor\":\"local\",\"memory\":\"512MiB\",\"storageLevel\":\"DISK_ONLY\"},"
		"\"retry\":{\"maxAttempts\":7},\"timeoutSeconds\":60,\"priority\":1,\"tags\":{\"team\":\"growth\"},"
		"\"seed\":9007199254740993}";
	assert_ok(parse(&sp, text, &look, &e), &e);
	assert_true(sp.split_test == 0.2 && sp.split_seed == -42 && sp.seed == 9007199254740993);
	assert_true(sp.workers == 5 && sp.memory_max == (uint64_t)512 << 20 && sp.level == STORAGE_DISK_ONLY);
	assert_true(sp.max_attempts == 7 && sp.timeout_s == 60 && sp.priority == 1);
	assert_true(str_is(sp.promote_alias, "production") && str_is(sp.promote_when, "always"));
	spec_release(&sp);
}

/* One fault a row: the members beside the minimal ones (or instead of them), and where the fault must be. */
static const struct {
	const char *text, *pointer;
} faulty[] = {
	{"{" MINIMAL ",\"colour\":\"blue\"}", "/colour"},
	{"{" SOURCE "," PIPELINE "}", "/name"},
	{"{\"name\":\"n\"," PIPELINE "}", "/source"},
	{"{\"name\":\"n\"," SOURCE "}", "/pipeline"},
	{"{\"name\":\"\"," SOURCE "," PIPELINE "}", "/name"},
	{"{\"name\":\".hidden\"," SOURCE "," PIPELINE "}", "/name"},
	{"{\"name\":\"a/b\"," SOURCE "," PIPELINE "}", "/name"},
	{"{\"name\":\"caf\xc3\xa9\"," SOURCE "," PIPELINE "}", "/name"},
	{"{\"name\":7," SOURCE "," PIPELINE "}", "/name"},
	{"{\"name\":\"n\",\"source\":7," PIPELINE "}", "/source"},
	{"{\"name\":\"n\"," SOURCE ",\"pipeline\":{}}", "/pipeline"},
	{"{\"name\":\"n\"," SOURCE ",\"pipeline\":[]}", "/pipeline"},
	{"{\"name\":\"n\"," SOURCE ",\"pipeline\":[{\"stage\":\"Nothing\"}]}", "/pipeline/0/stage"},
	{"{\"name\":\"n\"," SOURCE ",\"pipeline\":[7]}", "/pipeline/0"},
	{"{" MINIMAL ",\"kind\":\"score\"}", "/kind"},
	{"{" MINIMAL ",\"kind\":\"evaluate\"}", "/kind"},
	{"{" MINIMAL ",\"kind\":\"dream\"}", "/kind"},
	{"{" MINIMAL ",\"split\":0.2}", "/split"},
	{"{" MINIMAL ",\"split\":{}}", "/split/test"},
	{"{" MINIMAL ",\"split\":{\"test\":0}}", "/split/test"},
	{"{" MINIMAL ",\"split\":{\"test\":1}}", "/split/test"},
	{"{" MINIMAL ",\"split\":{\"test\":\"NaN\"}}", "/split/test"},
	{"{" MINIMAL ",\"split\":{\"test\":0.5,\"train\":0.5}}", "/split/train"},
	{"{" MINIMAL ",\"split\":{\"test\":0.5,\"seed\":1.5}}", "/split/seed"},
	{"{" MINIMAL ",\"evaluate\":{}}", "/evaluate"},
	{"{" MINIMAL ",\"evaluate\":[{\"evaluator\":\"Nothing\"}]}", "/evaluate/0/evaluator"},
	{"{" MINIMAL ",\"tune\":{\"method\":\"CrossValidator\"}}", "/tune"},
	{"{" MINIMAL ",\"response\":[]}", "/response"},
	{"{" MINIMAL ",\"response\":{\"x\":\"nowhere\"}}", "/response/x"},
	{"{" MINIMAL ",\"promote\":{\"when\":\"always\"}}", "/promote/alias"},
	{"{" MINIMAL ",\"promote\":{\"alias\":\"a b\"}}", "/promote/alias"},
	{"{" MINIMAL ",\"promote\":{\"alias\":\"a\",\"when\":\"never\"}}", "/promote/when"},
	{"{" MINIMAL ",\"promote\":{\"alias\":\"a\",\"when\":\"better\"}}", "/promote/when"},
	{"{" MINIMAL ",\"resources\":[]}", "/resources"},
	{"{" MINIMAL ",\"resources\":{\"workers\":0}}", "/resources/workers"},
	{"{" MINIMAL ",\"resources\":{\"workers\":257}}", "/resources/workers"},
	{"{" MINIMAL ",\"resources\":{\"workers\":\"2\"}}", "/resources/workers"},
	{"{" MINIMAL ",\"resources\":{\"executor\":\"mpi\"}}", "/resources/executor"},
	{"{" MINIMAL ",\"resources\":{\"executor\":\"slurm\"}}", "/resources/executor"},
	{"{" MINIMAL ",\"resources\":{\"executor\":\"hadoop\"}}", "/resources/executor"},
	{"{" MINIMAL ",\"resources\":{\"memory\":\"much\"}}", "/resources/memory"},
	{"{" MINIMAL ",\"resources\":{\"memory\":\"1KiB\"}}", "/resources/memory"},
	{"{" MINIMAL ",\"resources\":{\"memory\":-1}}", "/resources/memory"},
	{"{" MINIMAL ",\"resources\":{\"memory\":true}}", "/resources/memory"},
	{"{" MINIMAL ",\"resources\":{\"memory\":\"99999TiB\"}}", "/resources/memory"},
	{"{" MINIMAL ",\"resources\":{\"storageLevel\":\"TAPE\"}}", "/resources/storageLevel"},
	{"{" MINIMAL ",\"resources\":{\"gpus\":1}}", "/resources/gpus"},
	{"{" MINIMAL ",\"retry\":{\"maxAttempts\":0}}", "/retry/maxAttempts"},
	{"{" MINIMAL ",\"retry\":{\"maxAttempts\":21}}", "/retry/maxAttempts"},
	{"{" MINIMAL ",\"timeoutSeconds\":0}", "/timeoutSeconds"},
	{"{" MINIMAL ",\"priority\":5}", "/priority"},
	{"{" MINIMAL ",\"priority\":1.5}", "/priority"},
	{"{" MINIMAL ",\"tags\":[]}", "/tags"},
	{"{" MINIMAL ",\"tags\":{\"a/b~c\":1}}", "/tags/a~1b~0c"},
	{"{" MINIMAL ",\"tags\":{\"\":\"x\"}}", "/tags/"},
	{"{" MINIMAL ",\"seed\":\"x\"}", "/seed"},
	{"[]", ""},
	{"7", ""},
};

static void every_fault_has_its_pointer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(faulty); i++) {
		struct spec sp;
		struct err e;
		bool ok = parse(&sp, faulty[i].text, &look, &e);
		if (ok || !has_fault(&e, faulty[i].pointer) || e.fault_count != 1) {
			print_error("%s\n", faulty[i].text);
			if (!ok) print_faults(&e);
			fail_msg("wanted one fault at %s", faulty[i].pointer);
		}
		assert_int_equal(err_status(e.code), 422);
		assert_true(e.detail[0] != 0);
	}
}

static void what_is_not_there_yet_says_so(void **state)
{
	static const char *const texts[] = {
		"{" MINIMAL ",\"kind\":\"score\"}",
		"{" MINIMAL ",\"tune\":{}}",
		"{" MINIMAL ",\"resources\":{\"executor\":\"mpi\"}}",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct spec sp;
		struct err e;
		assert_false(parse(&sp, texts[i], &look, &e));
		assert_non_null(strstr(e.faults[0].detail, "not available yet"));
	}
}

static void all_faults_come_at_once(void **state)
{
	struct spec sp;
	struct err e;
	(void)state;
	assert_false(parse(&sp,
			   "{\"name\":\"a b\",\"colour\":1,\"kind\":\"score\"," SOURCE ",\"pipeline\":["
			   "{\"stage\":\"Tokenizer\",\"inputCol\":\"missing\",\"outputCol\":\"words\"},"
			   "{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"tf\",\"numFeatures\":0}],"
			   "\"split\":{\"test\":2},\"resources\":{\"workers\":0},\"priority\":9}",
			   &look, &e));
	static const char *const pointers[] = {"/name",
					       "/colour",
					       "/kind",
					       "/pipeline/0/inputCol",
					       "/pipeline/1/numFeatures",
					       "/split/test",
					       "/resources/workers",
					       "/priority"};
	for (size_t i = 0; i < ARRAY_COUNT(pointers); i++)
		if (!has_fault(&e, pointers[i])) {
			print_faults(&e);
			fail_msg("no fault at %s", pointers[i]);
		}
	assert_int_equal(e.fault_count, ARRAY_COUNT(pointers));
}

static void shapes_are_checked_without_a_source(void **state)
{
	struct spec sp;
	struct err e;
	(void)state;
	assert_false(parse(&sp, "{\"name\":\"n\",\"source\":{},\"pipeline\":[{\"stage\":\"Nothing\"}]}", NULL, &e));
	assert_true(has_fault(&e, "/pipeline/0/stage") && e.fault_count == 1);
	assert_ok(parse(&sp, "{\"name\":\"n\",\"source\":{}," PIPELINE "}", NULL, &e), &e);
	spec_release(&sp);
}

static void text_that_is_no_json(void **state)
{
	static const char *const texts[] = {"", "{", "{\"name\":\"n\",\"name\":\"m\"}", "{\"name\":\"\xff\"}", "{} x"};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct spec sp;
		struct err e;
		assert_false(parse(&sp, texts[i], &look, &e));
		assert_int_equal(e.code, ERR_invalid_json);
	}
}

static char *written(struct arena *a, const char *text)
{
	struct spec sp;
	struct err e;
	struct buf out = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&out);
	assert_ok(parse(&sp, text, &look, &e), &e);
	spec_write(&sp, &w);
	char *copy = arena_strdup(a, buf_cstr(&out));
	spec_release(&sp);
	buf_release(&out);
	return copy;
}

static void what_is_written_repeats_it(void **state)
{
	static const char *const texts[] = {
		"{" MINIMAL "}",
		"{" MINIMAL
		",\"split\":{\"test\":0.2},\"tags\":{\"b\":\"1\",\"a\":\"2\"},\"response\":{\"x\":\"prediction\"}}",
		"{" MINIMAL ",\"resources\":{\"memory\":\"100MiB\"},\"promote\":{\"alias\":\"a\"},\"seed\":-5}",
	};
	struct arena a = ARENA_INIT;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		char *once = written(&a, texts[i]);
		assert_string_equal(written(&a, once), once);
		assert_non_null(strstr(once, "\"seed\":"));
		assert_non_null(strstr(once, "\"storageLevel\":\"MEMORY_AND_DISK\""));
	}
	arena_release(&a);
}

static void seeds_are_drawn_anew(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	assert_string_not_equal(written(&a, "{" MINIMAL "}"), written(&a, "{" MINIMAL "}"));
	arena_release(&a);
}

static void the_plan_shows_schemas(void **state)
{
	struct spec sp;
	struct err e;
	struct buf out = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&out);
	(void)state;
	assert_ok(parse(&sp, "{" MINIMAL "}", &look, &e), &e);
	spec_plan(&sp, &look, &w);
	const char *plan = buf_cstr(&out);
	assert_non_null(strstr(plan, "\"input\":[{\"name\":\"text\",\"type\":\"string\""));
	assert_non_null(strstr(
		plan, "{\"index\":0,\"stage\":\"Tokenizer\",\"outputs\":[{\"name\":\"words\",\"type\":\"array"));
	assert_non_null(strstr(plan, "\"response\":{"));
	spec_release(&sp);
	buf_release(&out);
}

static void names(void **state)
{
	char longest[SPEC_NAME_MAX + 2];
	(void)state;
	memset(longest, 'a', sizeof longest);
	assert_true(spec_name_valid((struct str){longest, SPEC_NAME_MAX}));
	assert_false(spec_name_valid((struct str){longest, SPEC_NAME_MAX + 1}));
	assert_true(spec_name_valid(STR("9.a_b-C")));
	assert_false(spec_name_valid(STR("-a")) || spec_name_valid(STR("a b")) ||
		     spec_name_valid((struct str){"a\0b", 3}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_members_suffice),
		cmocka_unit_test(all_members_are_read),
		cmocka_unit_test(every_fault_has_its_pointer),
		cmocka_unit_test(what_is_not_there_yet_says_so),
		cmocka_unit_test(all_faults_come_at_once),
		cmocka_unit_test(shapes_are_checked_without_a_source),
		cmocka_unit_test(text_that_is_no_json),
		cmocka_unit_test(what_is_written_repeats_it),
		cmocka_unit_test(seeds_are_drawn_anew),
		cmocka_unit_test(the_plan_shows_schemas),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
