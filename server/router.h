/* Which handler answers: routes.def, compiled at start. Looking up allocates nothing. */
#ifndef QUERN_SERVER_ROUTER_H
#define QUERN_SERVER_ROUTER_H

#include "server/exchange.h"

enum route_place { PLACE_HERE, PLACE_PREDICT, PLACE_COMPUTE, PLACE_STORE };
enum route_body { BODY_NONE, BODY_JOB, BODY_SEARCH, BODY_ROWS };
enum route_answer { ANSWER_JSON, ANSWER_OTHER };

struct route {
	enum http_method method;
	const char *path; /* "/jobs/{id}" */
	route_handler *handler;
	enum route_place place;
	enum route_body body;
	enum route_answer answer;
	const char *summary;
};

extern const struct route routes[];
extern const size_t route_count;

/* Cuts the table's paths; once, before the first lookup. */
void router_init(void);
/* Finds x->route by method and x->target, and sets x->params. ERR_not_found; ERR_method_not_allowed with *allow filled,
 * as the Allow header says it. */
QN_MUST bool router_find(struct exchange *x, char allow[64], struct err *e);

#endif
