/* Leases: who holds a job, who has lost it, and what becomes of a job whose holder has gone. */
#include "tests/unit/store/store_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool nothing_to_claim(void)
{
	struct job j;
	struct job_lease lease;
	bool claimed = true;
	assert_ok(job_claim(fx.s, "tester", 60, &fx.a, &j, &lease, &claimed, &fx.e), &fx.e);
	return !claimed;
}

static void expire(const char *id)
{
	pg_fixture_sql(
	    arena_printf(&fx.a, "UPDATE quern.job SET lease_until = now() - interval '1 ms' WHERE id = '%s'", id));
}

static unsigned rescue(void)
{
	unsigned count;
	assert_ok(job_rescue(fx.s, 0, 3, &count, &fx.e), &fx.e);
	return count;
}

static enum job_state fail_job(const struct job_lease *lease, struct job_failure f)
{
	enum job_state became;
	bool lost;
	if (!f.problem) f.problem = "{\"status\":500}";
	if (!f.max_worker_losses) f.max_worker_losses = 3;
	assert_ok(job_fail(fx.s, lease, &f, &became, &lost, &fx.e), &fx.e);
	assert_false(lost);
	return became;
}

/* --- Claim -------------------------------------------------------------------------------------------------------- */

static void a_claim_is_a_lease(void **state)
{
	(void)state;
	struct job_new n = new_job("claimed");
	struct job j;
	struct job_lease lease;
	bool claimed;
	assert_true(nothing_to_claim());
	create_job(&n);
	int64_t before = clock_mono_ns();
	assert_ok(job_claim(fx.s, "tester", 60, &fx.a, &j, &lease, &claimed, &fx.e), &fx.e);
	assert_true(claimed);
	assert_string_equal(j.id, n.id);
	assert_int_equal(j.state, JOB_running);
	assert_int_equal(j.attempt, 1);
	assert_true(j.started_at > 0);
	assert_int_equal(lease.attempt, 1);
	/* Trusted for 60 s less the margin, counted from before the statement was sent. */
	int64_t trust = lease.until_mono_ns - before;
	assert_true(trust >= INT64_C(55000000000) && trust < INT64_C(56000000000));
	assert_true(nothing_to_claim());
}

static void order_is_priority_then_age(void **state)
{
	(void)state;
	struct job_new jobs[4];
	static const int priorities[4] = {3, 2, 4, 2}, order[4] = {1, 3, 0, 2};
	for (int i = 0; i < 4; i++) {
		jobs[i] = new_job("ordered");
		jobs[i].priority = priorities[i];
		create_job(&jobs[i]);
	}
	for (int i = 0; i < 4; i++) assert_string_equal(claim_job(60).job_id, jobs[order[i]].id);
}

static void waiting_raises_a_job(void **state)
{
	(void)state;
	struct job_new old = new_job("old"), urgent = new_job("urgent");
	old.priority = 4;
	urgent.priority = 2;
	create_job(&old);
	/* Two levels and a bit. */
	pg_fixture_sql(
	    "UPDATE quern.job SET run_at = run_at - interval '21 min', due_order = due_order - interval '21 min'"
	    " WHERE state = 'queued'");
	create_job(&urgent);
	assert_string_equal(claim_job(60).job_id, old.id);
}

enum { RACE_JOBS = 200 };
static char claimed_ids[RACE_JOBS * 2][UUID_TEXT_SIZE];
static atomic_int claimed_count;

static void claim_all(size_t index)
{
	(void)index;
	struct arena a = ARENA_INIT;
	struct err e;
	struct job j;
	struct job_lease lease;
	bool claimed = true;
	err_init(&e);
	while (claimed && job_claim(fx.s, "racer", 60, &a, &j, &lease, &claimed, &e))
		if (claimed) memcpy(claimed_ids[claimed_count++ % (RACE_JOBS * 2)], j.id, UUID_TEXT_SIZE);
	if (err_is(&e)) print_error("%s\n", e.detail);
	arena_release(&a);
}

static int compare_ids(const void *x, const void *y) { return strcmp(x, y); }

