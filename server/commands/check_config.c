#include "server/commands/command.h"

#include <stdio.h>

int command_check_config(int argc, char **argv)
{
	struct config c;
	struct err e;
	err_init(&e);
	char **flags = argv;
	bool json = command_flag(&argc, argv, "--json");
	if (!command_config(&c, flags, &e)) {
		static char json_flag[] = "--json";
		char *told[] = {json_flag, NULL};
		return command_usage(json, told, &e);
	}
	struct buf text = BUF_INIT(1 << 20);
	config_print(&c, &text);
	fwrite(text.data, 1, text.len, stdout);
	buf_release(&text);
	config_release(&c);
	return COMMAND_DONE;
}
