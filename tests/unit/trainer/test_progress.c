/* Progress of a job, put together from frames that may be wrong. */
#include "tests/support/support.h"

#include "trainer/progress.h"

#include <math.h>

static const char spec[] =
    "{\"pipeline\":[{\"stage\":\"Tokenizer\"},{\"stage\":\"IDF\"},{\"stage\":\"LogisticRegression\"}]}";

static void frame(struct progress *p, unsigned rank, struct frame f) { (void)!progress_frame(p, rank, &f, 2500000000); }

static void a_job_goes_from_nothing_to_one(void **state)
{
	struct progress p;
	uint64_t done, total;
	double before = 0;
	(void)state;
	progress_init(&p, spec, strlen(spec));
	assert_string_equal(p.phase, "starting");
	const struct frame frames[] = {
		{.type = FRAME_PHASE, .text = STR("planning")},
		{.type = FRAME_PLAN, .index = 2, .count = 1000},
		{.type = FRAME_PHASE, .text = STR("reading")},
		{.type = FRAME_ROWS, .index = 0, .count = 10},
		{.type = FRAME_ROWS, .index = 0, .count = 20, .flag = true},
		{.type = FRAME_ROWS, .index = 1, .count = 5, .flag = true},
		{.type = FRAME_PHASE, .text = STR("fitting")},
		{.type = FRAME_STAGE, .index = 1, .value = NAN, .text = STR("running")},
		{.type = FRAME_STAGE, .index = 1, .value = NAN, .text = STR("succeeded")},
		{.type = FRAME_STAGE, .index = 2, .value = 0.7, .text = STR("running")},
		{.type = FRAME_STAGE, .index = 2, .count = 1, .value = 0.5, .text = STR("running")},
		{.type = FRAME_STAGE, .index = 2, .value = NAN, .text = STR("succeeded")},
		{.type = FRAME_PHASE, .text = STR("evaluating")},
		{.type = FRAME_PHASE, .text = STR("encoding")},
	};
	for (size_t i = 0; i < ARRAY_COUNT(frames); i++) {
		assert_true(progress_frame(&p, 0, &frames[i], (int64_t)i * 1000000000));
		assert_true(p.fraction >= before && p.fraction < 1);
		before = p.fraction;
		progress_rows(&p, &done, &total);
		assert_true(i >= 5 ? total == 25 : total == 0);
	}
	assert_int_equal(done, 25);
	progress_succeeded(&p);
	assert_true(p.fraction == 1);
	progress_release(&p);
}

static void the_json_is_the_contract(void **state)
{
	struct progress p;
	struct buf b = BUF_INIT(1 << 16);
	struct json_writer w = JSON_WRITER(&b);
	(void)state;
	progress_init(&p, spec, strlen(spec));
	frame(&p, 0, (struct frame){.type = FRAME_PLAN, .index = 2});
	frame(&p, 1, (struct frame){.type = FRAME_ROWS, .index = 1, .count = 9, .flag = true});
	struct frame stage = {.type = FRAME_STAGE, .index = 2, .value = 0.7, .text = STR("running")};
	assert_true(progress_frame(&p, 0, &stage, 1000000000));
	stage.count = 1;
	stage.value = 0.5;
	assert_true(progress_frame(&p, 0, &stage, 2500000000));
	progress_stages(&p, &w);
	assert_string_equal(buf_cstr(&b),
			    "[{\"index\":0,\"stage\":\"Tokenizer\",\"state\":\"pending\",\"iteration\":null,"
			    "\"objectiveHistory\":[],\"seconds\":null},"
			    "{\"index\":1,\"stage\":\"IDF\",\"state\":\"pending\",\"iteration\":null,"
			    "\"objectiveHistory\":[],\"seconds\":null},"
			    "{\"index\":2,\"stage\":\"LogisticRegression\",\"state\":\"running\",\"iteration\":1,"
			    "\"objectiveHistory\":[0.7,0.5],\"seconds\":1.5}]");
	buf_clear(&b);
	w = JSON_WRITER(&b);
	progress_shards(&p, &w);
	assert_string_equal(buf_cstr(&b), "[{\"index\":0,\"worker\":null,\"state\":\"pending\",\"rows\":0},"
					  "{\"index\":1,\"worker\":1,\"state\":\"succeeded\",\"rows\":9}]");
	buf_release(&b);
	progress_release(&p);
}

static void hostile_frames_change_nothing(void **state)
{
	struct progress p;
	(void)state;
	progress_init(&p, spec, strlen(spec));
	frame(&p, 0, (struct frame){.type = FRAME_PLAN, .index = 2});
	const struct frame frames[] = {
		{.type = FRAME_PLAN, .index = 2},
		{.type = FRAME_PLAN, .index = UINT32_MAX},
		{.type = FRAME_ROWS, .index = 2, .count = 1},
		{.type = FRAME_STAGE, .index = 3, .text = STR("running")},
		{.type = FRAME_PHASE, .text = STR("\xff\xfe")},
		{.type = FRAME_PHASE, .text = STR("done")},
		{.type = FRAME_LOG, .text = STR("line")},
	};
	for (size_t i = 0; i < ARRAY_COUNT(frames); i++) assert_false(progress_frame(&p, 0, &frames[i], 1));
	for (unsigned i = 0; i < 3 * PROGRESS_HISTORY_MAX; i++)
		frame(&p, 0,
		      (struct frame){.type = FRAME_STAGE, .index = 2, .count = i, .value = 1, .text = STR("running")});
	assert_int_equal(p.stages[2].history_count, PROGRESS_HISTORY_MAX);
	assert_true(p.fraction < 1);
	progress_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_goes_from_nothing_to_one),
		cmocka_unit_test(the_json_is_the_contract),
		cmocka_unit_test(hostile_frames_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
