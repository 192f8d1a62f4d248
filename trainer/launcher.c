#include "trainer/launcher.h"

#include "base/clock.h"
#include "trainer/checkpoint.h"
#include "trainer/frame.h"
#include "trainer/gang.h"
#include "trainer/progress.h"
#include "trainer/spawn.h"
#include "trainer/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 50,           /* between two looks of the supervisor */
	LINGER_MS = 5000,       /* ranks may take this long to end after the result */
	LAST_WORDS_MS = 1000,   /* and this long after one has told of an error, to say what they have to say */
	FRAMES_AT_ONCE = 256,   /* of one rank before the others get their turn */
	LOG_LINES_MAX = 10000,  /* of one attempt; more are dropped */
	POLL_FDS_MAX = 2 * COMM_RANKS_MAX,
};
#define JOB_BYTES_MAX ((size_t)1 << 30)

struct rank {
	int socket; /* -1: it closed its end */
	int pidfd;  /* -1: reaped */
};

struct launch {
	struct launch_events events;
	unsigned workers, grace_s;
	char *checkpoint_dir;
	struct gang *gang;
	int job, outbox, resume;
	struct rank ranks[COMM_RANKS_MAX];
	pid_t pids[COMM_RANKS_MAX]; /* 0: reaped, or never started */
	struct supervisor supervisor;
	struct progress progress;
	enum launch_end outcome; /* what it will be when all ranks have ended */
	enum launch_end end;
	int64_t start_ns, look_ns, stop_ns, kill_ns;
	bool lost, changed;
	size_t log_lines;
	double cpu_s; /* of ranks that have ended */
	struct train_result result;
	struct err err;
	char frame[FRAME_BYTES_MAX];
};

/* --- Start ------------------------------------------------------------------------------------------------------- */

void launch_worker_path(char *out, size_t size)
{
	const char *given = getenv("QUERN_WORKER");
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
	char *slash = strrchr(self, '/');
	if (slash) *slash = 0;
	if (given) snprintf(out, size, "%s", given);
	else snprintf(out, size, "%s/quern-worker", self);
}

static int make_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); }

static bool write_job(const struct launch *l, const struct launch_options *o, struct err *e)
{
	struct buf doc = BUF_INIT(JOB_BYTES_MAX);
	worker_job_encode(&(struct worker_job){.spec = {o->spec_text, o->spec_len},
					       .spool_dir = o->work_dir,
					       .file_roots = (const char **)o->file_roots,
					       .record_bytes_max = o->record_bytes_max,
					       .columns_max = o->columns_max,
					       .inline_rows_max = o->inline_rows_max,
					       .memory_max = o->memory_max,
					       .checkpoint_s = o->checkpoint_s},
			  &doc);
	bool ok = buf_ok(&doc) || err_set(e, ERR_too_large, "the job's specification is over %zu bytes", JOB_BYTES_MAX);
	ok = ok && worker_file_fill(l->job, doc.data, doc.len, e);
	buf_release(&doc);
	return ok;
}

