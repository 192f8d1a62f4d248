/* Schema migrations: numbered files of schemas/sql/migrations, each applied once in a transaction, safe when several
 * processes start at once (a transaction-level advisory lock, then a re-check). A database newer than the program is
 * refused. */
#ifndef QUERN_STORE_MIGRATE_H
#define QUERN_STORE_MIGRATE_H

#include "store/store.h"

/* *applied: how many were applied now. */
QN_MUST bool migrate_run(struct store *s, unsigned *applied, struct err *e);
/* True when the schema is the program's. */
QN_MUST bool migrate_current(struct store *s, bool *current, struct err *e);

#endif
