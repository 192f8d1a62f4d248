/* Jobs as people see them: create, read, idempotency, cancel, retry, delete, list. */
#include "tests/unit/store/store_support.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	struct job_new n = new_job("a name with \"quotes\" and \xc3\xa9");
	n.spec = "{\"b\": 1e400, \"a\": \"\\u0000\", \"b\": 2}";
	n.tags = "{\"team\": \"growth\"}";
	n.priority = 1;
	struct job j = create_job(&n), read = get_job(n.id);
	assert_string_equal(j.id, n.id);
	assert_string_equal(read.name, n.name);
	assert_string_equal(read.kind, "train");
	assert_string_equal(read.spec, n.spec);
	assert_string_equal(read.tags, n.tags);
	assert_int_equal(read.state, JOB_queued);
	assert_int_equal(read.priority, 1);
	assert_int_equal(read.max_attempts, 3);
	assert_true(read.seed == INT64_C(9007199254740993));
	assert_true(read.revision > 0 && read.revision == j.revision);
	assert_true(read.created_at > 0 && llabs(read.created_at - clock_wall_ms()) < 60000);
	assert_true(read.started_at == 0 && read.finished_at == 0);
	assert_null(read.error);
	assert_null(read.metrics);
	assert_true(read.eta_s != read.eta_s);
	assert_true(read.fraction == 0);
}

static void ids_that_are_none_are_not_found(void **state)
{
	(void)state;
	struct job j;
	char id[UUID_TEXT_SIZE];
	uuid_v7(id);
	const char *const ids[] = {id, "", "x", "'; DROP SCHEMA quern; --", "00000000-0000-0000-0000-00000000000g"};
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		struct job_event *events;
		size_t count;
		assert_err(job_get(fx.s, ids[i], &fx.a, &j, &fx.e), not_found);
		assert_err(job_cancel(fx.s, ids[i], &fx.a, &j, &fx.e), not_found);
		assert_err(job_retry(fx.s, ids[i], id, &fx.a, &j, &fx.e), not_found);
		assert_err(job_delete(fx.s, ids[i], &fx.e), not_found);
		if (i > 0) assert_err(job_events_after(fx.s, ids[i], 0, 10, &fx.a, &events, &count, &fx.e), not_found);
	}
}

static void values_that_cannot_be_stored_are_refused(void **state)
{
	(void)state;
	struct job j;
	bool existing;
	struct job_new n = new_job("x");
	n.tags = "{\"a\":\"\\u0000\"}";
	assert_err(job_create(fx.s, &n, &fx.a, &j, &existing, &fx.e), invalid);
	n = new_job("\xff");
	assert_err(job_create(fx.s, &n, &fx.a, &j, &existing, &fx.e), invalid);
	n = new_job("x");
	assert_ok(job_create(fx.s, &n, &fx.a, &j, &existing, &fx.e), &fx.e);
}

/* --- Idempotency -------------------------------------------------------------------------------------------------- */

static struct job_new keyed_job(const char *key, const char *body)
{
	struct job_new n = new_job("keyed");
	n.idempotency_key = key;
	hash_sha256(body, strlen(body), n.body_hash);
	return n;
}

static void a_key_answers_the_first_job_again(void **state)
{
	(void)state;
	struct job_new first = keyed_job("k1", "body"), second = keyed_job("k1", "body"),
		       other = keyed_job("k2", "body");
	struct job j;
	bool existing = false;
	create_job(&first);
	assert_ok(job_create(fx.s, &second, &fx.a, &j, &existing, &fx.e), &fx.e);
	assert_true(existing);
	assert_string_equal(j.id, first.id);
	assert_err(job_get(fx.s, second.id, &fx.a, &j, &fx.e), not_found);
	create_job(&other);
}

static void a_key_with_another_body_is_a_mismatch(void **state)
{
	(void)state;
	struct job_new first = keyed_job("k3", "body"), second = keyed_job("k3", "other body");
	struct job j;
	bool existing;
	create_job(&first);
	assert_err(job_create(fx.s, &second, &fx.a, &j, &existing, &fx.e), idempotency_mismatch);
}

