#include "server/commands/cli_config.h"

#include <stdio.h>

extern char **environ;

static bool take_flag(char **argv, const char *flag)
{
	while (*argv && strcmp(*argv, flag) != 0) argv++;
	bool found = *argv != NULL;
	for (; *argv; argv++) argv[0] = argv[1];
	return found;
}

static const char *config_file(char *const *argv)
{
	static const char flag[] = "--config";
	for (; *argv; argv++) {
		if (strcmp(*argv, flag) == 0) return argv[1];
		if (strncmp(*argv, "--config=", sizeof flag) == 0) return *argv + sizeof flag;
	}
	return NULL;
}

bool cli_config_again(const struct cli_config *c, struct config *out, struct err *e)
{
	struct config_input in = {.file = config_file(c->flags), .environment = environ, .flags = c->flags};
	return config_load(out, &in, e);
}

static void print_help(const char *command, const char *help)
{
	printf("usage: quern %s [--config FILE] [--SECTION.SETTING=VALUE]...\n\n%s\n\n"
	       "  --listen ADDR:PORT       where to listen; port 0 picks a free one\n"
	       "  --database URL           Postgres; without one a private one runs below the data dir\n"
	       "  --data-dir DIR           the private Postgres, checkpoints, spools\n"
	       "  --file-root DIR          a folder that sources may read; may be repeated\n"
	       "  --roles api,train        what this process does\n"
	       "  --json                   errors as problem documents\n\n"
	       "quern check-config prints every setting.\n",
	       command, help);
}

bool cli_config_read(struct cli_config *c, const char *command, const char *help, char **argv, int *code)
{
	struct err e;
	err_init(&e);
	*c = (struct cli_config){.common = {.command = command}, .flags = argv + 1};
	c->common.json = take_flag(c->flags, "--json");
	*code = CLI_DONE;
	if (take_flag(c->flags, "--help") || take_flag(c->flags, "-h")) {
		print_help(command, help);
		return false;
	}
	if (cli_config_again(c, &c->config, &e)) return true;
	cli_failed(&c->common, &e);
	*code = CLI_USAGE;
	return false;
}
