/* Success: model, alias, metrics and final state together, or not at all. */
#include "tests/unit/store/store_support.h"

#include <stdio.h>
#include <string.h>

static struct job_result result_of(const char *model, const char *metrics)
{
	return (struct job_result){.metrics = metrics,
				   .model_name = model,
				   .container = "container",
				   .container_len = 9,
				   .manifest = "{\"stages\":[]}"};
}

static const char *production(const char *model)
{
	struct model_alias alias;
	if (!model_alias_get(fx.s, model, "production", &fx.a, &alias, &fx.e)) {
		err_init(&fx.e);
		return "none";
	}
	return alias.target;
}

static void everything_of_a_success_shows(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job j = job_in_state(JOB_running, &lease);
	struct job_result r = result_of("full", "{\"auc\":0.9}");
	struct model_version v;
	bool lost;
	int version;
	r.evaluation = "{\"roc\":[]}";
	r.stages = "[1]";
	r.shards = "[2]";
	r.resources = "{\"workers\":2}";
	assert_ok(job_succeed(fx.s, &lease, &r, &version, &lost, &fx.e), &fx.e);
	assert_true(!lost && version == 1);
	j = get_job(j.id);
	assert_int_equal(j.state, JOB_succeeded);
	assert_string_equal(j.metrics, r.metrics);
	assert_string_equal(j.evaluation, r.evaluation);
	assert_string_equal(j.stages, "[1]");
	assert_string_equal(j.shards, "[2]");
	assert_string_equal(j.resources, r.resources);
	assert_string_equal(j.model_name, "full");
	assert_int_equal(j.model_version, 1);
	assert_true(j.fraction == 1 && j.finished_at > 0 && !j.error);
	assert_ok(model_version_get(fx.s, "full", 1, &fx.a, &v, &fx.e), &fx.e);
	assert_string_equal(v.job_id, j.id);
	assert_string_equal(v.manifest, r.manifest);
	assert_int_equal(v.size, 9);
}

static void done_twice_is_done_once(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job_result r = result_of("twice", "{}");
	bool lost;
	int version;
	job_in_state(JOB_running, &lease);
	for (int i = 0; i < 3; i++) {
		assert_ok(job_succeed(fx.s, &lease, &r, &version, &lost, &fx.e), &fx.e);
		assert_true(!lost && version == 1);
	}
	struct model m;
	assert_ok(model_get(fx.s, "twice", &fx.a, &m, &fx.e), &fx.e);
	assert_int_equal(m.version_count, 1);
}

static void versions_count_up_and_a_job_without_model_makes_none(void **state)
{
	(void)state;
	assert_int_equal(publish(result_of("counted", "{}")), 1);
	assert_int_equal(publish(result_of("counted", "{}")), 2);
	assert_int_equal(publish((struct job_result){.metrics = "{}"}), 0);
	assert_int_equal(publish(result_of("counted", "{}")), 3);
}

static void a_cancel_that_came_first_wins(void **state)
{
	(void)state;
	struct job_lease lease;
	struct job out, j = job_in_state(JOB_running, &lease);
	struct job_result r = result_of("cancelled-model", "{}");
	bool lost;
	int version = -1;
	assert_ok(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), &fx.e);
	assert_ok(job_succeed(fx.s, &lease, &r, &version, &lost, &fx.e), &fx.e);
	assert_true(!lost && version == 0);
	assert_int_equal(get_job(j.id).state, JOB_cancelled);
	struct model m;
	assert_err(model_get(fx.s, "cancelled-model", &fx.a, &m, &fx.e), no_model);
	/* The other way round the success stands, and the answer says so. */
	j = job_in_state(JOB_succeeded, NULL);
	assert_err(job_cancel(fx.s, j.id, &fx.a, &out, &fx.e), conflict);
}

/* The look at the standing is over, the transaction under way, when the lease is taken away: nothing of it may stay. */
static struct job_lease slow_lease;
static bool slow_ok, slow_lost;
static int slow_version;

