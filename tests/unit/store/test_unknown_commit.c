/* A connection that ends during COMMIT leaves the caller not knowing. What was answered as done must be done, and once.
 *
 * Two ways to get there: a standby that never confirms holds each backend between its commit and its answer, which is
 * where it is terminated; and a storm that terminates backends anywhere. */
#include "tests/unit/store/store_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void commits_wait(bool wait)
{
	pg_fixture_sql(wait ? "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
			    : "ALTER SYSTEM RESET synchronous_standby_names");
	pg_fixture_sql("SELECT pg_reload_conf()");
	const char *wanted = wait ? "nobody" : "";
	wait_until(strcmp(pg_fixture_value(&fx.a, "SELECT current_setting('synchronous_standby_names')"), wanted) == 0);
}

static void (*operation)(void);

static void operate_or_terminate(size_t index)
{
	if (index == 0) {
		operation();
		return;
	}
	struct arena a = ARENA_INIT;
	const char *waiting = NULL;
	while (!waiting)
		waiting = pg_fixture_value(&a, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
	pg_fixture_sql(arena_printf(&a, "SELECT pg_terminate_backend(%s)", waiting));
	commits_wait(false);
	arena_release(&a);
}

/* Runs op, ends its connection after the server has committed and before it has said so. */
static void with_lost_answer(void (*op)(void))
{
	operation = op;
	commits_wait(true);
	run_threads(2, operate_or_terminate);
}

static struct job_new lost_new;
static struct job lost_job;
static struct job_lease lost_lease;
static bool lost_ok, lost_flag, lost_existing, lost_claimed;
static int lost_version;
static enum job_state lost_became;
static struct arena lost_arena;
static struct err lost_err;

static void lose_create(void)
{
	lost_ok = job_create(fx.s, &lost_new, &lost_arena, &lost_job, &lost_existing, &lost_err);
}
static void lose_claim(void)
{
	lost_ok = job_claim(fx.s, "tester", 60, &lost_arena, &lost_job, &lost_lease, &lost_claimed, &lost_err);
}
static void lose_succeed(void)
{
	struct job_result r = {
	    .metrics = "{}", .model_name = "lost", .container = "x", .container_len = 1, .promote_alias = "production"};
	lost_ok = job_succeed(fx.s, &lost_lease, &r, &lost_version, &lost_flag, &lost_err);
}
static void lose_fail(void)
{
	struct job_failure f = {.problem = "{}", .interrupted = true};
	lost_ok = job_fail(fx.s, &lost_lease, &f, &lost_became, &lost_flag, &lost_err);
}
static void lose_delete(void) { lost_ok = job_delete(fx.s, lost_new.id, &lost_err); }
static void lose_events(void)
{
	lost_ok = job_events_add(fx.s, &lost_lease, &(struct job_event){.type = "log", .data = "{\"line\":\"x\"}"}, 1,
				 &lost_err);
}

static void what_was_committed_is_answered(void **state)
{
	(void)state;
	err_init(&lost_err);
	lost_new = new_job("lost");
	lost_new.idempotency_key = "lost";
	with_lost_answer(lose_create);
	assert_ok(lost_ok, &lost_err);
	assert_false(lost_existing);
	assert_string_equal(lost_job.id, lost_new.id);
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT count(*) FROM quern.job"), "1");

	with_lost_answer(lose_claim);
	assert_ok(lost_ok, &lost_err);
	assert_true(lost_claimed);
	assert_string_equal(lost_lease.job_id, lost_new.id);
	assert_int_equal(lost_lease.attempt, 1);

	with_lost_answer(lose_fail);
	assert_ok(lost_ok, &lost_err);
	assert_true(!lost_flag && lost_became == JOB_queued);
	assert_int_equal(get_job(lost_new.id).attempt, 0);

	lost_lease = claim_job(60);
	with_lost_answer(lose_events);
	assert_false(lost_ok);
	assert_int_equal(lost_err.code, ERR_unavailable);
	err_init(&lost_err);
	struct buf log = BUF_INIT(100);
	assert_ok(job_log(fx.s, lost_new.id, 10, &log, &fx.e), &fx.e);
	assert_string_equal(buf_cstr(&log), "x\n"); /* told once */
	buf_release(&log);

	with_lost_answer(lose_succeed);
	assert_ok(lost_ok, &lost_err);
	assert_true(!lost_flag && lost_version == 1);
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT count(*) FROM quern.model_version"), "1");
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT count(*) FROM quern.model_alias_history"), "1");

	with_lost_answer(lose_delete);
	assert_ok(lost_ok, &lost_err);
	assert_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.job"));
	arena_release(&lost_arena);
}

/* --- The storm ---------------------------------------------------------------------------------------------------- */

enum { STORM_THREADS = 4, STORM_JOBS = 60 };
static char acknowledged[STORM_THREADS][STORM_JOBS][UUID_TEXT_SIZE];
static atomic_int storm_left, storm_refused, storm_lost;

static void refused(void)
{
	storm_refused++;
	sleep_ms(10);
}

/* Until it is answered: the same call with the same ids. */
static void create_until_answered(const struct job_new *n, struct arena *a)
{
	struct err e;
	struct job j;
	bool existing;
	for (;; refused()) {
		err_init(&e);
		if (job_create(fx.s, n, a, &j, &existing, &e)) return;
		if (e.code != ERR_unavailable) storm_lost++;
	}
}

static void claim_and_succeed(struct arena *a)
{
	struct err e;
	struct job j;
	struct job_lease lease;
	bool claimed = false, lost = false;
	int version;
	for (;; refused()) {
		err_init(&e);
		if (job_claim(fx.s, "storm", 60, a, &j, &lease, &claimed, &e)) break;
	}
	if (!claimed) return;
	struct job_result r = {.metrics = "{}", .model_name = "storm", .container = "0123456789", .container_len = 10};
	for (;; refused()) {
		err_init(&e);
		if (job_succeed(fx.s, &lease, &r, &version, &lost, &e)) break;
		if (e.code != ERR_unavailable) print_error("%s\n", e.detail);
	}
	storm_lost += lost;
}

static void work_or_storm(size_t index)
{
	struct arena a = ARENA_INIT;
	if (index == STORM_THREADS) {
		while (storm_left) {
			pg_fixture_sql(
			    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'quern'"
			    " AND state = 'active' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
			sleep_ms(3);
		}
		return;
	}
	for (int i = 0; i < STORM_JOBS; i++) {
		struct job_new n = new_job("storm");
		memcpy(acknowledged[index][i], n.id, UUID_TEXT_SIZE);
		create_until_answered(&n, &a);
		claim_and_succeed(&a);
		arena_reset(&a);
	}
	arena_release(&a);
	storm_left--;
}

static void a_storm_loses_and_doubles_nothing(void **state)
{
	(void)state;
	pg_fixture_sql("DELETE FROM quern.job");
	storm_left = STORM_THREADS;
	run_threads(STORM_THREADS + 1, work_or_storm);
	print_message("calls refused and asked again: %d\n", storm_refused);
	assert_int_equal(storm_lost, 0);
	assert_int_equal(atoi(pg_fixture_value(&fx.a, "SELECT count(*) FROM quern.job")), STORM_THREADS * STORM_JOBS);
	for (int t = 0; t < STORM_THREADS; t++)
		for (int i = 0; i < STORM_JOBS; i++) assert_string_equal(get_job(acknowledged[t][i]).name, "storm");
	/* Every success has its one version and every version its success. */
	assert_null(pg_fixture_value(
	    &fx.a, "SELECT 1 FROM quern.job_view j FULL JOIN quern.model_version v ON v.job_id = j.id"
		   " WHERE (j.state = 'succeeded') IS DISTINCT FROM (v.id IS NOT NULL)"
		   " AND v.model_id IS DISTINCT FROM (SELECT id FROM quern.model WHERE name = 'lost')"));
	assert_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.model_version v WHERE NOT EXISTS"
					    " (SELECT FROM quern.model_chunk c WHERE c.version_id = v.id)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_was_committed_is_answered, fixture_reset),
		cmocka_unit_test_teardown(a_storm_loses_and_doubles_nothing, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
