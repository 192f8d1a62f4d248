/* What a gang costs: starting and ending one, a barrier, the sum over shards beside what one core can stream.
 *
 *     build/bench_gang [RANKS]
 */
#include "base/clock.h"
#include "base/mem.h"
#include "trainer/comm_local.h"
#include "trainer/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARDS = 8, FEATURES = 524288, SUMS = 50, BARRIERS = 20000, LAUNCHES = 20, SHARED_MIB = 1024 };

static double seconds_since(int64_t begin_ns) { return (double)(clock_mono_ns() - begin_ns) * 1e-9; }

static void must(bool ok, const struct err *e)
{
	if (ok) return;
	fprintf(stderr, "%s\n", e->detail);
	_exit(1);
}

static void measure_sums(struct comm *c)
{
	struct err e;
	err_init(&e);
	size_t first = comm_shard_first(c, c->rank), end = comm_shard_end(c, c->rank);
	for (size_t s = first; s < end; s++) {
		double *leaf = c->ops->leaf(c, s - first, FEATURES);
		for (size_t i = 0; i < FEATURES; i++) leaf[i] = (double)(s * i);
	}
	double *out = c->ops->alloc(c, FEATURES);
	must(c->ops->sum_shards(c, FEATURES, out, &e), &e); /* touches the pages */
	int64_t begin = clock_mono_ns();
	for (int i = 0; i < SUMS; i++) must(c->ops->sum_shards(c, FEATURES, out, &e), &e);
	double s = seconds_since(begin) / SUMS;
	if (c->rank == 0)
		printf("sum_shards  %d x %d doubles, %u ranks: %.2f ms, %.1f GB/s\n", SHARDS, FEATURES, c->size,
		       s * 1e3, (SHARDS + 1) * (double)FEATURES * sizeof(double) / s * 1e-9);
}

static void measure_barriers(struct comm *c)
{
	struct err e;
	err_init(&e);
	int64_t begin = clock_mono_ns();
	for (int i = 0; i < BARRIERS; i++) must(c->ops->barrier(c, &e), &e);
	if (c->rank == 0) printf("barrier     %u ranks: %.2f us\n", c->size, seconds_since(begin) / BARRIERS * 1e6);
}

/* The peer: one core adding as many doubles that lie side by side. */
static void measure_stream(void)
{
	double *leaves = mem_zalloc((size_t)SHARDS * FEATURES, sizeof *leaves),
	       *out = mem_zalloc(FEATURES, sizeof *out);
	for (size_t i = 0; i < (size_t)SHARDS * FEATURES; i++) leaves[i] = (double)i;
	int64_t begin = clock_mono_ns();
	for (int k = 0; k < SUMS; k++)
		for (size_t i = 0; i < FEATURES; i++) {
			const double *v = leaves + i;
			out[i] += v[0] + v[FEATURES] + v[2 * FEATURES] + v[3 * FEATURES] + v[4 * FEATURES] +
				  v[5 * FEATURES] + v[6 * FEATURES] + v[7 * FEATURES];
		}
	double s = seconds_since(begin) / SUMS;
	printf("peer        one core, plain loop: %.2f ms, %.1f GB/s (%g)\n", s * 1e3,
	       (SHARDS + 1) * (double)FEATURES * sizeof(double) / s * 1e-9, out[FEATURES - 1]);
	mem_free(leaves);
	mem_free(out);
}

static void run_rank(struct gang *g, unsigned rank)
{
	struct gang *mine;
	struct err e;
	err_init(&e);
	must(gang_attach(gang_fd(g), &mine, &e), &e);
	struct comm *c = comm_local_create(mine, rank);
	c->shard_count = SHARDS;
	measure_sums(c);
	measure_barriers(c);
	fflush(stdout);
	_exit(0);
}

static void measure_gang(unsigned ranks)
{
	struct gang *g;
	struct err e;
	err_init(&e);
	must(gang_create(ranks, (uint64_t)SHARED_MIB << 20, &g, &e), &e);
	fflush(stdout);
	for (unsigned r = 0; r < ranks; r++)
		if (fork() == 0) run_rank(g, r);
	while (wait(NULL) > 0) continue;
	gang_destroy(g);
}

/* A job over two rows that fits one IDF: nothing but what every job pays. */
static void measure_launch(unsigned ranks)
{
	static const char spec[] =
		"{\"name\":\"empty\",\"kind\":\"train\",\"source\":{\"format\":\"inline\","
		"\"rows\":[{\"text\":\"a\"},{\"text\":\"b\"}]},"
		"\"pipeline\":[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"},"
		"{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"tf\",\"numFeatures\":16},"
		"{\"stage\":\"IDF\",\"inputCol\":\"tf\",\"outputCol\":\"idf\"}],\"seed\":1}";
	const struct launch_options o = {.spec_text = spec,
					 .spec_len = sizeof spec - 1,
					 .workers = ranks,
					 .memory_max = (uint64_t)SHARED_MIB << 20,
					 .work_dir = "/tmp",
					 .record_bytes_max = 1 << 20,
					 .columns_max = 100,
					 .inline_rows_max = 100,
					 .checkpoint_s = 3600,
					 .hang_s = 60,
					 .grace_s = 10};
	int64_t begin = clock_mono_ns();
	for (int i = 0; i < LAUNCHES; i++) {
		struct launch *l;
		struct err e;
		err_init(&e);
		must(launch_start(&o, &(struct launch_events){0}, &l, &e), &e);
		while (launch_poll(l, 100) == LAUNCH_RUNNING) continue;
		must(launch_poll(l, 0) == LAUNCH_SUCCEEDED, launch_error(l));
		launch_destroy(l);
	}
	printf("launch      %u ranks, an empty job from start to end: %.1f ms\n", ranks,
	       seconds_since(begin) / LAUNCHES * 1e3);
}

int main(int argc, char **argv)
{
	unsigned ranks = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;
	if (ranks == 0 || ranks > COMM_RANKS_MAX) return 2;
	measure_stream();
	measure_gang(ranks);
	measure_launch(ranks);
	return 0;
}
