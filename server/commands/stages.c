/* quern stages: the catalogue; with --json, that of GET /stages. */
#include "pipeline/catalogue.h"
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/stages_page.h"
#include "server/commands/text_table.h"

enum { STAGES_TEXT_MAX = 16 << 20 };

struct stages_options {
	struct cli_common common;
	bool markdown;
};

static const struct cli_option options[] = {
	{"markdown", CLI_FLAG, offsetof(struct stages_options, markdown), NULL, "all of it as a page, docs/stages.md"},
	{0},
};
static const struct cli cli = {
	.command = "stages",
	.arguments = "[NAME]",
	.help = "Lists the stages that a pipeline may have and the evaluators, or shows the parameters of one.",
	.options = options,
	.args_max = 1,
};

static bool list_all(struct err *e)
{
	static const char *const headers[] = {"STAGE", "KIND", "INPUTS", "OUTPUTS", "WHAT", NULL};
	struct catalogue_entry c;
	struct text_table t;
	text_table_begin(&t, headers);
	for (size_t i = 0; catalogue_at(i, &c); i++) {
		text_table_cell(&t, STR(c.name));
		text_table_cell(&t, STR(c.kind));
		text_table_cell(&t, STR(c.inputs));
		text_table_cell(&t, STR(c.outputs));
		text_table_cell(&t, STR(c.help));
	}
	return text_table_end(&t, e);
}

static bool list_parameters(const struct catalogue_entry *c, struct err *e)
{
	static const char *const headers[] = {"PARAMETER", "TYPE", "DEFAULT", "BOUNDS", "WHAT", NULL};
	struct buf bounds = BUF_INIT(STAGES_TEXT_MAX);
	struct text_table t;
	text_table_begin(&t, headers);
	for (const struct field *f = c->params; f->name; f++) {
		buf_clear(&bounds);
		field_bounds(f, &bounds);
		text_table_cell(&t, STR(f->name));
		text_table_cell(&t, STR(field_type_name(f->type)));
		text_table_cell(&t, STR(f->fallback ? f->fallback : f->required ? "(required)" : "-"));
		text_table_cell(&t, STR(bounds.len ? buf_cstr(&bounds) : "-"));
		text_table_cell(&t, STR(f->help));
	}
	buf_release(&bounds);
	return text_table_end(&t, e);
}

static bool show_one(const struct catalogue_entry *c, struct err *e)
{
	struct buf head = BUF_INIT(STAGES_TEXT_MAX);
	buf_printf(&head, "%s\n\nkind     %s\ninputs   %s\noutputs  %s\n", c->help, c->kind, c->inputs, c->outputs);
	bool ok = cli_write_line(&head, e) && list_parameters(c, e);
	buf_release(&head);
	return ok;
}

static bool show_json(const struct catalogue_entry *c, struct err *e)
{
	struct buf text = BUF_INIT(STAGES_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	if (c) catalogue_describe(c, &w);
	else catalogue_write_stages(&w);
	bool ok = cli_write_line(&text, e);
	buf_release(&text);
	return ok;
}

static bool show_page(struct err *e)
{
	struct buf text = BUF_INIT(STAGES_TEXT_MAX);
	stages_page(&text);
	bool ok = cli_write(text.data, text.len, e);
	buf_release(&text);
	return ok;
}

int command_stages(int argc, char **argv)
{
	struct stages_options o = {0};
	struct catalogue_entry found, *c = NULL;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	if (argc > 0 && o.markdown) return cli_misused(&cli, &o.common);
	if (argc > 0 && !catalogue_find(STR(argv[0]), c = &found)) {
		err_set(&e, ERR_not_found, "there is no stage \"%s\"; quern stages lists them", argv[0]);
		return cli_failed(&o.common, &e);
	}
	bool ok = o.markdown      ? show_page(&e)
		  : o.common.json ? show_json(c, &e)
		  : c             ? show_one(c, &e)
				  : list_all(&e);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
