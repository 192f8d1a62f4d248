/* The scheduler against a real Postgres: jobs are run once, end in the state that is true, and survive the death of
 * those who run them. Workers are played (play_worker.c) except where a model is made. */
#include "tests/support/pg_fixture.h"

#include "store/job.h"
#include "store/model.h"
#include "trainer/scheduler.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };

static struct fixture {
	struct store *store;
	struct arena arena;
	char *dir;
	struct err e;
	_Atomic unsigned jobs_changed, models_changed;
} fx;

static int group_setup(void **state)
{
	if (pg_fixture_setup(state) != 0) return -1;
	err_init(&fx.e);
	fx.store = pg_fixture_store(0);
	return 0;
}

static int group_teardown(void **state)
{
	store_close(fx.store);
	return pg_fixture_teardown(state);
}

static int setup(void **state)
{
	(void)state;
	fx.dir = support_tmp(&fx.arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pg_fixture_sql("DELETE FROM quern.job");
	support_tmp_remove(fx.dir);
	arena_release(&fx.arena);
	return 0;
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void on_job(void *ctx, const char *job_id)
{
	(void)ctx, (void)job_id;
	fx.jobs_changed++;
}

static void on_models(void *ctx)
{
	(void)ctx;
	fx.models_changed++;
}

/* What is short enough for a test; real workers unless `plays`. */
static struct scheduler_options options(bool plays)
{
	const char *worker = plays ? "tests/play_worker" : "quern-worker";
	return (struct scheduler_options){
		.store = fx.store,
		.data_dir = arena_printf(&fx.arena, "%s/data", fx.dir),
		.worker_path = arena_printf(&fx.arena, "%s/%s", support_build(), worker),
		.record_bytes_max = 1 << 20,
		.columns_max = 100,
		.inline_rows_max = 1000,
		.defaults = {.workers = 2, .memory_max = (uint64_t)256 << 20},
		.max_jobs = 2,
		.lease_s = 10,
		.heartbeat_s = 2,
		.rescue_s = 1,
		.poll_ms = 200,
		.hang_s = 20,
		.grace_s = 10,
		.checkpoint_s = 30,
		.backoff_s = 0,
		.max_worker_losses = 3,
		.claims = true,
		.job_changed = on_job,
		.models_changed = on_models,
	};
}

static struct scheduler *start(const struct scheduler_options *o)
{
	struct scheduler *s;
	assert_ok(scheduler_start(o, &s, &fx.e), &fx.e);
	return s;
}

/* A job whose workers do as the play says (or a real one with play ""). */
static char *submit(const char *play)
{
	static const char spec[] =
		"{\"name\":\"%s\",\"kind\":\"train\",\"source\":{\"format\":\"inline\","
		"\"rows\":[{\"text\":\"a b\"},{\"text\":\"c\"}]},"
		"\"pipeline\":[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"},"
		"{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"tf\",\"numFeatures\":16},"
		"{\"stage\":\"IDF\",\"inputCol\":\"tf\",\"outputCol\":\"idf\"}],\"response\":{\"idf\":\"idf\"},"
		"\"promote\":{\"alias\":\"production\"},\"resources\":{\"workers\":2},"
		"\"tags\":{\"play\":\"%s\"},\"seed\":1}";
	struct job_new n = {.name = "model",
			    .kind = "train",
			    .tags = "{}",
			    .priority = 3,
			    .max_attempts = 3,
			    .timeout_s = 60,
			    .seed = 1};
	struct job j;
	bool existing;
	uuid_v7(n.id);
	n.spec = arena_printf(&fx.arena, spec, n.name, play);
	assert_ok(job_create(fx.store, &n, &fx.arena, &j, &existing, &fx.e), &fx.e);
	return arena_strdup(&fx.arena, n.id);
}

static struct job get(const char *id)
{
	struct job j;
	assert_ok(job_get(fx.store, id, &fx.arena, &j, &fx.e), &fx.e);
	return j;
}

/* Waits until the job is in a state; the test fails with what it is instead. */
static struct job wait_for(const char *id, enum job_state want)
{
	int64_t give_up = clock_mono_ns() + PATIENCE_S * INT64_C(1000000000);
	for (;;) {
		struct job j = get(id);
		if (j.state == want) return j;
		if (job_state_final(j.state) || clock_mono_ns() > give_up)
			fail_msg("job is %s, not %s: %s", job_state_name(j.state), job_state_name(want),
				 j.error ? j.error : "");
		sleep_ms(5);
	}
}

static char *log_of(const char *id)
{
	struct buf b = BUF_INIT(1 << 20);
	assert_ok(job_log(fx.store, id, 1000, &b, &fx.e), &fx.e);
	char *text = arena_strdup(&fx.arena, buf_cstr(&b));
	buf_release(&b);
	return text;
}

static bool exists(const char *relative)
{
	struct stat st;
	return stat(arena_printf(&fx.arena, "%s/%s", fx.dir, relative), &st) == 0;
}

/* --- The way through --------------------------------------------------------------------------------------------- */

static void a_job_becomes_a_model(void **state)
{
	const struct scheduler_options o = options(false);
	struct scheduler *s = start(&o);
	struct model_version v;
	(void)state;
	unsigned models = fx.models_changed;
	char *id = submit("");
	scheduler_wake(s);
	struct job j = wait_for(id, JOB_succeeded);
	assert_int_equal(j.attempt, 1);
	assert_string_equal(j.model_name, "model");
	assert_true(j.model_version >= 1 && j.fraction == 1);
	assert_non_null(strstr(j.stages, "\"stage\":\"IDF\",\"state\":\"succeeded\""));
	assert_non_null(strstr(j.shards, "\"rows\":2"));
	assert_non_null(strstr(j.resources, "\"workers\":2,\"executor\":\"local\",\"cpuSeconds\":"));
	assert_ok(model_version_get(fx.store, "model", j.model_version, &fx.arena, &v, &fx.e), &fx.e);
	assert_string_equal(v.job_id, id);
	assert_non_null(strstr(v.manifest, "\"stages\":["));
	assert_non_null(strstr(log_of(id), "attempt 1 of 3: 2 workers"));
	assert_non_null(strstr(log_of(id), "rank 0: IDF (stage 2) fitted"));
	for (int tries = 0; tries < 200 && fx.models_changed == models; tries++) sleep_ms(10);
	assert_int_equal(fx.models_changed, models + 1);
	scheduler_stop(s);
	assert_false(exists(arena_printf(&fx.arena, "data/work/%s", id)) ||
		     exists(arena_printf(&fx.arena, "data/checkpoints/%s", id)));
}

static void metrics_and_progress_are_events(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	struct job_event *events;
	size_t count, states = 0, metrics = 0, logs = 0;
	(void)state;
	char *id = submit("succeed");
	scheduler_wake(s);
	struct job j = wait_for(id, JOB_succeeded);
	assert_string_equal(j.metrics, "{\"accuracy\":0.5}");
	assert_ok(job_events_after(fx.store, id, 0, 1000, &fx.arena, &events, &count, &fx.e), &fx.e);
	for (size_t i = 0; i < count; i++) {
		states += strcmp(events[i].type, "state") == 0;
		logs += strcmp(events[i].type, "log") == 0;
		if (strcmp(events[i].type, "metric") != 0) continue;
		metrics++;
		assert_string_equal(events[i].data, "{\"name\":\"accuracy\",\"value\":0.5}");
	}
	assert_int_equal(states, 3); /* queued, running, succeeded */
	assert_int_equal(metrics, 1);
	assert_true(logs >= 2);
	scheduler_stop(s);
}

/* From a committed job to running workers; told, not asserted: machines are shared. */
static void a_wake_is_quick(void **state)
{
	struct scheduler_options o = options(true);
	o.poll_ms = 60000; /* only the wake can be the reason */
	struct scheduler *s = start(&o);
	(void)state;
	sleep_ms(300);
	int64_t worst = 0;
	for (int i = 0; i < 5; i++) {
		char *id = submit("succeed");
		int64_t begin = clock_mono_ns();
		scheduler_wake(s);
		wait_for(id, JOB_succeeded);
		worst = MAX(worst, clock_mono_ns() - begin);
	}
	print_message("from wake to succeeded, worst of 5: %.1f ms\n", (double)worst * 1e-6);
	assert_true(worst < INT64_C(10000000000));
	scheduler_stop(s);
}

static void without_a_wake_polling_finds_it(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	(void)state;
	wait_for(submit("succeed"), JOB_succeeded);
	scheduler_stop(s);
}

static void several_schedulers_run_each_job_once(void **state)
{
	enum { JOBS = 12 };
	struct scheduler_options a = options(true), b = options(true);
	char *ids[JOBS];
	(void)state;
	b.data_dir = arena_printf(&fx.arena, "%s/other", fx.dir);
	struct scheduler *sa = start(&a), *sb = start(&b);
	for (int i = 0; i < JOBS; i++) ids[i] = submit("succeed");
	while (strcmp(pg_fixture_value(&fx.arena, "SELECT count(*) FROM quern.job WHERE state <> 'succeeded'"), "0") !=
	       0) {
		assert_true(scheduler_running(sa) <= a.max_jobs);
		sleep_ms(20);
	}
	for (int i = 0; i < JOBS; i++) assert_int_equal(get(ids[i]).attempt, 1);
	assert_string_equal(
		pg_fixture_value(&fx.arena, "SELECT count(*) - count(DISTINCT model_version) FROM quern.job_result"), "0");
	scheduler_stop(sa);
	scheduler_stop(sb);
}

/* --- What goes wrong --------------------------------------------------------------------------------------------- */

static const struct {
	const char *play, *problem;
	int attempts;
} failures[] = {
	{"killed", "/problems/crash-loop", 3},
	{"refuses", "/problems/bad-data", 1},
	{"out of memory", "/problems/out-of-memory", 1},
	{"garbage", "/problems/crash-loop", 3},
};

static void failures_tell_the_truth(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
		char *id = submit(failures[i].play);
		scheduler_wake(s);
		struct job j = wait_for(id, JOB_failed);
		print_message("%s: %s\n", failures[i].play, j.error);
		assert_non_null(strstr(j.error, failures[i].problem));
		assert_int_equal(j.attempt, failures[i].attempts);
	}
	scheduler_stop(s);
}

