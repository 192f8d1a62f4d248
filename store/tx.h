/* How the nouns of this folder run SQL: on a connection of the pool, in one transaction, again where that is right.
 *
 * A transaction that was rolled back through no fault of its own (deadlock, serialization, failover) is run again. So
 * is one whose connection ended, though it may have been committed: then tx->again is set, and what is run must find
 * out by the ids it brought along whether that was so. Nothing is ever repeated blindly. There are at most TX_RUNS_MAX
 * runs, and no new one once the statement timeout has passed, so a server that has gone silent costs a caller one such
 * wait, not several.
 */
#ifndef QUERN_STORE_TX_H
#define QUERN_STORE_TX_H

#include "store/pg_row.h"
#include "store/store.h"

enum { TX_RUNS_MAX = 4, TX_PAUSE_MS = 10 };

struct tx {
	struct pg *pg;
	bool again; /* an earlier run may have been committed */
};
typedef bool (*tx_fn)(const struct tx *tx, void *ctx, struct err *e);

/* fn issues one statement, which is its own transaction. */
QN_MUST bool tx_single(struct store *s, tx_fn fn, void *ctx, struct err *e);
/* fn runs between BEGIN and COMMIT; false from it rolls back. */
QN_MUST bool tx_block(struct store *s, tx_fn fn, void *ctx, struct err *e);
/* tx_single for a statement that may be run twice without harm. */
QN_MUST bool tx_query(struct store *s, enum query q, const struct pg_params *p, struct pg_rows *rows, struct err *e);

#endif
