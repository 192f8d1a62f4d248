/* quern-worker: one rank of one job. Started by the launcher only (trainer/worker_job.h says with what); speaks to
 * nobody else, least of all to Postgres, and dies with its launcher.
 *
 * Memory: the launcher watches what the gang uses together and ends it past resources.memory. RLIMIT_DATA is the
 * backstop against a rank that grows faster than the watch looks: it counts what is private and writable. RLIMIT_AS
 * would count the sparse shared segment and every mapping of a file, RLIMIT_RSS is ignored by Linux.
 */
#include "base/clock.h"
#include "trainer/comm_local.h"
#include "trainer/frame.h"
#include "trainer/train.h"
#include "trainer/worker_job.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROWS_TOLD_MS = 50 };
/* The other half of the job's memory is for what the ranks share, and for batches and buffers that nobody counts. */
enum { MEMORY_SHARE_OF_ROWS = 2 };

struct worker {
	unsigned rank;
	struct gang *gang;
	struct comm *comm;
	struct worker_job job;
	struct arena arena;
	int64_t rows_told_ns, checkpoint_ns;
	bool ends; /* the checkpoint before the end was taken */
};

/* The launcher is gone when this fails, and this process with it. */
static void tell(const struct frame *f)
{
	struct err e;
	err_init(&e);
	if (!frame_send(WORKER_SOCKET, f, &e)) _exit(WORKER_EXIT_FAILED);
}

/* --- Hooks ------------------------------------------------------------------------------------------------------- */

static void on_planned(void *ctx, size_t shards, uint64_t bytes)
{
	(void)ctx;
	tell(&(struct frame){.type = FRAME_PLAN, .index = (uint32_t)shards, .count = bytes});
}

static void on_phase(void *ctx, const char *phase)
{
	(void)ctx;
	tell(&(struct frame){.type = FRAME_PHASE, .text = STR(phase)});
}

/* A stage at work may be able to save its state; one that is done has done so. */
static void on_stage(void *ctx, size_t stage, const char *state, size_t iteration, double objective)
{
	struct worker *w = ctx;
	gang_hold(w->gang, !w->ends && strcmp(state, "running") == 0);
	tell(&(struct frame){.type = FRAME_STAGE,
			     .index = (uint32_t)stage,
			     .count = iteration,
			     .value = objective,
			     .text = STR(state)});
}

static void on_rows(void *ctx, size_t shard, uint64_t rows, bool done)
{
	struct worker *w = ctx;
	int64_t now = clock_mono_ns();
	if (!done && now - w->rows_told_ns < ROWS_TOLD_MS * INT64_C(1000000)) return;
	w->rows_told_ns = now;
	tell(&(struct frame){.type = FRAME_ROWS, .index = (uint32_t)shard, .count = rows, .flag = done});
}

static void on_log(void *ctx, const char *line)
{
	(void)ctx;
	tell(&(struct frame){.type = FRAME_LOG, .text = STR(line)});
}

static bool is_checkpoint_due(void *ctx)
{
	struct worker *w = ctx;
	return gang_stop_asked(w->gang) ||
	       clock_mono_ns() - w->checkpoint_ns >= (int64_t)w->job.checkpoint_s * INT64_C(1000000000);
}

static bool save_checkpoint(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct worker *w = ctx;
	char answer[FRAME_BYTES_MAX];
	struct frame f;
	if (!worker_file_fill(WORKER_OUTBOX, bytes, len, e)) return false;
	tell(&(struct frame){.type = FRAME_CHECKPOINT, .count = len});
	if (frame_receive(WORKER_SOCKET, true, answer, &f) != FRAME_READY || f.type != FRAME_SAVED)
		_exit(WORKER_EXIT_FAILED);
	w->checkpoint_ns = clock_mono_ns();
	w->ends = gang_stop_asked(w->gang);
	if (w->ends) gang_hold(w->gang, false);
	return f.flag || err_set(e, ERR_io, "the launcher could not write it");
}

/* --- Start ------------------------------------------------------------------------------------------------------- */

static bool die_with(pid_t launcher)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == launcher; /* else it died before the call */
}

static void confine(uint64_t memory_max)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their shadow memory is private and writable */
	struct rlimit data = {memory_max, memory_max};
	setrlimit(RLIMIT_DATA, &data);