/* A job that kills its workers is failed; the one beside it is not touched. */
static void a_crash_loop_hurts_nobody_else(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	(void)state;
	char *bad = submit("aborts"), *good = submit("slow but alive");
	scheduler_wake(s);
	struct job j = wait_for(bad, JOB_failed);
	assert_int_equal(j.worker_losses, 3);
	assert_non_null(strstr(log_of(bad), "was killed by signal 6 (Aborted)"));
	assert_int_equal(wait_for(good, JOB_succeeded).attempt, 1);
	scheduler_stop(s);
}

static void a_specification_that_does_not_parse_is_permanent(void **state)
{
	const struct scheduler_options o = options(true);
	(void)state;
	char *id = submit("succeed");
	pg_fixture_sql(
		arena_printf(&fx.arena, "UPDATE quern.job_spec SET spec = '{\"name\":\"a b\"}' WHERE job_id = '%s'", id));
	struct scheduler *s = start(&o);
	struct job j = wait_for(id, JOB_failed);
	assert_int_equal(j.attempt, 1);
	assert_non_null(strstr(j.error, "/name"));
	scheduler_stop(s);
}

/* --- Told to end ------------------------------------------------------------------------------------------------- */

static void a_cancel_is_seen_at_once(void **state)
{
	struct scheduler_options o = options(true);
	o.heartbeat_s = 3;
	struct scheduler *s = start(&o);
	struct job j;
	(void)state;
	char *id = submit("ignores all");
	scheduler_wake(s);
	wait_for(id, JOB_running);
	sleep_ms(500);
	assert_ok(job_cancel(fx.store, id, &fx.arena, &j, &fx.e), &fx.e);
	int64_t begin = clock_mono_ns();
	scheduler_wake(s); /* the NOTIFY */
	wait_for(id, JOB_cancelled);
	assert_true(clock_mono_ns() - begin < INT64_C(1500000000));
	scheduler_stop(s);
}

