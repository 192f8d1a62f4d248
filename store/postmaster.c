#include "store/postmaster.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	START_WAIT_S = 60,  /* includes recovery after a crash */
	START_RETRY_S = 5,  /* backends of a postmaster that was killed may hold its shared memory for a moment */
	STOP_WAIT_S = 30,
	POLL_MS = 5,
	STATUS_LINE = 8,    /* of postmaster.pid; pg_ctl reads the same (LOCK_FILE_LINE_PM_STATUS) */
};

struct account account_unprivileged(void)
{
	static const char *const names[] = {"quern", "postgres", "nobody"};
	struct account a = {geteuid(), getegid()};
	for (size_t i = 0; a.uid == 0 && i < ARRAY_COUNT(names); i++) {
		const struct passwd *pw = getpwnam(names[i]);
		if (pw) a = (struct account){pw->pw_uid, pw->pw_gid};
	}
	return a;
}

static void sleep_ms(int ms) { nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL); }

/* --- Processes ---------------------------------------------------------------------------------------------------- */

/* In the child, where other threads' locks may be held for ever: system calls only. */
static QN_NORETURN void become(const struct account *a, int log_fd, const char *const argv[])
{
	static const char *const env[] = {"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin", NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	umask(077);
	int null_fd = open("/dev/null", O_RDONLY);
	bool ok = null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 && dup2(log_fd, STDOUT_FILENO) >= 0 &&
		  dup2(log_fd, STDERR_FILENO) >= 0 && close_range(STDERR_FILENO + 1, ~0u, 0) == 0 && chdir("/") == 0;
	if (ok && geteuid() == 0)
		ok = setgroups(0, NULL) == 0 && setresgid(a->gid, a->gid, a->gid) == 0 &&
		     setresuid(a->uid, a->uid, a->uid) == 0;
	if (ok) execve(argv[0], (char *const *)argv, (char *const *)env);
	dprintf(STDERR_FILENO, "cannot run %s: errno %d\n", argv[0], errno);
	_exit(127);
}

static bool spawn(const struct postmaster *p, const char *const argv[], pid_t *pid, struct err *e)
{
	int log_fd = open(p->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0) return err_errno(e, "opening %s", p->log);
	*pid = fork();
	if (*pid == 0) become(&p->account, log_fd, argv);
	close(log_fd);
	return *pid > 0 || err_errno(e, "starting %s", argv[0]);
}

/* What a program that failed said last. */
static bool failed(const struct postmaster *p, const char *what, struct err *e)
{
	char line[256] = "", last[256] = "it said nothing";
	FILE *f = fopen(p->log, "re");
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		/* The hint that follows a fault is worth less than the fault. */
		if (line[0] && !strstr(line, "HINT:")) memcpy(last, line, sizeof last);
	}
	if (f) fclose(f);
	return err_set(e, ERR_unavailable, "%s failed: %s", what, last);
}

bool postmaster_run_tool(const struct postmaster *p, const char *const argv[], struct err *e)
{
	pid_t pid;
	int status = -1;
	if (!spawn(p, argv, &pid, e)) return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || failed(p, argv[0], e);
}

/* --- The pid file ------------------------------------------------------------------------------------------------- */

/* The cluster's postmaster.pid: the pid (0: no file) and whether the postmaster has written that it is ready. */
static pid_t read_pid_file(const struct postmaster *p, bool *ready)
{
	char path[PATH_MAX + 16], line[PATH_MAX];
	snprintf(path, sizeof path, "%s/postmaster.pid", p->cluster);
	*ready = false;
	FILE *f = fopen(path, "re");
	if (!f) return 0;
	pid_t pid = 0;
	for (int n = 1; fgets(line, sizeof line, f); n++) {
		if (n == 1) pid = (pid_t)atoi(line);
		if (n == STATUS_LINE) *ready = strncmp(line, "ready", 5) == 0;
	}
	fclose(f);
	return MAX(pid, 0);
}

