/* Connections: replaced when they break, bounded in number and in time, never left in a transaction. */
#include "tests/unit/store/store_support.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHORT_MS = 300, MARGIN_MS = 2000, SLACK_MS = 1500 };

static struct store *short_store(unsigned pool_max)
{
	return store_open(
	    &(struct store_options){.url = pg_fixture_url(), .pool_max = pool_max, .statement_timeout_ms = SHORT_MS});
}

static double ms_since(int64_t start) { return (double)(clock_mono_ns() - start) / 1e6; }

static void assert_unavailable(bool ok)
{
	assert_false(ok);
	assert_int_equal(fx.e.code, ERR_unavailable);
	assert_true(fx.e.retry_after_s > 0);
	err_init(&fx.e);
}

static void a_statement_has_an_end(void **state)
{
	(void)state;
	struct store *s = short_store(1);
	struct job out, j = job_in_state(JOB_queued, NULL);
	pg_fixture_hold(arena_printf(&fx.a, "BEGIN; SELECT FROM quern.job WHERE id = '%s' FOR UPDATE", j.id));
	int64_t start = clock_mono_ns();
	assert_unavailable(job_cancel(s, j.id, &fx.a, &out, &fx.e));
	assert_true(ms_since(start) < SHORT_MS + SLACK_MS);
	pg_fixture_release("ROLLBACK");
	assert_ok(job_cancel(s, j.id, &fx.a, &out, &fx.e), &fx.e);
	store_close(s);
}

/* A server that has gone silent, as behind a black hole: the backend is stopped in its tracks. */
static void a_silent_server_costs_one_wait(void **state)
{
	(void)state;
	struct store *s = short_store(1);
	assert_ok(store_ping(s, &fx.e), &fx.e);
	pid_t backend = atoi(pg_fixture_value(&fx.a, "SELECT pid FROM pg_stat_activity WHERE application_name = 'quern'"
						     " ORDER BY query_start DESC LIMIT 1"));
	assert_true(backend > 0);
	assert_int_equal(kill(backend, SIGSTOP), 0);
	int64_t start = clock_mono_ns();
	assert_unavailable(store_ping(s, &fx.e));
	double ms = ms_since(start);
	kill(backend, SIGCONT);
	assert_true(ms >= SHORT_MS && ms < SHORT_MS + MARGIN_MS + SLACK_MS);
	assert_ok(store_ping(s, &fx.e), &fx.e);
	store_close(s);
}

static void broken_connections_are_replaced(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_ok(store_ping(fx.s, &fx.e), &fx.e);
		pg_fixture_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			       " WHERE application_name = 'quern' AND pid <> pg_backend_pid()");
	}
	assert_ok(store_ping(fx.s, &fx.e), &fx.e);
}

static struct store *shared;
static atomic_int answered, busy, other;

static void read_job(size_t index)
{
	(void)index;
	struct arena a = ARENA_INIT;
	struct err e;
	struct job j;
	err_init(&e);
	if (job_get(shared, "00000000-0000-7000-8000-000000000000", &a, &j, &e) || e.code == ERR_not_found) answered++;
	else if (strstr(e.detail, "busy")) busy++;
	else other++;
	arena_release(&a);
}

