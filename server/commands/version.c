#include "server/commands/command.h"

#include <stdio.h>

int command_version(int argc, char **argv)
{
	if (command_flag(&argc, argv, "--json")) printf("{\"name\":\"quern\",\"version\":\"%s\"}\n", QUERN_VERSION);
	else printf("quern %s\n", QUERN_VERSION);
	return COMMAND_DONE;
}
