/* The launcher against workers that succeed, die, hang, eat memory, lie (play_worker.c). */
#include "tests/support/support.h"

#include "base/clock.h"
#include "trainer/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 30, MEMORY = 96 << 20 };

struct play {
	struct launch *launch;
	struct launch_options o;
	char spec[128], worker[512], log[4096];
	size_t lines, reports;
	char *dir;
	struct arena arena;
	enum launch_end end;
	double seconds;
};

static void on_log(void *ctx, const char *line, size_t len)
{
	struct play *p = ctx;
	p->lines++;
	snprintf(p->log, sizeof p->log, "%.*s", (int)len, line);
}

static void on_progress(void *ctx, const struct launch *l)
{
	struct play *p = ctx;
	(void)l;
	p->reports++;
}

static void setup(struct play *p, const char *name)
{
	*p = (struct play){.arena = ARENA_INIT};
	p->dir = support_tmp(&p->arena);
	snprintf(p->spec, sizeof p->spec, "{\"tags\":{\"play\":\"%s\"},\"pipeline\":[]}", name);
	snprintf(p->worker, sizeof p->worker, "%s/tests/play_worker", support_build());
	p->o = (struct launch_options){.worker_path = p->worker,
				       .spec_text = p->spec,
				       .spec_len = strlen(p->spec),
				       .workers = 2,
				       .memory_max = MEMORY,
				       .work_dir = p->dir,
				       .checkpoint_s = 30,
				       .hang_s = 20,
				       .grace_s = 10};
}

static void start(struct play *p)
{
	struct err e;
	err_init(&e);
	const struct launch_events ev = {p, on_progress, on_log};
	assert_ok(launch_start(&p->o, &ev, &p->launch, &e), &e);
}

static void follow(struct play *p)
{
	int64_t begin = clock_mono_ns();
	do {
		p->end = launch_poll(p->launch, 100);
		p->seconds = (double)(clock_mono_ns() - begin) * 1e-9;
	} while (p->end == LAUNCH_RUNNING && p->seconds < PATIENCE_S);
	assert_int_not_equal(p->end, LAUNCH_RUNNING);
	for (unsigned r = 0; r < p->o.workers; r++) assert_int_equal(launch_pid(p->launch, r), 0);
}

static void teardown(struct play *p)
{
	launch_destroy(p->launch);
	support_tmp_remove(p->dir);
	arena_release(&p->arena);
}

static void a_gang_delivers(void **state)
{
	struct play p;
	uint64_t done, total;
	struct buf json = BUF_INIT(4096);
	struct json_writer w = JSON_WRITER(&json);
	(void)state;
	for (unsigned workers = 1; workers <= 5; workers += 2) {
		setup(&p, "succeed");
		p.o.workers = workers;
		start(&p);
		follow(&p);
		assert_int_equal(p.end, LAUNCH_SUCCEEDED);
		const struct train_result *r = launch_result(p.launch);
		assert_string_equal(r->container.data, "model");
		assert_string_equal(r->metrics.data, "{\"accuracy\":0.5}");
		assert_int_equal(r->rows_train, 7);
		assert_true(launch_fraction(p.launch) == 1);
		launch_rows(p.launch, &done, &total);
		assert_true(done == 7 && total == 7);
		assert_string_equal(p.log, "rank 0: a line with   control and ?");
		assert_true(p.reports > 0);
		teardown(&p);
	}
	setup(&p, "succeed");
	start(&p);
	follow(&p);
	launch_resources_json(p.launch, &w);
	assert_non_null(strstr(buf_cstr(&json), "{\"workers\":2,\"executor\":\"local\",\"cpuSeconds\":0."));
	teardown(&p);
	buf_release(&json);
}

