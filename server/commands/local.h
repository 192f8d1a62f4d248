/* What commands without a service work with: limits from the settings, a temporary folder, and rows that take the
 * place of a specification's source. */
#ifndef QUERN_SERVER_COMMANDS_LOCAL_H
#define QUERN_SERVER_COMMANDS_LOCAL_H

#include "config/config.h"
#include "data/source.h"
#include "server/commands/cli.h"

struct local {
	struct config config; /* defaults and QUERN_… environment */
	char dir[256];        /* private, removed by local_close */
	struct source_env env;
	struct arena arena;
};

QN_MUST bool local_open(struct local *l, struct err *e);
void local_close(struct local *l);

/* Rows in a source's place: as the source has them, with its options and schema; or rows of their own, whose types
 * are inferred. */
enum local_rows { LOCAL_SAME, LOCAL_OTHER };
/* Reads a specification; its `source` becomes file where that is given ("-": standard input). *text lives in
 * l->arena. */
QN_MUST bool local_spec(struct local *l, const char *spec_file, const char *file, enum local_rows rows,
			struct str *text, struct err *e);

#endif