static void a_cancel_is_seen_without_a_wake(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	struct job j;
	(void)state;
	char *id = submit("ignores all");
	wait_for(id, JOB_running);
	assert_ok(job_cancel(fx.store, id, &fx.arena, &j, &fx.e), &fx.e);
	wait_for(id, JOB_cancelled);
	scheduler_stop(s);
}

static void a_drain_gives_the_job_back(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	(void)state;
	char *id = submit("saves and stops");
	scheduler_wake(s);
	wait_for(id, JOB_running);
	sleep_ms(200);
	scheduler_stop(s);
	struct job j = get(id);
	assert_int_equal(j.state, JOB_queued);
	assert_int_equal(j.attempt, 0); /* an interruption is no attempt */
	assert_true(exists(arena_printf(&fx.arena, "data/checkpoints/%s/1.ckpt", id)));
	assert_false(exists(arena_printf(&fx.arena, "data/work/%s", id)));
}

/* --- Leases ------------------------------------------------------------------------------------------------------ */

/* Somebody else has the job now: the attempt ends its workers and writes nothing. */
static void a_zombie_writes_nothing(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	(void)state;
	char *id = submit("ignores all");
	scheduler_wake(s);
	wait_for(id, JOB_running);
	pg_fixture_sql(arena_printf(
		&fx.arena,
		"UPDATE quern.job SET lease_token = gen_random_uuid(), attempt = attempt + 1, owner = 'other', "
		"lease_until = now() + interval '1 hour' WHERE id = '%s'",
		id));
	for (int tries = 0; tries < 1000 && scheduler_running(s) > 0; tries++) sleep_ms(10);
	assert_int_equal(scheduler_running(s), 0);
	struct job j = get(id);
	assert_true(j.state == JOB_running && j.attempt == 2);
	scheduler_stop(s);
	assert_int_equal(get(id).state, JOB_running);
}