/* What ends a gang, as which error, lost or not, worth another attempt or not. */
static const struct {
	const char *play;
	enum err_code code;
	bool lost, retryable;
	const char *says;
} endings[] = {
	{"killed", ERR_worker_crashed, true, true, "rank 1 was killed by signal 9 (Killed)"},
	{"aborts", ERR_worker_crashed, true, true, "was killed by signal 6 (Aborted)"},
	{"exits", ERR_worker_crashed, true, true, "rank 0 exited with status 3"},
	{"out of memory", ERR_out_of_memory, false, false, "rank 0 needed more than resources.memory"},
	{"silent", ERR_worker_crashed, true, true, "the workers ended without a result"},
	{"eats", ERR_out_of_memory, false, false, "resources.memory is 100663296"},
	{"shares too much", ERR_out_of_memory, false, false, "resources.memory"},
	{"refuses", ERR_data, false, false, "the data are bad"},
	{"garbage", ERR_worker_crashed, true, true, "rank 1 sent a malformed frame"},
	{"false result", ERR_worker_crashed, true, true, "rank 0 sent a malformed result"},
	{"foreign result", ERR_worker_crashed, true, true, "rank 0 sent a malformed result"},
	{"other's result", ERR_worker_crashed, true, true, "rank 1 sent a malformed result"},
};

static void every_ending_has_its_obituary(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
		struct play p;
		setup(&p, endings[i].play);
		start(&p);
		follow(&p);
		const struct err *e = launch_error(p.launch);
		print_message("%-16s %s\n", endings[i].play, e->detail);
		assert_int_equal(p.end, LAUNCH_FAILED);
		assert_int_equal(e->code, endings[i].code);
		assert_non_null(strstr(e->detail, endings[i].says));
		assert_int_equal(launch_worker_lost(p.launch), endings[i].lost);
		assert_int_equal(launch_retryable(p.launch), endings[i].retryable);
		assert_true(p.seconds < 10);
		teardown(&p);
	}
}

static void faults_come_with_their_pointers(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "refuses");
	start(&p);
	follow(&p);
	assert_int_equal(launch_error(p.launch)->fault_count, 1);
	assert_string_equal(launch_error(p.launch)->faults[0].pointer, "/pipeline/0/inputCol");
	teardown(&p);
}

static void a_silent_rank_is_hung(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "hangs");
	p.o.hang_s = 1;
	start(&p);
	follow(&p);
	assert_int_equal(p.end, LAUNCH_FAILED);
	assert_int_equal(launch_error(p.launch)->code, ERR_worker_hung);
	assert_string_equal(launch_error(p.launch)->detail, "rank 1 has made no progress for 1 s");
	assert_true(launch_worker_lost(p.launch) && launch_retryable(p.launch));
	teardown(&p);
}

static void a_stopped_process_is_hung(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "ignores all");
	p.o.hang_s = 1;
	start(&p);
	kill(launch_pid(p.launch, 0), SIGSTOP);
	follow(&p);
	assert_int_equal(launch_error(p.launch)->code, ERR_worker_hung);
	teardown(&p);
}

static void slow_is_not_hung(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "slow but alive");
	p.o.hang_s = 1;
	start(&p);
	follow(&p);
	assert_int_equal(p.end, LAUNCH_SUCCEEDED);
	assert_true(p.seconds > 2);
	teardown(&p);
}

static void time_runs_out(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "ignores all");
	p.o.timeout_s = 1;
	start(&p);
	follow(&p);
	assert_int_equal(launch_error(p.launch)->code, ERR_timed_out);
	assert_false(launch_worker_lost(p.launch) || launch_retryable(p.launch));
	teardown(&p);
}

static void a_stop_saves_first(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "saves and stops");
	char *dir = arena_printf(&p.arena, "%s/checkpoints", p.dir);
	p.o.checkpoint_dir = dir;
	start(&p);
	launch_stop(p.launch);
	launch_stop(p.launch);
	follow(&p);
	assert_int_equal(p.end, LAUNCH_STOPPED);
	assert_int_equal(launch_error(p.launch)->code, ERR_cancelled);
	struct str saved = support_read(&p.arena, arena_printf(&p.arena, "%s/1.ckpt", dir));
	assert_string_equal(saved.data, "where it stood");
	teardown(&p);
}

static void a_stop_has_an_end(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "ignores all");
	p.o.grace_s = 1;
	start(&p);
	launch_stop(p.launch);
	follow(&p);
	assert_int_equal(p.end, LAUNCH_STOPPED);
	assert_true(p.seconds < 5);
	teardown(&p);
}

