/* The commands of commands.def: each gets its own name as argv[0] and returns an exit code (server/commands/cli.h). */
#ifndef QUERN_SERVER_COMMANDS_COMMANDS_H
#define QUERN_SERVER_COMMANDS_COMMANDS_H

#define COMMAND(name, summary) int command_##name(int argc, char **argv);
#include "server/commands.def"
#undef COMMAND

#endif
