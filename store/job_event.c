#include "store/job_private.h"

#include "base/json.h"

/* The one write that is not repeated when its fate is unknown: a log line that may be missing is better than one told
 * twice. */
static bool add_body(const struct tx *tx, void *params, struct err *e)
{
	if (tx->again) return err_set(e, ERR_unavailable, "the connection to Postgres ended; events may be missing");
	return pg_exec(tx->pg, QUERY_job_events_add, params, NULL, e);
}

static bool add_some(struct store *s, const struct job_lease *lease, const struct job_event *events, size_t count,
		     struct arena *a, struct err *e)
{
	const char *types[JOB_EVENTS_AT_ONCE], *data[JOB_EVENTS_AT_ONCE];
	int64_t times[JOB_EVENTS_AT_ONCE];
	for (size_t i = 0; i < count; i++) {
		types[i] = events[i].type;
		data[i] = str_utf8_valid(events[i].data, strlen(events[i].data)) ? events[i].data
										 : "{\"line\":\"(not UTF-8)\"}";
		times[i] = events[i].at;
	}
	struct pg_params p = {0};
	job_fence_params(&p, lease);
	pg_param_texts(&p, a, types, count);
	pg_param_texts(&p, a, data, count);
	pg_param_times(&p, a, times, count);
	return tx_single(s, add_body, &p, e);
}

bool job_events_add(struct store *s, const struct job_lease *lease, const struct job_event *events, size_t count,
		    struct err *e)
{
	struct arena a = ARENA_INIT;
	bool ok = true;
	for (size_t at = 0; ok && at < count; at += JOB_EVENTS_AT_ONCE) {
		ok = add_some(s, lease, events + at, MIN(count - at, (size_t)JOB_EVENTS_AT_ONCE), &a, e);
		arena_reset(&a);
	}
	arena_release(&a);
	return ok;
}

static const struct pg_field event_fields[] = {
	{"seq", PG_I64, offsetof(struct job_event, seq)},
	{"type", PG_TEXT, offsetof(struct job_event, type)},
	{"data", PG_TEXT, offsetof(struct job_event, data)},
	{"at", PG_TIME, offsetof(struct job_event, at)},
	{NULL},
};

bool job_events_after(struct store *s, const char *id, int64_t seq, size_t limit, struct arena *a,
		      struct job_event **out, size_t *count, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	if (!uuid_valid(id)) return job_not_found(id, e);
	pg_param_text(&p, id);
	pg_param_i64(&p, seq);
	pg_param_i64(&p, (int64_t)MIN(limit, (size_t)JOB_LIST_MAX));
	if (!tx_query(s, QUERY_job_events_after, &p, &rows, e)) return false;
	struct job_event *events = pg_row_array(&rows, event_fields, sizeof *events, a, e);
	if (events) {
		*out = events;
		*count = (size_t)rows.count;
	}
	pg_rows_clear(&rows);
	return events != NULL;
}

/* A log event's data is {"line": "…"}; anything else is shown as it is. */
static void append_line(struct arena *a, struct str data, struct buf *out)
{
	struct err ignored;
	struct json *v;
	err_init(&ignored);
	const struct json *line = json_parse(a, data.data, data.len, &v, &ignored) ? json_get(v, "line") : NULL;
	if (line && line->type == JSON_STRING) data = line->string;
	buf_append(out, data.data, data.len);
	buf_char(out, '\n');
}

bool job_log(struct store *s, const char *id, size_t tail, struct buf *out, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	struct arena a = ARENA_INIT;
	if (!uuid_valid(id)) return job_not_found(id, e);
	pg_param_text(&p, id);
	pg_param_i64(&p, (int64_t)MIN(tail, (size_t)JOB_LOG_MAX));
	if (!tx_query(s, QUERY_job_log, &p, &rows, e)) return false;
	bool ok = true;
	for (int i = 0; ok && i < rows.count; i++) {
		struct str data;
		ok = pg_value(&rows, i, "data", PG_STR, NULL, &data, e);
		if (ok) append_line(&a, data, out);
		arena_reset(&a);
	}
	arena_release(&a);
	pg_rows_clear(&rows);
	return ok;
}
