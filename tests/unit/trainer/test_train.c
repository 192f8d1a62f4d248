/* Whole jobs with the real quern-worker: the model's bytes are equal for any number of workers, and for a job that was
 * killed or stopped in the middle and resumed. */
#include "tests/support/support.h"

#include "base/clock.h"
#include "base/rng.h"
#include "trainer/launcher.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 70000, WORDS = 40, PATIENCE_S = 90, CONTAINER_MAX = 64 << 20 };

struct fixture {
	struct arena arena;
	char *dir;
};

/* About 17 MB of rows, so that there are five logical shards. */
static void write_corpus(const char *path, size_t rows, bool broken)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("text,label\n", f);
	for (size_t i = 0; i < rows; i++) {
		for (size_t k = 0; k < WORDS + i % 7; k++)
			fprintf(f, "w%u ", (unsigned)(rng_at(i, k) % 900 + (i % 2) * 300));
		fprintf(f, ",%d\n", (int)(i % 2));
	}
	if (broken) fputs("no label,twelve\n", f);
	fclose(f);
}

static int setup(void **state)
{
	struct fixture *fx = mem_zalloc(1, sizeof *fx);
	fx->dir = support_tmp(&fx->arena);
	write_corpus(arena_printf(&fx->arena, "%s/rows.csv", fx->dir), ROWS, false);
	write_corpus(arena_printf(&fx->arena, "%s/broken.csv", fx->dir), 100, true);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;
	support_tmp_remove(fx->dir);
	arena_release(&fx->arena);
	mem_free(fx);
	return 0;
}

static const char pipeline[] =
	"[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"},"
	"{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"tf\",\"numFeatures\":4096},"
	"{\"stage\":\"IDF\",\"inputCol\":\"tf\",\"outputCol\":\"idf\"},"
	"{\"stage\":\"Normalizer\",\"inputCol\":\"idf\",\"outputCol\":\"features\"},"
	"{\"stage\":\"LogisticRegression\",\"maxIter\":20,\"regParam\":1e-7,\"standardization\":false}]";

static char *make_spec(struct fixture *fx, const char *file, const char *more)
{
	return arena_printf(
		&fx->arena,
		"{\"name\":\"words\",\"source\":{\"format\":\"csv\",\"uri\":\"file:%s/%s\",\"options\":{\"header\":true},"
		"\"schema\":[{\"name\":\"text\",\"type\":\"string\"},{\"name\":\"label\",\"type\":\"double\"}]},"
		"\"pipeline\":%s,\"seed\":7%s}",
		fx->dir, file, pipeline, more);
}

struct run {
	struct fixture *fx;
	struct launch_options o;
	struct buf spec, log;
	struct launch *launch;
	enum launch_end end;
};

static void on_log(void *ctx, const char *line, size_t len)
{
	struct run *r = ctx;
	buf_append(&r->log, line, len);
	buf_char(&r->log, '\n');
}

/* Options of a run of this specification; the caller may change them before start. */
static void prepare(struct run *r, struct fixture *fx, const char *spec_text, unsigned workers)
{
	struct spec sp;
	struct err e;
	const struct spec_defaults d = {2, (uint64_t)1 << 30};
	*r = (struct run){.fx = fx, .spec = BUF_INIT(1 << 20), .log = BUF_INIT(1 << 20)};
	struct json_writer w = JSON_WRITER(&r->spec);
	err_init(&e);
	assert_ok(spec_parse(&sp, spec_text, strlen(spec_text), &d, NULL, &e), &e);
	spec_write(&sp, &w);
	char *work = arena_printf(&fx->arena, "%s/work", fx->dir);
	mkdir(work, 0700);
	r->o = (struct launch_options){.spec_text = buf_cstr(&r->spec),
				       .spec_len = r->spec.len,
				       .worker_path = arena_printf(&fx->arena, "%s/quern-worker", support_build()),
				       .workers = workers,
				       .memory_max = sp.memory_max,
				       .work_dir = work,
				       .record_bytes_max = 1 << 20,
				       .columns_max = 100,
				       .inline_rows_max = 100,
				       .checkpoint_s = 3600,
				       .hang_s = 60,
				       .grace_s = 20};
	spec_release(&sp);
}

