/* The crew and the waiters: whatever is handed to them comes back exactly once. */
#include "tests/support/support.h"

#include "server/crew.h"
#include "server/waiters.h"

#include <stdatomic.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define LATER (clock_mono_ns() + 3600 * 1000 * NS_PER_MS)

static _Atomic int woken;
static struct waiter *_Atomic last;

static void on_wake(void *ctx QN_UNUSED, struct waiter *w)
{
	last = w;
	woken++;
}

static struct waiters *start(void)
{
	struct waiters *ws;
	struct err e;
	err_init(&e);
	woken = 0;
	assert_ok(waiters_start(on_wake, NULL, &ws, &e), &e);
	return ws;
}

static void until_woken(int n)
{
	for (int i = 0; i < 500 && woken < n; i++) usleep(10000);
	assert_int_equal(woken, n);
}

static void a_change_wakes_its_own(void **state QN_UNUSED)
{
	struct waiters *ws = start();
	struct waiter a = {0}, b = {0};
	assert_true(waiters_park(ws, &a, "a", waiters_mark(ws, "a"), LATER));
	assert_true(waiters_park(ws, &b, "b", waiters_mark(ws, "b"), LATER));
	waiters_notify(ws, "c");
	assert_int_equal(woken, 0);
	waiters_notify(ws, "a");
	assert_int_equal(woken, 1);
	assert_ptr_equal(last, &a);
	waiters_notify(ws, NULL);
	assert_int_equal(woken, 2);
	assert_int_equal(waiters_count(ws), 0);
	waiters_destroy(ws);
}

static void a_change_between_look_and_park_is_not_missed(void **state QN_UNUSED)
{
	struct waiters *ws = start();
	struct waiter a = {0};
	uint64_t mark = waiters_mark(ws, "a");
	waiters_notify(ws, "a");
	assert_true(waiters_park(ws, &a, "a", mark, LATER));
	assert_int_equal(woken, 1);
	waiters_destroy(ws);
}

static void deadlines_and_looks_wake(void **state QN_UNUSED)
{
	struct waiters *ws = start();
	struct waiter a = {0}, b = {0};
	int64_t began = clock_mono_ns();
	assert_true(waiters_park(ws, &a, "a", waiters_mark(ws, "a"), began + 50 * NS_PER_MS));
	until_woken(1);
	assert_true(clock_mono_ns() - began >= 50 * NS_PER_MS);
	assert_true(waiters_park(ws, &b, "b", waiters_mark(ws, "b"), LATER));
	until_woken(2);
	assert_true(clock_mono_ns() - began >= WAITERS_LOOK_MS * NS_PER_MS);
	waiters_destroy(ws);
}

static void closing_wakes_all_and_takes_no_more(void **state QN_UNUSED)
{
	enum { MANY = 100 };
	struct waiters *ws = start();
	struct waiter w[MANY] = {0}, late = {0};
	for (int i = 0; i < MANY; i++) assert_true(waiters_park(ws, &w[i], "k", waiters_mark(ws, "k"), LATER));
	waiters_close(ws);
	assert_int_equal(woken, MANY);
	assert_false(waiters_park(ws, &late, "k", waiters_mark(ws, "k"), LATER));
	waiters_destroy(ws);
}

/* --- Crew --------------------------------------------------------------------------------------------------------- */

struct job {
	struct crew_task task;
	_Atomic int ran;
};
static _Atomic bool held;

static void run(void *ctx QN_UNUSED, unsigned thread QN_UNUSED, struct crew_task *t)
{
	while (held) usleep(1000);
	((struct job *)t)->ran++;
}

static void a_full_queue_refuses_and_stopping_runs_the_rest(void **state QN_UNUSED)
{
	enum { THREADS = 2, QUEUE = 10, MANY = 50 };
	struct crew *c;
	struct err e;
	struct job jobs[MANY] = {0};
	struct crew_options o = {.name = "test", .threads = THREADS, .queue_max = QUEUE, .run = run};
	int taken = 0, ran = 0;
	err_init(&e);
	held = true;
	assert_ok(crew_start(&o, &c, &e), &e);
	for (int i = 0; i < MANY - 1; i++)
		if (crew_push(c, &jobs[i].task, false)) taken++;
	assert_in_range(taken, QUEUE, QUEUE + THREADS);
	assert_true(crew_push(c, &jobs[MANY - 1].task, true));
	assert_true(crew_queued(c) >= QUEUE);
	held = false;
	crew_stop(c);
	for (int i = 0; i < MANY; i++) {
		assert_in_range(jobs[i].ran, 0, 1);
		ran += jobs[i].ran;
	}
	assert_int_equal(ran, taken + 1);
	assert_false(crew_push(c, &jobs[0].task, true));
	crew_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_wakes_its_own),
		cmocka_unit_test(a_change_between_look_and_park_is_not_missed),
		cmocka_unit_test(deadlines_and_looks_wake),
		cmocka_unit_test(closing_wakes_all_and_takes_no_more),
		cmocka_unit_test(a_full_queue_refuses_and_stopping_runs_the_rest),
	};
	return cmocka_run_group_tests_name("waiters", tests, NULL, NULL);
}
