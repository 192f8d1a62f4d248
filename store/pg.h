/* The only door to libpq: one connection and the statements run on it.
 *
 * Every wait has an end. Connecting is bounded by connect_timeout for each host of the URL; a statement by the server's
 * statement_timeout, and, should the server have gone silent, by that plus PG_MARGIN_MS here. Statements are prepared
 * once a connection, under their names; results come in binary (store/pg_row.h reads them).
 *
 * Errors: ERR_unavailable with retry_after_s when Postgres is away or refuses for now, ERR_invalid for values it cannot
 * take, ERR_internal for the rest. pg_fate tells a transaction's owner what it may do next. Not thread-safe: one user
 * at a time.
 */
#ifndef QUERN_STORE_PG_H
#define QUERN_STORE_PG_H

#include "base/err.h"
#include "store/pg_params.h"
#include "store/query.h"

struct pg;

enum {
	PG_CONNECT_TIMEOUT_S = 3,
	PG_MARGIN_MS = 2000,
	PG_RETRY_AFTER_S = 2,
	PG_VERSION_MIN = 130000,
};

/* What became of the transaction in which the last failure happened. */
enum pg_fate {
	PG_SETTLED, /* it failed for a reason of its own: running it again will not help */
	PG_AGAIN,   /* it was rolled back through no fault of its own: it may be run again */
	PG_LOST,    /* the connection ended: whether it was committed is unknown */
};

/* The answer to one statement; pg_rows_clear takes zeroes too. */
struct pg_result; /* libpq's */
struct pg_rows {
	struct pg_result *result;
	int count;
};

/* url: libpq URL or keywords; what it says overrides our defaults. */
QN_MUST bool pg_open(const char *url, unsigned statement_timeout_ms, struct pg **out, struct err *e);
void pg_close(struct pg *c); /* NULL is fine */
int pg_version(const struct pg *c);
/* Makes it ready for its next user. False: it is of no more use (ended, as far as is known without asking, or in a
 * transaction); close it. */
bool pg_renew(struct pg *c);
enum pg_fate pg_fate(const struct pg *c);

/* rows may be NULL; else it must be cleared after success. p may be NULL. */
QN_MUST bool pg_exec(struct pg *c, enum query q, const struct pg_params *p, struct pg_rows *rows, struct err *e);
/* One or more statements without parameters and results: transaction control, migrations, LISTEN. */
QN_MUST bool pg_script(struct pg *c, const char *sql, struct err *e);
/* COMMIT that is an error when the server had to roll back. */
QN_MUST bool pg_commit(struct pg *c, struct err *e);
/* Best effort: a connection that could not is of no more use, and the server rolls back when it is closed. Keeps the
 * fate. */
void pg_rollback(struct pg *c);

void pg_rows_clear(struct pg_rows *r);
/* -1: no such column. */
int pg_rows_column(const struct pg_rows *r, const char *name);
unsigned pg_rows_type(const struct pg_rows *r, int column);
/* NULL: null. */
const void *pg_rows_value(const struct pg_rows *r, int row, int column, size_t *len);

/* Waits for a notification; channel and payload live until the next call. *got false: wake_fd became readable. */
QN_MUST bool pg_wait_notify(struct pg *c, int wake_fd, const char **channel, const char **payload, bool *got,
			    struct err *e);

#endif
