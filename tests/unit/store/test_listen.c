/* NOTIFY is heard, again after the connection has ended, and never from progress. */
#include "tests/unit/store/store_support.h"

#include "store/listen.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { HEARD_MAX = 256, HEARD_SIZE = 80 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char heard[HEARD_MAX][HEARD_SIZE];
static size_t heard_count;

static void on_event(void *ctx, const char *channel, const char *payload)
{
	(void)ctx;
	pthread_mutex_lock(&lock);
	snprintf(heard[heard_count++ % HEARD_MAX], HEARD_SIZE, "%s %s", channel, payload);
	pthread_mutex_unlock(&lock);
}

static size_t times_heard(const char *text)
{
	size_t n = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < heard_count && i < HEARD_MAX; i++) n += strcmp(heard[i], text) == 0;
	pthread_mutex_unlock(&lock);
	return n;
}

static size_t total_heard(void)
{
	pthread_mutex_lock(&lock);
	size_t n = heard_count;
	pthread_mutex_unlock(&lock);
	return n;
}

static void forget(void)
{
	pthread_mutex_lock(&lock);
	heard_count = 0;
	pthread_mutex_unlock(&lock);
}

/* Waits until a new listener has asked to look at everything. */
static struct listener *start(void)
{
	forget();
	struct listener *l = listener_start(fx.s, on_event, NULL);
	wait_until(times_heard("quern_models ") == 1);
	assert_int_equal(times_heard("quern_jobs "), 1);
	return l;
}

static void inserts_cancels_and_models_are_heard(void **state)
{
	(void)state;
	struct listener *l = start();
	struct job out;
	struct job_lease lease;
	struct job_new n = new_job("heard");
	const char *line = arena_printf(&fx.a, "quern_jobs %s", n.id);
	create_job(&n);
	wait_until(times_heard(line) == 1);
	lease = claim_job(60);
	assert_ok(job_cancel(fx.s, n.id, &fx.a, &out, &fx.e), &fx.e);
	wait_until(times_heard(line) == 2);

	bool lost;
	int version;
	job_in_state(JOB_running, &lease);
	struct job_result r = {.metrics = "{}", .model_name = "heard-model", .container = "x", .container_len = 1};
	assert_ok(job_succeed(fx.s, &lease, &r, &version, &lost, &fx.e), &fx.e);
	wait_until(times_heard("quern_models heard-model") == 1);
	listener_stop(l);
}

static void progress_is_not_announced(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct listener *l = start();
	forget();
	for (int i = 0; i < 5; i++) {
		bool lost, cancel;
		struct job_progress p = {.fraction = i / 5.0};
		assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	}
	struct job out;
	assert_ok(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), &fx.e);
	wait_until(total_heard() > 0);
	assert_int_equal(total_heard(), 1);
	listener_stop(l);
}

/* A queue that has work needs no waking, and NOTIFY would make every insert wait for the others' commits. */
static void a_burst_is_announced_once(void **state)
{
	(void)state;
	struct listener *l = start();
	forget();
	for (int i = 0; i < 20; i++) {
		struct job_new n = new_job("burst");
		create_job(&n);
	}
	pg_fixture_sql("NOTIFY quern_models, 'end'");
	wait_until(times_heard("quern_models end") == 1);
	assert_int_equal(total_heard(), 2);
	listener_stop(l);
}

static void after_a_reconnect_everything_is_looked_at(void **state)
{
	(void)state;
	struct listener *l = start();
	pg_fixture_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> "
		       "pg_backend_pid()");
	wait_until(times_heard("quern_jobs ") == 2 && times_heard("quern_models ") == 2);
	struct job_new n = new_job("after");
	create_job(&n);
	wait_until(times_heard(arena_printf(&fx.a, "quern_jobs %s", n.id)) == 1);
	listener_stop(l);
}

static void the_listener_holds_no_transaction(void **state)
{
	(void)state;
	struct listener *l = start();
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT state FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"),
			    "idle");
	listener_stop(l);
}

static void it_stops_while_there_is_no_server(void **state)
{
	(void)state;
	struct store *s = store_open(&(struct store_options){.url = "host=/nonexistent dbname=x"});
	struct listener *l = listener_start(s, on_event, NULL);
	sleep_ms(50);
	int64_t begun = clock_mono_ns();
	listener_stop(l);
	assert_true(clock_mono_ns() - begun < 1000000000);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(inserts_cancels_and_models_are_heard, fixture_reset),
		cmocka_unit_test_teardown(progress_is_not_announced, fixture_reset),
		cmocka_unit_test_teardown(a_burst_is_announced_once, fixture_reset),
		cmocka_unit_test_teardown(after_a_reconnect_everything_is_looked_at, fixture_reset),
		cmocka_unit_test_teardown(the_listener_holds_no_transaction, fixture_reset),
		cmocka_unit_test_teardown(it_stops_while_there_is_no_server, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
