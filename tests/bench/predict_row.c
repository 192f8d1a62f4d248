/* One row, and a batch, through the compiled predictor, beside the same rows through pipeline_apply in batches:
 *     quern fit deploy/examples/reviews.json --out r.quern && predict_row r.quern
 * Prints nanoseconds a row, the best of some rounds, and heap allocations a row once scratch is warm. */
#include "base/clock.h"
#include "base/file.h"
#include "data/json_row.h"
#include "serving/predictor.h"
#include "tests/support/malloc_count.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20, ONE_BY_ONE = 20000, BATCHES = 40 };

static const char *const texts[] = {
	"Mountain biking is awesome!",
	"The food was cold and the waiter was rude.",
	"I loved every minute of it, the cast is superb and the ending made me cry.",
	"Battery died after two days. Never again.",
};

struct bench {
	struct predictor *p;
	struct predictor_scratch *s;
	struct buf bodies[ARRAY_COUNT(texts)], instances, out;
	struct err e;
};

static void must(bool ok, const struct err *e)
{
	if (ok) return;
	fprintf(stderr, "predict_row: %s\n", e->detail);
	exit(1);
}

static void load(struct bench *b, const char *path)
{
	struct buf bytes = BUF_INIT((size_t)1 << 32);
	err_init(&b->e);
	must(file_read(path, &bytes, &b->e), &b->e);
	must(predictor_create(bytes.data, bytes.len, "bench", 1, &b->p, &b->e), &b->e);
	buf_release(&bytes);
	b->s = predictor_scratch_create(b->p);
	b->out = BUF_INIT((size_t)1 << 30);
	b->instances = BUF_INIT((size_t)1 << 30);
	buf_str(&b->instances, "{\"instances\":[");
	for (size_t i = 0; i < BATCH_ROWS; i++)
		buf_printf(&b->instances, "%s{\"text\":\"%s\"}", i ? "," : "", texts[i % ARRAY_COUNT(texts)]);
	buf_str(&b->instances, "]}");
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		b->bodies[i] = BUF_INIT(1 << 20);
		buf_printf(&b->bodies[i], "{\"text\":\"%s\"}", texts[i]);
	}
}

static void predict(struct bench *b, const struct buf *body)
{
	struct predictor_request r = {.body = body->data, .len = body->len, .limits = {1000000, (size_t)1 << 30}};
	buf_clear(&b->out);
	must(predictor_json(b->p, b->s, &r, &b->out, &b->e), &b->e);
}

static double one_by_one(struct bench *b, const struct buf *bodies, size_t count)
{
	int64_t from = clock_mono_ns();
	for (size_t i = 0; i < ONE_BY_ONE; i++) predict(b, &bodies[i % count]);
	return (double)(clock_mono_ns() - from) / ONE_BY_ONE;
}

static double in_batches(struct bench *b)
{
	int64_t from = clock_mono_ns();
	for (size_t i = 0; i < BATCHES; i++) predict(b, &b->instances);
	return (double)(clock_mono_ns() - from) / (BATCHES * BATCH_ROWS);
}

/* The plain path: rows that are columns already. */
static double plain(struct bench *b)
{
	const struct pipeline *p = predictor_pipeline(b->p);
	uint8_t *wanted = mem_zalloc(p->schema.count, 1);
	struct pipeline_scratch scratch;
	struct pipeline_plan plan;
	struct batch batch;
	for (size_t i = 0; i < p->response_count; i++) wanted[p->response[i].slot] = 1;
	pipeline_plan_make(&plan, p, wanted, NULL);
	pipeline_scratch_init(&scratch, p);
	batch_init(&batch, &p->schema);
	int slot = schema_find(&p->schema, STR("text"));
	int64_t sum = 0;
	for (int k = 0; k < BATCHES; k++) {
		batch_clear(&batch);
		for (size_t i = 0; i < BATCH_ROWS; i++) {
			const char *t = texts[i % ARRAY_COUNT(texts)];
			column_str(&batch.columns[slot], t, strlen(t));
		}
		batch.rows = BATCH_ROWS;
		int64_t from = clock_mono_ns();
		must(pipeline_apply(&plan, &batch, &scratch, &b->e), &b->e);
		sum += clock_mono_ns() - from;
	}
	batch_release(&batch);
	pipeline_scratch_release(&scratch);
	pipeline_plan_release(&plan);
	mem_free(wanted);
	return (double)sum / (BATCHES * BATCH_ROWS);
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	double one = 1e18, four = 1e18, batch = 1e18, apply = 1e18;
	if (argc != 2) {
		fprintf(stderr, "usage: predict_row MODEL.quern (of a pipeline over a column \"text\")\n");
		return 2;
	}
	load(&b, argv[1]);
	one_by_one(&b, b.bodies, ARRAY_COUNT(texts));
	size_t before = malloc_count();
	one_by_one(&b, b.bodies, ARRAY_COUNT(texts));
	size_t allocations = malloc_count() - before;
	for (int i = 0; i < ROUNDS; i++) {
		one = MIN(one, one_by_one(&b, b.bodies, 1));
		four = MIN(four, one_by_one(&b, b.bodies, ARRAY_COUNT(texts)));
		batch = MIN(batch, in_batches(&b));
		apply = MIN(apply, plain(&b));
	}
	printf("%-52s %8.0f ns\n", "one short sentence, JSON to JSON", one);
	printf("%-52s %8.0f ns\n", "four sentences in turn, one at a time", four);
	printf("%-52s %8.0f ns a row\n", "the same as instances of 1024", batch);
	printf("%-52s %8.0f ns a row\n", "the same through pipeline_apply, no JSON", apply);
	printf("%-52s %8.3f\n", "heap allocations a row", (double)allocations / ONE_BY_ONE);
	return 0;
}
