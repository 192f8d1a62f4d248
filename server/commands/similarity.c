/* quern similarity: approxSimilarityJoin of a fitted pipeline's LSH stage. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/hashed_file.h"
#include "server/commands/rows_input.h"
#include "serving/similarity_join.h"

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
	struct str distance_col;
	struct buf out;
};

static bool flush(struct joining *j, struct err *e)
{
	bool ok = cli_write(j->out.data, j->out.len, e);
	buf_clear(&j->out);
	return ok;
}

static bool write_pair(void *ctx, struct str a, struct str b, double distance, struct err *e)
{
	struct joining *j = ctx;
	hashed_rows_write_pair(a, b, distance, j->distance_col, &j->out);
	buf_char(&j->out, '\n');
	if (!buf_ok(&j->out)) return err_set(e, ERR_too_large, "a pair is over %zu bytes", j->out.max);
	return j->out.len < SIMILARITY_PIECE || flush(j, e);
}

static bool join(const struct similarity_options *o, const struct hashed_rows *h, const char *file_a, const char *file_b,
		 struct err *e)
{
	struct joining out = {STR(o->distance_col), BUF_INIT(SIMILARITY_OUT_MAX)};
	struct similarity_join j;
	similarity_join_init(&j, h->stage, o->threshold, write_pair, &out);
	bool ok = hashed_file_read(h, file_b ? file_b : file_a, o->input_format, similarity_join_take_b, &j, e);
	if (ok) {
		similarity_join_seal(&j);
		ok = file_b ? hashed_file_read(h, file_a, o->input_format, similarity_join_take_a, &j, e)
			    : similarity_join_itself(&j, e);
	}
	ok = ok && flush(&out, e);
	similarity_join_release(&j);
	buf_release(&out.out);
	return ok;
}

int command_similarity(int argc, char **argv)
{
	struct similarity_options o = {.distance_col = "distCol"};
	struct predictor *p;
	struct hashed_rows h;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	const char *file_b = argc > 2 ? argv[2] : NULL;
	if (file_b && strcmp(argv[1], "-") == 0 && strcmp(file_b, "-") == 0) return cli_misused(&cli, &o.common);
	if (strcmp(o.distance_col, "datasetA") == 0 || strcmp(o.distance_col, "datasetB") == 0)
		return cli_misused(&cli, &o.common);
	bool ok = hashed_file_model(argv[0], o.output_col, &p, &h, &e) && join(&o, &h, argv[1], file_b, &e);
	hashed_rows_release(&h);
	predictor_destroy(p);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
