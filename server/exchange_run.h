/* What stands between HTTP and the handlers: routing, the rules every route shares, which thread a handler runs on. */
#ifndef QUERN_SERVER_EXCHANGE_RUN_H
#define QUERN_SERVER_EXCHANGE_RUN_H

#include "server/exchange.h"

/* The application that http_start is given. */
struct http_app exchange_app(struct server *s);
/* On a thread of a crew. */
void exchange_run_task(struct lane *lane, struct crew_task *t);
/* A waiter's time has come. */
void exchange_wake(void *server, struct waiter *w);

#endif