static void eight_threads_claim_each_job_once(void **state)
{
	(void)state;
	for (int i = 0; i < RACE_JOBS; i++) {
		struct job_new n = new_job("raced");
		create_job(&n);
	}
	run_threads(8, claim_all);
	assert_int_equal(claimed_count, RACE_JOBS);
	qsort(claimed_ids, RACE_JOBS, UUID_TEXT_SIZE, compare_ids);
	for (int i = 1; i < RACE_JOBS; i++) assert_string_not_equal(claimed_ids[i - 1], claimed_ids[i]);
}

/* --- Heartbeat ---------------------------------------------------------------------------------------------------- */

static void a_heartbeat_extends_and_reports(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job before = job_in_state(JOB_running, &lease), j;
	struct job_progress p = {.fraction = 0.25,
				 .phase = "fit",
				 .message = "pass 3",
				 .rows_done = 10,
				 .rows_total = 40,
				 .eta_s = 1.5,
				 .stages = "[{\"index\":0}]",
				 .shards = "[]",
				 .resources = "{\"workers\":2}"};
	bool lost, cancel;
	expire(before.id);
	int64_t trust = lease.until_mono_ns;
	sleep_ms(2);
	assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	assert_true(!lost && !cancel && lease.until_mono_ns > trust);
	assert_int_equal(rescue(), 0);
	j = get_job(before.id);
	assert_true(j.fraction == 0.25 && j.eta_s == 1.5 && j.rows_done == 10 && j.rows_total == 40);
	assert_string_equal(j.phase, "fit");
	assert_string_equal(j.message, "pass 3");
	assert_string_equal(j.stages, p.stages);
	assert_string_equal(j.resources, p.resources);
	assert_true(j.revision > before.revision);

	/* What is NULL stays; what cannot be stored does not cost the lease. */
	p = (struct job_progress){.fraction = 2, .message = "\xff", .eta_s = 1.0 / 0.0};
	assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	j = get_job(before.id);
	assert_true(!lost && j.fraction == 1);
	assert_string_equal(j.stages, "[{\"index\":0}]");
}

static void only_visible_changes_move_the_revision(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct job_progress p = {.fraction = 0.5, .stages = "[1]"};
	bool lost, cancel;
	assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	int64_t revision = get_job(j.id).revision;
	assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	assert_ok(job_heartbeat(fx.s, &lease, 60, NULL, &lost, &cancel, &fx.e), &fx.e);
	assert_true(get_job(j.id).revision == revision);
	p.stages = "[2]";
	assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	assert_true(get_job(j.id).revision > revision);
}

/* --- Rescue ------------------------------------------------------------------------------------------------------- */

static void an_expired_lease_is_rescued(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease), other = job_in_state(JOB_running, NULL);
	assert_int_equal(rescue(), 0);
	expire(j.id);
	assert_int_equal(rescue(), 1);
	assert_int_equal(rescue(), 0);
	j = get_job(j.id);
	assert_int_equal(j.state, JOB_queued);
	assert_int_equal(j.worker_losses, 1);
	assert_int_equal(get_job(other.id).state, JOB_running);
	assert_int_equal(claim_job(60).attempt, 2);
}

static void a_rescue_honours_a_cancel(void **state)
{
	(void)state;
	struct job out, j = job_in_state(JOB_running, NULL);
	assert_ok(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), &fx.e);
	expire(j.id);
	assert_int_equal(rescue(), 1);
	assert_int_equal(get_job(j.id).state, JOB_cancelled);
}

static void a_job_that_loses_its_workers_is_given_up(void **state)
{
	(void)state;
	struct job_new n = new_job("poison");
	n.max_attempts = 10;
	create_job(&n);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(claim_job(60).attempt, i);
		expire(n.id);
		assert_int_equal(rescue(), 1);
	}
	struct job j = get_job(n.id);
	assert_int_equal(j.state, JOB_failed);
	assert_non_null(strstr(j.error, "/problems/crash-loop"));
	assert_non_null(strstr(j.error, "its lease ran out"));
	assert_true(j.finished_at > 0);
}

