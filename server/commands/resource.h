/* A service's resources on the terminal: lists as tables, the rest as the service says it. */
#ifndef QUERN_SERVER_COMMANDS_RESOURCE_H
#define QUERN_SERVER_COMMANDS_RESOURCE_H

#include "server/commands/client.h"

struct resource_column {
	const char *header; /* NULL ends the table */
	const char *member; /* "progress.phase": a member of a member */
};

/* What can be done with one resource: `quern jobs cancel ID` is POST /jobs/ID/cancel. */
struct resource_verb {
	const char *verb, *method; /* a NULL verb ends the table */
	const char *below;         /* NULL: the resource itself */
};
/* NULL: there is none of this name. */
const struct resource_verb *resource_verb_find(const struct resource_verb *verbs, const char *name);

/* GET path, whose answer has its items under `plural`: a table, or the answer as it is. */
QN_MUST bool resource_list(struct client *c, const char *path, const char *plural,
			   const struct resource_column *columns, bool json, struct err *e);
/* Prints the answer's body, if there is one. */
QN_MUST bool resource_call(struct client *c, const char *method, const char *path, struct err *e);

#endif