/* A pid says little: numbers are given out again, and a container counts from one. The process must be a postgres of
 * this cluster by its command line (which anybody may read, unlike its links, and which a zombie has not). */
static bool is_postmaster(const struct postmaster *p, pid_t pid)
{
	char path[64], text[2 * PATH_MAX];
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return false;
	ssize_t len = read(fd, text, sizeof text);
	close(fd);
	char wanted[PATH_MAX + 8];
	/* "-D", NUL, folder, NUL */
	int n = snprintf(wanted, sizeof wanted, "-D%c%s%c", 0, p->cluster, 0);
	return len > 0 && memmem(text, (size_t)len, wanted, (size_t)n) != NULL;
}

bool postmaster_alive(struct postmaster *p)
{
	if (p->child && waitpid(p->pid, NULL, WNOHANG) != 0) {
		p->child = false;
		p->pid = 0;
	}
	if (p->child) return true;
	bool ready;
	pid_t pid = read_pid_file(p, &ready);
	p->pid = pid && is_postmaster(p, pid) ? pid : 0;
	return p->pid != 0;
}

/* Postgres takes over a stale pid file by itself, unless its pid now belongs to another process of the same account. */
static void drop_foreign_pid_file(const struct postmaster *p)
{
	char path[PATH_MAX + 16];
	bool ready;
	pid_t pid = read_pid_file(p, &ready);
	snprintf(path, sizeof path, "%s/postmaster.pid", p->cluster);
	if (pid && kill(pid, 0) == 0 && !is_postmaster(p, pid)) unlink(path);
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static bool launch(struct postmaster *p, struct err *e)
{
	char program[PATH_MAX + 16], sockets[PATH_MAX + 32];
	snprintf(program, sizeof program, "%s/postgres", p->bin);
	snprintf(sockets, sizeof sockets, "unix_socket_directories=%s", p->run);
	/* What safety hangs on stands here and not in postgresql.conf, which people may edit. */
	const char *const argv[] = {program, "-D", p->cluster, "-c", sockets, "-c", "listen_addresses=", "-c",
				    "unix_socket_permissions=0700", "-c", "port=5432", NULL};
	drop_foreign_pid_file(p);
	p->child = spawn(p, argv, &p->pid, e);
	return p->child;
}

bool postmaster_wait(struct postmaster *p, struct err *e)
{
	int64_t give_up = clock_mono_ns() + (int64_t)START_WAIT_S * 1000000000;
	bool ready;
	/* The file may still be that of the one before. */
	while (read_pid_file(p, &ready) != p->pid || !ready) {
		if (!postmaster_alive(p)) return failed(p, "Postgres", e);
		if (clock_mono_ns() > give_up)
			return err_set(e, ERR_unavailable, "Postgres did not become ready in %d s", START_WAIT_S);
		sleep_ms(POLL_MS);
	}
	return true;
}

bool postmaster_start(struct postmaster *p, struct err *e)
{
	int64_t give_up = clock_mono_ns() + (int64_t)START_RETRY_S * 1000000000;
	while (!(launch(p, e) && postmaster_wait(p, e))) {
		if (p->child || clock_mono_ns() > give_up) return false;
		err_init(e);
		sleep_ms(20 * POLL_MS);
	}
	return true;
}

static bool gone_within(struct postmaster *p, int seconds)
{
	int64_t give_up = clock_mono_ns() + (int64_t)seconds * 1000000000;
	while (postmaster_alive(p)) {
		if (clock_mono_ns() > give_up) return false;
		sleep_ms(POLL_MS);
	}
	return true;
}

void postmaster_stop(struct postmaster *p)
{
	if (!postmaster_alive(p)) return;
	kill(p->pid, SIGINT);
	if (gone_within(p, STOP_WAIT_S)) return;
	kill(p->pid, SIGQUIT);
	gone_within(p, STOP_WAIT_S);
}
