#include "store/store_private.h"
#include "store/tx.h"

enum { POOL_MAX_DEFAULT = 8, STATEMENT_TIMEOUT_MS_DEFAULT = 5000 };

struct store *store_open(const struct store_options *o)
{
	struct store *s = mem_zalloc(1, sizeof *s);
	s->url = mem_strdup(o->url);
	s->listen_url = mem_strdup(o->listen_url ? o->listen_url : o->url);
	s->statement_timeout_ms = o->statement_timeout_ms ? o->statement_timeout_ms : STATEMENT_TIMEOUT_MS_DEFAULT;
	s->pool = pool_create(o->url, o->pool_max ? o->pool_max : POOL_MAX_DEFAULT, s->statement_timeout_ms);
	return s;
}

void store_close(struct store *s)
{
	if (!s) return;
	pool_destroy(s->pool);
	mem_free(s->listen_url);
	mem_free(s->url);
	mem_free(s);
}

bool store_ping(struct store *s, struct err *e) { return tx_query(s, QUERY_store_ping, NULL, NULL, e); }