#else
	(void)memory_max;
#endif
}

static bool read_job(struct worker *w, struct err *e)
{
	size_t len;
	if (!worker_file_size(WORKER_JOB, &len, e)) return false;
	const void *bytes = worker_map(WORKER_JOB, len, e); /* stays mapped: the job points into it */
	if (!bytes) return false;
	if (!worker_job_decode(bytes, len, &w->arena, &w->job))
		return err_set(e, ERR_internal, "the job document is malformed");
	confine(w->job.memory_max);
	if (!gang_attach(WORKER_GANG, &w->gang, e)) return false;
	if (w->rank >= gang_ranks(w->gang))
		return err_set(e, ERR_internal, "there is no rank %u in this gang", w->rank);
	w->comm = comm_local_create(w->gang, w->rank);
	w->checkpoint_ns = clock_mono_ns();
	return true;
}

static const void *read_resume(size_t *len)
{
	struct err e;
	err_init(&e);
	return worker_file_size(WORKER_RESUME, len, &e) ? worker_map(WORKER_RESUME, *len, &e) : NULL;
}

static bool train(struct worker *w, struct train_result *r, struct err *e)
{
	const struct worker_job *j = &w->job;
	uint64_t share = j->memory_max / MEMORY_SHARE_OF_ROWS / w->comm->size;
	struct spec sp;
	struct train_env env = {
		.comm = w->comm,
		.source = {.file_roots = j->file_roots,
			   .spool_dir = j->spool_dir,
			   .memory_max = share,
			   .record_bytes_max = j->record_bytes_max,
			   .columns_max = j->columns_max,
			   .inline_rows_max = j->inline_rows_max},
		.memory_max = share,
		.spool_dir = j->spool_dir,
		.hooks = {.ctx = w,
			  .planned = on_planned,
			  .phase = on_phase,
			  .stage = on_stage,
			  .rows = on_rows,
			  .log = on_log,
			  .checkpoint_due = is_checkpoint_due,
			  .checkpoint_save = save_checkpoint},
	};
	/* Every number is given in a written specification. */
	const struct spec_defaults none = {.workers = w->comm->size, .memory_max = j->memory_max};
	if (!spec_parse(&sp, j->spec.data, j->spec.len, &none, NULL, e)) return false;
	env.resume = read_resume(&env.resume_len);
	bool ok = train_run(&sp, &env, r, e);
	worker_unmap(env.resume, env.resume_len);
	spec_release(&sp);
	return ok;
}

static bool deliver(const struct train_result *r, struct err *e)
{
	struct buf bytes = BUF_INIT(SIZE_MAX / 2);
	train_result_encode(r, &bytes);
	bool ok = worker_file_fill(WORKER_OUTBOX, bytes.data, bytes.len, e);
	if (ok) tell(&(struct frame){.type = FRAME_RESULT, .count = bytes.len});
	buf_release(&bytes);
	return ok;
}

/* In a broken gang the launcher knows better than its members what went wrong. */
static void report(const struct worker *w, const struct err *e)
{
	if (w->gang && gang_broken(w->gang) && e->code == ERR_internal) return;
	struct buf text = BUF_INIT(FRAME_TEXT_MAX);
	frame_error_text(e, &text);
	tell(&(struct frame){.type = FRAME_ERROR, .text = {text.data, text.len}});
	buf_release(&text);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "quern-worker is started by quern\n");
		return WORKER_EXIT_USAGE;
	}
	struct worker w = {.rank = (unsigned)strtoul(argv[1], NULL, 10)};
	struct train_result result = {0};
	struct err e;
	err_init(&e);
	if (!die_with((pid_t)strtol(argv[2], NULL, 10))) return WORKER_EXIT_FAILED;
	bool ok = read_job(&w, &e) && train(&w, &result, &e);
	ok = ok && (w.rank != 0 || deliver(&result, &e));
	if (!ok) report(&w, &e);
	train_result_release(&result);
	comm_local_destroy(w.comm);
	gang_destroy(w.gang);
	arena_release(&w.arena);
	return ok ? WORKER_EXIT_DONE : WORKER_EXIT_FAILED;
}