static void start(struct run *r)
{
	struct err e;
	err_init(&e);
	const struct launch_events ev = {r, NULL, on_log};
	assert_ok(launch_start(&r->o, &ev, &r->launch, &e), &e);
}

/* Until it ends, or `until` says so. */
static void follow(struct run *r, bool (*until)(const struct run *r))
{
	int64_t deadline = clock_mono_ns() + PATIENCE_S * INT64_C(1000000000);
	do r->end = launch_poll(r->launch, 20);
	while (r->end == LAUNCH_RUNNING && !(until && until(r)) && clock_mono_ns() < deadline);
	if (r->end == LAUNCH_FAILED) print_message("failed: %s\n", launch_error(r->launch)->detail);
}

static void finish(struct run *r)
{
	launch_destroy(r->launch);
	buf_release(&r->spec);
	buf_release(&r->log);
}

/* The container of a run from start to end. */
static struct buf fit(struct fixture *fx, const char *spec_text, unsigned workers)
{
	struct run r;
	struct buf out = BUF_INIT(CONTAINER_MAX);
	prepare(&r, fx, spec_text, workers);
	start(&r);
	follow(&r, NULL);
	assert_int_equal(r.end, LAUNCH_SUCCEEDED);
	const struct buf *c = &launch_result(r.launch)->container;
	buf_append(&out, c->data, c->len);
	finish(&r);
	return out;
}

static void assert_same_bytes(const struct buf *a, const struct buf *b)
{
	assert_true(a->len > 0);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
}

static const char *const settings[] = {"", ",\"split\":{\"test\":0.25,\"seed\":3}"};

static void any_number_of_workers_gives_the_same_bytes(void **state)
{
	static const unsigned counts[] = {2, 3, 5};
	for (size_t k = 0; k < ARRAY_COUNT(settings); k++) {
		char *text = make_spec(*state, "rows.csv", settings[k]);
		struct buf one = fit(*state, text, 1);
		for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
			struct buf many = fit(*state, text, counts[i]);
			assert_same_bytes(&many, &one);
			buf_release(&many);
		}
		buf_release(&one);
	}
}

static void another_seed_gives_another_split(void **state)
{
	struct buf a = fit(*state, make_spec(*state, "rows.csv", ",\"split\":{\"test\":0.25,\"seed\":3}"), 2);
	struct buf b = fit(*state, make_spec(*state, "rows.csv", ",\"split\":{\"test\":0.25,\"seed\":4}"), 2);
	assert_true(a.len != b.len || memcmp(a.data, b.data, a.len) != 0);
	buf_release(&a);
	buf_release(&b);
}

/* --- Interrupted in the middle ----------------------------------------------------------------------------------- */

static unsigned newest(const char *dir)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *ent; d && (ent = readdir(d));) {
		unsigned number;
		if (sscanf(ent->d_name, "%u.ckpt", &number) == 1) n = MAX(n, number);
	}
	if (d) closedir(d);
	return n;
}

/* Well inside the last stage: the stages before it saved one each. */
static bool has_saved_some(const struct run *r) { return newest(r->o.checkpoint_dir) >= 5; }

static void end_by_kill_of_one(struct run *r) { kill(launch_pid(r->launch, 1), SIGKILL); }

static void end_by_kill_of_all(struct run *r)
{
	for (unsigned i = 0; i < r->o.workers; i++) kill(launch_pid(r->launch, i), SIGKILL);
}

static void end_by_stop(struct run *r) { launch_stop(r->launch); }

static const struct {
	void (*end)(struct run *r);
	enum launch_end becomes;
	unsigned workers_after;
} interruptions[] = {
	{end_by_kill_of_one, LAUNCH_FAILED, 2},
	{end_by_kill_of_all, LAUNCH_FAILED, 3},
	{end_by_stop, LAUNCH_STOPPED, 1},
};

