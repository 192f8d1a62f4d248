#include "store/job_private.h"

bool job_not_found(const char *id, struct err *e)
{
	return err_set(e, ERR_not_found, "there is no job %.*s", UUID_TEXT_SIZE - 1, id);
}

static bool is_id(const char *id, struct err *e) { return uuid_valid(id) || job_not_found(id, e); }

/* --- Creating ----------------------------------------------------------------------------------------------------- */

struct create {
	const struct job_new *n;
	struct pg_rows rows;
};

static bool create_body(const struct tx *tx, void *ctx, struct err *e)
{
	struct create *c = ctx;
	const struct job_new *n = c->n;
	struct pg_params p = {0};
	pg_param_text(&p, n->id);
	pg_param_text(&p, n->name);
	pg_param_text(&p, n->kind);
	pg_param_text(&p, n->spec);
	pg_param_text(&p, n->tags ? n->tags : "{}");
	pg_param_i64(&p, n->priority);
	pg_param_i64(&p, n->max_attempts);
	pg_param_i64(&p, n->timeout_s);
	pg_param_i64(&p, n->seed);
	pg_param_text(&p, n->idempotency_key);
	pg_param_bytes(&p, n->idempotency_key ? n->body_hash : NULL, sizeof n->body_hash);
	pg_param_bool(&p, tx->again);
	return pg_exec(tx->pg, QUERY_job_create, &p, &c->rows, e);
}

static bool create_outcome(const struct pg_rows *rows, struct arena *a, struct job *out, bool *existing, struct err *e)
{
	struct str outcome;
	if (!pg_value(rows, 0, "outcome", PG_STR, NULL, &outcome, e)) return false;
	if (str_is(outcome, "mismatch"))
		return err_set(e, ERR_idempotency_mismatch, "this Idempotency-Key came with another body before");
	if (str_is(outcome, "in_flight")) {
		e->retry_after_s = 1;
		return err_set(e, ERR_idempotency_in_flight,
			       "the first request with this Idempotency-Key is under way");
	}
	if (!job_row(rows, 0, a, out, e)) return false;
	*existing = str_is(outcome, "existing");
	return true;
}

bool job_create(struct store *s, const struct job_new *n, struct arena *a, struct job *out, bool *existing,
		struct err *e)
{
	struct create c = {.n = n};
	if (!tx_single(s, create_body, &c, e)) return false;
	bool ok = create_outcome(&c.rows, a, out, existing, e);
	pg_rows_clear(&c.rows);
	return ok;
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

bool job_get(struct store *s, const char *id, struct arena *a, struct job *out, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	pg_param_text(&p, id);
	if (!is_id(id, e) || !tx_query(s, QUERY_job_get, &p, &rows, e)) return false;
	bool ok = rows.count ? job_row(&rows, 0, a, out, e) : job_not_found(id, e);
	pg_rows_clear(&rows);
	return ok;
}

/* --- What people ask of a job ------------------------------------------------------------------------------------- */

/* One call: its statement answers, in the column outcome, the state that decides whether it was allowed. */
struct change {
	enum query query;
	unsigned allowed; /* bits of 1 << state */
	const char *done; /* "job … is running and cannot be <done>" */
	const struct pg_params *params;
	struct pg_rows rows;
	bool again;
};

static bool change_body(const struct tx *tx, void *ctx, struct err *e)
{
	struct change *c = ctx;
	c->again = tx->again;
	return pg_exec(tx->pg, c->query, c->params, &c->rows, e);
}

static bool change_allowed(const struct change *c, const char *id, struct err *e)
{
	enum job_state state;
	if (!job_state_column(&c->rows, 0, "outcome", &state, e)) return false;
	if (state == JOB_STATE_COUNT) return job_not_found(id, e);
	if (c->allowed & 1u << state) return true;
	return err_set(e, ERR_conflict, "job %s is %s and cannot be %s", id, job_state_name(state), c->done);
}

static bool change_run(struct store *s, struct change *c, const char *id, struct arena *a, struct job *out,
		       struct err *e)
{
	if (!is_id(id, e) || !tx_single(s, change_body, c, e)) return false;
	bool ok = change_allowed(c, id, e) && job_row(&c->rows, 0, a, out, e);
	pg_rows_clear(&c->rows);
	return ok;
}

bool job_cancel(struct store *s, const char *id, struct arena *a, struct job *out, struct err *e)
{
	struct pg_params p = {0};
	pg_param_text(&p, id);
	/* The state afterwards: a job that was cancelled before is cancelled. */
	struct change c = {QUERY_job_cancel, 1u << JOB_running | 1u << JOB_cancelled, "cancelled", &p};
	return change_run(s, &c, id, a, out, e);
}

bool job_retry(struct store *s, const char *id, const char *new_id, struct arena *a, struct job *out, struct err *e)
{
	struct pg_params p = {0};
	pg_param_text(&p, id);
	pg_param_text(&p, new_id);
	struct change c = {QUERY_job_retry, 1u << JOB_failed | 1u << JOB_cancelled, "run again", &p};
	return change_run(s, &c, id, a, out, e);
}

bool job_delete(struct store *s, const char *id, struct err *e)
{
	struct pg_params p = {0};
	pg_param_text(&p, id);
	struct change c = {QUERY_job_delete, 1u << JOB_succeeded | 1u << JOB_failed | 1u << JOB_cancelled, "deleted",
			   &p};
	if (!is_id(id, e) || !tx_single(s, change_body, &c, e)) return false;
	bool ok = change_allowed(&c, id, e);
	/* Gone after a commit whose answer was lost: that was us. */
	if (!ok && e->code == ERR_not_found && c.again) {
		err_init(e);
		ok = true;
	}
	pg_rows_clear(&c.rows);
	return ok;
}