static void a_full_pool_makes_others_wait_their_turn(void **state)
{
	(void)state;
	shared = short_store(2);
	answered = busy = other = 0;
	run_threads(16, read_job);
	assert_int_equal(answered, 16);
	const char *open =
	    pg_fixture_value(&fx.a, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quern'");
	assert_true(atoi(open) <= 2 + 8); /* and those of the fixture's store */
	/* All of them held up: who does not get one in time is told so. */
	pg_fixture_hold("BEGIN; LOCK quern.job IN ACCESS EXCLUSIVE MODE");
	answered = busy = other = 0;
	int64_t start = clock_mono_ns();
	run_threads(16, read_job);
	assert_true(ms_since(start) < 2 * SHORT_MS + SLACK_MS);
	assert_int_equal(answered, 0);
	assert_true(busy > 0);
	pg_fixture_release("ROLLBACK");
	store_close(shared);
}

static void ping(size_t index)
{
	(void)index;
	struct err e;
	err_init(&e);
	for (int i = 0; i < 20; i++) {
		if (store_ping(shared, &e)) answered++;
		else other++;
	}
}

/* A server that gives out fewer connections than the pool would take: those there are must do. */
static void a_servers_limit_is_lived_with(void **state)
{
	(void)state;
	pg_fixture_sql("CREATE ROLE few LOGIN CONNECTION LIMIT 2");
	const char *url = arena_printf(&fx.a, "%s user=few", pg_fixture_url());
	shared = store_open(&(struct store_options){.url = url, .pool_max = 8});
	assert_ok(store_ping(shared, &fx.e), &fx.e);
	answered = other = 0;
	run_threads(8, ping);
	assert_int_equal(answered, 160);
	store_close(shared);
}

/* A trigger that fails as often as it is told; a sequence, for those are not rolled back. */
static void fail_inserts(const char *sqlstate, int times)
{
	pg_fixture_sql("DROP TRIGGER IF EXISTS fail ON quern.job; DROP FUNCTION IF EXISTS fail; DROP SEQUENCE IF "
		       "EXISTS fail_count");
	if (!times) return;
	pg_fixture_sql(
	    arena_printf(&fx.a,
			 "CREATE SEQUENCE fail_count;"
			 "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
			 " IF nextval('fail_count') <= %d THEN RAISE EXCEPTION 'injected' USING ERRCODE = '%s'; END IF;"
			 " RETURN NEW; END $$;"
			 "CREATE TRIGGER fail BEFORE INSERT ON quern.job FOR EACH ROW EXECUTE FUNCTION fail()",
			 times, sqlstate));
}

static void faults_are_retried_or_reported(void **state)
{
	(void)state;
	static const struct {
		const char *sqlstate;
		int times;
		enum err_code code;
	} cases[] = {
	    {"40001", 2, ERR_NONE},    {"40P01", 3, ERR_NONE},        {"40001", 100, ERR_unavailable},
	    {"0A000", 1, ERR_NONE},    {"25006", 1, ERR_NONE},        {"57P01", 1, ERR_NONE},
	    {"08006", 1, ERR_NONE},    {"53100", 1, ERR_unavailable}, {"55P03", 1, ERR_unavailable},
	    {"22P02", 1, ERR_invalid}, {"XX000", 1, ERR_internal},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct job_new n = new_job("injected");
		struct job j;
		bool existing;
		fail_inserts(cases[i].sqlstate, cases[i].times);
		bool ok = job_create(fx.s, &n, &fx.a, &j, &existing, &fx.e);
		if (ok != (cases[i].code == ERR_NONE) || fx.e.code != cases[i].code)
			fail_msg("%s x %d: %s", cases[i].sqlstate, cases[i].times, fx.e.detail);
		err_init(&fx.e);
		fail_inserts("", 0);
	}
	assert_string_equal(
	    pg_fixture_value(&fx.a, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"),
	    "0");
}

static void a_schema_that_changes_under_a_connection_is_no_fault(void **state)
{
	(void)state;
	struct job j = job_in_state(JOB_queued, NULL);
	get_job(j.id);
	/* As a later migration does: the prepared plan's row type is no longer the view's. */
	pg_fixture_sql("DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW quern.job_view AS SELECT *, 1 AS added FROM ('"
		       " || rtrim(pg_get_viewdef('quern.job_view'), ';') || ') v'; END $$");
	get_job(j.id);
}

static void a_restart_under_the_pool_is_survived(void **state)
{
	(void)state;
	struct job out, j = job_in_state(JOB_queued, NULL);
	pid_t pid = atoi(pg_fixture_value(&fx.a, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
	kill(pid, SIGINT);
	wait_until(kill(pid, 0) != 0 || !store_ping(fx.s, &fx.e));
	err_init(&fx.e);
	int64_t start = clock_mono_ns();
	assert_unavailable(job_get(fx.s, j.id, &fx.a, &out, &fx.e));
	for (int i = 0; i < 100; i++) assert_unavailable(store_ping(fx.s, &fx.e));
	assert_true(ms_since(start) < 5000);
	wait_until(embedded_check(pg_fixture_embedded(), &fx.e));
	err_init(&fx.e);
	wait_until(store_ping(fx.s, &fx.e));
	err_init(&fx.e);
	assert_string_equal(get_job(j.id).id, j.id);
}

static void a_server_that_is_not_there_is_told_without_its_address(void **state)
{
	(void)state;
	static const char *const urls[] = {"host=/nonexistent/secret dbname=x", "postgresql://u:secret@127.0.0.1:1/x",
					   "secret nonsense"};
	for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
		struct store *s = store_open(&(struct store_options){.url = urls[i]});
		assert_false(store_ping(s, &fx.e));
		assert_int_equal(fx.e.code, ERR_unavailable);
		if (i < 2) assert_null(strstr(fx.e.detail, "secret"));
		err_init(&fx.e);
		store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_statement_has_an_end, fixture_reset),
		cmocka_unit_test_teardown(a_silent_server_costs_one_wait, fixture_reset),
		cmocka_unit_test_teardown(broken_connections_are_replaced, fixture_reset),
		cmocka_unit_test_teardown(a_full_pool_makes_others_wait_their_turn, fixture_reset),
		cmocka_unit_test_teardown(a_servers_limit_is_lived_with, fixture_reset),
		cmocka_unit_test_teardown(faults_are_retried_or_reported, fixture_reset),
		cmocka_unit_test_teardown(a_schema_that_changes_under_a_connection_is_no_fault, fixture_reset),
		cmocka_unit_test_teardown(a_restart_under_the_pool_is_survived, fixture_reset),
		cmocka_unit_test(a_server_that_is_not_there_is_told_without_its_address),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
