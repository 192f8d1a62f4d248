/* What the store's tests share: jobs in a known state, waiting, threads and processes at once. */
#ifndef QUERN_TESTS_STORE_SUPPORT_H
#define QUERN_TESTS_STORE_SUPPORT_H

#include "tests/support/pg_fixture.h"

#include "store/job.h"
#include "store/model.h"

/* The store of a test program, with an arena that each test empties. */
struct fixture {
	struct store *s;
	struct arena a;
	struct err e;
};
extern struct fixture fx;
/* Group set-up and tear-down: cluster, store; test tear-down: arena and err, and no job is left queued or running. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
int fixture_reset(void **state);

#define assert_err(ok, code_)                                                                                          \
	do {                                                                                                           \
		assert_false(ok);                                                                                      \
		assert_int_equal(fx.e.code, ERR_##code_);                                                              \
		err_init(&fx.e);                                                                                       \
	} while (0)

/* A plain new job; the caller changes what matters to it. */
struct job_new new_job(const char *name);
struct job create_job(const struct job_new *n);
struct job get_job(const char *id);
/* Claims; the test fails where there is nothing. */
struct job_lease claim_job(unsigned lease_s);
/* A new job brought to a state; *lease, where not NULL, is that of its last attempt. */
struct job job_in_state(enum job_state state, struct job_lease *lease);

/* Publishes by a job of its own; returns the version. */
int publish(struct job_result r);

/* Runs body in n threads at once, index given, and waits for all. */
void run_threads(size_t n, void (*body)(size_t index));
/* The same in processes; the test fails when one exits with anything but 0. */
void run_processes(size_t n, int (*body)(size_t index));
/* Polls every few milliseconds; the test fails after ten seconds. */
#define wait_until(cond)                                                                                               \
	do {                                                                                                           \
		int64_t give_up_ = clock_mono_ns() + INT64_C(10000000000);                                             \
		while (!(cond)) {                                                                                      \
			if (clock_mono_ns() > give_up_) fail_msg("waited in vain for %s", #cond);                      \
			sleep_ms(5);                                                                                   \
		}                                                                                                      \
	} while (0)
void sleep_ms(int ms);

#endif
