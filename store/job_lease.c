#include "store/job_private.h"

#include "base/json.h"

#include <math.h>

enum { JOB_PROBLEM_MAX = 4096 };

void job_fence_params(struct pg_params *p, const struct job_lease *lease)
{
	pg_param_text(p, lease->job_id);
	pg_param_i64(p, lease->attempt);
	pg_param_text(p, lease->token);
}

const char *job_worker_text(const char *s)
{
	return !s || str_utf8_valid(s, strlen(s)) ? s : "(not UTF-8)";
}

/* Our clock only shortens the trust in a lease: it counts from before the statement was sent, less a margin for the way
 * there and for clocks that run at different rates. */
static int64_t trusted_until(int64_t sent_ns, unsigned lease_s)
{
	double margin_s = MIN(JOB_LEASE_MARGIN_S, lease_s / 2.0);
	return sent_ns + (int64_t)((lease_s - margin_s) * 1e9);
}

/* --- Claim -------------------------------------------------------------------------------------------------------- */

struct claim {
	const char *owner, *token;
	unsigned lease_s;
	int64_t sent_ns;
	struct pg_rows rows;
};

static bool claim_body(const struct tx *tx, void *ctx, struct err *e)
{
	struct claim *c = ctx;
	struct pg_params p = {0};
	pg_param_text(&p, c->owner);
	pg_param_text(&p, c->token);
	pg_param_i64(&p, c->lease_s);
	pg_param_bool(&p, tx->again);
	/* A second run may find what the first one claimed, so the lease counts from the first. */
	if (!tx->again) c->sent_ns = clock_mono_ns();
	return pg_exec(tx->pg, QUERY_job_claim, &p, &c->rows, e);
}

bool job_claim(struct store *s, const char *owner, unsigned lease_s, struct arena *a, struct job *out,
	       struct job_lease *lease, bool *claimed, struct err *e)
{
	char token[UUID_TEXT_SIZE];
	uuid_v7(token);
	struct claim c = {.owner = owner, .token = token, .lease_s = lease_s};
	if (!tx_single(s, claim_body, &c, e)) return false;
	bool found = c.rows.count > 0;
	bool ok = !found || job_row(&c.rows, 0, a, out, e);
	if (ok && found) {
		lease->attempt = out->attempt;
		lease->until_mono_ns = trusted_until(c.sent_ns, lease_s);
		memcpy(lease->job_id, out->id, sizeof lease->job_id);
		memcpy(lease->token, token, sizeof lease->token);
	}
	pg_rows_clear(&c.rows);
	if (ok) *claimed = found;
	return ok;
}

/* --- Heartbeat ---------------------------------------------------------------------------------------------------- */

static void progress_params(struct pg_params *p, const struct job_progress *progress)
{
	/* A fraction that is null says that there is nothing to report. */
	static const struct job_progress none = {.fraction = NAN};
	if (!progress) progress = &none;
	pg_param_f64(p, isnan(progress->fraction) ? NAN : MAX(0.0, MIN(progress->fraction, 1.0)));
	pg_param_text(p, job_worker_text(progress->phase));
	pg_param_text(p, job_worker_text(progress->message));
	pg_param_i64(p, progress->rows_done);
	pg_param_i64(p, progress->rows_total);
	pg_param_f64(p, progress->eta_s);
	pg_param_text(p, progress->stages);
	pg_param_text(p, progress->shards);
	pg_param_text(p, progress->resources);
}

bool job_heartbeat(struct store *s, struct job_lease *lease, unsigned lease_s, const struct job_progress *progress,
		   bool *lost, bool *cancel, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	int64_t sent_ns = clock_mono_ns();
	job_fence_params(&p, lease);
	pg_param_i64(&p, lease_s);
	progress_params(&p, progress);
	if (!tx_query(s, QUERY_job_heartbeat, &p, &rows, e)) return false;
	bool held = rows.count > 0, asked = false;
	bool ok = !held || pg_value(&rows, 0, "cancel", PG_BOOL, NULL, &asked, e);
	pg_rows_clear(&rows);
	if (!ok) return false;
	if (held) lease->until_mono_ns = trusted_until(sent_ns, lease_s);
	*lost = !held;
	*cancel = asked;
	return true;
}

