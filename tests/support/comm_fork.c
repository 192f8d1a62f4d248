#include "tests/support/comm_fork.h"

#include "tests/support/support.h"
#include "trainer/comm_local.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT_BYTES_MAX = 1 << 28, HUNG_AFTER_S = 100 };
static const uint64_t GANG_MEMORY = UINT64_C(1) << 30;

static QN_NORETURN void be_rank(struct gang *g, unsigned rank, bool (*fn)(struct comm *, void *, struct buf *),
				void *ctx, FILE *answer)
{
	struct gang *mine;
	struct err e;
	err_init(&e);
	alarm(HUNG_AFTER_S);
	if (!gang_attach(gang_fd(g), &mine, &e)) _exit(2);
	struct comm *c = comm_local_create(mine, rank);
	struct buf out = BUF_INIT(OUT_BYTES_MAX);
	bool ok = fn(c, ctx, &out);
	ok = ok && buf_ok(&out) && fwrite(out.data, 1, out.len, answer) == out.len && fflush(answer) == 0;
	buf_release(&out);
	comm_local_destroy(c);
	gang_destroy(mine);
	_exit(ok ? 0 : 1);
}

/* All children end; the first bad end wakes those who wait for the dead one. */
static bool reap(struct gang *g, unsigned ranks)
{
	bool ok = true;
	for (unsigned r = 0; r < ranks; r++) {
		int status;
		assert_true(wait(&status) > 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
		ok = false;
		gang_break(g);
	}
	return ok;
}

static void take_answer(FILE *answer, struct buf *out)
{
	assert_int_equal(fseek(answer, 0, SEEK_END), 0);
	long len = ftell(answer);
	rewind(answer);
	char *room = buf_reserve(out, (size_t)len);
	assert_non_null(room);
	assert_int_equal(fread(room, 1, (size_t)len, answer), len);
	buf_commit(out, (size_t)len);
}

bool comm_fork_run(unsigned ranks, bool (*fn)(struct comm *c, void *ctx, struct buf *out), void *ctx, struct buf *outs)
{
	FILE *answers[COMM_RANKS_MAX];
	struct gang *g;
	struct err e;
	err_init(&e);
	assert_ok(gang_create(ranks, GANG_MEMORY, &g, &e), &e);
	for (unsigned r = 0; r < ranks; r++) {
		answers[r] = tmpfile();
		assert_non_null(answers[r]);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) be_rank(g, r, fn, ctx, answers[r]);
	}
	bool ok = reap(g, ranks);
	for (unsigned r = 0; r < ranks; r++) {
		if (ok && outs) take_answer(answers[r], &outs[r]);
		fclose(answers[r]);
	}
	gang_destroy(g);
	return ok;
}