static void a_resumed_job_gives_the_same_bytes(void **state)
{
	struct fixture *fx = *state;
	char *text = make_spec(fx, "rows.csv", settings[1]);
	struct buf whole = fit(fx, text, 2);
	for (size_t i = 0; i < ARRAY_COUNT(interruptions); i++) {
		struct run r;
		char *dir = arena_printf(&fx->arena, "%s/checkpoints%zu", fx->dir, i);
		prepare(&r, fx, text, 2);
		r.o.checkpoint_dir = dir;
		r.o.checkpoint_s = 0; /* always due */
		start(&r);
		follow(&r, has_saved_some);
		assert_int_equal(r.end, LAUNCH_RUNNING); /* else the job is too quick for this test */
		interruptions[i].end(&r);
		follow(&r, NULL);
		assert_int_equal(r.end, interruptions[i].becomes);
		finish(&r);

		prepare(&r, fx, text, interruptions[i].workers_after);
		r.o.checkpoint_dir = dir;
		start(&r);
		follow(&r, NULL);
		assert_int_equal(r.end, LAUNCH_SUCCEEDED);
		assert_non_null(strstr(buf_cstr(&r.log), "resuming from a checkpoint of stage 4"));
		assert_same_bytes(&launch_result(r.launch)->container, &whole);
		finish(&r);
	}
	buf_release(&whole);
}

static void a_checkpoint_of_another_job_is_not_resumed(void **state)
{
	struct fixture *fx = *state;
	struct run r;
	char *dir = arena_printf(&fx->arena, "%s/checkpoints0", fx->dir),
	     *other = make_spec(fx, "rows.csv", ",\"split\":{\"test\":0.5}");
	prepare(&r, fx, other, 2);
	r.o.checkpoint_dir = dir; /* as the test before left it */
	start(&r);
	follow(&r, NULL);
	assert_int_equal(r.end, LAUNCH_SUCCEEDED);
	assert_non_null(strstr(buf_cstr(&r.log), "starting anew"));
	finish(&r);
}

/* --- What is said ------------------------------------------------------------------------------------------------ */

/* The label of the last row becomes null, which the learner refuses; the log says which line it came from. */
static void malformed_rows_are_told_by_line(void **state)
{
	struct run r;
	prepare(&r, *state, make_spec(*state, "broken.csv", ""), 2);
	start(&r);
	follow(&r, NULL);
	assert_int_equal(launch_error(r.launch)->code, ERR_data);
	assert_non_null(strstr(buf_cstr(&r.log), "1 malformed rows"));
	assert_non_null(strstr(buf_cstr(&r.log), "line 102"));
	finish(&r);
}

static void a_missing_file_is_a_permanent_error(void **state)
{
	struct run r;
	prepare(&r, *state, make_spec(*state, "nowhere.csv", ""), 2);
	start(&r);
	follow(&r, NULL);
	assert_int_equal(r.end, LAUNCH_FAILED);
	assert_int_equal(err_status(launch_error(r.launch)->code), 422);
	assert_string_equal(launch_error(r.launch)->faults[0].pointer, "/source/uri");
	assert_false(launch_worker_lost(r.launch) || launch_retryable(r.launch));
	finish(&r);
}

static void rows_and_shares_are_counted(void **state)
{
	struct run r;
	uint64_t done, total;
	prepare(&r, *state, make_spec(*state, "rows.csv", settings[1]), 2);
	start(&r);
	follow(&r, NULL);
	const struct train_result *result = launch_result(r.launch);
	assert_int_equal(result->rows_train + result->rows_test, ROWS);
	assert_true(result->rows_test > ROWS * 0.22 && result->rows_test < ROWS * 0.28);
	launch_rows(r.launch, &done, &total);
	assert_true(done == ROWS && total == ROWS);
	finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_workers_gives_the_same_bytes),
		cmocka_unit_test(another_seed_gives_another_split),
		cmocka_unit_test(a_resumed_job_gives_the_same_bytes),
		cmocka_unit_test(a_checkpoint_of_another_job_is_not_resumed),
		cmocka_unit_test(malformed_rows_are_told_by_line),
		cmocka_unit_test(a_missing_file_is_a_permanent_error),
		cmocka_unit_test(rows_and_shares_are_counted),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
