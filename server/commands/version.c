#include "server/commands/cli.h"
#include "server/commands/commands.h"

#include <stdio.h>

int command_version(int argc, char **argv)
{
	static const struct cli cli = {.command = "version", .arguments = "", .help = "Prints the program's version."};
	struct cli_common c = {0};
	int code;
	if (!cli_parse(&cli, &argc, argv, &c, &code)) return code;
	printf(c.json ? "{\"name\":\"quern\",\"version\":\"%s\"}\n" : "quern %s\n", QUERN_VERSION);
	return CLI_DONE;
}
