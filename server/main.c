/* quern: one program, a command a row of commands.def. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"

#include <stdio.h>

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define COMMAND(name, summary) {#name, summary, command_##name},
#include "server/commands.def"
#undef COMMAND
};

/* check_config is written check-config. */
static bool is_named(const struct command *c, const char *word)
{
	const char *n = c->name;
	for (; *n && *word; n++, word++)
		if (*word != (*n == '_' ? '-' : *n)) return false;
	return *n == *word;
}

static void print_name(FILE *to, const char *name)
{
	int width = 0;
	for (fputs("  ", to); name[width]; width++) fputc(name[width] == '_' ? '-' : name[width], to);
	fprintf(to, "%*s", 14 - width, "");
}

static void usage(FILE *to)
{
	fputs("usage: quern COMMAND [ARGUMENT]...\n\n", to);
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		print_name(to, commands[i].name);
		fprintf(to, "%s\n", commands[i].summary);
	}
	fputs("\nquern COMMAND --help says more.\n", to);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		usage(stdout);
		return CLI_DONE;
	}
	if (strcmp(word, "--version") == 0) word = "version";
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		if (is_named(&commands[i], word)) return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "quern: there is no command \"%s\"; quern help lists them\n", word);
	return CLI_USAGE;
}
