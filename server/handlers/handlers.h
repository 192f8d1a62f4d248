/* Every handler of routes.def. */
#ifndef QUERN_SERVER_HANDLERS_H
#define QUERN_SERVER_HANDLERS_H

#include "server/exchange.h"

#define ROUTE(method, path, handler, place, body, answer, summary) route_handler handler;
#include "server/routes.def"
#undef ROUTE

#endif
