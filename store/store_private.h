/* What the files of this folder know of a store and others do not. */
#ifndef QUERN_STORE_STORE_PRIVATE_H
#define QUERN_STORE_STORE_PRIVATE_H

#include "store/pool.h"
#include "store/store.h"

struct store {
	struct pool *pool;
	char *url, *listen_url;
	unsigned statement_timeout_ms;
};

#endif
