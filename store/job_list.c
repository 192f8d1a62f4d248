#include "store/job_private.h"
#include "store/keyset.h"

static const struct sort {
	const char *name, *column;
	bool descending;
} sorts[] = {
	{"-createdAt", "created_at", true}, /* the default */
	{"createdAt", "created_at", false},
	{"-updatedAt", "updated_at", true},
	{"updatedAt", "updated_at", false},
};

static const struct sort *sort_find(const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_COUNT(sorts); i++)
		if (!name || strcmp(sorts[i].name, name) == 0) return &sorts[i];
	err_set(e, ERR_bad_request, "sort must be createdAt, -createdAt, updatedAt or -updatedAt");
	return NULL;
}

/* The key of a page's end: time in microseconds, id. */
static const char *next_cursor(const struct sort *sort, int64_t at_us, const char *id, struct arena *a)
{
	struct buf key = BUF_INIT(64);
	buf_u64(&key, (uint64_t)at_us);
	buf_append(&key, id, UUID_TEXT_SIZE);
	const char *text = keyset_encode(sort->name, &key, a);
	buf_release(&key);
	return text;
}

static bool cursor_params(const struct sort *sort, const char *text, struct arena *a, struct pg_params *p,
			  struct err *e)
{
	struct cursor key = {0};
	if (text && !keyset_decode(sort->name, text, a, &key, e)) return false;
	if (text) {
		pg_param_time_us(p, (int64_t)cursor_u64(&key));
		pg_param_text(p, cursor_bytes(&key, UUID_TEXT_SIZE));
	} else {
		pg_param_null(p);
		pg_param_null(p);
	}
	return true;
}

static void state_params(unsigned states, struct arena *a, struct pg_params *p)
{
	const char *names[JOB_STATE_COUNT];
	size_t count = 0;
	for (int s = 0; s < JOB_STATE_COUNT; s++)
		if (states & 1u << s) names[count++] = job_state_name((enum job_state)s);
	if (states)
		pg_param_texts(p, a, names, count);
	else
		pg_param_null(p);
}

static bool read_page(const struct pg_rows *rows, const struct sort *sort, size_t limit, struct arena *a,
		      struct job **out, size_t *count, const char **next, struct err *e)
{
	size_t n = MIN((size_t)rows->count, limit);
	struct job *jobs = arena_alloc(a, n * sizeof *jobs);
	for (size_t i = 0; i < n; i++)
		if (!job_row(rows, (int)i, a, &jobs[i], e)) return false;
	int64_t at_us = 0;
	bool more = (size_t)rows->count > limit;
	if (more && !pg_value(rows, (int)n - 1, sort->column, PG_TIME_US, NULL, &at_us, e)) return false;
	*out = jobs;
	*count = n;
	*next = more ? next_cursor(sort, at_us, jobs[n - 1].id, a) : NULL;
	return true;
}

bool job_list(struct store *s, const struct job_filter *f, struct arena *a, struct job **out, size_t *count,
	      const char **next, struct err *e)
{
	struct pg_params p = {0};
	const struct sort *sort = sort_find(f->sort, e);
	size_t limit = MAX(MIN(f->limit, (size_t)JOB_LIST_MAX), (size_t)1);
	if (!sort) return false;
	pg_param_text(&p, sort->column);
	pg_param_bool(&p, sort->descending);
	state_params(f->states, a, &p);
	pg_param_text(&p, f->name);
	pg_param_time(&p, f->created_from);
	pg_param_time(&p, f->created_to);
	pg_param_time(&p, f->updated_since);
	pg_param_text(&p, f->tags);
	if (!cursor_params(sort, f->cursor, a, &p, e)) return false;
	pg_param_i64(&p, (int64_t)limit + 1); /* one more, to know whether there is a next page */
	struct pg_rows rows;
	if (!tx_query(s, QUERY_job_list, &p, &rows, e)) return false;
	bool ok = read_page(&rows, sort, limit, a, out, count, next, e);
	pg_rows_clear(&rows);
	return ok;
}
