#include "trainer/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const passed_on[] = {
    "ASAN_OPTIONS", "LANG",   "LD_LIBRARY_PATH", "LD_PRELOAD", "LSAN_OPTIONS",
    "PATH",         "TMPDIR", "TSAN_OPTIONS",    "TZ",         "UBSAN_OPTIONS",
};

/* What a rank allocates are columns that live long or are replaced at once: huge pages spare it most page faults, and
 * blocks from the heap, which keeps some of what was freed, the rest. */
static const char *const settings[] = {
    "OPENBLAS_NUM_THREADS=1",
    "GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=134217728",
};

enum { ENVIRONMENT_MAX = ARRAY_COUNT(settings) + ARRAY_COUNT(passed_on) + 1 };

/* NULL-terminated; the strings are the process's own environment. */
static void make_environment(char *out[ENVIRONMENT_MAX])
{
	extern char **environ;
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_COUNT(settings); i++) out[n++] = (char *)(uintptr_t)settings[i];
	for (size_t i = 0; i < ARRAY_COUNT(passed_on); i++) {
		size_t len = strlen(passed_on[i]);
		for (char **v = environ; *v; v++)
			if (strncmp(*v, passed_on[i], len) == 0 && (*v)[len] == '=') out[n++] = *v;
	}
	out[n] = NULL;
}

/* Copies above the numbers that are to be taken: moving one descriptor must not close another that moves later. */
static bool lift(const int fds[WORKER_FD_COUNT], int lifted[WORKER_FD_COUNT])
{
	bool ok = true;
	for (int i = 0; i < WORKER_FD_COUNT; i++) {
		lifted[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, WORKER_FD_END);
		ok &= fds[i] < 0 || lifted[i] >= 0;
	}
	return ok;
}

static int set_files(posix_spawn_file_actions_t *files, const int lifted[WORKER_FD_COUNT])
{
	int rc = posix_spawn_file_actions_init(files);
	for (int i = 0; rc == 0 && i < WORKER_FD_COUNT; i++) {
		if (lifted[i] >= 0) rc = posix_spawn_file_actions_adddup2(files, lifted[i], WORKER_SOCKET + i);
		else rc = posix_spawn_file_actions_addclose(files, WORKER_SOCKET + i);
	}
	return rc ? rc : posix_spawn_file_actions_addclosefrom_np(files, WORKER_FD_END);
}

static int set_attributes(posix_spawnattr_t *attr)
{
	const short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int rc = posix_spawnattr_init(attr);
	if (rc == 0) rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0) rc = posix_spawnattr_setsigdefault(attr, &all);
	return rc ? rc : posix_spawnattr_setflags(attr, flags);
}

bool spawn_worker(const char *path, unsigned rank, const int fds[WORKER_FD_COUNT], pid_t *pid, struct err *e)
{
	char rank_text[16], parent_text[16], *env[ENVIRONMENT_MAX];
	char *argv[] = {(char *)"quern-worker", rank_text, parent_text, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int lifted[WORKER_FD_COUNT];
	snprintf(rank_text, sizeof rank_text, "%u", rank);
	snprintf(parent_text, sizeof parent_text, "%d", (int)getpid());
	make_environment(env);
	bool ok = lift(fds, lifted);
	if (!ok) err_errno(e, "starting %s", path);
	int rc = set_files(&files, lifted), rc_attr = set_attributes(&attr);
	if (ok && rc == 0) rc = rc_attr;
	if (ok && rc == 0) rc = posix_spawn(pid, path, &files, &attr, argv, env);
	if (ok && rc != 0) {
		errno = rc;
		ok = err_errno(e, "starting %s", path);
	}
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	for (int i = 0; i < WORKER_FD_COUNT; i++)
		if (lifted[i] >= 0) close(lifted[i]);
	return ok;
}
