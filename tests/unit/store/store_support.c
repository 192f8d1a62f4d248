#include "tests/unit/store/store_support.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct fixture fx;

int fixture_setup(void **state)
{
	if (pg_fixture_setup(state) != 0) return -1;
	err_init(&fx.e);
	fx.s = pg_fixture_store(0);
	return 0;
}

int fixture_teardown(void **state)
{
	store_close(fx.s);
	arena_release(&fx.a);
	return pg_fixture_teardown(state);
}

int fixture_reset(void **state)
{
	(void)state;
	pg_fixture_sql("DELETE FROM quern.job WHERE state IN ('queued', 'running')");
	arena_reset(&fx.a);
	err_init(&fx.e);
	return 0;
}

struct job_new new_job(const char *name)
{
	struct job_new n = {.name = name,
			    .kind = "train",
			    .spec = "{\"name\":\"x\"}",
			    .tags = "{\"team\":\"a\"}",
			    .priority = 3,
			    .max_attempts = 3,
			    .timeout_s = 60,
			    .seed = INT64_C(9007199254740993)};
	uuid_v7(n.id);
	return n;
}

struct job create_job(const struct job_new *n)
{
	struct job j;
	bool existing;
	assert_ok(job_create(fx.s, n, &fx.a, &j, &existing, &fx.e), &fx.e);
	assert_false(existing);
	return j;
}

struct job get_job(const char *id)
{
	struct job j;
	assert_ok(job_get(fx.s, id, &fx.a, &j, &fx.e), &fx.e);
	return j;
}

struct job_lease claim_job(unsigned lease_s)
{
	struct job j;
	struct job_lease lease;
	bool claimed = false;
	assert_ok(job_claim(fx.s, "tester", lease_s, &fx.a, &j, &lease, &claimed, &fx.e), &fx.e);
	assert_true(claimed);
	return lease;
}

struct job job_in_state(enum job_state state, struct job_lease *lease)
{
	struct job_new n = new_job("in-state");
	struct job j = create_job(&n);
	struct job_lease l = {0};
	enum job_state became;
	bool lost = false;
	int version;
	if (state != JOB_queued) {
		l = claim_job(60);
		assert_string_equal(l.job_id, n.id);
	}
	if (state == JOB_succeeded)
		assert_ok(job_succeed(fx.s, &l, &(struct job_result){.metrics = "{}"}, &version, &lost, &fx.e), &fx.e);
	if (state == JOB_cancelled) assert_ok(job_cancel(fx.s, n.id, &fx.a, &j, &fx.e), &fx.e);
	if (state == JOB_failed || state == JOB_cancelled)
		assert_ok(
		    job_fail(fx.s, &l, &(struct job_failure){.problem = "{\"status\":422}"}, &became, &lost, &fx.e),
		    &fx.e);
	assert_false(lost);
	if (lease) *lease = l;
	j = get_job(n.id);
	assert_int_equal(j.state, state);
	return j;
}

int publish(struct job_result r)
{
	struct job_lease lease;
	bool lost = true;
	int version;
	job_in_state(JOB_running, &lease);
	assert_ok(job_succeed(fx.s, &lease, &r, &version, &lost, &fx.e), &fx.e);
	assert_false(lost);
	return version;
}

/* --- At once ------------------------------------------------------------------------------------------------------ */

struct worker {
	pthread_t thread;
	void (*body)(size_t);
	size_t index;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	w->body(w->index);
	return NULL;
}

void run_threads(size_t n, void (*body)(size_t))
{
	struct worker *workers = mem_zalloc(n, sizeof *workers);
	for (size_t i = 0; i < n; i++) {
		workers[i].body = body;
		workers[i].index = i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
	}
	for (size_t i = 0; i < n; i++) pthread_join(workers[i].thread, NULL);
	mem_free(workers);
}

void run_processes(size_t n, int (*body)(size_t))
{
	pid_t *pids = mem_zalloc(n, sizeof *pids);
	for (size_t i = 0; i < n; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) _exit(body(i));
	}
	for (size_t i = 0; i < n; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	mem_free(pids);
}

void sleep_ms(int ms) { nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL); }