static bool make_files(struct launch *l, const struct launch_options *o, struct err *e)
{
	if (!gang_create(o->workers, o->memory_max, &l->gang, e)) return false;
	l->job = make_memfd("quern-job");
	l->outbox = make_memfd("quern-outbox");
	if (l->job < 0 || l->outbox < 0 || fcntl(l->outbox, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
		return err_errno(e, "making shared files");
	if (o->checkpoint_dir) {
		l->checkpoint_dir = mem_strdup(o->checkpoint_dir);
		l->resume = checkpoint_newest(o->checkpoint_dir);
	}
	return write_job(l, o, e);
}

static bool start_rank(struct launch *l, const char *path, unsigned r, struct err *e)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_errno(e, "making a socket pair");
	const int fds[WORKER_FD_COUNT] = {pair[1], gang_fd(l->gang), l->job, r == 0 ? l->outbox : -1, l->resume};
	bool ok = fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 || err_errno(e, "preparing a socket");
	ok = ok && spawn_worker(path, r, fds, &l->pids[r], e);
	close(pair[1]);
	l->ranks[r].socket = pair[0];
	if (!ok) return false;
	l->ranks[r].pidfd = pidfd_open(l->pids[r], 0);
	return l->ranks[r].pidfd >= 0 || err_errno(e, "watching a worker");
}

static bool start(struct launch *l, const struct launch_options *o, struct err *e)
{
	char beside[4096];
	const struct supervisor_limits limits = {o->memory_max, o->hang_s, o->timeout_s};
	launch_worker_path(beside, sizeof beside);
	if (!make_files(l, o, e)) return false;
	for (unsigned r = 0; r < l->workers; r++)
		if (!start_rank(l, o->worker_path ? o->worker_path : beside, r, e)) return false;
	supervisor_init(&l->supervisor, l->workers, &limits, l->start_ns);
	progress_init(&l->progress, o->spec_text, o->spec_len);
	return true;
}

bool launch_start(const struct launch_options *o, const struct launch_events *ev, struct launch **out, struct err *e)
{
	if (o->workers == 0 || o->workers > COMM_RANKS_MAX)
		return err_fault(e, "/resources/workers", "must be 1 to %d", COMM_RANKS_MAX);
	struct launch *l = mem_zalloc(1, sizeof *l);
	l->events = *ev;
	l->workers = o->workers;
	l->grace_s = o->grace_s;
	l->job = l->outbox = l->resume = -1;
	l->start_ns = clock_mono_ns();
	err_init(&l->err);
	for (unsigned r = 0; r < COMM_RANKS_MAX; r++) l->ranks[r] = (struct rank){-1, -1};
	if (!start(l, o, e)) {
		launch_destroy(l);
		return false;
	}
	*out = l;
	return true;
}

/* --- End --------------------------------------------------------------------------------------------------------- */

static void kill_all(const struct launch *l)
{
	for (unsigned r = 0; r < l->workers; r++)
		if (l->pids[r]) kill(l->pids[r], SIGKILL);
}

static void close_fd(int *fd)
{
	if (*fd >= 0) close(*fd);
	*fd = -1;
}

/* The first outcome counts; what happens after it is its consequence. Ranks that have not ended by themselves after
 * linger_ms are killed. */
static bool decide(struct launch *l, enum launch_end outcome, int linger_ms)
{
	if (l->outcome != LAUNCH_RUNNING) return false;
	l->outcome = outcome;
	l->kill_ns = clock_mono_ns() + linger_ms * INT64_C(1000000);
	if (outcome != LAUNCH_SUCCEEDED) gang_break(l->gang);
	if (linger_ms == 0) kill_all(l);
	return true;
}

static void fail(struct launch *l, const struct err *why)
{
	if (decide(l, LAUNCH_FAILED, 0)) l->err = *why;
}

static void fail_lost(struct launch *l, const struct err *why)
{
	l->lost |= l->outcome == LAUNCH_RUNNING;
	fail(l, why);
}

static void stopped(struct launch *l)
{
	if (decide(l, LAUNCH_STOPPED, 0)) err_set(&l->err, ERR_cancelled, "the job was stopped");
}

static void reap(struct launch *l, unsigned r, const struct rusage *used)
{
	l->cpu_s += (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
		    (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) * 1e-6;
	l->pids[r] = 0;
	close_fd(&l->ranks[r].pidfd);
}

void launch_destroy(struct launch *l)
{
	if (!l) return;
	if (l->gang) gang_break(l->gang);
	kill_all(l);
	for (unsigned r = 0; r < l->workers; r++) {
		struct rusage used;
		int status;
		if (l->pids[r] && wait4(l->pids[r], &status, 0, &used) > 0) reap(l, r, &used);
		close_fd(&l->ranks[r].pidfd);
		close_fd(&l->ranks[r].socket);
	}
	close_fd(&l->job);
	close_fd(&l->outbox);
	close_fd(&l->resume);
	gang_destroy(l->gang);
	progress_release(&l->progress);
	train_result_release(&l->result);
	mem_free(l->checkpoint_dir);
	mem_free(l);
}

/* --- What ranks say ---------------------------------------------------------------------------------------------- */

static void malformed(struct launch *l, unsigned r, const char *what)
{
	struct err e;
	err_init(&e);
	err_set(&e, ERR_worker_crashed, "rank %u sent a malformed %s", r, what);
	fail_lost(l, &e);
}

/* len bytes of the outbox; NULL where it does not hold as many. */
static const void *open_outbox(const struct launch *l, uint64_t len, struct err *e)
{
	size_t size;
	if (!worker_file_size(l->outbox, &size, e)) return NULL;
	if (len == 0 || len > size) {
		err_set(e, ERR_internal, "the outbox does not hold what was announced");
		return NULL;
	}
	return worker_map(l->outbox, len, e);
}

static void say_log(struct launch *l, unsigned r, struct str text)
{
	char line[FRAME_TEXT_MAX + 32];
	if (!l->events.log || l->log_lines++ >= LOG_LINES_MAX) return;
	int n = snprintf(line, sizeof line, "rank %u: %.*s", r, (int)text.len, text.data);
	size_t len = MIN((size_t)n, sizeof line - 1);
	frame_text_clean(line, len);
	l->events.log(l->events.ctx, line, len);
}

static void on_checkpoint(struct launch *l, unsigned r, const struct frame *f)
{
	struct err e;
	err_init(&e);
	const void *bytes = r == 0 && l->checkpoint_dir ? open_outbox(l, f->count, &e) : NULL;
	bool saved = bytes && checkpoint_write(l->checkpoint_dir, bytes, f->count, &e);
	worker_unmap(bytes, f->count);
	if (err_is(&e)) say_log(l, r, STR(e.detail));
	supervisor_excuse(&l->supervisor, r, clock_mono_ns());
	if (!frame_send(l->ranks[r].socket, &(struct frame){.type = FRAME_SAVED, .flag = saved}, &e))
		close_fd(&l->ranks[r].socket);
}

static void on_result(struct launch *l, unsigned r, const struct frame *f)
{
	struct err e;
	err_init(&e);
	if (l->outcome != LAUNCH_RUNNING) return;
	const void *bytes = r == 0 ? open_outbox(l, f->count, &e) : NULL;
	bool ok = bytes && train_result_decode(bytes, f->count, &l->result);
	worker_unmap(bytes, f->count);
	if (!ok) {
		malformed(l, r, "result");
		return;
	}
	progress_succeeded(&l->progress);
	l->changed = true;
	l->look_ns = 0; /* the last look at memory, while there is any */
	decide(l, LAUNCH_SUCCEEDED, LINGER_MS);
}

static void on_error(struct launch *l, const struct frame *f)
{
	struct err e;
	frame_error_read(f->text, &e);
	if (l->stop_ns && e.code == ERR_cancelled) stopped(l);
	else if (decide(l, LAUNCH_FAILED, LAST_WORDS_MS)) l->err = e;
}

static void on_frame(struct launch *l, unsigned r, const struct frame *f)
{
	switch (f->type) {
	case FRAME_LOG: say_log(l, r, f->text); break;
	case FRAME_CHECKPOINT: on_checkpoint(l, r, f); break;
	case FRAME_RESULT: on_result(l, r, f); break;
	case FRAME_ERROR: on_error(l, f); break;
	default: l->changed |= progress_frame(&l->progress, r, f, clock_mono_ns());
	}
}

static void hear(struct launch *l, unsigned r)
{
	struct frame f;
	for (unsigned i = 0; i < FRAMES_AT_ONCE && l->ranks[r].socket >= 0; i++) {
		enum frame_got got = frame_receive(l->ranks[r].socket, false, l->frame, &f);
		if (got == FRAME_NONE) return;
		if (got == FRAME_READY) on_frame(l, r, &f);
		else close_fd(&l->ranks[r].socket);
		if (got == FRAME_MALFORMED) malformed(l, r, "frame");
	}
}

/* --- Deaths and rules -------------------------------------------------------------------------------------------- */

static void bury(struct launch *l, unsigned r)
{
	struct rusage used;
	struct err e;
	int status;
	if (!l->pids[r] || wait4(l->pids[r], &status, WNOHANG, &used) <= 0) return;
	reap(l, r, &used);
	hear(l, r); /* its last words */
	err_init(&e);
	switch (supervisor_obituary(&l->supervisor, r, status, &e)) {
	case OBITUARY_DONE: break;
	case OBITUARY_FAILED: gang_break(l->gang); break; /* it said why, or is about to through another */
	case OBITUARY_OVER_LIMIT: fail(l, &e); break;
	case OBITUARY_CRASHED:
	case OBITUARY_SYSTEM_OOM: fail_lost(l, &e); break;
	}
}

static void look(struct launch *l, int64_t now)
{
	struct err e;
	size_t outbox = 0;
	err_init(&e);
	if (now - l->look_ns < LOOK_MS * INT64_C(1000000)) return;
	l->look_ns = now;
	if (!worker_file_size(l->outbox, &outbox, &e)) return;
	if (supervisor_check(&l->supervisor, l->gang, l->pids, outbox, now, &e)) return;
	if (e.code == ERR_worker_hung) fail_lost(l, &e);
	else fail(l, &e);
}

static bool all_ended(const struct launch *l)
{
	for (unsigned r = 0; r < l->workers; r++)
		if (l->pids[r]) return false;
	return true;
}

static void conclude(struct launch *l, int64_t now)
{
	if (l->stop_ns && now - l->stop_ns >= (int64_t)l->grace_s * INT64_C(1000000000)) stopped(l);
	if (l->outcome != LAUNCH_RUNNING && now >= l->kill_ns) kill_all(l);
	if (!all_ended(l)) return;
	if (l->outcome == LAUNCH_RUNNING) {
		struct err e;
		err_init(&e);
		err_set(&e, ERR_worker_crashed, "the workers ended without a result");
		fail_lost(l, &e);
	}
	l->end = l->outcome;
}

/* A rank's socket tells of frames, its pidfd of its end. */
static void wait_for_news(const struct launch *l, int timeout_ms)
{
	struct pollfd fds[POLL_FDS_MAX];
	nfds_t n = 0;
	for (unsigned r = 0; r < l->workers; r++) {
		if (l->ranks[r].socket >= 0) fds[n++] = (struct pollfd){.fd = l->ranks[r].socket, .events = POLLIN};
		if (l->ranks[r].pidfd >= 0) fds[n++] = (struct pollfd){.fd = l->ranks[r].pidfd, .events = POLLIN};
	}
	poll(fds, n, MIN(timeout_ms, (int)LOOK_MS));
}

enum launch_end launch_poll(struct launch *l, int timeout_ms)
{
	if (l->end != LAUNCH_RUNNING) return l->end;
	wait_for_news(l, timeout_ms);
	for (unsigned r = 0; r < l->workers; r++) hear(l, r);
	for (unsigned r = 0; r < l->workers; r++) bury(l, r);
	int64_t now = clock_mono_ns();
	look(l, now);
	conclude(l, now);
	if (l->changed && l->events.progress) l->events.progress(l->events.ctx, l);
	l->changed = false;
	return l->end;
}

void launch_stop(struct launch *l)
{
	if (l->stop_ns || l->outcome != LAUNCH_RUNNING) return;
	l->stop_ns = clock_mono_ns();
	gang_stop(l->gang);
}

/* --- Accessors --------------------------------------------------------------------------------------------------- */

const struct err *launch_error(const struct launch *l) { return &l->err; }

bool launch_worker_lost(const struct launch *l) { return l->lost; }

/* A job that needs too much memory will need it again; a system that ran out of it may not. */
bool launch_retryable(const struct launch *l)
{
	return l->lost || (err_retryable(l->err.code) && l->err.code != ERR_out_of_memory);
}

const struct train_result *launch_result(const struct launch *l) { return &l->result; }

double launch_fraction(const struct launch *l) { return l->progress.fraction; }

const char *launch_phase(const struct launch *l) { return l->progress.phase; }

void launch_rows(const struct launch *l, uint64_t *done, uint64_t *total) { progress_rows(&l->progress, done, total); }

void launch_stages_json(const struct launch *l, struct json_writer *w) { progress_stages(&l->progress, w); }

void launch_shards_json(const struct launch *l, struct json_writer *w) { progress_shards(&l->progress, w); }

pid_t launch_pid(const struct launch *l, unsigned rank) { return l->pids[rank]; }

static double cpu_seconds(const struct launch *l)
{
	double s = l->cpu_s;
	for (unsigned r = 0; r < l->workers; r++) {
		clockid_t clock;
		struct timespec used;
		if (l->pids[r] && clock_getcpuclockid(l->pids[r], &clock) == 0 && clock_gettime(clock, &used) == 0)
			s += (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
	}
	return s;
}

void launch_resources_json(const struct launch *l, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "workers");
	json_int(w, l->workers);
	json_key(w, "executor");
	json_cstr(w, "local");
	json_key(w, "cpuSeconds");
	json_double(w, (double)(int64_t)(cpu_seconds(l) * 1000) / 1000);
	json_key(w, "peakMemoryBytes");
	json_int(w, (int64_t)l->supervisor.peak_bytes);
	json_object_end(w);
}