static void a_key_counts_for_a_day(void **state)
{
	(void)state;
	struct job_new first = keyed_job("k4", "body"), second = keyed_job("k4", "other body");
	create_job(&first);
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT expires_at > now() + interval '23 hours 59 minutes'"
						    " FROM quern.idempotency WHERE key = 'k4'"),
			    "t");
	pg_fixture_sql("UPDATE quern.idempotency SET expires_at = now() - interval '1 second' WHERE key = 'k4'");
	create_job(&second);
	pg_fixture_sql("UPDATE quern.idempotency SET expires_at = now() - interval '1 second' WHERE key = 'k4'");
	assert_ok(job_sweep(fx.s, &fx.e), &fx.e);
	assert_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.idempotency WHERE key = 'k4'"));
}

static atomic_int made, replayed, in_flight;

static void create_keyed(size_t index)
{
	(void)index;
	struct job_new n = keyed_job("at-once", "body");
	struct arena a = ARENA_INIT;
	struct err e;
	struct job j;
	bool existing, ok;
	do {
		err_init(&e);
		ok = job_create(fx.s, &n, &a, &j, &existing, &e);
		if (!ok && e.code == ERR_idempotency_in_flight) in_flight++;
	} while (!ok && e.code == ERR_idempotency_in_flight);
	if (ok && existing) replayed++;
	if (ok && !existing) made++;
	arena_release(&a);
}

static void a_key_at_once_makes_one_job(void **state)
{
	(void)state;
	run_threads(8, create_keyed);
	assert_int_equal(made, 1);
	assert_int_equal(replayed, 7);
	print_message("answered as in flight: %d\n", in_flight);
}

static void a_key_whose_first_request_is_under_way_conflicts(void **state)
{
	(void)state;
	struct job_new n = keyed_job("k5", "body");
	struct job j;
	bool existing;
	/* What an open transaction of another process holds. */
	pg_fixture_hold("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('POST /jobs' || 'k5', 0))");
	assert_err(job_create(fx.s, &n, &fx.a, &j, &existing, &fx.e), idempotency_in_flight);
	pg_fixture_release("ROLLBACK");
	create_job(&n);
}

/* --- Cancel, retry, delete ---------------------------------------------------------------------------------------- */

static void cancel_of_a_running_job_is_a_flag(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job out, j = job_in_state(JOB_running, &lease);
	bool lost, cancel = false;
	assert_ok(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), &fx.e);
	assert_int_equal(out.state, JOB_running);
	assert_true(out.cancel_requested);
	assert_true(out.revision > j.revision);
	int64_t revision = out.revision;
	assert_ok(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), &fx.e);
	assert_true(out.revision == revision);
	assert_ok(job_heartbeat(fx.s, &lease, 60, NULL, &lost, &cancel, &fx.e), &fx.e);
	assert_true(cancel && !lost);
}

static void retry_is_a_new_job_of_the_same_spec(void **state)
{
	(void)state;
	struct job again, j = job_in_state(JOB_failed, NULL);
	char id[UUID_TEXT_SIZE];
	uuid_v7(id);
	assert_ok(job_retry(fx.s, j.id, id, &fx.a, &again, &fx.e), &fx.e);
	assert_string_equal(again.id, id);
	assert_int_equal(again.state, JOB_queued);
	assert_string_equal(again.spec, j.spec);
	assert_string_equal(again.tags, j.tags);
	assert_true(again.seed == j.seed);
	assert_int_equal(again.attempt, 0);
	assert_int_equal(get_job(j.id).state, JOB_failed);
	assert_string_equal(
	    pg_fixture_value(&fx.a, arena_printf(&fx.a, "SELECT retry_of FROM quern.job_spec WHERE job_id = '%s'", id)),
	    j.id);
	/* The same call again, as after a lost answer. */
	assert_ok(job_retry(fx.s, j.id, id, &fx.a, &again, &fx.e), &fx.e);
	assert_string_equal(again.id, id);
}

