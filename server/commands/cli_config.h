/* Commands whose options are the settings: serve, migrate, check-config. */
#ifndef QUERN_SERVER_COMMANDS_CLI_CONFIG_H
#define QUERN_SERVER_COMMANDS_CLI_CONFIG_H

#include "config/config.h"
#include "server/commands/cli.h"

struct cli_config {
	struct cli_common common;
	struct config config;
	char **flags; /* the settings among the arguments; for reading them again */
};

/* Defaults < --config F < environment < the arguments. argv is a command's, NULL-terminated; --json and --help are
 * taken out. False: the command ends with *code. On success the caller releases config. */
bool cli_config_read(struct cli_config *c, const char *command, const char *help, char **argv, int *code);
/* Reads everything again, into another struct config. */
QN_MUST bool cli_config_again(const struct cli_config *c, struct config *out, struct err *e);

#endif
