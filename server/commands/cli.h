/* What every command shares: options from a table, --help, exit codes, and how errors are said. */
#ifndef QUERN_SERVER_COMMANDS_CLI_H
#define QUERN_SERVER_COMMANDS_CLI_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

enum cli_type {
	CLI_FLAG,   /* bool */
	CLI_TEXT,   /* const char * */
	CLI_CHOICE, /* const char *, one of choices */
	CLI_COUNT,  /* uint64_t, at least 1 */
	CLI_NUMBER, /* double */
};

struct cli_option {
	const char *name;  /* --name */
	enum cli_type type;
	size_t offset;     /* in the command's struct */
	const char *value; /* what --help calls the value */
	const char *help;
	const char *const *choices;
	bool required;
	char letter;       /* -o as well; 0: none */
};

/* Every command's struct begins with one. */
struct cli_common {
	const char *command;
	bool json, help;
};

struct cli {
	const char *command;                /* "fit" */
	const char *arguments;              /* "SPEC.json", for the usage line */
	const char *help;
	const struct cli_option *options;   /* ended by a NULL name; --json and --help are added */
	int args_min, args_max;             /* arguments that are no options */
};

/* Fills *values (zeroed by the caller but for defaults) and leaves the arguments in argv[0 … *argc). False: the
 * command ends with *code: --help was printed (CLI_DONE), or what is wrong was said (CLI_USAGE). */
bool cli_parse(const struct cli *cli, int *argc, char **argv, struct cli_common *values, int *code);

/* The arguments make no sense together: says what they should be. Returns CLI_USAGE. */
int cli_misused(const struct cli *cli, const struct cli_common *c);

/* Says what failed on stderr, a line a fault, or as a problem document with --json. Returns CLI_FAILED. */
int cli_failed(const struct cli_common *c, const struct err *e);

/* Writes to standard output. A reader that went away ends the program quietly, as SIGPIPE does. */
QN_MUST bool cli_write(const void *p, size_t len, struct err *e);
QN_MUST bool cli_write_line(const struct buf *text, struct err *e);

#endif