/* --- Ends other than success -------------------------------------------------------------------------------------- */

static const char *problem_text(struct buf *b, enum err_code code, const char *detail)
{
	struct err problem;
	err_init(&problem);
	err_set(&problem, code, "%s", detail);
	json_problem(&JSON_WRITER(b), &problem, NULL);
	return buf_cstr(b);
}

/* The sentence of a problem document. */
static struct str problem_detail(struct arena *a, const char *problem)
{
	struct err ignored;
	struct json *document;
	err_init(&ignored);
	bool ok = problem && json_parse(a, problem, strlen(problem), &document, &ignored);
	const struct json *detail = ok ? json_get(document, "detail") : NULL;
	return detail && detail->type == JSON_STRING ? detail->string : STR("its lease ran out");
}

/* last: the problem of the worker that was lost last, which a crash loop's takes the place of; NULL: it just stopped.
 */
static const char *crash_loop_text(struct buf *b, const char *last)
{
	struct arena a = ARENA_INIT;
	struct str why = problem_detail(&a, last);
	static const char fmt[] = "the job's workers were lost too often; of the last: %.*s";
	problem_text(b, ERR_crash_loop, arena_printf(&a, fmt, (int)why.len, why.data));
	arena_release(&a);
	return buf_cstr(b);
}

bool job_fail(struct store *s, const struct job_lease *lease, const struct job_failure *f, enum job_state *became,
	      bool *lost, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	struct buf crash_loop = BUF_INIT(JOB_PROBLEM_MAX);
	job_fence_params(&p, lease);
	pg_param_text(&p, f->problem);
	pg_param_bool(&p, f->retryable);
	pg_param_bool(&p, f->interrupted);
	pg_param_bool(&p, f->worker_lost);
	pg_param_i64(&p, f->backoff_s);
	pg_param_i64(&p, f->max_worker_losses);
	pg_param_text(&p, crash_loop_text(&crash_loop, f->problem));
	bool ok = tx_query(s, QUERY_job_end_attempt, &p, &rows, e);
	buf_release(&crash_loop);
	if (!ok) return false;
	enum job_state state;
	ok = job_state_column(&rows, 0, "state", &state, e);
	pg_rows_clear(&rows);
	if (!ok) return false;
	*lost = state == JOB_STATE_COUNT;
	if (!*lost) *became = state;
	return true;
}

/* --- Attempts that others left ------------------------------------------------------------------------------------ */

static bool count_query(struct store *s, enum query q, const struct pg_params *p, unsigned *count, struct err *e)
{
	struct pg_rows rows;
	int64_t n;
	if (!tx_query(s, q, p, &rows, e)) return false;
	bool ok = pg_value(&rows, 0, "count", PG_I64, NULL, &n, e);
	pg_rows_clear(&rows);
	if (ok) *count = (unsigned)n;
	return ok;
}

bool job_rescue(struct store *s, unsigned backoff_s, unsigned max_worker_losses, unsigned *count, struct err *e)
{
	struct pg_params p = {0};
	struct buf lease_lost = BUF_INIT(JOB_PROBLEM_MAX), crash_loop = BUF_INIT(JOB_PROBLEM_MAX);
	problem_text(&lease_lost, ERR_lease_lost, "the process that ran the job stopped its heartbeat");
	pg_param_text(&p, buf_cstr(&lease_lost));
	pg_param_i64(&p, backoff_s);
	pg_param_i64(&p, max_worker_losses);
	pg_param_text(&p, crash_loop_text(&crash_loop, NULL));
	pg_param_i64(&p, JOB_RESCUE_MAX);
	bool ok = count_query(s, QUERY_job_rescue, &p, count, e);
	buf_release(&lease_lost);
	buf_release(&crash_loop);
	return ok;
}

bool job_release_owner(struct store *s, const char *owner, unsigned *count, struct err *e)
{
	struct pg_params p = {0};
	struct buf lease_lost = BUF_INIT(JOB_PROBLEM_MAX);
	pg_param_text(&p, owner);
	pg_param_text(&p, problem_text(&lease_lost, ERR_lease_lost, "the process that ran the job has ended"));
	bool ok = count_query(s, QUERY_job_release_owner, &p, count, e);
	buf_release(&lease_lost);
	return ok;
}
