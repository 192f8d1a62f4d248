#include "store/tx.h"

#include "base/clock.h"
#include "base/rng.h"
#include "store/store_private.h"

#include <time.h>

/* Those who fell over each other shall not return in step. */
static void pause_for(unsigned run)
{
	uint64_t random;
	rng_system(&random, sizeof random);
	int64_t ns = (int64_t)(rng_unit(random) * TX_PAUSE_MS * 1e6 * (1 << run));
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static bool run_again(struct store *s, struct tx *tx, tx_fn body, void *ctx, struct err *e)
{
	int64_t give_up = clock_mono_ns() + (int64_t)s->statement_timeout_ms * 1000000;
	tx->again = false;
	for (unsigned run = 1;; run++) {
		if (!pool_take(s->pool, &tx->pg, e)) return false;
		bool ok = body(tx, ctx, e);
		enum pg_fate fate = pg_fate(tx->pg);
		pool_give(s->pool, tx->pg);
		if (ok || fate == PG_SETTLED || run == TX_RUNS_MAX || clock_mono_ns() > give_up) return ok;
		tx->again |= fate == PG_LOST;
		err_init(e);
		pause_for(run);
	}
}

bool tx_single(struct store *s, tx_fn fn, void *ctx, struct err *e)
{
	struct tx tx;
	return run_again(s, &tx, fn, ctx, e);
}

struct block {
	tx_fn fn;
	void *ctx;
};

static bool block_body(const struct tx *tx, void *ctx, struct err *e)
{
	const struct block *b = ctx;
	if (!pg_script(tx->pg, "BEGIN", e)) return false;
	if (b->fn(tx, b->ctx, e)) return pg_commit(tx->pg, e);
	pg_rollback(tx->pg);
	return false;
}

bool tx_block(struct store *s, tx_fn fn, void *ctx, struct err *e)
{
	struct tx tx;
	struct block b = {fn, ctx};
	return run_again(s, &tx, block_body, &b, e);
}

struct query_run {
	enum query q;
	const struct pg_params *p;
	struct pg_rows *rows;
};

static bool query_body(const struct tx *tx, void *ctx, struct err *e)
{
	const struct query_run *r = ctx;
	return pg_exec(tx->pg, r->q, r->p, r->rows, e);
}

bool tx_query(struct store *s, enum query q, const struct pg_params *p, struct pg_rows *rows, struct err *e)
{
	struct query_run r = {q, p, rows};
	return tx_single(s, query_body, &r, e);
}
