/* quern stages: the catalogue, as GET /stages. */
#include "pipeline/stage.h"
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/text_table.h"

enum { STAGES_TEXT_MAX = 16 << 20 };

static const struct cli cli = {
	.command = "stages",
	.arguments = "[NAME]",
	.help = "Lists the stages that a pipeline may have, or one stage's parameters.",
	.args_max = 1,
};

static bool list_stages(struct err *e)
{
	static const char *const headers[] = {"STAGE", "KIND", "INPUTS", "OUTPUTS", "WHAT", NULL};
	struct text_table t;
	text_table_begin(&t, headers);
	for (size_t i = 0; stage_types[i]; i++) {
		const struct stage_type *s = stage_types[i];
		text_table_cell(&t, STR(s->name));
		text_table_cell(&t, STR(s->kind == STAGE_ESTIMATOR ? "estimator" : "transformer"));
		text_table_cell(&t, STR(s->inputs));
		text_table_cell(&t, STR(s->outputs));
		text_table_cell(&t, STR(s->help));
	}
	return text_table_end(&t, e);
}

static bool list_parameters(const struct stage_type *s, struct err *e)
{
	static const char *const headers[] = {"PARAMETER", "TYPE", "DEFAULT", "WHAT", NULL};
	struct text_table t;
	text_table_begin(&t, headers);
	for (const struct field *f = s->params; f->name; f++) {
		text_table_cell(&t, STR(f->name));
		text_table_cell(&t, STR(field_type_name(f->type)));
		text_table_cell(&t, STR(f->fallback ? f->fallback : f->required ? "(required)" : "-"));
		text_table_cell(&t, STR(f->help));
	}
	return text_table_end(&t, e);
}

static bool show_json(const struct stage_type *s, struct err *e)
{
	struct buf text = BUF_INIT(STAGES_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	if (s) stage_describe(s, &w);
	else stage_catalogue(&w);
	bool ok = cli_write_line(&text, e);
	buf_release(&text);
	return ok;
}

int command_stages(int argc, char **argv)
{
	struct cli_common o = {0};
	const struct stage_type *s = NULL;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o, &code)) return code;
	if (argc > 0 && !(s = stage_type_find(STR(argv[0])))) {
		err_set(&e, ERR_not_found, "there is no stage \"%s\"; quern stages lists them", argv[0]);
		return cli_failed(&o, &e);
	}
	bool ok = o.json ? show_json(s, &e) : s ? list_parameters(s, &e) : list_stages(&e);
	return ok ? CLI_DONE : cli_failed(&o, &e);
}
