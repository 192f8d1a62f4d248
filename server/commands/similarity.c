/* quern similarity: approxSimilarityJoin of a fitted pipeline's LSH stage. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/hashed_rows.h"
#include "server/commands/rows_input.h"

enum { SIMILARITY_PIECE = 1 << 16 }; /* pairs are written in pieces of about so many bytes */
#define SIMILARITY_OUT_MAX (4 * ROWS_RECORD_BYTES_MAX)

struct similarity_options {
	struct cli_common common;
	const char *distance_col, *output_col, *input_format;
	double threshold;
};

#define AT(member) offsetof(struct similarity_options, member)
static const struct cli_option options[] = {
	{"threshold", CLI_NUMBER, AT(threshold), "D", "pairs nearer than this", NULL, true, 't'},
	{"dist-col", CLI_TEXT, AT(distance_col), "NAME", "the column of distances; default distCol"},
	{"output-col", CLI_TEXT, AT(output_col), "NAME", "of the LSH stage, where there are several; default the last"},
	{"input-format", CLI_CHOICE, AT(input_format), "FORMAT", "of the files; default: by ending or first byte",
	 rows_formats},
	{0},
};
static const struct cli cli = {
	.command = "similarity",
	.arguments = "MODEL.quern FILE_A|- [FILE_B|-]",
	.help = "Finds the pairs of a row of FILE_A and a row of FILE_B (of FILE_A again, where it is alone) whose\n"
		"vectors are nearer than a threshold: Spark's approxSimilarityJoin. Only rows that share a hash are\n"
		"compared. Prints {\"datasetA\":{…},\"datasetB\":{…},\"distCol\":D} a pair, in the files' order.\n"
		"Rows that are written alike count once, and the distinct rows of the files are held in memory.",
	.options = options,
	.args_min = 2,
	.args_max = 3,
};

struct joining {
	const struct similarity_options *options;
	struct map a, b; /* the rows by their texts */
	struct lsh_index index; /* of b's, in the map's order */
	struct buf out;
};

static bool flush(struct joining *j, struct err *e)
{
	bool ok = cli_write(j->out.data, j->out.len, e);
	buf_clear(&j->out);
	return ok;
}

static bool write_pair(struct joining *j, struct str a, const struct lsh_match *m, struct err *e)
{
	struct str b = j->b.entries[m->row].key;
	struct json_writer w = JSON_WRITER(&j->out);
	json_object_begin(&w);
	json_key(&w, "datasetA");
	json_raw(&w, a.data, a.len);
	json_key(&w, "datasetB");
	json_raw(&w, b.data, b.len);
	json_key(&w, j->options->distance_col);
	json_row_double(&w, m->distance);
	json_object_end(&w);
	buf_char(&j->out, '\n');
	if (!buf_ok(&j->out)) return err_set(e, ERR_too_large, "a pair is over %zu bytes", j->out.max);
	return j->out.len < SIMILARITY_PIECE || flush(j, e);
}

static bool join_row(struct joining *j, struct lsh_row row, struct str text, struct err *e)
{
	const struct lsh_match *found;
	size_t count = lsh_index_find(&j->index, row, j->options->threshold, &found);
	bool ok = true;
	for (size_t k = 0; ok && k < count; k++) ok = write_pair(j, text, &found[k], e);
	return ok;
}

/* Spark's join is distinct: what stands twice in a file is one row. */
static bool take_a(void *ctx, struct lsh_row row, struct str text, struct err *e)
{
	struct joining *j = ctx;
	bool made;
	map_put(&j->a, text, &made);
	return !made || join_row(j, row, text, e);
}

static bool take_b(void *ctx, struct lsh_row row, struct str text, struct err *e)
{
	struct joining *j = ctx;
	bool made;
	map_put(&j->b, text, &made);
	return !made || lsh_index_add(&j->index, row, e);
}

static bool join_itself(struct joining *j, struct err *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < j->b.count; i++)
		ok = join_row(j, lsh_index_row(&j->index, i), j->b.entries[i].key, e);
	return ok;
}

static bool join(const struct similarity_options *o, const struct hashed_rows *h, const char *file_a, const char *file_b,
		 struct err *e)
{
	struct joining j = {.options = o, .a = MAP_INIT, .b = MAP_INIT, .out = BUF_INIT(SIMILARITY_OUT_MAX)};
	lsh_index_init(&j.index, h->stage);
	bool ok = hashed_rows_read(h, file_b ? file_b : file_a, o->input_format, take_b, &j, e);
	if (ok) {
		lsh_index_seal(&j.index);
		ok = file_b ? hashed_rows_read(h, file_a, o->input_format, take_a, &j, e) : join_itself(&j, e);
	}
	ok = ok && flush(&j, e);
	lsh_index_release(&j.index);
	map_release(&j.a);
	map_release(&j.b);
	buf_release(&j.out);
	return ok;
}

int command_similarity(int argc, char **argv)
{
	struct similarity_options o = {.distance_col = "distCol"};
	struct hashed_rows h;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	const char *file_b = argc > 2 ? argv[2] : NULL;
	if (file_b && strcmp(argv[1], "-") == 0 && strcmp(file_b, "-") == 0) return cli_misused(&cli, &o.common);
	if (strcmp(o.distance_col, "datasetA") == 0 || strcmp(o.distance_col, "datasetB") == 0)
		return cli_misused(&cli, &o.common);
	bool ok = hashed_rows_open(&h, argv[0], o.output_col, NULL, &e) && join(&o, &h, argv[1], file_b, &e);
	hashed_rows_close(&h);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
