/* The store: everything Quern knows of Postgres behind calls that speak of jobs and models. No SQL type leaves this
 * folder.
 *
 * A struct store holds a pool of connections and may be used by many threads; each call takes a connection for its
 * duration (at most one transaction, under statement timeouts). Calls fail with ERR_unavailable (retry_after_s set)
 * while Postgres cannot be reached and recover by themselves when it returns. They block: never call them from an HTTP
 * callback.
 */
#ifndef QUERN_STORE_STORE_H
#define QUERN_STORE_STORE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct store;

struct store_options {
	const char *url;        /* libpq URL or keyword string */
	const char *listen_url; /* for LISTEN; NULL: url */
	unsigned pool_max;      /* connections; default 8 */
	unsigned statement_timeout_ms; /* default 5000 */
};

/* Opens lazily: succeeds even while Postgres is away. */
struct store *store_open(const struct store_options *o);
void store_close(struct store *s);
/* Cheap round trip; for /readyz. */
QN_MUST bool store_ping(struct store *s, struct err *e);

#endif
