/* Brings the schema up to date and ends: for a deployment that wants this done before the new version starts. `quern
 * serve` does the same by itself. */
#include "server/commands/cli_config.h"
#include "server/commands/commands.h"

#include "store/embedded.h"
#include "store/migrate.h"

#include <stdio.h>

static bool migrate(const struct config *c, bool json, struct err *e)
{
	struct embedded *em = NULL;
	unsigned applied = 0;
	if (!*c->database_url && !embedded_start(c->_dataDir, &em, e)) return false;
	struct store_options o = {.url = em ? embedded_url(em) : c->database_url,
				  .pool_max = 1,
				  .statement_timeout_ms = c->database_statementSeconds * 1000};
	struct store *store = store_open(&o);
	bool ok = migrate_run(store, &applied, e);
	store_close(store);
	if (em) embedded_stop(em);
	if (ok) printf(json ? "{\"applied\":%u}\n" : "%u migrations were applied\n", applied);
	return ok;
}

int command_migrate(int argc QN_UNUSED, char **argv)
{
	struct cli_config c;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_config_read(&c, "migrate", "Brings the schema of the database up to date.", argv, &code)) return code;
	bool ok = migrate(&c.config, c.common.json, &e);
	config_release(&c.config);
	return ok ? CLI_DONE : cli_failed(&c.common, &e);
}
