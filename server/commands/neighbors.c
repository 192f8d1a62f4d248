/* quern neighbors: approxNearestNeighbors of a fitted pipeline's LSH stage. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/hashed_file.h"
#include "server/commands/rows_input.h"

#define NEIGHBORS_LINE_MAX (2 * ROWS_RECORD_BYTES_MAX)

struct neighbors_options {
	struct cli_common common;
	const char *key, *distance_col, *output_col, *input_format;
	uint64_t count;
};

#define AT(member) offsetof(struct neighbors_options, member)
static const struct cli_option options[] = {
	{"key", CLI_TEXT, AT(key), "VECTOR", "[…] or {\"size\",\"indices\",\"values\"}, as the stage's inputCol", NULL, true, 'k'},
	{"num-nearest-neighbors", CLI_COUNT, AT(count), "N", "rows to find, at most", NULL, true, 'n'},
	{"dist-col", CLI_TEXT, AT(distance_col), "NAME", "the column of distances; default distCol"},
	{"output-col", CLI_TEXT, AT(output_col), "NAME", "of the LSH stage, where there are several; default the last"},
	{"input-format", CLI_CHOICE, AT(input_format), "FORMAT", "of FILE; default: by its ending or its first byte",
	 rows_formats},
	{0},
};
static const struct cli cli = {
	.command = "neighbors",
	.arguments = "MODEL.quern [FILE|-]",
	.help = "Finds the rows of FILE, or of standard input, that lie nearest to a vector: Spark's\n"
		"approxNearestNeighbors. Only rows that share a hash with it are looked at, so there may be fewer\n"
		"than N. Prints them as NDJSON, the nearest first, as quern apply --output full does and with\n"
		"their distance.",
	.options = options,
	.args_min = 1,
	.args_max = 2,
};

static bool offer(void *ctx, struct lsh_row row, struct str text, struct err *e)
{
	(void)e;
	lsh_nearest_offer(ctx, row, text);
	return true;
}

static bool show(const struct neighbors_options *o, struct lsh_nearest *n, struct err *e)
{
	struct buf line = BUF_INIT(NEIGHBORS_LINE_MAX);
	bool ok = true;
	lsh_nearest_sort(n);
	for (size_t i = 0; ok && i < n->count; i++) {
		buf_clear(&line);
		hashed_rows_write_neighbor(&n->kept[i], STR(o->distance_col), &line);
		ok = buf_ok(&line) ? cli_write_line(&line, e)
				   : err_set(e, ERR_too_large, "a row is over %zu bytes", line.max);
	}
	buf_release(&line);
	return ok;
}

static bool read_key(const struct hashed_rows *h, const char *text, struct batch *out, struct err *e)
{
	if (hashed_rows_key(h, STR(text), out, e)) return true;
	return e->fault_count ? false : err_wrap(e, "--key");
}

static bool find(const struct neighbors_options *o, const struct hashed_rows *h, const char *file, struct err *e)
{
	struct lsh_nearest n = {0};
	struct batch key;
	bool ok = read_key(h, o->key, &key, e) &&
		  lsh_nearest_init(&n, h->stage, column_vec_at(&key.columns[0], 0), o->count, e) &&
		  hashed_file_read(h, file, o->input_format, offer, &n, e) && show(o, &n, e);
	lsh_nearest_release(&n);
	batch_release(&key);
	return ok;
}

int command_neighbors(int argc, char **argv)
{
	struct neighbors_options o = {.distance_col = "distCol"};
	struct predictor *p;
	struct hashed_rows h;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	bool ok = hashed_file_model(argv[0], o.output_col, &p, &h, &e) &&
		  hashed_rows_distance(&h, STR(o.distance_col), &e) &&
		  find(&o, &h, argc > 1 ? argv[1] : NULL, &e);
	hashed_rows_release(&h);
	predictor_destroy(p);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
