/* Finds the folder with Postgres' server programs. Looked at in order: QUERN_PG_BIN (nothing else when it is set), what
 * pg_config says, the folders of Debian's and the PGDG's packages, PATH. A cluster that exists needs its own major
 * version. */
#ifndef QUERN_STORE_PG_BIN_H
#define QUERN_STORE_PG_BIN_H

#include "base/err.h"

#include <limits.h>

/* cluster_version: the text of PG_VERSION, "" for the newest there is. ERR_unavailable with what to install. */
QN_MUST bool pg_bin_find(const char *cluster_version, char out[PATH_MAX], struct err *e);

#endif
