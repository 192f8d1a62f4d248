/* quern inspect: what a .quern file holds. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/model_file.h"

#define INSPECT_TEXT_MAX ((size_t)8 << 30)

struct inspect_options {
	struct cli_common common;
	bool state;
};

static const struct cli_option options[] = {
	{"state", CLI_FLAG, offsetof(struct inspect_options, state), NULL, "what each stage learned"},
	{0},
};
static const struct cli cli = {
	.command = "inspect",
	.arguments = "MODEL.quern",
	.help = "Shows a fitted pipeline's manifest as JSON: the columns a request carries, the answer's fields, the\n"
		"stages with their parameters, what training recorded.",
	.options = options,
	.args_min = 1,
	.args_max = 1,
};

static bool show(const struct inspect_options *o, const struct pipeline *p, struct err *e)
{
	struct buf text = BUF_INIT(INSPECT_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	if (o->state) {
		json_object_begin(&w);
		json_key(&w, "stages");
		pipeline_state(p, &w);
		json_object_end(&w);
	} else pipeline_manifest(p, &w);
	bool ok = buf_ok(&text) ? cli_write_line(&text, e)
				: err_set(e, ERR_too_large, "the text is over %zu bytes", text.max);
	buf_release(&text);
	return ok;
}

int command_inspect(int argc, char **argv)
{
	struct inspect_options o = {0};
	struct predictor *p;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	if (!model_file_open(argv[0], &p, &e)) return cli_failed(&o.common, &e);
	bool ok = show(&o, predictor_pipeline(p), &e);
	predictor_destroy(p);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