static void delete_leaves_nothing_of_the_job(void **state)
{
	(void)state;
	struct job out, j = job_in_state(JOB_succeeded, NULL);
	struct job_event *events;
	size_t count;
	assert_ok(job_events_after(fx.s, j.id, 0, 10, &fx.a, &events, &count, &fx.e), &fx.e);
	assert_true(count > 0);
	assert_ok(job_delete(fx.s, j.id, &fx.e), &fx.e);
	assert_err(job_get(fx.s, j.id, &fx.a, &out, &fx.e), not_found);
	assert_err(job_delete(fx.s, j.id, &fx.e), not_found);
	assert_ok(job_events_after(fx.s, j.id, 0, 10, &fx.a, &events, &count, &fx.e), &fx.e);
	assert_int_equal(count, 0);
}

/* --- Lists -------------------------------------------------------------------------------------------------------- */

static size_t list_count(struct job_filter f)
{
	struct job *jobs;
	size_t count;
	const char *next;
	if (!f.limit) f.limit = 1000;
	assert_ok(job_list(fx.s, &f, &fx.a, &jobs, &count, &next, &fx.e), &fx.e);
	return count;
}

static void filters_choose(void **state)
{
	(void)state;
	pg_fixture_sql("DELETE FROM quern.job");
	struct job j = job_in_state(JOB_cancelled, NULL);
	struct job_new n = new_job("chosen");
	n.tags = "{\"team\":\"b\",\"env\":\"prod\"}";
	create_job(&n);
	assert_int_equal(list_count((struct job_filter){0}), 2);
	assert_int_equal(list_count((struct job_filter){.states = 1u << JOB_queued}), 1);
	assert_int_equal(list_count((struct job_filter){.states = 1u << JOB_queued | 1u << JOB_cancelled}), 2);
	assert_int_equal(list_count((struct job_filter){.states = 1u << JOB_failed}), 0);
	assert_int_equal(list_count((struct job_filter){.name = "chosen"}), 1);
	assert_int_equal(list_count((struct job_filter){.tags = "{\"team\":\"b\"}"}), 1);
	assert_int_equal(list_count((struct job_filter){.tags = "{\"team\":\"b\",\"env\":\"test\"}"}), 0);
	assert_int_equal(list_count((struct job_filter){.created_from = j.created_at + 1000}), 0);
	assert_int_equal(list_count((struct job_filter){.created_to = j.created_at + 1000}), 2);
	assert_int_equal(list_count((struct job_filter){.created_to = 1}), 0);
	assert_int_equal(list_count((struct job_filter){.updated_since = j.created_at - 1000, .name = "chosen"}), 1);
}

static void sorts_sort(void **state)
{
	(void)state;
	static const char *const sorts[] = {NULL, "-createdAt", "createdAt", "-updatedAt", "updatedAt"};
	pg_fixture_sql("DELETE FROM quern.job");
	for (int i = 0; i < 5; i++) job_in_state(JOB_queued, NULL);
	for (size_t i = 0; i < ARRAY_COUNT(sorts); i++) {
		struct job *jobs;
		size_t count;
		const char *next;
		bool up = sorts[i] && sorts[i][0] != '-';
		struct job_filter f = {.sort = sorts[i], .limit = 100};
		assert_ok(job_list(fx.s, &f, &fx.a, &jobs, &count, &next, &fx.e), &fx.e);
		assert_true(count >= 5);
		for (size_t k = 1; k < count; k++) assert_true(up ? jobs[k - 1].updated_at <= jobs[k].updated_at
								  : jobs[k - 1].updated_at >= jobs[k].updated_at);
	}
	struct job *jobs;
	size_t count;
	const char *next;
	assert_err(job_list(fx.s, &(struct job_filter){.sort = "name"}, &fx.a, &jobs, &count, &next, &fx.e),
		   bad_request);
}

