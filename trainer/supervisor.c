#include "trainer/supervisor.h"

#include "base/mem.h"
#include "trainer/worker_job.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROC_TEXT_MAX = 16384 };
static const int64_t second_ns = INT64_C(1000000000);

/* A small file of /proc as text; false where it cannot be read (the process has ended). */
static bool read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;
	if (fd >= 0) close(fd);
	if (n < 0) return false;
	out[n] = 0;
	return true;
}

/* How many processes the kernel has killed for want of memory. A rank's SIGKILL while this grew was one of them. */
static uint64_t count_oom_kills(void)
{
	char text[PROC_TEXT_MAX];
	if (!read_text("/proc/vmstat", text, sizeof text)) return 0;
	const char *at = strstr(text, "\noom_kill ");
	return at ? strtoull(at + strlen("\noom_kill "), NULL, 10) : 0;
}

static uint64_t private_bytes(pid_t pid)
{
	char path[64], text[256];
	uint64_t resident = 0, shared = 0;
	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	if (!read_text(path, text, sizeof text)) return 0;
	if (sscanf(text, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2 || shared > resident) return 0;
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void supervisor_init(struct supervisor *s, unsigned ranks, const struct supervisor_limits *limits, int64_t now_ns)
{
	CHECK(ranks <= COMM_RANKS_MAX);
	*s = (struct supervisor){.limits = *limits, .ranks = ranks, .start_ns = now_ns, .oom_kills = count_oom_kills()};
	for (unsigned r = 0; r < ranks; r++) s->changed_ns[r] = now_ns;
}

void supervisor_excuse(struct supervisor *s, unsigned rank, int64_t now_ns) { s->changed_ns[rank] = now_ns; }

static bool check_memory(struct supervisor *s, const struct gang *g, const pid_t *pids, uint64_t extra_bytes,
			 struct err *e)
{
	uint64_t bytes = gang_bytes(g) + extra_bytes;
	for (unsigned r = 0; r < s->ranks; r++)
		if (pids[r]) bytes += private_bytes(pids[r]);
	s->peak_bytes = MAX(s->peak_bytes, bytes);
	return bytes <= s->limits.memory_max ||
	       err_set(e, ERR_out_of_memory, "the workers use %" PRIu64 " bytes; resources.memory is %" PRIu64, bytes,
		       s->limits.memory_max);
}

/* A rank in a barrier is silent for a good reason, unless all of them are in one. */
static bool check_beats(struct supervisor *s, const struct gang *g, const pid_t *pids, int64_t now_ns, struct err *e)
{
	int64_t limit_ns = (int64_t)s->limits.hang_s * second_ns;
	unsigned alive = 0, silent = 0;
	for (unsigned r = 0; r < s->ranks; r++) {
		uint64_t beats = gang_beats(g, r);
		if (beats != s->beats[r]) s->changed_ns[r] = now_ns;
		s->beats[r] = beats;
		if (!pids[r]) continue;
		alive++;
		if (now_ns - s->changed_ns[r] < limit_ns) continue;
		silent++;
		if (!gang_waiting(g, r))
			return err_set(e, ERR_worker_hung, "rank %u has made no progress for %u s", r,
				       s->limits.hang_s);
	}
	return alive == 0 || silent < alive ||
	       err_set(e, ERR_worker_hung, "all ranks have waited for each other for %u s", s->limits.hang_s);
}

bool supervisor_check(struct supervisor *s, const struct gang *g, const pid_t *pids, uint64_t extra_bytes,
		      int64_t now_ns, struct err *e)
{
	if (s->limits.timeout_s && now_ns - s->start_ns >= (int64_t)s->limits.timeout_s * second_ns)
		return err_set(e, ERR_timed_out, "the job ran longer than its timeoutSeconds of %u",
			       s->limits.timeout_s);
	return check_memory(s, g, pids, extra_bytes, e) && check_beats(s, g, pids, now_ns, e);
}

enum obituary supervisor_obituary(const struct supervisor *s, unsigned rank, int status, struct err *e)
{
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		if (sig == SIGKILL && count_oom_kills() > s->oom_kills) {
			err_set(e, ERR_out_of_memory, "rank %u was killed by the system, which ran out of memory",
				rank);
			return OBITUARY_SYSTEM_OOM;
		}
		err_set(e, ERR_worker_crashed, "rank %u was killed by signal %d (%s)", rank, sig,
			sigdescr_np(sig) ? sigdescr_np(sig) : "?");
		return OBITUARY_CRASHED;
	}
	switch (WEXITSTATUS(status)) {
	case WORKER_EXIT_DONE: return OBITUARY_DONE;
	case WORKER_EXIT_FAILED: return OBITUARY_FAILED;
	case MEM_EXIT_OOM:
		err_set(e, ERR_out_of_memory, "rank %u needed more than resources.memory of %" PRIu64 " bytes", rank,
			s->limits.memory_max);
		return OBITUARY_OVER_LIMIT;
	default:
		err_set(e, ERR_worker_crashed, "rank %u exited with status %d", rank, WEXITSTATUS(status));
		return OBITUARY_CRASHED;
	}
}