static void publish_or_rescue(size_t index)
{
	struct err e;
	err_init(&e);
	if (index == 0) {
		struct job_result r = result_of("contended", "{}");
		slow_ok = job_succeed(fx.s, &slow_lease, &r, &slow_version, &slow_lost, &e);
		if (!slow_ok) print_error("%s\n", e.detail);
		return;
	}
	wait_until(pg_fixture_value(&fx.a, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != NULL);
	pg_fixture_sql("UPDATE quern.job SET lease_until = now() - interval '1 s' WHERE state = 'running'");
	unsigned count;
	if (!job_rescue(fx.s, 0, 3, &count, &e) || count != 1) print_error("rescue: %u %s\n", count, e.detail);
	pg_fixture_release("ROLLBACK");
}

static void a_lease_lost_while_publishing_undoes_it_all(void **state)
{
	(void)state;
	assert_int_equal(publish(result_of("contended", "{}")), 1);
	struct job j = job_in_state(JOB_running, &slow_lease);
	pg_fixture_hold("BEGIN; SELECT FROM quern.model WHERE name = 'contended' FOR UPDATE");
	run_threads(2, publish_or_rescue);
	assert_true(slow_ok && slow_lost && slow_version == 0);
	assert_int_equal(get_job(j.id).state, JOB_queued);
	struct model m;
	assert_ok(model_get(fx.s, "contended", &fx.a, &m, &fx.e), &fx.e);
	assert_int_equal(m.version_count, 1);
	assert_null(pg_fixture_value(
	    &fx.a, "SELECT 1 FROM quern.model_chunk WHERE version_id NOT IN (SELECT id FROM quern.model_version)"));
}

static void promotion_always_or_when_better(void **state)
{
	(void)state;
	static const struct {
		const char *when, *metric, *metrics;
		bool larger_better;
		const char *production;
	} steps[] = {
	    {"better", "auc", "{\"loss\":1}", true, "none"}, /* no metric, nothing to boast of */
	    {"better", "auc", "{\"auc\":0.8,\"loss\":0.5}", true, "{\"version\": 2}"},
	    {"better", "auc", "{\"auc\":0.8,\"loss\":0.4}", true, "{\"version\": 2}"},
	    {"better", "auc", "{\"auc\":0.81}", true, "{\"version\": 4}"},
	    {"better", NULL, "{\"auc\":0.79}", true, "{\"version\": 4}"},
	    {"better", "loss", "{\"loss\":9}", false, "{\"version\": 6}"}, /* the old one has no loss to compare with */
	    {"better", "loss", "{\"loss\":9}", false, "{\"version\": 6}"},
	    {"better", "loss", "{\"loss\":8.5}", false, "{\"version\": 8}"},
	    {"better", "loss", "{\"loss\":null}", false, "{\"version\": 8}"},
	    {"always", NULL, "{}", true, "{\"version\": 10}"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
		struct job_result r = result_of("promoted", steps[i].metrics);
		r.promote_alias = "production";
		r.promote_when = steps[i].when;
		r.promote_metric = steps[i].metric;
		r.promote_larger_better = steps[i].larger_better;
		assert_int_equal(publish(r), (int)i + 1);
		assert_string_equal(production("promoted"), steps[i].production);
	}
	struct model_alias *history;
	size_t count;
	assert_ok(model_alias_history(fx.s, "promoted", "production", 100, &fx.a, &history, &count, &fx.e), &fx.e);
	assert_int_equal(count, 5);
	assert_string_equal(history[0].target, "{\"version\": 10}");
	/* Of a split the version with most traffic is the one to beat. */
	assert_ok(model_alias_set(fx.s, "promoted", "production", "{\"split\":{\"2\":90,\"4\":10}}", &fx.e), &fx.e);
	struct job_result r = result_of("promoted", "{\"auc\":0.805}");
	r.promote_alias = "production";
	r.promote_when = "better";
	r.promote_larger_better = true;
	publish(r);
	assert_string_equal(production("promoted"), "{\"version\": 11}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(everything_of_a_success_shows, fixture_reset),
		cmocka_unit_test_teardown(done_twice_is_done_once, fixture_reset),
		cmocka_unit_test_teardown(versions_count_up_and_a_job_without_model_makes_none, fixture_reset),
		cmocka_unit_test_teardown(a_cancel_that_came_first_wins, fixture_reset),
		cmocka_unit_test_teardown(a_lease_lost_while_publishing_undoes_it_all, fixture_reset),
		cmocka_unit_test_teardown(promotion_always_or_when_better, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
