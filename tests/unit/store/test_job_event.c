/* Events: what happened, in commit order, never one number late. */
#include "tests/unit/store/store_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t events_after(const char *id, int64_t seq, struct job_event **out)
{
	size_t count;
	assert_ok(job_events_after(fx.s, id, seq, 1000, &fx.a, out, &count, &fx.e), &fx.e);
	return count;
}

static void a_life_is_told_in_order(void **state)
{
	(void)state;
	static const char *const states[] = {"queued", "running", "succeeded"};
	struct job_event *events;
	struct job j = job_in_state(JOB_succeeded, NULL);
	assert_int_equal(events_after(j.id, 0, &events), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(events[i].type, "state");
		assert_non_null(strstr(events[i].data, states[i]));
		assert_true(events[i].at > 0);
		if (i) assert_true(events[i].seq > events[i - 1].seq);
	}
	assert_int_equal(events_after(j.id, events[1].seq, &events), 1);
	assert_int_equal(events_after(j.id, events[0].seq, &events), 0);
}

static void what_is_added_comes_back(void **state)
{
	(void)state;
	enum { MANY = 450 };
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct job_event added[MANY], *events;
	for (size_t i = 0; i < MANY; i++)
		added[i] = (struct job_event){.type = i % 2 ? "log" : "metric", .at = 1700000000000 + (int64_t)i,
					      .data = arena_printf(&fx.a, "{\"line\":\"%zu \\u0000 \\\"\"}", i)};
	added[0].at = 0;
	assert_ok(job_events_add(fx.s, &lease, added, MANY, &fx.e), &fx.e);
	assert_int_equal(events_after(j.id, 0, &events), MANY + 2);
	assert_true(llabs(events[2].at - clock_wall_ms()) < 60000);
	for (size_t i = 1; i < MANY; i++) {
		assert_string_equal(events[i + 2].type, added[i].type);
		assert_string_equal(events[i + 2].data, added[i].data);
		assert_true(events[i + 2].at == added[i].at);
	}
}

static void the_log_is_its_last_lines(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct job_event lines[] = {{.type = "log", .data = "{\"line\":\"one\"}"},
				    {.type = "metric", .data = "{\"line\":\"not a line\"}"},
				    {.type = "log", .data = "{\"line\":\"t\\u0000o\"}"},
				    {.type = "log", .data = "[3]"},
				    {.type = "log", .data = "\xff"}};
	struct buf log = BUF_INIT(1000);
	assert_ok(job_events_add(fx.s, &lease, lines, ARRAY_COUNT(lines), &fx.e), &fx.e);
	assert_ok(job_log(fx.s, j.id, 3, &log, &fx.e), &fx.e);
	assert_int_equal(log.len, 20);
	assert_memory_equal(log.data, "t\0o\n[3]\n(not UTF-8)\n", 20);
	buf_release(&log);
}

static void what_is_no_event_is_refused(void **state)
{
	(void)state;
	struct job_lease lease;
	job_in_state(JOB_running, &lease);
	assert_err(job_events_add(fx.s, &lease, &(struct job_event){.type = "log", .data = "{"}, 1, &fx.e), invalid);
	assert_false(job_events_add(fx.s, &lease, &(struct job_event){.type = "gossip", .data = "{}"}, 1, &fx.e));
	err_init(&fx.e);
}

/* A transaction that is open while later ones commit: its events must not slip in below what a reader has seen. */
static void an_open_transaction_leaves_no_gap_to_fill(void **state)
{
	(void)state;
	struct job_event *events;
	struct job_new early = new_job("early");
	create_job(&early);
	pg_fixture_hold(arena_printf(&fx.a, "BEGIN; SELECT quern.job_note('%s', 'metric', '{}')", early.id));
	struct job late = job_in_state(JOB_queued, NULL);
	assert_int_equal(events_after(late.id, 0, &events), 1);
	int64_t seen = events[0].seq;
	pg_fixture_release("COMMIT");
	assert_int_equal(events_after(early.id, seen, &events), 1);
}

/* Readers that follow the whole log while writers write: each must see every number once, upwards. */
enum { WRITERS = 4, READERS = 2, EACH = 40 };
static atomic_int writers_left, faults;

static void write_or_follow(size_t index)
{
	struct arena a = ARENA_INIT;
	struct err e;
	err_init(&e);
	if (index < WRITERS) {
		for (int i = 0; i < EACH; i++) {
			struct job_new n = new_job("followed");
			struct job j;
			bool existing;
			if (!job_create(fx.s, &n, &a, &j, &existing, &e)) faults++;
			arena_reset(&a);
		}
		writers_left--;
	} else {
		struct job_event *events;
		size_t count;
		char nobody[UUID_TEXT_SIZE];
		uuid_v7(nobody);
		while (writers_left)
			if (!job_events_after(fx.s, nobody, 0, 1, &a, &events, &count, &e)) faults++;
	}
	arena_release(&a);
}

static void numbers_have_no_gaps(void **state)
{
	(void)state;
	assert_ok(job_sweep(fx.s, &fx.e), &fx.e);
	int64_t before = atoll(pg_fixture_value(&fx.a, "SELECT seq FROM quern.job_event_head"));
	writers_left = WRITERS;
	run_threads(WRITERS + READERS, write_or_follow);
	assert_int_equal(faults, 0);
	assert_ok(job_sweep(fx.s, &fx.e), &fx.e);
	assert_int_equal(atoll(pg_fixture_value(&fx.a, "SELECT seq FROM quern.job_event_head")) - before,
			 WRITERS * EACH);
	assert_string_equal(
	    pg_fixture_value(&fx.a,
			     arena_printf(&fx.a, "SELECT count(DISTINCT seq) FROM quern.job_event WHERE seq > %lld",
					  (long long)before)),
	    "160");
	assert_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.job_event_inbox"));
}

static void the_log_lies_in_partitions_of_a_month(void **state)
{
	(void)state;
	job_in_state(JOB_queued, NULL);
	assert_ok(job_sweep(fx.s, &fx.e), &fx.e);
	assert_string_equal(
	    pg_fixture_value(&fx.a, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'quern.job_event'::regclass"),
	    "3");
	assert_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.job_event_default"));
	/* Made again when it is missing, and left to the default partition when that has its rows. */
	pg_fixture_sql(
	    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT inhrelid::regclass FROM pg_inherits"
	    " WHERE inhparent = 'quern.job_event'::regclass AND inhrelid <> 'quern.job_event_default'::regclass"
	    " LOOP EXECUTE 'DROP TABLE ' || t; END LOOP; END $$");
	struct job_event *events;
	struct job j = job_in_state(JOB_queued, NULL);
	assert_int_equal(events_after(j.id, 0, &events), 1);
	assert_non_null(pg_fixture_value(&fx.a, "SELECT 1 FROM quern.job_event_default"));
	assert_ok(job_sweep(fx.s, &fx.e), &fx.e);
	assert_string_equal(
	    pg_fixture_value(&fx.a, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'quern.job_event'::regclass"),
	    "2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_life_is_told_in_order, fixture_reset),
		cmocka_unit_test_teardown(what_is_added_comes_back, fixture_reset),
		cmocka_unit_test_teardown(the_log_is_its_last_lines, fixture_reset),
		cmocka_unit_test_teardown(what_is_no_event_is_refused, fixture_reset),
		cmocka_unit_test_teardown(an_open_transaction_leaves_no_gap_to_fill, fixture_reset),
		cmocka_unit_test_teardown(numbers_have_no_gaps, fixture_reset),
		cmocka_unit_test_teardown(the_log_lies_in_partitions_of_a_month, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