static void destroy_leaves_nobody(void **state)
{
	struct play p;
	pid_t pids[2];
	(void)state;
	setup(&p, "ignores all");
	start(&p);
	for (unsigned r = 0; r < 2; r++) pids[r] = launch_pid(p.launch, r);
	teardown(&p);
	for (unsigned r = 0; r < 2; r++) assert_int_equal(kill(pids[r], 0), -1);
}

static void a_missing_program_is_an_error(void **state)
{
	struct play p;
	struct err e;
	(void)state;
	setup(&p, "succeed");
	p.o.worker_path = "/nowhere/quern-worker";
	err_init(&e);
	const struct launch_events ev = {&p, NULL, NULL};
	assert_false(launch_start(&p.o, &ev, &p.launch, &e));
	assert_int_equal(e.code, ERR_io);
	assert_null(p.launch);
	teardown(&p);
}

static void floods_of_lines_are_cut(void **state)
{
	struct play p;
	(void)state;
	setup(&p, "floods");
	start(&p);
	follow(&p);
	assert_int_equal(p.end, LAUNCH_SUCCEEDED);
	assert_int_equal(p.lines, 10000);
	teardown(&p);
}

static void a_worker_is_born_with_little(void **state)
{
	struct play p;
	sigset_t term, before;
	(void)state;
	setenv("QUERN_DATABASE_URL", "postgres://secret", 1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	int leaky = dup2(STDERR_FILENO, 40); /* without close-on-exec */
	setup(&p, "surroundings");
	start(&p);
	follow(&p);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(leaky);
	unsetenv("QUERN_DATABASE_URL");
	for (size_t i = 0; i < launch_error(p.launch)->fault_count; i++)
		print_error("%s\n", launch_error(p.launch)->faults[i].detail);
	assert_int_equal(p.end, LAUNCH_SUCCEEDED);
	teardown(&p);
}

/* A launcher that dies takes its workers with it. */
static void orphans_die(void **state)
{
	int tell[2];
	pid_t pids[2];
	(void)state;
	assert_int_equal(pipe(tell), 0);
	pid_t launcher = fork();
	if (launcher == 0) {
		struct play p;
		setup(&p, "ignores all");
		start(&p);
		for (unsigned r = 0; r < 2; r++) pids[r] = launch_pid(p.launch, r);
		if (write(tell[1], pids, sizeof pids) != sizeof pids) _exit(1);
		for (;;) launch_poll(p.launch, 1000);
	}
	assert_int_equal(read(tell[0], pids, sizeof pids), sizeof pids);
	usleep(200000); /* past the workers' first lines */
	kill(launcher, SIGKILL);
	assert_int_equal(waitpid(launcher, NULL, 0), launcher);
	for (int tries = 0; tries < 100 && (kill(pids[0], 0) == 0 || kill(pids[1], 0) == 0); tries++) usleep(50000);
	for (unsigned r = 0; r < 2; r++) {
		char path[64], stat[128] = "";
		snprintf(path, sizeof path, "/proc/%d/stat", (int)pids[r]);
		FILE *f = fopen(path, "r");
		if (!f) continue;
		if (!fgets(stat, sizeof stat, f)) stat[0] = 0;
		fclose(f);
		assert_non_null(strstr(stat, ") Z ")); /* dead, and nobody has asked yet */
	}
	close(tell[0]);
	close(tell[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gang_delivers),
		cmocka_unit_test(every_ending_has_its_obituary),
		cmocka_unit_test(faults_come_with_their_pointers),
		cmocka_unit_test(a_silent_rank_is_hung),
		cmocka_unit_test(a_stopped_process_is_hung),
		cmocka_unit_test(slow_is_not_hung),
		cmocka_unit_test(time_runs_out),
		cmocka_unit_test(a_stop_saves_first),
		cmocka_unit_test(a_stop_has_an_end),
		cmocka_unit_test(destroy_leaves_nobody),
		cmocka_unit_test(a_missing_program_is_an_error),
		cmocka_unit_test(floods_of_lines_are_cut),
		cmocka_unit_test(a_worker_is_born_with_little),
		cmocka_unit_test(orphans_die),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
