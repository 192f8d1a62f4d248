/* Jobs accepted a second by four connections, beside the same number of connections that each commit one bare row: what
 * the disk and Postgres allow at best. Then what one reader and one publication take. */
#include "tests/support/pg_fixture.h"

#include "base/rng.h"
#include "store/job.h"
#include "store/model.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 4, SECONDS = 3, READS = 2000, CLAIMS = 2000, MODEL_BYTES = 8 << 20, PUBLICATIONS = 5 };

static struct store *s;
static int64_t stop_at;

static double seconds_since(int64_t start) { return (double)(clock_mono_ns() - start) / 1e9; }

static void *insert_rows(void *count)
{
	PGconn *c = PQconnectdb(pg_fixture_url());
	for (; clock_mono_ns() < stop_at; ++*(size_t *)count)
		PQclear(PQexec(c, "INSERT INTO bare (data) VALUES ('row')"));
	PQfinish(c);
	return NULL;
}

static struct job_new new_job(void)
{
	struct job_new n = {
	    .name = "bench",
	    .kind = "train",
	    .tags = "{}",
	    .priority = 3,
	    .max_attempts = 3,
	    .timeout_s = 60,
	    .spec = "{\"name\":\"bench\",\"source\":{\"format\":\"csv\",\"uri\":\"file:x.csv\"},\"pipeline\":[]}"};
	uuid_v7(n.id);
	return n;
}

static void *create_jobs(void *count)
{
	struct arena a = ARENA_INIT;
	struct err e;
	struct job j;
	bool existing;
	err_init(&e);
	for (; clock_mono_ns() < stop_at; ++*(size_t *)count) {
		struct job_new n = new_job();
		if (!job_create(s, &n, &a, &j, &existing, &e)) fail_msg("%s", e.detail);
		arena_reset(&a);
	}
	arena_release(&a);
	return NULL;
}

static double rate(void *(*body)(void *))
{
	pthread_t threads[THREADS];
	size_t counts[THREADS] = {0}, sum = 0;
	stop_at = clock_mono_ns() + (int64_t)SECONDS * 1000000000;
	for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, body, &counts[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += counts[i];
	}
	return (double)sum / SECONDS;
}

static void bench(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct err e;
	struct job j;
	struct job_lease lease;
	bool claimed, lost;
	int version;
	err_init(&e);
	s = pg_fixture_store(0);
	pg_fixture_sql("CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data text)");

	double bare = rate(insert_rows), jobs = rate(create_jobs);
	printf("bare one-row commits, %d connections  %8.0f /s\n", THREADS, bare);
	printf("job_create, %d connections            %8.0f /s  %.2f of it\n", THREADS, jobs, jobs / bare);

	int64_t start = clock_mono_ns();
	for (int i = 0; i < CLAIMS; i++) assert_ok(job_claim(s, "bench", 60, &a, &j, &lease, &claimed, &e), &e);
	printf("job_claim, one connection            %8.0f /s\n", CLAIMS / seconds_since(start));
	start = clock_mono_ns();
	for (int i = 0; i < READS; i++) assert_ok(job_get(s, j.id, &a, &j, &e), &e);
	printf("job_get, one connection              %8.0f /s\n", READS / seconds_since(start));

	void *container = mem_alloc(MODEL_BYTES);
	rng_system(container, MODEL_BYTES);
	double publish_s = 0, load_s = 0;
	for (int i = 0; i < PUBLICATIONS; i++) {
		struct job_result r = {
		    .metrics = "{}", .model_name = "bench", .container = container, .container_len = MODEL_BYTES};
		struct buf b = BUF_INIT(2 * MODEL_BYTES);
		assert_ok(job_claim(s, "bench", 60, &a, &j, &lease, &claimed, &e), &e);
		start = clock_mono_ns();
		assert_ok(job_succeed(s, &lease, &r, &version, &lost, &e), &e);
		publish_s += seconds_since(start) / PUBLICATIONS;
		start = clock_mono_ns();
		assert_ok(model_load(s, "bench", version, &b, &e), &e);
		load_s += seconds_since(start) / PUBLICATIONS;
		buf_release(&b);
	}
	printf("job_succeed with %d MiB               %8.1f ms\n", MODEL_BYTES >> 20, publish_s * 1e3);
	printf("model_load of %d MiB                  %8.1f ms\n", MODEL_BYTES >> 20, load_s * 1e3);
	mem_free(container);
	arena_release(&a);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(bench)};
	return cmocka_run_group_tests(tests, pg_fixture_setup, pg_fixture_teardown);
}