static void a_crash_loop_tells_of_the_last_crash(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct job_failure f = {
	    .problem = "{\"detail\":\"killed by signal 11\"}", .worker_lost = true, .max_worker_losses = 1};
	assert_int_equal(fail_job(&lease, f), JOB_failed);
	assert_non_null(strstr(get_job(j.id).error, "of the last: killed by signal 11"));
}

static void a_job_without_attempts_left_fails_as_lease_lost(void **state)
{
	(void)state;
	struct job_new n = new_job("once");
	n.max_attempts = 1;
	create_job(&n);
	claim_job(60);
	expire(n.id);
	assert_int_equal(rescue(), 1);
	assert_non_null(strstr(get_job(n.id).error, "/problems/lease-lost"));
}

static void rescue_in_threads(size_t index)
{
	(void)index;
	struct err e;
	unsigned count;
	err_init(&e);
	if (job_rescue(fx.s, 0, 3, &count, &e)) claimed_count += (int)count;
}

static void many_rescuers_rescue_once(void **state)
{
	(void)state;
	enum { JOBS = 20 };
	for (int i = 0; i < JOBS; i++) job_in_state(JOB_running, NULL);
	pg_fixture_sql("UPDATE quern.job SET lease_until = now() - interval '1 s' WHERE state = 'running'");
	claimed_count = 0;
	run_threads(8, rescue_in_threads);
	assert_int_equal(claimed_count, JOBS);
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT max(worker_losses) FROM quern.job WHERE state = 'queued'"),
			    "1");
}

/* --- Ends --------------------------------------------------------------------------------------------------------- */

static void failures_end_attempts_as_they_should(void **state)
{
	(void)state;
	static const struct {
		struct job_failure f;
		enum job_state becomes;
		int attempt, losses;
	} cases[] = {
		{{.retryable = false}, JOB_failed, 1, 0},
		{{.retryable = true}, JOB_queued, 1, 0},
		{{.interrupted = true}, JOB_queued, 0, 0},
		{{.retryable = true, .worker_lost = true}, JOB_queued, 1, 1},
		{{.retryable = true, .worker_lost = true, .max_worker_losses = 1}, JOB_failed, 1, 1},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct job_lease lease;
		struct job j = job_in_state(JOB_running, &lease);
		assert_int_equal(fail_job(&lease, cases[i].f), cases[i].becomes);
		j = get_job(j.id);
		assert_int_equal(j.state, cases[i].becomes);
		assert_int_equal(j.attempt, cases[i].attempt);
		assert_int_equal(j.worker_losses, cases[i].losses);
		assert_int_equal(!!j.error, j.state == JOB_failed);
		/* The same call once more, as after a lost answer, says the same and changes nothing. */
		assert_int_equal(fail_job(&lease, cases[i].f), cases[i].becomes);
		assert_true(get_job(j.id).revision == j.revision);
		assert_int_equal(fixture_reset(NULL), 0);
	}
}

static void attempts_run_out(void **state)
{
	(void)state;
	struct job_new n = new_job("tried");
	create_job(&n);
	for (int i = 1; i <= 3; i++) {
		struct job_lease lease = claim_job(60);
		assert_int_equal(lease.attempt, i);
		assert_int_equal(fail_job(&lease, (struct job_failure){.retryable = true}),
				 i < 3 ? JOB_queued : JOB_failed);
	}
	assert_string_equal(get_job(n.id).error, "{\"status\":500}");
}

static void back_off_doubles_and_is_spread(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	fail_job(&lease, (struct job_failure){.retryable = true, .backoff_s = 10});
	assert_true(nothing_to_claim());
	double wait_s = (double)(get_job(j.id).run_at - clock_wall_ms()) / 1000;
	assert_true(wait_s > 7 && wait_s < 12.1);
	assert_string_equal(
	    pg_fixture_value(&fx.a,
			     "SELECT bool_and(extract(epoch FROM quern.job_backoff(10, n))"
			     " BETWEEN 0.8 * least(10 * 2 ^ (n - 1), 900) AND 1.2 * least(10 * 2 ^ (n - 1), 900))"
			     " FROM generate_series(1, 100) n"),
	    "t");
}

