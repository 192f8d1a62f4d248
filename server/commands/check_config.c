#include "server/commands/cli_config.h"
#include "server/commands/commands.h"

#include <stdio.h>

enum { TEXT_MAX = 1 << 20 };

int command_check_config(int argc QN_UNUSED, char **argv)
{
	struct cli_config c;
	int code;
	if (!cli_config_read(&c, "check-config", "Checks the configuration and prints it, every default included.",
			     argv, &code))
		return code;
	struct buf text = BUF_INIT(TEXT_MAX);
	config_print(&c.config, &text);
	fwrite(text.data, 1, text.len, stdout);
	buf_release(&text);
	config_release(&c.config);
	return CLI_DONE;
}
