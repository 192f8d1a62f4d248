/* quern apply: batch scoring at the shell, through the code that answers POST /predict. */
#include "serving/row_stream.h"
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/model_file.h"
#include "server/commands/rows_input.h"

struct apply_options {
	struct cli_common common;
	const char *output, *format, *input_format;
};

#define AT(member) offsetof(struct apply_options, member)
static const char *const outputs[] = {"response", "full", NULL};
static const struct cli_option options[] = {
	{"output", CLI_CHOICE, AT(output), "WHAT", "full: every column, those that came in too", outputs},
	{"format", CLI_CHOICE, AT(format), "FORMAT", "of what is shown; default ndjson", rows_formats},
	{"input-format", CLI_CHOICE, AT(input_format), "FORMAT", "of FILE; default: by its ending or its first byte",
     rows_formats, false, 0},
	{0},
};
static const struct cli cli = {
	.command = "apply",
	.arguments = "MODEL.quern [FILE|-]",
	.help = "Runs the rows of FILE, or of standard input, through a fitted pipeline: one answer a line, order\n"
		"kept. Rows are newline-delimited JSON, or CSV with a header (RFC 4180); FILE may end in .gz or .zst.\n"
		"A row that cannot be answered is a problem object on its line (with --format csv it ends the run);\n"
		"then the exit code is 1.",
	.options = options,
	.args_min = 1,
	.args_max = 2,
};

static bool write_answers(void *ctx, const struct buf *answers, struct err *e)
{
	(void)ctx;
	return cli_write(answers->data, answers->len, e);
}

static bool apply(const struct apply_options *o, const struct predictor *p, const char *file, struct err *e)
{
	struct rows_input in;
	bool full = strcmp(o->output, "full") == 0;
	if (!rows_input_open(&in, file, o->input_format, e)) return false;
	struct predictor_scratch *s = predictor_scratch_create(p);
	struct row_stream_options stream = {
		.input = in.format,
		.output = o->format,
		.answer = full ? PREDICT_FULL : PREDICT_RESPONSE,
		.lenient = true,
		.echo = full,
		.rows_max = SIZE_MAX,
		.record_bytes_max = ROWS_RECORD_BYTES_MAX,
	};
	struct row_stream *st = row_stream_open(p, s, &stream);
	bool ok = rows_input_run(&in, st, write_answers, NULL, e);
	if (!ok) err_wrap(e, "%s", in.name);
	else if (row_stream_refused(st))
		ok = err_set(e, ERR_data, "%s: %llu of %llu rows were refused", in.name,
			     (unsigned long long)row_stream_refused(st), (unsigned long long)row_stream_rows(st));
	row_stream_close(st);
	predictor_scratch_destroy(s);
	rows_input_close(&in);
	return ok;
}

int command_apply(int argc, char **argv)
{
	struct apply_options o = {.output = "response", .format = "ndjson"};
	struct predictor *p;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	if (!model_file_open(argv[0], &p, &e)) return cli_failed(&o.common, &e);
	bool ok = apply(&o, p, argc > 1 ? argv[1] : NULL, &e);
	predictor_destroy(p);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
