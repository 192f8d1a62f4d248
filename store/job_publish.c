/* The end of a successful attempt: model version, chunks, alias, metrics and final state in one transaction, which the
 * move out of `running`, made last and guarded by the fence, lets through or undoes whole. */
#include "store/job_private.h"
#include "store/model_private.h"

struct publish {
	const struct job_lease *lease;
	const struct job_result *r;
	int version;
	bool lost, cancel; /* what stood in the way */
	bool refused;      /* by the guard, after the look at the standing: look again */
};

/* *held: go on and publish. Else p says why not, or that it has been done. */
static bool read_standing(const struct tx *tx, struct publish *p, bool *held, struct err *e)
{
	struct pg_params params = {0};
	struct pg_rows rows;
	struct str standing;
	job_fence_params(&params, p->lease);
	pg_param_bool(&params, tx->again);
	if (!pg_exec(tx->pg, QUERY_job_standing, &params, &rows, e)) return false;
	bool ok = pg_value(&rows, 0, "standing", PG_STR, NULL, &standing, e) &&
		  pg_value(&rows, 0, "version", PG_INT, NULL, &p->version, e);
	if (ok) {
		*held = str_is(standing, "held");
		p->cancel = str_is(standing, "cancel");
		p->lost = !*held && !p->cancel && !str_is(standing, job_state_name(JOB_succeeded));
	}
	pg_rows_clear(&rows);
	return ok;
}

static bool publish_model(struct pg *pg, struct publish *p, struct err *e)
{
	const struct job_result *r = p->r;
	struct model_new m = {r->model_name, p->lease->job_id, r->manifest, r->metrics, r->container, r->container_len};
	if (!model_container_add(pg, &m, &p->version, e)) return false;
	if (!r->promote_alias) return true;
	struct pg_params params = {0};
	pg_param_text(&params, r->model_name);
	pg_param_i64(&params, p->version);
	pg_param_text(&params, r->promote_alias);
	pg_param_text(&params, r->promote_when ? r->promote_when : "always");
	pg_param_text(&params, r->promote_metric);
	pg_param_bool(&params, r->promote_larger_better);
	pg_param_text(&params, p->lease->job_id);
	return pg_exec(pg, QUERY_model_promote, &params, NULL, e);
}

/* Others wait for the row that this locks, so it comes behind everything that takes time. */
static bool announce_model(struct pg *pg, const char *name, struct err *e)
{
	struct pg_params params = {0};
	pg_param_text(&params, name);
	return pg_exec(pg, QUERY_model_changed, &params, NULL, e);
}

static bool move_to_succeeded(struct pg *pg, struct publish *p, struct err *e)
{
	const struct job_result *r = p->r;
	struct pg_params params = {0};
	struct pg_rows rows;
	bool moved;
	job_fence_params(&params, p->lease);
	pg_param_text(&params, r->metrics);
	pg_param_text(&params, r->evaluation);
	pg_param_text(&params, r->stages);
	pg_param_text(&params, r->shards);
	pg_param_text(&params, r->resources);
	pg_param_text(&params, r->container ? r->model_name : NULL);
	if (r->container)
		pg_param_i64(&params, p->version);
	else
		pg_param_null(&params);
	if (!pg_exec(pg, QUERY_job_succeed, &params, &rows, e)) return false;
	bool ok = pg_value(&rows, 0, "moved", PG_BOOL, NULL, &moved, e);
	pg_rows_clear(&rows);
	if (!ok) return false;
	p->refused = !moved;
	return moved || err_set(e, ERR_lease_lost, "the attempt no longer holds the job");
}

static bool publish_body(const struct tx *tx, void *ctx, struct err *e)
{
	struct publish *p = ctx;
	bool held;
	p->refused = false;
	if (!read_standing(tx, p, &held, e)) return false;
	if (!held) return true;
	p->version = 0;
	return (!p->r->container || publish_model(tx->pg, p, e)) && move_to_succeeded(tx->pg, p, e) &&
	       (!p->r->container || announce_model(tx->pg, p->r->model_name, e));
}

bool job_succeed(struct store *s, const struct job_lease *lease, const struct job_result *r, int *version, bool *lost,
		 struct err *e)
{
	struct publish p = {.lease = lease, .r = r};
	while (!tx_block(s, publish_body, &p, e)) {
		if (!p.refused) return false;
		err_init(e);
	}
	if (p.cancel) {
		enum job_state became;
		*version = 0;
		return job_fail(s, lease, &(struct job_failure){0}, &became, lost, e);
	}
	*version = p.lost ? 0 : p.version;
	*lost = p.lost;
	return true;
}