/* New jobs come in between pages: what was there is still seen once each. */
static void pages_are_complete_under_inserts(void **state)
{
	(void)state;
	enum { JOBS = 57, PAGE = 10 };
	static const char *const sorts[] = {"-createdAt", "createdAt"};
	char ids[JOBS][UUID_TEXT_SIZE];
	int seen[JOBS];
	pg_fixture_sql("DELETE FROM quern.job");
	for (int i = 0; i < JOBS; i++) {
		struct job_new n = new_job("paged");
		memcpy(ids[i], create_job(&n).id, UUID_TEXT_SIZE);
	}
	for (size_t s = 0; s < ARRAY_COUNT(sorts); s++) {
		memset(seen, 0, sizeof seen);
		struct job_filter f = {.sort = sorts[s], .limit = PAGE, .name = "paged"};
		do {
			struct job *jobs;
			size_t count;
			assert_ok(job_list(fx.s, &f, &fx.a, &jobs, &count, &f.cursor, &fx.e), &fx.e);
			assert_true(count <= PAGE);
			for (size_t k = 0; k < count; k++)
				for (int i = 0; i < JOBS; i++) seen[i] += strcmp(jobs[k].id, ids[i]) == 0;
			struct job_new n = new_job("paged");
			if (f.cursor) create_job(&n);
		} while (f.cursor);
		for (int i = 0; i < JOBS; i++) assert_int_equal(seen[i], 1);
	}
}

static void a_cursor_fits_its_own_sort_only(void **state)
{
	(void)state;
	struct job *jobs;
	size_t count;
	const char *next;
	for (int i = 0; i < 3; i++) job_in_state(JOB_queued, NULL);
	assert_ok(job_list(fx.s, &(struct job_filter){.limit = 1}, &fx.a, &jobs, &count, &next, &fx.e), &fx.e);
	assert_non_null(next);
	struct job_filter f = {.limit = 1, .sort = "updatedAt", .cursor = next};
	assert_err(job_list(fx.s, &f, &fx.a, &jobs, &count, &next, &fx.e), bad_request);
}

/* With a long history behind it a page must not read all of it. */
static void a_page_costs_what_it_holds(void **state)
{
	(void)state;
	static const struct job_filter filters[] = {
		{.limit = 50},
		{.limit = 50, .sort = "updatedAt"},
		{.limit = 50, .states = 1u << JOB_running},
		{.limit = 50, .name = "nobody's"},
		{.limit = 50, .tags = "{\"team\":\"nobody\"}"},
	};
	pg_fixture_sql(
	    "INSERT INTO quern.job (id, state, priority, max_attempts, due_order, created_at, updated_at, finished_at)"
	    " SELECT gen_random_uuid(), 'cancelled', 3, 3, now(), t, t, t"
	    " FROM (SELECT now() - i * interval '1 second' AS t FROM generate_series(1, 20000) i) x;"
	    "INSERT INTO quern.job_spec (job_id, name, kind, tags, spec, seed, timeout_s)"
	    " SELECT id, 'old', 'train', '{}', '{}', 0, 0 FROM quern.job"
	    " WHERE id NOT IN (SELECT job_id FROM quern.job_spec);"
	    "ANALYZE quern.job, quern.job_spec");
	const char *read_through = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables"
				   " WHERE relname IN ('job', 'job_spec') AND schemaname = 'quern'";
	wait_until(atoll(pg_fixture_value(&fx.a, read_through)) >= 20000);
	pg_fixture_sql("SELECT pg_stat_reset()");
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_COUNT(filters); i++) list_count(filters[i]);
		/* A session adds to the statistics once a second, when a transaction ends. */
		if (round == 0) sleep_ms(1100);
	}
	assert_true(atoll(pg_fixture_value(&fx.a, read_through)) < 10000);
	assert_string_equal(pg_fixture_value(&fx.a, "SELECT sum(idx_tup_fetch) < 5000 AND sum(idx_scan) > 10"
						    " FROM pg_stat_user_tables WHERE relname IN ('job', 'job_spec')"),
			    "t");
	pg_fixture_sql("DELETE FROM quern.job");
}

