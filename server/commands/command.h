/* What the commands of `quern` share. A command gets what follows its name and returns the program's exit code. */
#ifndef QUERN_SERVER_COMMAND_H
#define QUERN_SERVER_COMMAND_H

#include "config/config.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

#define COMMAND(stem, name, summary) int command_##stem(int argc, char **argv);
#include "server/commands.def"
#undef COMMAND

/* Tells what went wrong on stderr, as a problem document when --json is among the arguments, else as lines to be read.
 * Returns COMMAND_FAILED. */
int command_failed(int argc, char **argv, const struct err *e);
int command_usage(int argc, char **argv, const struct err *e); /* the same, returns COMMAND_USAGE */
/* Is this flag (as "--json") among the arguments? It is taken out of them. */
bool command_flag(int *argc, char **argv, const char *flag);
/* Defaults < --config F < environment < the arguments. */
QN_MUST bool command_config(struct config *c, char **argv, struct err *e);

#endif
