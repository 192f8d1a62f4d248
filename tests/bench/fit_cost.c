/* What fitting a pipeline's last stage costs, on rows that lie in memory:
 *     fit_cost SPEC.json ROWS.ndjson
 * Prints {"fit": ns a row}, the best of some rounds; {"fit": null} where the stage is not fitted.
 */
#include "base/clock.h"
#include "base/file.h"
#include "data/json_row.h"
#include "pipeline/comm.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHARDS = 8, ROUNDS = 5 };

struct bench {
	struct schema schema;
	struct buf spec, text;
	size_t rows;
	int64_t begin, took; /* of the stage that was fitted last */
};

static void must(bool ok, const struct err *e)
{
	if (ok) return;
	fprintf(stderr, "fit_cost: %s\n", e->detail);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		fprintf(stderr, "fit_cost: %s %s\n", e->faults[i].pointer, e->faults[i].detail);
	exit(1);
}

static bool read_shard(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b,
		       bool (*sink)(void *sink_ctx, struct batch *b, struct err *e), void *sink_ctx, struct err *e)
{
	struct bench *bench = ctx;
	struct buf scratch = BUF_INIT(1 << 24);
	struct json_row reader;
	struct json_scan scan;
	const char *text = bench->text.data, *end = text + bench->text.len;
	bool ok = true;
	json_row_init(&reader, &bench->schema, wanted);
	reader.prefix = "";
	batch_clear(b);
	b->shard = (uint32_t)shard;
	bench->rows = 0;
	for (const char *line = text, *stop; ok && line < end; line = stop + 1, bench->rows++) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop) stop = end;
		if (bench->rows / BATCH_ROWS % SHARDS != shard) continue;
		json_scan_init(&scan, line, (size_t)(stop - line), &scratch);
		must(json_row_read(&reader, &scan, json_scan_next(&scan), b, e) == JSON_ROW_OK, e);
		if (b->rows < BATCH_ROWS) continue;
		ok = sink(sink_ctx, b, e);
		batch_clear(b);
		b->shard = (uint32_t)shard;
	}
	ok = ok && (b->rows == 0 || sink(sink_ctx, b, e));
	json_row_release(&reader);
	buf_release(&scratch);
	return ok;
}

static void stage_begin(void *ctx, size_t stage)
{
	struct bench *b = ctx;
	(void)stage;
	b->begin = clock_mono_ns();
}

static void stage_end(void *ctx, size_t stage)
{
	struct bench *b = ctx;
	(void)stage;
	b->took = clock_mono_ns() - b->begin;
}

/* ns of the last stage's fit; -1: it has none. */
static int64_t fit_once(struct bench *b, const struct json *stages, struct comm *comm)
{
	struct pipeline p = {0};
	struct err e;
	err_init(&e);
	must(pipeline_parse(&p, stages, "/pipeline", &e) && pipeline_bind(&p, &b->schema, &e), &e);
	struct pipeline_fit f = {.comm = comm,
				 .memory_max = (uint64_t)1 << 32,
				 .spool_dir = "/tmp",
				 .read = read_shard,
				 .ctx = b,
				 .stage_begin = stage_begin,
				 .stage_end = stage_end};
	bool estimator = !p.stages[p.count - 1].fitted;
	if (estimator) must(pipeline_fit(&p, &f, NULL, &e), &e);
	pipeline_release(&p);
	return estimator ? b->took : -1;
}

int main(int argc, char **argv)
{
	struct bench b = {.spec = BUF_INIT(1 << 24), .text = BUF_INIT((size_t)1 << 32)};
	struct arena arena = ARENA_INIT;
	struct json *spec;
	struct err e;
	if (argc != 3) {
		fprintf(stderr, "usage: fit_cost SPEC.json ROWS.ndjson\n");
		return 2;
	}
	err_init(&e);
	must(file_read(argv[1], &b.spec, &e) && file_read(argv[2], &b.text, &e), &e);
	must(json_parse(&arena, b.spec.data, b.spec.len, &spec, &e), &e);
	must(schema_parse(&b.schema, json_get(json_get(spec, "source"), "schema"), "/source/schema", &e), &e);
	struct comm *comm = comm_serial_create();
	comm->shard_count = SHARDS;
	int64_t best = INT64_MAX;
	for (int i = 0; i < ROUNDS && best >= 0; i++) best = MIN(best, fit_once(&b, json_get(spec, "pipeline"), comm));
	if (best < 0)
		printf("{\"fit\": null}\n");
	else
		printf("{\"fit\": %.1f}\n", (double)best / (double)b.rows);
	comm_serial_destroy(comm);
	schema_release(&b.schema);
	buf_release(&b.spec);
	buf_release(&b.text);
	arena_release(&arena);
	return 0;
}
