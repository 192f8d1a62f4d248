/* A bounded pool of connections. A connection is one thread's from pool_take to pool_give; one that is broken or comes
 * back with a transaction open is closed, never handed out again. While Postgres cannot be reached, takers fail at once
 * instead of each waiting out its own connect timeout, and one of them tries again every POOL_RETRY_MS. Thread-safe. */
#ifndef QUERN_STORE_POOL_H
#define QUERN_STORE_POOL_H

#include "store/pg.h"

struct pool;

enum { POOL_RETRY_MS = 250 };

struct pool *pool_create(const char *url, unsigned max, unsigned statement_timeout_ms);
void pool_destroy(struct pool *p); /* every connection must have been given back */
/* Waits for a free one no longer than the statement timeout. ERR_unavailable. */
QN_MUST bool pool_take(struct pool *p, struct pg **out, struct err *e);
void pool_give(struct pool *p, struct pg *c);

#endif
