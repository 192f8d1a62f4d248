/* A worker that misbehaves on demand: the specification's tags say how, {"tags": {"play": "<name>"}}. For tests of the
 * launcher and the scheduler. */
#include "base/clock.h"
#include "base/json.h"
#include "trainer/comm_local.h"
#include "trainer/frame.h"
#include "trainer/train.h"
#include "trainer/worker_job.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct player {
	struct gang *gang;
	struct comm *comm;
	struct arena arena;
	struct worker_job job;
	struct err err;
};

static void tell(struct frame f)
{
	struct err e;
	err_init(&e);
	if (!frame_send(WORKER_SOCKET, &f, &e)) _exit(WORKER_EXIT_FAILED);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool meet(struct player *p) { return p->comm->ops->barrier(p->comm, &p->err); }

static int fail(const struct err *e)
{
	struct buf text = BUF_INIT(FRAME_TEXT_MAX);
	frame_error_text(e, &text);
	tell((struct frame){.type = FRAME_ERROR, .text = {text.data, text.len}});
	buf_release(&text);
	return WORKER_EXIT_FAILED;
}

static int deliver(const char *model)
{
	struct train_result r = {.container = BUF_INIT(1 << 20),
				 .manifest = BUF_INIT(64),
				 .metrics = BUF_INIT(64),
				 .evaluation = BUF_INIT(64)};
	struct buf bytes = BUF_INIT(1 << 21);
	struct err e;
	err_init(&e);
	buf_str(&r.container, model);
	buf_str(&r.manifest, "{}");
	buf_str(&r.metrics, "{\"accuracy\":0.5}");
	buf_str(&r.evaluation, "{}");
	r.rows_train = 7;
	train_result_encode(&r, &bytes);
	if (!worker_file_fill(WORKER_OUTBOX, bytes.data, bytes.len, &e)) return fail(&e);
	tell((struct frame){.type = FRAME_RESULT, .count = bytes.len});
	train_result_release(&r);
	buf_release(&bytes);
	return WORKER_EXIT_DONE;
}

/* --- Plays ------------------------------------------------------------------------------------------------------- */

static int succeed(struct player *p)
{
	if (!meet(p)) return WORKER_EXIT_FAILED;
	if (p->comm->rank != 0) return WORKER_EXIT_DONE;
	tell((struct frame){.type = FRAME_PLAN, .index = 1});
	tell((struct frame){.type = FRAME_ROWS, .index = 0, .count = 7, .flag = true});
	tell((struct frame){.type = FRAME_LOG, .text = STR("a line\nwith \x1b control and \xff")});
	return deliver("model");
}

static int killed(struct player *p)
{
	if (p->comm->rank == 1) raise(SIGKILL);
	return meet(p) ? WORKER_EXIT_DONE : WORKER_EXIT_FAILED;
}

static int aborts(struct player *p)
{
	(void)p;
	signal(SIGABRT, SIG_DFL);
	abort();
}

static int exits(struct player *p)
{
	if (p->comm->rank == 0) return 3;
	return meet(p) ? WORKER_EXIT_DONE : WORKER_EXIT_FAILED;
}

static int out_of_memory(struct player *p)
{
	if (p->comm->rank == 0) return MEM_EXIT_OOM;
	return meet(p) ? WORKER_EXIT_DONE : WORKER_EXIT_FAILED;
}

static int silent(struct player *p)
{
	(void)p;
	return WORKER_EXIT_DONE;
}

static int eats(struct player *p)
{
	while (p->comm->rank == 0) {
		enum { BITE = 4 << 20 };
		memset(mem_alloc(BITE), 1, BITE);
		gang_beat(p->gang, 0);
		pause_ms(10);
	}
	return meet(p) ? WORKER_EXIT_DONE : WORKER_EXIT_FAILED;
}

static int live_on(struct player *p)
{
	while (getppid() > 0) { /* always */
		gang_beat(p->gang, p->comm->rank);
		pause_ms(10);
	}
	return WORKER_EXIT_DONE;
}

/* Neither is over the limit, both are. */
static int shares_too_much(struct player *p)
{
	enum { MANY = 8 << 20 };
	double *v = p->comm->ops->alloc(p->comm, MANY),
	       *leaf = p->comm->rank == 1 ? p->comm->ops->leaf(p->comm, 0, MANY) : NULL;
	for (size_t i = 0; leaf && i < MANY; i++) v[i] = leaf[i] = 1;
	return live_on(p);
}

static int hangs(struct player *p)
{
	while (p->comm->rank == 1) pause_ms(1000);
	return meet(p) ? WORKER_EXIT_DONE : WORKER_EXIT_FAILED;
}

static int slow_but_alive(struct player *p)
{
	for (int i = 0; i < 25; i++) {
		pause_ms(100);
		gang_beat(p->gang, p->comm->rank);
	}
	return succeed(p);
}

static int refuses(struct player *p)
{
	struct err e;
	err_init(&e);
	err_fault(&e, "/pipeline/0/inputCol", "no such column");
	err_set(&e, ERR_data, "the data are bad");
	return comm_agree(p->comm, p->comm->rank != 1, &e) ? WORKER_EXIT_DONE : fail(&e);
}

static int saves_and_stops(struct player *p)
{
	static const char checkpoint[] = "where it stood";
	char bytes[FRAME_BYTES_MAX];
	struct frame f;
	struct err e;
	err_init(&e);
	gang_hold(p->gang, true);
	while (!gang_stop_asked(p->gang)) {
		gang_beat(p->gang, p->comm->rank);
		pause_ms(5);
	}
	if (p->comm->rank == 0) {
		if (!worker_file_fill(WORKER_OUTBOX, checkpoint, sizeof checkpoint, &e)) return fail(&e);
		tell((struct frame){.type = FRAME_CHECKPOINT, .count = sizeof checkpoint});
		if (frame_receive(WORKER_SOCKET, true, bytes, &f) != FRAME_READY || f.type != FRAME_SAVED || !f.flag)
			return 9;
		gang_hold(p->gang, false);
	}
	while (!p->comm->ops->stopped(p->comm)) pause_ms(1);
	err_set(&e, ERR_cancelled, "stopped");
	return comm_agree(p->comm, false, &e) ? 9 : fail(&e);
}

static int ignores_all(struct player *p)
{
	signal(SIGTERM, SIG_IGN);
	return live_on(p);
}

static int garbage(struct player *p)
{
	if (p->comm->rank == 1) send(WORKER_SOCKET, "\xff\xff\xff\xff nonsense", 13, 0);
	return ignores_all(p);
}

static int false_result(struct player *p)
{
	if (p->comm->rank == 0) tell((struct frame){.type = FRAME_RESULT, .count = (uint64_t)1 << 40});
	return ignores_all(p);
}

static int foreign_result(struct player *p)
{
	struct err e;
	err_init(&e);
	if (p->comm->rank == 0 && worker_file_fill(WORKER_OUTBOX, "no result", 9, &e))
		tell((struct frame){.type = FRAME_RESULT, .count = 9});
	return ignores_all(p);
}

static int others_result(struct player *p)
{
	if (p->comm->rank == 1) tell((struct frame){.type = FRAME_RESULT, .count = 1});
	return ignores_all(p);
}

static int floods(struct player *p)
{
	for (int i = 0; p->comm->rank == 0 && i < 50000; i++)
		tell((struct frame){.type = FRAME_LOG, .text = STR("again")});
	return succeed(p);
}

/* What a worker is born with: no secrets, no foreign descriptors, a session of its own. */
static int surroundings(struct player *p)
{
	struct err e;
	err_init(&e);
	for (int fd = WORKER_FD_END; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0) err_fault(&e, "", "descriptor %d is open", fd);
	if (getenv("QUERN_DATABASE_URL")) err_fault(&e, "", "the environment was passed on");
	if (getsid(0) != getpid()) err_fault(&e, "", "not a session of its own");
	sigset_t blocked;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	if (sigismember(&blocked, SIGTERM)) err_fault(&e, "", "SIGTERM is blocked");
	return err_is(&e) ? fail(&e) : succeed(p);
}

static const struct {
	const char *name;
	int (*play)(struct player *p);
} plays[] = {
	{"succeed", succeed},
	{"killed", killed},
	{"aborts", aborts},
	{"exits", exits},
	{"out of memory", out_of_memory},
	{"silent", silent},
	{"eats", eats},
	{"shares too much", shares_too_much},
	{"hangs", hangs},
	{"slow but alive", slow_but_alive},
	{"refuses", refuses},
	{"saves and stops", saves_and_stops},
	{"ignores all", ignores_all},
	{"garbage", garbage},
	{"false result", false_result},
	{"foreign result", foreign_result},
	{"other's result", others_result},
	{"floods", floods},
	{"surroundings", surroundings},
};

int main(int argc, char **argv)
{
	struct player p = {.arena = ARENA_INIT};
	struct json *root;
	size_t len;
	err_init(&p.err);
	if (argc != 3) return WORKER_EXIT_USAGE;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!worker_file_size(WORKER_JOB, &len, &p.err)) return WORKER_EXIT_FAILED;
	const void *bytes = worker_map(WORKER_JOB, len, &p.err);
	if (!bytes || !worker_job_decode(bytes, len, &p.arena, &p.job) || !gang_attach(WORKER_GANG, &p.gang, &p.err) ||
	    !json_parse(&p.arena, p.job.spec.data, p.job.spec.len, &root, &p.err))
		return WORKER_EXIT_FAILED;
	p.comm = comm_local_create(p.gang, (unsigned)strtoul(argv[1], NULL, 10));
	const struct json *play = json_get(json_get(root, "tags"), "play");
	int code = WORKER_EXIT_USAGE;
	for (size_t i = 0; play && i < ARRAY_COUNT(plays); i++)
		if (str_is(play->string, plays[i].name)) code = plays[i].play(&p);
	comm_local_destroy(p.comm);
	gang_destroy(p.gang);
	arena_release(&p.arena);
	return code;
}
