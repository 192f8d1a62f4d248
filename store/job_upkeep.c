/* What the janitor and /metrics ask of all jobs at once. */
#include "store/job_private.h"

enum { JOB_SWEEP_MAX = 1000 };

static bool read_counts(const struct pg_rows *rows, struct job_counts *out, struct err *e)
{
	for (int i = 0; i < rows->count; i++) {
		enum job_state state;
		double oldest_s;
		if (!job_state_column(rows, i, "state", &state, e)) return false;
		if (!pg_value(rows, i, "count", PG_I64, NULL, &out->by_state[state], e)) return false;
		if (!pg_value(rows, i, "oldest_s", PG_F64, NULL, &oldest_s, e)) return false;
		if (state == JOB_queued) out->oldest_queued_s = oldest_s;
	}
	return true;
}

bool job_counts(struct store *s, struct job_counts *out, struct err *e)
{
	struct pg_rows rows;
	struct job_counts counts = {0};
	if (!tx_query(s, QUERY_job_counts, NULL, &rows, e)) return false;
	bool ok = read_counts(&rows, &counts, e);
	pg_rows_clear(&rows);
	if (ok) *out = counts;
	return ok;
}

bool job_sweep(struct store *s, struct err *e)
{
	struct pg_params p = {0};
	pg_param_i64(&p, JOB_SWEEP_MAX);
	return tx_query(s, QUERY_job_sweep_idempotency, &p, NULL, e) &&
	       tx_query(s, QUERY_job_sweep_events, NULL, NULL, e);
}
