#include "store/job_private.h"

static const struct pg_field fields[] = {
	{"id", PG_UUID, offsetof(struct job, id)},
	{"name", PG_TEXT, offsetof(struct job, name)},
	{"kind", PG_TEXT, offsetof(struct job, kind)},
	{"attempt", PG_INT, offsetof(struct job, attempt)},
	{"max_attempts", PG_INT, offsetof(struct job, max_attempts)},
	{"worker_losses", PG_INT, offsetof(struct job, worker_losses)},
	{"priority", PG_INT, offsetof(struct job, priority)},
	{"tags", PG_TEXT, offsetof(struct job, tags)},
	{"spec", PG_TEXT, offsetof(struct job, spec)},
	{"created_at", PG_TIME, offsetof(struct job, created_at)},
	{"started_at", PG_TIME, offsetof(struct job, started_at)},
	{"finished_at", PG_TIME, offsetof(struct job, finished_at)},
	{"updated_at", PG_TIME, offsetof(struct job, updated_at)},
	{"run_at", PG_TIME, offsetof(struct job, run_at)},
	{"cancel_requested", PG_BOOL, offsetof(struct job, cancel_requested)},
	{"fraction", PG_F64, offsetof(struct job, fraction)},
	{"phase", PG_TEXT, offsetof(struct job, phase)},
	{"message", PG_TEXT, offsetof(struct job, message)},
	{"rows_done", PG_I64, offsetof(struct job, rows_done)},
	{"rows_total", PG_I64, offsetof(struct job, rows_total)},
	{"eta_s", PG_F64, offsetof(struct job, eta_s)},
	{"stages", PG_TEXT, offsetof(struct job, stages)},
	{"shards", PG_TEXT, offsetof(struct job, shards)},
	{"metrics", PG_TEXT, offsetof(struct job, metrics)},
	{"evaluation", PG_TEXT, offsetof(struct job, evaluation)},
	{"model_name", PG_TEXT, offsetof(struct job, model_name)},
	{"model_version", PG_INT, offsetof(struct job, model_version)},
	{"resources", PG_TEXT, offsetof(struct job, resources)},
	{"error", PG_TEXT, offsetof(struct job, error)},
	{"seed", PG_I64, offsetof(struct job, seed)},
	{"revision", PG_I64, offsetof(struct job, revision)},
	{NULL},
};

static const struct {
	const char *name;
	bool final;
} states[JOB_STATE_COUNT] = {
#define JOB_STATE(id, final) [JOB_##id] = {#id, final},
#define JOB_EDGE(from, to)
#include "store/job_state.def"
#undef JOB_STATE
#undef JOB_EDGE
};

const char *job_state_name(enum job_state s) { return states[s].name; }
bool job_state_final(enum job_state s) { return states[s].final; }

static bool state_find(struct str name, enum job_state *out)
{
	for (int s = 0; s < JOB_STATE_COUNT; s++) {
		if (!str_is(name, states[s].name)) continue;
		*out = (enum job_state)s;
		return true;
	}
	return false;
}

bool job_state_parse(const char *name, enum job_state *out) { return state_find(STR(name), out); }

bool job_state_column(const struct pg_rows *rows, int row, const char *column, enum job_state *out, struct err *e)
{
	struct str name;
	if (!pg_value(rows, row, column, PG_STR, NULL, &name, e)) return false;
	*out = JOB_STATE_COUNT;
	return !name.data || state_find(name, out) || err_set(e, ERR_internal, "Postgres: a job's state is unknown");
}

bool job_row(const struct pg_rows *rows, int row, struct arena *a, struct job *out, struct err *e)
{
	return pg_row(rows, row, fields, a, out, e) && job_state_column(rows, row, "state", &out->state, e);
}