static void a_cancelled_job_ends_cancelled_however_it_fails(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job out, j = job_in_state(JOB_running, &lease);
	assert_ok(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), &fx.e);
	assert_int_equal(fail_job(&lease, (struct job_failure){.retryable = true}), JOB_cancelled);
}

/* --- Zombies ------------------------------------------------------------------------------------------------------ */

static void a_zombie_writes_nothing(void **state)
{
	(void)state;
	struct job_lease old, lease;
	struct job j = job_in_state(JOB_running, &old);
	bool lost = false, cancel;
	int version;
	enum job_state became = JOB_queued;
	expire(j.id);
	assert_int_equal(rescue(), 1);
	lease = claim_job(60);
	assert_string_equal(lease.job_id, old.job_id);
	int64_t revision = get_job(j.id).revision;

	struct job_result r = {.metrics = "{}", .model_name = "zombie", .container = "x", .container_len = 1};
	struct job_event event = {.type = "log", .data = "{\"line\":\"from the grave\"}"};
	assert_ok(job_heartbeat(fx.s, &old, 60, &(struct job_progress){.fraction = 1}, &lost, &cancel, &fx.e), &fx.e);
	assert_true(lost);
	assert_ok(job_succeed(fx.s, &old, &r, &version, &lost, &fx.e), &fx.e);
	assert_true(lost && version == 0);
	assert_ok(job_fail(fx.s, &old, &(struct job_failure){.problem = "{}"}, &became, &lost, &fx.e), &fx.e);
	assert_true(lost);
	assert_ok(job_events_add(fx.s, &old, &event, 1, &fx.e), &fx.e);

	struct buf log = BUF_INIT(1000);
	assert_ok(job_log(fx.s, j.id, 10, &log, &fx.e), &fx.e);
	assert_int_equal(log.len, 0);
	buf_release(&log);
	assert_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.model WHERE name = 'zombie'"));
	j = get_job(j.id);
	assert_int_equal(j.state, JOB_running);
	assert_true(j.revision == revision);
	/* Neither token nor attempt alone will do. */
	struct job_lease forged = lease;
	forged.attempt++;
	assert_ok(job_heartbeat(fx.s, &forged, 60, NULL, &lost, &cancel, &fx.e), &fx.e);
	assert_true(lost);
	assert_ok(job_heartbeat(fx.s, &lease, 60, NULL, &lost, &cancel, &fx.e), &fx.e);
	assert_false(lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_claim_is_a_lease, fixture_reset),
		cmocka_unit_test_teardown(order_is_priority_then_age, fixture_reset),
		cmocka_unit_test_teardown(waiting_raises_a_job, fixture_reset),
		cmocka_unit_test_teardown(eight_threads_claim_each_job_once, fixture_reset),
		cmocka_unit_test_teardown(a_heartbeat_extends_and_reports, fixture_reset),
		cmocka_unit_test_teardown(only_visible_changes_move_the_revision, fixture_reset),
		cmocka_unit_test_teardown(an_expired_lease_is_rescued, fixture_reset),
		cmocka_unit_test_teardown(a_rescue_honours_a_cancel, fixture_reset),
		cmocka_unit_test_teardown(a_job_that_loses_its_workers_is_given_up, fixture_reset),
		cmocka_unit_test_teardown(a_crash_loop_tells_of_the_last_crash, fixture_reset),
		cmocka_unit_test_teardown(a_job_without_attempts_left_fails_as_lease_lost, fixture_reset),
		cmocka_unit_test_teardown(many_rescuers_rescue_once, fixture_reset),
		cmocka_unit_test_teardown(failures_end_attempts_as_they_should, fixture_reset),
		cmocka_unit_test_teardown(attempts_run_out, fixture_reset),
		cmocka_unit_test_teardown(back_off_doubles_and_is_spread, fixture_reset),
		cmocka_unit_test_teardown(a_cancelled_job_ends_cancelled_however_it_fails, fixture_reset),
		cmocka_unit_test_teardown(a_zombie_writes_nothing, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
