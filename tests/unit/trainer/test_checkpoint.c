/* Checkpoints: bytes that prove themselves, and files of which the newest intact one is found. */
#include "tests/support/support.h"

#include "trainer/checkpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct buf encoded(uint32_t stage, const char *fitted, const char *solver)
{
	struct buf b = BUF_INIT(1 << 20);
	checkpoint_encode(&(struct checkpoint){77, stage, STR(fitted), STR(solver)}, &b);
	assert_true(buf_ok(&b));
	return b;
}

static void what_goes_in_comes_out(void **state)
{
	struct buf b = encoded(4, "fitted stages", "solver");
	struct checkpoint c;
	(void)state;
	assert_true(checkpoint_decode(b.data, b.len, &c));
	assert_true(c.fingerprint == 77 && c.stage == 4 && str_is(c.fitted, "fitted stages") &&
		    str_is(c.solver, "solver"));
	buf_release(&b);
	b = encoded(0, "", "");
	assert_true(checkpoint_decode(b.data, b.len, &c) && c.solver.len == 0);
	buf_release(&b);
}

static void no_changed_byte_is_accepted(void **state)
{
	struct buf b = encoded(4, "fitted", "solver");
	struct checkpoint c;
	(void)state;
	for (size_t len = 0; len < b.len; len++) assert_false(checkpoint_decode(b.data, len, &c));
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		assert_false(checkpoint_decode(b.data, b.len, &c));
		b.data[i] ^= 1;
	}
	buf_release(&b);
}

static void write_stage(const char *dir, uint32_t stage)
{
	struct buf b = encoded(stage, "f", "s");
	struct err e;
	err_init(&e);
	assert_ok(checkpoint_write(dir, b.data, b.len, &e), &e);
	buf_release(&b);
}

/* The stage of the checkpoint that would be resumed; -1: none. */
static int newest_stage(const char *dir)
{
	char bytes[4096];
	struct checkpoint c;
	int fd = checkpoint_newest(dir);
	if (fd < 0) return -1;
	ssize_t n = read(fd, bytes, sizeof bytes);
	close(fd);
	assert_true(n > 0 && checkpoint_decode(bytes, (size_t)n, &c));
	return (int)c.stage;
}

static int count_files(const char *dir)
{
	int n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *ent; (ent = readdir(d));) n += ent->d_name[0] != '.';
	closedir(d);
	return n;
}

static void damage(const char *dir, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "?", 1, 20), 1);
	close(fd);
}

static void the_newest_intact_file_is_found(void **state)
{
	struct arena a = ARENA_INIT;
	char *tmp = support_tmp(&a), *dir = arena_printf(&a, "%s/job", tmp);
	(void)state;
	assert_int_equal(newest_stage(dir), -1);
	for (uint32_t stage = 1; stage <= 12; stage++) {
		write_stage(dir, stage);
		assert_int_equal(newest_stage(dir), (int)stage);
		assert_true(count_files(dir) <= CHECKPOINTS_KEPT);
	}
	damage(dir, "12.ckpt");
	assert_int_equal(newest_stage(dir), 11);
	damage(dir, "11.ckpt");
	assert_int_equal(newest_stage(dir), -1);
	write_stage(dir, 13); /* damaged ones do not stand in the way */
	assert_int_equal(newest_stage(dir), 13);
	support_tmp_remove(tmp);
	arena_release(&a);
}

static void an_unfinished_file_does_not_count(void **state)
{
	struct arena a = ARENA_INIT;
	char *dir = support_tmp(&a);
	(void)state;
	write_stage(dir, 1);
	FILE *f = fopen(arena_printf(&a, "%s/next.tmp", dir), "w");
	assert_non_null(f);
	fputs("half", f);
	fclose(f);
	assert_int_equal(newest_stage(dir), 1);
	write_stage(dir, 2);
	assert_int_equal(newest_stage(dir), 2);
	support_tmp_remove(dir);
	arena_release(&a);
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
	struct err e;
	(void)state;
	err_init(&e);
	assert_false(checkpoint_write("/proc/no-such-folder/job", "x", 1, &e));
	assert_int_equal(e.code, ERR_io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(no_changed_byte_is_accepted),
		cmocka_unit_test(the_newest_intact_file_is_found),
		cmocka_unit_test(an_unfinished_file_does_not_count),
		cmocka_unit_test(a_folder_that_cannot_be_written_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