static void ids_and_numbers_beyond_32_and_53_bits(void **state)
{
	(void)state;
	assert_ok(job_sweep(fx.s, &fx.e), &fx.e);
	pg_fixture_sql("ALTER SEQUENCE quern.revision RESTART WITH 9007199254740995;"
		       "ALTER SEQUENCE quern.job_event_inbox_id_seq RESTART WITH 9007199254740995;"
		       "UPDATE quern.job_event_head SET seq = 9007199254740995");
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct job_event *events;
	size_t count;
	struct job_progress p = {.fraction = 0.5, .rows_done = INT64_MAX, .rows_total = INT64_MAX};
	bool lost, cancel;
	assert_true(j.revision > INT64_C(9007199254740995));
	assert_ok(job_heartbeat(fx.s, &lease, 60, &p, &lost, &cancel, &fx.e), &fx.e);
	assert_true(get_job(j.id).rows_done == INT64_MAX);
	assert_ok(job_events_after(fx.s, j.id, INT64_C(9007199254740996), 10, &fx.a, &events, &count, &fx.e), &fx.e);
	assert_int_equal(count, 1);
	assert_true(events[0].seq == INT64_C(9007199254740997));
}

static void counts_count(void **state)
{
	(void)state;
	struct job_counts c;
	pg_fixture_sql("DELETE FROM quern.job");
	assert_ok(job_counts(fx.s, &c, &fx.e), &fx.e);
	assert_int_equal(c.by_state[JOB_queued], 0);
	assert_true(c.oldest_queued_s == 0);
	job_in_state(JOB_running, NULL);
	job_in_state(JOB_queued, NULL);
	job_in_state(JOB_queued, NULL);
	pg_fixture_sql("UPDATE quern.job SET run_at = run_at - interval '100 seconds' WHERE state = 'queued'");
	assert_ok(job_counts(fx.s, &c, &fx.e), &fx.e);
	assert_int_equal(c.by_state[JOB_queued], 2);
	assert_int_equal(c.by_state[JOB_running], 1);
	assert_true(c.oldest_queued_s >= 100 && c.oldest_queued_s < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_goes_in_comes_out, fixture_reset),
		cmocka_unit_test_teardown(ids_that_are_none_are_not_found, fixture_reset),
		cmocka_unit_test_teardown(values_that_cannot_be_stored_are_refused, fixture_reset),
		cmocka_unit_test_teardown(a_key_answers_the_first_job_again, fixture_reset),
		cmocka_unit_test_teardown(a_key_with_another_body_is_a_mismatch, fixture_reset),
		cmocka_unit_test_teardown(a_key_counts_for_a_day, fixture_reset),
		cmocka_unit_test_teardown(a_key_at_once_makes_one_job, fixture_reset),
		cmocka_unit_test_teardown(a_key_whose_first_request_is_under_way_conflicts, fixture_reset),
		cmocka_unit_test_teardown(cancel_of_a_running_job_is_a_flag, fixture_reset),
		cmocka_unit_test_teardown(retry_is_a_new_job_of_the_same_spec, fixture_reset),
		cmocka_unit_test_teardown(delete_leaves_nothing_of_the_job, fixture_reset),
		cmocka_unit_test_teardown(filters_choose, fixture_reset),
		cmocka_unit_test_teardown(sorts_sort, fixture_reset),
		cmocka_unit_test_teardown(pages_are_complete_under_inserts, fixture_reset),
		cmocka_unit_test_teardown(a_cursor_fits_its_own_sort_only, fixture_reset),
		cmocka_unit_test_teardown(a_page_costs_what_it_holds, fixture_reset),
		cmocka_unit_test_teardown(counts_count, fixture_reset),
		cmocka_unit_test_teardown(ids_and_numbers_beyond_32_and_53_bits, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
