/* The private Postgres that `quern serve` runs when no database is configured: initdb below the data dir, a Unix socket
 * only (0700 folder, trust there and nowhere else), dropped to an unprivileged user when started as root (Postgres
 * refuses root).
 *
 * It survives kill -9 of its parent: the next start finds the postmaster alive and uses it, or a stale pid file and
 * recovers. embedded_stop ends only a postmaster of this data dir. One owner: lock file in the data dir.
 *
 * As root it runs as quern, postgres or nobody, the first that exists (an existing cluster: as its owner), and the
 * folders above the data dir are opened for passing through (o+x, not for listing) where Postgres could not reach it
 * otherwise.
 */
#ifndef QUERN_STORE_EMBEDDED_H
#define QUERN_STORE_EMBEDDED_H

#include "base/err.h"

struct embedded;

/* Starts (or adopts) the cluster and waits until it accepts connections. *url is owned by the struct. */
QN_MUST bool embedded_start(const char *data_dir, struct embedded **out, struct err *e);
const char *embedded_url(const struct embedded *em);
/* Starts it again if it has ended; called by the janitor every few seconds. True when it runs. */
QN_MUST bool embedded_check(struct embedded *em, struct err *e);
void embedded_stop(struct embedded *em); /* fast shutdown, then frees */

#endif