/* Heartbeats hang in a lock: before the lease can run out, the attempt has ended itself. */
static void a_silent_store_fences_the_attempt(void **state)
{
	struct scheduler_options o = options(true);
	struct scheduler *s = start(&o);
	(void)state;
	char *id = submit("ignores all");
	scheduler_wake(s);
	wait_for(id, JOB_running);
	sleep_ms(300);
	assert_int_equal(scheduler_running(s), 1);
	pg_fixture_hold("BEGIN; LOCK TABLE quern.job");
	int64_t begin = clock_mono_ns();
	for (int tries = 0; tries < 3000 && exists(arena_printf(&fx.arena, "data/work/%s", id)); tries++) sleep_ms(10);
	double seconds = (double)(clock_mono_ns() - begin) * 1e-9;
	print_message("fenced after %.1f s of a lease of %u s\n", seconds, o.lease_s);
	pg_fixture_release("ROLLBACK");
	assert_true(seconds < o.lease_s);
	scheduler_stop(s);
}

/* A process that dies leaves its id behind; the next one of the same data dir does not wait for the lease. */
static void a_dead_process_is_succeeded_at_once(void **state)
{
	struct scheduler_options o = options(true);
	(void)state;
	char *id = submit("ignores all");
	pid_t first = fork();
	assert_true(first >= 0);
	if (first == 0) {
		o.lease_s = 3600;
		o.store = store_open(&(struct store_options){.url = pg_fixture_url()});
		struct scheduler *s;
		if (!scheduler_start(&o, &s, &fx.e)) _exit(1);
		for (;;) pause();
	}
	wait_for(id, JOB_running);
	sleep_ms(300);
	kill(first, SIGKILL);
	assert_int_equal(waitpid(first, NULL, 0), first);
	int64_t begin = clock_mono_ns();
	struct scheduler *s = start(&o);
	for (int tries = 0; tries < 3000 && get(id).attempt < 2; tries++) sleep_ms(10);
	print_message("attempt 2 began %.0f ms after the restart\n", (double)(clock_mono_ns() - begin) * 1e-6);
	struct job j = get(id);
	assert_true(j.attempt == 2 && j.state == JOB_running && j.worker_losses == 0);
	assert_true(clock_mono_ns() - begin < INT64_C(10000000000));
	assert_ok(job_cancel(fx.store, id, &fx.arena, &j, &fx.e), &fx.e);
	scheduler_wake(s);
	wait_for(id, JOB_cancelled);
	scheduler_stop(s);
}

