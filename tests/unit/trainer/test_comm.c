/* Communicators: one rank alone, and gangs of processes over shared memory. */
#include "tests/support/support.h"

#include "base/clock.h"
#include "tests/unit/trainer/comm_suite.h"
#include "trainer/comm_local.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RANKS_MAX = 8, GANG_MEMORY = 256 << 20, HUNG_AFTER_S = 60 };

static void serial_conforms(void **state)
{
	(void)state;
	struct comm *c = comm_serial_create();
	assert_true(comm_suite(c));
	comm_serial_destroy(c);
}

/* Runs body as every rank, each in a process of its own. */
typedef bool (*rank_body)(struct comm *c, struct gang *g);

static void start_ranks(struct gang *g, unsigned ranks, rank_body body, pid_t *pids)
{
	for (unsigned r = 0; r < ranks; r++) {
		pids[r] = fork();
		assert_true(pids[r] >= 0);
		if (pids[r] > 0) continue;
		struct gang *mine;
		struct err e;
		err_init(&e);
		alarm(HUNG_AFTER_S);
		if (!gang_attach(gang_fd(g), &mine, &e)) _exit(2);
		struct comm *c = comm_local_create(mine, r);
		bool ok = body(c, mine);
		comm_local_destroy(c);
		gang_destroy(mine);
		_exit(ok ? 0 : 1);
	}
}

static int wait_status(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool suite_body(struct comm *c, struct gang *g)
{
	(void)g;
	return comm_suite(c);
}

static void local_conforms(void **state)
{
	static const unsigned sizes[] = {1, 2, 3, 5, 8};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
		struct gang *g;
		struct err e;
		pid_t pids[RANKS_MAX];
		err_init(&e);
		assert_ok(gang_create(sizes[k], GANG_MEMORY, &g, &e), &e);
		start_ranks(g, sizes[k], suite_body, pids);
		for (unsigned r = 0; r < sizes[k]; r++) assert_int_equal(wait_status(pids[r]), 0);
		gang_destroy(g);
	}
}

/* Rank 1 dies in the middle; the others must come back with an error, from whichever call they are in. */
static bool dying_body(struct comm *c, struct gang *g)
{
	struct err e;
	(void)g;
	err_init(&e);
	for (unsigned i = 0; i < 3; i++)
		if (!c->ops->barrier(c, &e)) return false;
	if (c->rank == 1) raise(SIGKILL);
	struct buf b = BUF_INIT(1 << 20);
	struct str parts[COMM_RANKS_MAX];
	bool failed = c->rank == 0 ? !c->ops->barrier(c, &e) : !c->ops->gather(c, "x", 1, &b, parts, &e);
	failed = failed && e.code == ERR_internal && c->ops->stopped(c) && !c->ops->barrier(c, &e);
	failed = failed && !comm_agree(c, true, &e);
	buf_release(&b);
	return failed;
}

static void a_lost_rank_fails_the_others(void **state)
{
	struct gang *g;
	struct err e;
	pid_t pids[3];
	(void)state;
	err_init(&e);
	assert_ok(gang_create(3, GANG_MEMORY, &g, &e), &e);
	start_ranks(g, 3, dying_body, pids);
	assert_true(WIFSIGNALED(wait_status(pids[1])));
	int64_t begin = clock_mono_ns();
	gang_break(g); /* what the launcher does at an obituary */
	assert_int_equal(wait_status(pids[0]), 0);
	assert_int_equal(wait_status(pids[2]), 0);
	assert_true(clock_mono_ns() - begin < INT64_C(5000000000));
	gang_destroy(g);
}

static bool waiting_body(struct comm *c, struct gang *g)
{
	struct err e;
	err_init(&e);
	if (c->rank == 0) {
		while (!gang_waiting(g, 1)) usleep(1000); /* the other is seen to wait */
		if (gang_waiting(g, 0) || gang_beats(g, 1) == 0) return false;
	}
	return c->ops->barrier(c, &e) && !gang_waiting(g, c->rank);
}

static void waiting_is_seen(void **state)
{
	struct gang *g;
	struct err e;
	pid_t pids[2];
	(void)state;
	err_init(&e);
	assert_ok(gang_create(2, GANG_MEMORY, &g, &e), &e);
	start_ranks(g, 2, waiting_body, pids);
	assert_int_equal(wait_status(pids[0]), 0);
	assert_int_equal(wait_status(pids[1]), 0);
	gang_destroy(g);
}

static void a_held_stop_waits(void **state)
{
	struct gang *g, *rank;
	struct err e;
	(void)state;
	err_init(&e);
	assert_ok(gang_create(1, GANG_MEMORY, &g, &e), &e);
	assert_ok(gang_attach(gang_fd(g), &rank, &e), &e);
	struct comm *c = comm_local_create(rank, 0);
	gang_hold(rank, true);
	gang_stop(g);
	assert_true(gang_stop_asked(rank));
	assert_false(c->ops->stopped(c));
	gang_hold(rank, false);
	assert_true(c->ops->stopped(c));
	gang_hold(rank, true);
	gang_break(g);
	assert_true(c->ops->stopped(c));
	comm_local_destroy(c);
	gang_destroy(rank);
	gang_destroy(g);
}

static bool greedy_body(struct comm *c, struct gang *g)
{
	(void)g;
	c->ops->alloc(c, GANG_MEMORY / sizeof(double) + 1);
	return true;
}

static void too_much_is_out_of_memory(void **state)
{
	struct gang *g;
	struct err e;
	pid_t pid;
	(void)state;
	err_init(&e);
	assert_ok(gang_create(1, GANG_MEMORY, &g, &e), &e);
	start_ranks(g, 1, greedy_body, &pid);
	int status = wait_status(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), MEM_EXIT_OOM);
	gang_destroy(g);
}

static void memory_is_sparse(void **state)
{
	struct gang *g;
	struct err e;
	(void)state;
	err_init(&e);
	assert_ok(gang_create(8, (uint64_t)64 << 30, &g, &e), &e); /* more than there is */
	assert_true(gang_bytes(g) < 1 << 20);
	gang_destroy(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_conforms),
		cmocka_unit_test(local_conforms),
		cmocka_unit_test(a_lost_rank_fails_the_others),
		cmocka_unit_test(waiting_is_seen),
		cmocka_unit_test(a_held_stop_waits),
		cmocka_unit_test(too_much_is_out_of_memory),
		cmocka_unit_test(memory_is_sparse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
