/* What a row costs in a fitted pipeline's transform, columns to columns:
 *     stage_cost MODEL.quern ROWS.ndjson
 * Prints {"batch": ns a row in batches, "single": ns a row alone, "allocations": a row, warm}; the best of some rounds.
 */
#include "base/clock.h"
#include "base/file.h"
#include "data/json_row.h"
#include "pipeline/pipeline.h"
#include "tests/support/malloc_count.h"

#include <stdio.h>
#include <stdlib.h>

enum { SINGLES = 256, ROUNDS_MIN = 3 };
static const int64_t patience_ns = 200 * 1000 * 1000;

struct bench {
	struct pipeline p;
	struct pipeline_plan plan;
	struct pipeline_scratch scratch;
	struct err e;
};

/* Some rows, as batches of so many. */
struct rows {
	struct batch *batches;
	size_t count, rows;
};

static void must(bool ok, const struct err *e)
{
	if (ok) return;
	fprintf(stderr, "stage_cost: %s\n", e->detail);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		fprintf(stderr, "stage_cost: %s %s\n", e->faults[i].pointer, e->faults[i].detail);
	exit(1);
}

static struct buf read_file(struct bench *b, const char *path)
{
	struct buf bytes = BUF_INIT((size_t)1 << 32);
	must(file_read(path, &bytes, &b->e), &b->e);
	return bytes;
}

/* The inputs stay wanted, so that no stage takes their buffers and a batch can be transformed over and over. */
static void make_plan(struct bench *b)
{
	const struct pipeline *p = &b->p;
	const struct stage *last = &p->stages[p->count - 1];
	uint8_t *wanted = mem_zalloc(p->schema.count, 1);
	for (size_t i = 0; i < last->out_count; i++) wanted[last->out[i].slot] = 1;
	pipeline_plan_make(&b->plan, p, wanted, NULL);
	for (size_t i = 0; i < p->input_count; i++) wanted[i] = b->plan.input_needed[i];
	pipeline_plan_release(&b->plan);
	pipeline_plan_make(&b->plan, p, wanted, NULL);
	pipeline_scratch_init(&b->scratch, p);
	mem_free(wanted);
}

static void load(struct bench *b, const char *path)
{
	struct buf bytes = read_file(b, path);
	must(pipeline_decode(&b->p, bytes.data, bytes.len, &b->e), &b->e);
	buf_release(&bytes);
	make_plan(b);
}

static struct batch *add_batch(struct bench *b, struct rows *r)
{
	r->batches = mem_realloc(r->batches, r->count + 1, sizeof *r->batches);
	struct batch *last = &r->batches[r->count++];
	batch_init(last, &b->p.schema);
	batch_clear(last);
	return last;
}

static struct rows read_rows(struct bench *b, const struct buf *text, size_t each, size_t max)
{
	struct rows r = {0};
	struct json_row reader;
	struct json_scan scan;
	struct buf scratch = BUF_INIT(1 << 24);
	struct batch *batch = NULL;
	json_row_init(&reader, &b->p.schema, b->plan.input_needed);
	reader.prefix = "";
	for (const char *line = text->data, *end = text->data + text->len; line < end && r.rows < max; r.rows++) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop) stop = end;
		if (!batch || batch->rows == each) batch = add_batch(b, &r);
		json_scan_init(&scan, line, (size_t)(stop - line), &scratch);
		must(json_row_read(&reader, &scan, json_scan_next(&scan), batch, &b->e) == JSON_ROW_OK, &b->e);
		line = stop + 1;
	}
	json_row_release(&reader);
	buf_release(&scratch);
	return r;
}

static void release_rows(struct rows *r)
{
	for (size_t i = 0; i < r->count; i++) batch_release(&r->batches[i]);
	mem_free(r->batches);
}

static void transform(struct bench *b, const struct rows *r)
{
	for (size_t i = 0; i < r->count; i++) must(pipeline_apply(&b->plan, &r->batches[i], &b->scratch, &b->e), &b->e);
}

static double best_of_rounds(struct bench *b, const struct rows *r)
{
	int64_t best = INT64_MAX, begin = clock_mono_ns();
	for (int i = 0; i < ROUNDS_MIN || clock_mono_ns() - begin < patience_ns; i++) {
		int64_t from = clock_mono_ns();
		transform(b, r);
		best = MIN(best, clock_mono_ns() - from);
	}
	return (double)best / (double)r->rows;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	if (argc != 3) {
		fprintf(stderr, "usage: stage_cost MODEL.quern ROWS.ndjson\n");
		return 2;
	}
	err_init(&b.e);
	load(&b, argv[1]);
	struct buf text = read_file(&b, argv[2]);
	struct rows all = read_rows(&b, &text, BATCH_ROWS, SIZE_MAX), singles = read_rows(&b, &text, 1, SINGLES);
	double batch = best_of_rounds(&b, &all), single = best_of_rounds(&b, &singles);
	size_t before = malloc_count();
	transform(&b, &singles);
	double allocations = (double)(malloc_count() - before) / (double)singles.rows;
	printf("{\"batch\": %.1f, \"single\": %.1f, \"allocations\": %.3f}\n", batch, single, allocations);
	release_rows(&all);
	release_rows(&singles);
	buf_release(&text);
	pipeline_scratch_release(&b.scratch);
	pipeline_plan_release(&b.plan);
	pipeline_release(&b.p);
	return 0;
}
