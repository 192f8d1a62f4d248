/* The private Postgres: does it start, survive, come back, and keep others out? */
#include "tests/unit/store/store_support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static struct err e;
static char *dir;

static int setup(void **state)
{
	(void)state;
	err_init(&e);
	dir = support_tmp(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	support_tmp_remove(dir);
	arena_reset(&arena);
	return 0;
}

static bool answers(const struct embedded *em)
{
	struct store *s = store_open(&(struct store_options){.url = embedded_url(em), .pool_max = 1});
	struct err ignored;
	err_init(&ignored);
	bool ok = store_ping(s, &ignored);
	store_close(s);
	return ok;
}

static pid_t postmaster_pid(void)
{
	struct str text = support_read(&arena, arena_printf(&arena, "%s/postgres/postmaster.pid", dir));
	return (pid_t)atoi(text.data);
}

static void starts_and_stops(void **state)
{
	(void)state;
	struct embedded *em;
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_true(answers(em));
	pid_t pid = postmaster_pid();
	embedded_stop(em);
	assert_int_equal(kill(pid, 0), -1);

	int64_t start = clock_mono_ns();
	assert_ok(embedded_start(dir, &em, &e), &e);
	print_message("start of an existing cluster: %.0f ms\n", (double)(clock_mono_ns() - start) / 1e6);
	assert_true(answers(em));
	embedded_stop(em);
}

static void has_no_way_in_but_its_socket(void **state)
{
	(void)state;
	struct embedded *em;
	struct stat st;
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_int_equal(stat(arena_printf(&arena, "%s/run", dir), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(arena_printf(&arena, "%s/postgres", dir), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	/* tcp 5432 of the loopback is 0100007F:1538 in the kernel's list */
	assert_null(strstr(support_read(&arena, "/proc/net/tcp").data, "0100007F:1538 00000000:0000 0A"));
	embedded_stop(em);
}

/* What is left by kill -9 of the program that started it. */
static void start_and_die(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct embedded *em;
		struct err mine;
		err_init(&mine);
		_exit(embedded_start(dir, &em, &mine) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_live_postmaster_is_adopted(void **state)
{
	(void)state;
	struct embedded *em;
	start_and_die();
	pid_t pid = postmaster_pid();
	assert_int_equal(kill(pid, 0), 0);
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_int_equal(postmaster_pid(), pid);
	assert_true(answers(em));
	embedded_stop(em);
	wait_until(access(arena_printf(&arena, "%s/postgres/postmaster.pid", dir), F_OK) != 0);
}

static void a_killed_postmaster_comes_back(void **state)
{
	(void)state;
	struct embedded *em;
	assert_ok(embedded_start(dir, &em, &e), &e);
	pid_t pid = postmaster_pid();
	kill(pid, SIGKILL);
	/* Its pid file is stale now; the check may come while it still dies. */
	wait_until(embedded_check(em, &e) && postmaster_pid() != pid);
	assert_true(answers(em));
	embedded_stop(em);
}

static void a_postmaster_on_its_way_out_is_waited_for(void **state)
{
	(void)state;
	struct embedded *em;
	start_and_die();
	pid_t pid = postmaster_pid();
	kill(pid, SIGINT);
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_int_not_equal(postmaster_pid(), pid);
	assert_true(answers(em));
	embedded_stop(em);
}

static void a_pid_file_of_somebody_else_is_no_obstacle(void **state)
{
	(void)state;
	struct embedded *em;
	assert_ok(embedded_start(dir, &em, &e), &e);
	embedded_stop(em);
	FILE *f = fopen(arena_printf(&arena, "%s/postgres/postmaster.pid", dir), "w");
	assert_non_null(f);
	fprintf(f, "%d\n%s\n1\n5432\n\n\n\nready   \n", (int)getppid(), dir);
	fclose(f);
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_true(answers(em));
	embedded_stop(em);
}

static void a_second_program_is_kept_out(void **state)
{
	(void)state;
	struct embedded *em, *second;
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_false(embedded_start(dir, &second, &e));
	assert_int_equal(e.code, ERR_conflict);
	assert_non_null(strstr(e.detail, "in use by another quern"));
	assert_true(answers(em));
	embedded_stop(em);
}

static void a_long_path_gets_a_short_socket(void **state)
{
	(void)state;
	struct embedded *em;
	char *deep = arena_printf(&arena, "%s/%0100d/%0100d", dir, 0, 0);
	assert_ok(embedded_start(deep, &em, &e), &e);
	assert_true(answers(em));
	embedded_stop(em);
}

static void an_interrupted_initdb_is_done_again(void **state)
{
	(void)state;
	struct embedded *em;
	assert_int_equal(mkdir(arena_printf(&arena, "%s/postgres.new", dir), 0700), 0);
	fclose(fopen(arena_printf(&arena, "%s/postgres.new/PG_VERSION", dir), "w"));
	assert_ok(embedded_start(dir, &em, &e), &e);
	assert_true(answers(em));
	embedded_stop(em);
}

static void missing_programs_are_named(void **state)
{
	(void)state;
	struct embedded *em;
	setenv("QUERN_PG_BIN", "/nonexistent", 1);
	assert_false(embedded_start(dir, &em, &e));
	unsetenv("QUERN_PG_BIN");
	assert_int_equal(e.code, ERR_unavailable);
	assert_non_null(strstr(e.detail, "QUERN_PG_BIN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_and_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(has_no_way_in_but_its_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(a_live_postmaster_is_adopted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_postmaster_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_postmaster_on_its_way_out_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pid_file_of_somebody_else_is_no_obstacle, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_program_is_kept_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_path_gets_a_short_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(an_interrupted_initdb_is_done_again, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_programs_are_named, setup, teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