static void an_expired_lease_is_rescued(void **state)
{
	struct scheduler_options o = options(true);
	struct job j;
	struct job_lease lease;
	bool claimed;
	(void)state;
	char *id = submit("succeed");
	assert_ok(job_claim(fx.store, "somebody who died", 1, &fx.arena, &j, &lease, &claimed, &fx.e), &fx.e);
	assert_true(claimed);
	struct scheduler *s = start(&o);
	assert_int_equal(wait_for(id, JOB_succeeded).attempt, 2);
	scheduler_stop(s);
}

/* --- Folders ----------------------------------------------------------------------------------------------------- */

static void stale_folders_are_removed(void **state)
{
	const struct scheduler_options o = options(true);
	char *data = arena_printf(&fx.arena, "%s/data", fx.dir);
	char *queued = submit("succeed"), gone[UUID_TEXT_SIZE];
	static const char *const folders[] = {"", "/work", "/checkpoints"};
	(void)state;
	uuid_v7(gone);
	pg_fixture_sql("UPDATE quern.job SET run_at = now() + interval '1 hour'");
	for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
		mkdir(arena_printf(&fx.arena, "%s%s", data, folders[i]), 0700);
	for (size_t i = 1; i < ARRAY_COUNT(folders); i++) {
		mkdir(arena_printf(&fx.arena, "%s%s/%s", data, folders[i], queued), 0700);
		mkdir(arena_printf(&fx.arena, "%s%s/%s", data, folders[i], gone), 0700);
	}
	mkdir(arena_printf(&fx.arena, "%s/work/not-a-job", data), 0700);
	struct scheduler *s = start(&o);
	for (int tries = 0; tries < 500 && exists(arena_printf(&fx.arena, "data/checkpoints/%s", gone)); tries++)
		sleep_ms(10);
	assert_false(exists(arena_printf(&fx.arena, "data/checkpoints/%s", gone)));
	assert_false(exists(arena_printf(&fx.arena, "data/work/%s", gone)));
	assert_false(exists(arena_printf(&fx.arena, "data/work/%s", queued)));
	assert_true(exists(arena_printf(&fx.arena, "data/checkpoints/%s", queued)));
	assert_true(exists("data/work/not-a-job"));
	scheduler_stop(s);
}

static void two_processes_in_one_data_dir_get_along(void **state)
{
	const struct scheduler_options o = options(true);
	struct scheduler *first = start(&o), *second = start(&o);
	(void)state;
	for (int i = 0; i < 6; i++) submit("succeed");
	scheduler_wake(first);
	scheduler_wake(second);
	while (strcmp(pg_fixture_value(&fx.arena, "SELECT count(*) FROM quern.job WHERE state <> 'succeeded'"), "0") !=
	       0)
		sleep_ms(20);
	assert_string_equal(pg_fixture_value(&fx.arena, "SELECT max(attempt) FROM quern.job"), "1");
	scheduler_stop(second);
	scheduler_stop(first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_becomes_a_model),
		TEST(metrics_and_progress_are_events),
		TEST(a_wake_is_quick),
		TEST(without_a_wake_polling_finds_it),
		TEST(several_schedulers_run_each_job_once),
		TEST(failures_tell_the_truth),
		TEST(a_crash_loop_hurts_nobody_else),
		TEST(a_specification_that_does_not_parse_is_permanent),
		TEST(a_cancel_is_seen_at_once),
		TEST(a_cancel_is_seen_without_a_wake),
		TEST(a_drain_gives_the_job_back),
		TEST(a_zombie_writes_nothing),
		TEST(a_silent_store_fences_the_attempt),
		TEST(a_dead_process_is_succeeded_at_once),
		TEST(an_expired_lease_is_rescued),
		TEST(stale_folders_are_removed),
		TEST(two_processes_in_one_data_dir_get_along),
	};
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
