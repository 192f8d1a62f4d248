/* Every move of store/job_state.def is possible, by a function of its own, and no other is. */
#include "tests/unit/store/store_support.h"

#include <stdio.h>
#include <string.h>

static const struct edge {
	enum job_state from, to;
} edges[] = {
#define JOB_STATE(id, final)
#define JOB_EDGE(from, to) {JOB_##from, JOB_##to},
#include "store/job_state.def"
#undef JOB_STATE
#undef JOB_EDGE
};

static bool is_edge(enum job_state from, enum job_state to)
{
	for (size_t i = 0; i < ARRAY_COUNT(edges); i++)
		if (edges[i].from == from && edges[i].to == to) return true;
	return false;
}

static void each_edge_is_one_function(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(edges); i++) {
		const char *sql =
		    arena_printf(&fx.a,
				 "SELECT count(*) FROM pg_proc WHERE pronamespace = 'quern'::regnamespace "
				 "AND proname = 'job_%s_%s'",
				 job_state_name(edges[i].from), job_state_name(edges[i].to));
		assert_string_equal(pg_fixture_value(&fx.a, sql), "1");
	}
}

/* Around the functions: a hand-written UPDATE that keeps every CHECK, so that only the diagram can refuse it. */
static bool moves(const char *id, enum job_state to)
{
	const char *sql =
	    arena_printf(&fx.a,
			 "DO $$ BEGIN UPDATE quern.job SET state = '%s', owner = 'x', lease_token = gen_random_uuid(),"
			 " lease_until = CASE WHEN '%s' = 'running' THEN now() END, started_at = now(),"
			 " finished_at = CASE WHEN %s THEN now() END WHERE id = '%s';"
			 " EXCEPTION WHEN check_violation THEN UPDATE quern.job_spec SET name = 'refused' WHERE job_id "
			 "= '%s'; END $$",
			 job_state_name(to), job_state_name(to), job_state_final(to) ? "true" : "false", id, id);
	pg_fixture_sql(sql);
	struct job j = get_job(id);
	bool refused = strcmp(j.name, "refused") == 0;
	if (!refused) assert_int_equal(j.state, to);
	return !refused;
}

static void the_table_refuses_every_other_move(void **state)
{
	(void)state;
	for (int from = 0; from < JOB_STATE_COUNT; from++) {
		for (int to = 0; to < JOB_STATE_COUNT; to++) {
			if (from == to) continue;
			struct job j = job_in_state((enum job_state)from, NULL);
			bool moved = moves(j.id, (enum job_state)to);
			if (moved != is_edge((enum job_state)from, (enum job_state)to))
				fail_msg("%s to %s: %s", job_state_name((enum job_state)from),
					 job_state_name((enum job_state)to), moved ? "moved" : "refused");
			assert_int_equal(fixture_reset(NULL), 0);
		}
	}
}

static void an_unknown_state_is_refused(void **state)
{
	(void)state;
	struct job j = job_in_state(JOB_queued, NULL);
	pg_fixture_sql(arena_printf(&fx.a,
				    "DO $$ BEGIN UPDATE quern.job SET state = 'paused' WHERE id = '%s';"
				    " EXCEPTION WHEN check_violation THEN NULL; END $$",
				    j.id));
	assert_int_equal(get_job(j.id).state, JOB_queued);
}

/* --- The calls, from every state ---------------------------------------------------------------------------------- */

static bool call_cancel(const struct job *j, const struct job_lease *lease, struct job *out)
{
	(void)lease;
	return job_cancel(fx.s, j->id, &fx.a, out, &fx.e);
}

static bool call_retry(const struct job *j, const struct job_lease *lease, struct job *out)
{
	(void)lease;
	char id[UUID_TEXT_SIZE];
	uuid_v7(id);
	return job_retry(fx.s, j->id, id, &fx.a, out, &fx.e);
}

static bool call_delete(const struct job *j, const struct job_lease *lease, struct job *out)
{
	(void)lease, (void)out;
	return job_delete(fx.s, j->id, &fx.e);
}

static bool call_succeed(const struct job *j, const struct job_lease *lease, struct job *out)
{
	(void)j, (void)out;
	int version;
	bool lost;
	assert_ok(job_succeed(fx.s, lease, &(struct job_result){0}, &version, &lost, &fx.e), &fx.e);
	return !lost;
}

static bool call_fail(const struct job *j, const struct job_lease *lease, struct job *out)
{
	(void)j, (void)out;
	enum job_state became;
	bool lost;
	assert_ok(job_fail(fx.s, lease, &(struct job_failure){.problem = "{}"}, &became, &lost, &fx.e), &fx.e);
	return !lost;
}

enum { Q = 1 << JOB_queued, R = 1 << JOB_running, S = 1 << JOB_succeeded, F = 1 << JOB_failed, C = 1 << JOB_cancelled };

static const struct {
	const char *name;
	bool (*call)(const struct job *, const struct job_lease *, struct job *);
	unsigned allowed;
} calls[] = {
	{"cancel", call_cancel, Q | R | C}, /* cancelled twice is cancelled */
	{"retry", call_retry, F | C},
	{"delete", call_delete, S | F | C},
	/* With the lease of the attempt that ended the job: done again is done. */
	{"succeed", call_succeed, R | S},
	{"fail", call_fail, R | S | F | C},
};

static void calls_are_allowed_where_they_should_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
		for (int from = 0; from < JOB_STATE_COUNT; from++) {
			struct job_lease lease;
			struct job out, j = job_in_state((enum job_state)from, &lease);
			if (from == JOB_queued) {
				lease.attempt = 1;
				memcpy(lease.job_id, j.id, sizeof lease.job_id);
				uuid_v7(lease.token);
			}
			bool ok = calls[i].call(&j, &lease, &out);
			if (ok != !!(calls[i].allowed & 1u << from))
				fail_msg("%s of a %s job", calls[i].name, job_state_name((enum job_state)from));
			if (!ok && err_is(&fx.e)) assert_int_equal(fx.e.code, ERR_conflict);
			if (!ok || job_state_final((enum job_state)from))
				if (calls[i].call != call_delete || !ok) assert_int_equal(get_job(j.id).state, from);
			assert_int_equal(fixture_reset(NULL), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_edge_is_one_function, fixture_reset),
		cmocka_unit_test_teardown(the_table_refuses_every_other_move, fixture_reset),
		cmocka_unit_test_teardown(an_unknown_state_is_refused, fixture_reset),
		cmocka_unit_test_teardown(calls_are_allowed_where_they_should_be, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
