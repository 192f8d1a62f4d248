#include "server/handlers/handlers.h"
#include "server/job_view.h"
#include "server/reply.h"
#include "server/server.h"

#include <stdio.h>

enum { LIST_LIMIT = 100, LOG_TAIL = 1000, KEY_MAX = 255 };
#define NS_PER_S INT64_C(1000000000)

static void write_job(struct exchange *x, int status, const struct job *j)
{
	struct json_writer w = reply_json(x, status);
	job_view_write(j, &x->lane->arena, &w);
}

static void path_id(struct exchange *x)
{
	memcpy(x->job_id, x->params[0].data, UUID_TEXT_SIZE - 1);
	x->job_id[UUID_TEXT_SIZE - 1] = 0;
}

static int64_t wait_seconds(const struct exchange *x, int64_t asked)
{
	return MIN(asked, (int64_t)x->server->config->limits_waitSeconds);
}

static int64_t wait_deadline(const struct exchange *x, int64_t asked)
{
	return clock_mono_ns() + wait_seconds(x, asked) * NS_PER_S;
}

/* --- Submitting --------------------------------------------------------------------------------------------------- */

/* The key's text: bare, or as the draft has it, a quoted string. */
static bool idempotency_key(struct exchange *x, const char **out, struct err *e)
{
	struct str key = http_get(x->rq, HTTP_IDEMPOTENCY_KEY);
	*out = NULL;
	if (!key.data) return true;
	if (key.len >= 2 && key.data[0] == '"' && key.data[key.len - 1] == '"')
		key = (struct str){key.data + 1, key.len - 2};
	bool fits = key.len > 0 && key.len <= KEY_MAX;
	for (size_t i = 0; fits && i < key.len; i++) fits = key.data[i] >= 0x20 && key.data[i] < 0x7f;
	if (!fits)
		return err_set(e, ERR_bad_request, "Idempotency-Key must be 1 to %d printable ASCII characters",
			       KEY_MAX);
	*out = arena_strndup(&x->lane->arena, key.data, key.len);
	return true;
}

static char *spec_text(struct exchange *x, const struct spec *sp)
{
	/* Defaults and seeds are small beside what was sent. */
	struct buf text = BUF_INIT(2 * x->server->config->limits_jobSpecBytes + (1 << 20));
	struct json_writer w = JSON_WRITER(&text);
	spec_write(sp, &w);
	char *copy = arena_strndup(&x->lane->arena, text.data, text.len);
	buf_release(&text);
	return copy;
}

static void fill_new(struct exchange *x, const struct spec *sp, struct job_new *n)
{
	struct arena *a = &x->lane->arena;
	uuid_v7(n->id);
	n->name = arena_strndup(a, sp->name.data, sp->name.len);
	n->kind = arena_strndup(a, sp->kind.data, sp->kind.len);
	n->spec = spec_text(x, sp);
	if (sp->tags) n->tags = arena_strndup(a, sp->tags->raw.data, sp->tags->raw.len);
	n->priority = (int)sp->priority;
	n->max_attempts = (int)sp->max_attempts;
	n->timeout_s = (unsigned)sp->timeout_s;
	n->seed = sp->seed;
	hash_sha256(x->rq->body.data, x->rq->body.len, n->body_hash);
}

static enum outcome answer_plan(struct exchange *x, const struct spec *sp)
{
	struct json_writer w = reply_json(x, 200);
	json_object_begin(&w);
	json_key(&w, "valid");
	json_bool(&w, true);
	json_key(&w, "plan");
	spec_plan(sp, &x->server->source_env, &w);
	json_object_end(&w);
	return ANSWERED;
}

static void answer_submitted(struct exchange *x, int status, const struct job *j)
{
	write_job(x, status, j);
	http_reply_headerf(x->rq, "Location", "/jobs/%s", j->id);
}

/* Prefer: wait=N. Looks again until the job has ended or the time is over. */
static enum outcome wait_for_end(struct exchange *x)
{
	struct store *store;
	struct job j;
	struct err e;
	int64_t seconds;
	err_init(&e);
	x->mark = waiters_mark(x->server->waiters, x->job_id);
	if (!server_store(x->server, &store, &e) || !job_get(store, x->job_id, &x->lane->arena, &j, &e))
		return reply_error(x, &e);
	answer_submitted(x, 202, &j);
	if (negotiate_wait(http_get(x->rq, HTTP_PREFER), &seconds))
		http_reply_headerf(x->rq, "Preference-Applied", "wait=%lld", (long long)wait_seconds(x, seconds));
	if (job_state_final(j.state) || clock_mono_ns() >= x->deadline_ns) return ANSWERED;
	return exchange_park(x, x->deadline_ns);
}

static enum outcome submit(struct exchange *x, const struct spec *sp)
{
	struct store *store;
	struct job_new n = {0};
	struct job j;
	struct err e;
	bool existing = false;
	int64_t seconds;
	err_init(&e);
	if (!idempotency_key(x, &n.idempotency_key, &e) || !server_store(x->server, &store, &e))
		return reply_error(x, &e);
	fill_new(x, sp, &n);
	if (!job_create(store, &n, &x->lane->arena, &j, &existing, &e)) return reply_error(x, &e);
	if (!existing) server_wake_scheduler(x->server);
	answer_submitted(x, existing ? 200 : 202, &j);
	if (existing || !negotiate_wait(http_get(x->rq, HTTP_PREFER), &seconds)) return ANSWERED;
	memcpy(x->job_id, j.id, sizeof x->job_id);
	x->deadline_ns = wait_deadline(x, seconds);
	return wait_for_end(x);
}

enum outcome jobs_submit(struct exchange *x)
{
	struct spec sp;
	struct err e;
	bool dry_run = false;
	err_init(&e);
	if (x->again) return wait_for_end(x);
	if (!target_bool(&x->target, "dryRun", &dry_run, &e) ||
	    !spec_parse(&sp, x->rq->body.data ? x->rq->body.data : "", x->rq->body.len, &x->server->spec_defaults,
			&x->server->source_env, &e))
		return reply_error(x, &e);
	enum outcome o = dry_run ? answer_plan(x, &sp) : submit(x, &sp);
	spec_release(&sp);
	return o;
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

/* ?wait=N: does this state of the job still have to change? The reply is written and tagged. */
static bool must_wait(struct exchange *x, const struct job *j)
{
	if (job_state_final(j->state) || clock_mono_ns() >= x->deadline_ns) return false;
	bool tag_given = http_get(x->rq, HTTP_IF_NONE_MATCH).data != NULL;
	return !tag_given || x->rq->reply.status == 304;
}

static void tag_job(struct exchange *x, const struct job *j)
{
	if (job_state_final(j->state)) reply_settled(x, j->finished_at);
	else reply_live(x);
}

enum outcome jobs_get(struct exchange *x)
{
	struct store *store;
	struct job j;
	struct err e;
	int64_t wait = 0;
	err_init(&e);
	if (!x->again) {
		if (!target_int(&x->target, "wait", 0, 86400, &wait, &e)) return reply_error(x, &e);
		path_id(x);
		x->deadline_ns = wait_deadline(x, wait);
	}
	x->mark = waiters_mark(x->server->waiters, x->job_id);
	if (!server_store(x->server, &store, &e) || !job_get(store, x->job_id, &x->lane->arena, &j, &e))
		return reply_error(x, &e);
	write_job(x, 200, &j);
	tag_job(x, &j);
	return must_wait(x, &j) ? exchange_park(x, x->deadline_ns) : ANSWERED;
}

static bool read_states(const struct target *t, unsigned *states, struct err *e)
{
	for (size_t i = 0; i < t->param_count; i++) {
		if (!str_is(t->params[i].key, "state")) continue;
		char text[128], *rest = text, *name;
		struct str value = t->params[i].value;
		bool ok = value.len < sizeof text;
		snprintf(text, sizeof text, "%.*s", (int)MIN(value.len, sizeof text - 1), value.data);
		while (ok && (name = strsep(&rest, ","))) {
			enum job_state state;
			ok = job_state_parse(name, &state);
			if (ok) *states |= 1u << state;
		}
		if (!ok)
			return err_set(e, ERR_bad_request,
				       "parameter state must be queued, running, succeeded, failed or cancelled");
	}
	return true;
}

/* tag.team=growth&tag.k=v to {"team":"growth","k":"v"}. */
static const char *read_tags(const struct target *t, struct arena *a)
{
	static const char prefix[] = "tag.";
	struct buf text = BUF_INIT(64 << 10);
	struct json_writer w = JSON_WRITER(&text);
	size_t count = 0;
	json_object_begin(&w);
	for (size_t i = 0; i < t->param_count; i++) {
		struct str key = t->params[i].key;
		if (key.len < sizeof prefix || memcmp(key.data, prefix, sizeof prefix - 1) != 0) continue;
		json_keyn(&w, (struct str){key.data + sizeof prefix - 1, key.len - (sizeof prefix - 1)});
		json_str(&w, t->params[i].value);
		count++;
	}
	json_object_end(&w);
	const char *tags = count ? arena_strndup(a, text.data, text.len) : NULL;
	buf_release(&text);
	return tags;
}

static const char *param_text(struct exchange *x, const char *key)
{
	struct str v = target_param(&x->target, key);
	return v.data ? arena_strndup(&x->lane->arena, v.data, v.len) : NULL;
}

static bool read_filter(struct exchange *x, struct job_filter *f, struct err *e)
{
	const struct target *t = &x->target;
	int64_t limit = LIST_LIMIT;
	if (!read_states(t, &f->states, e) || !target_time(t, "createdFrom", &f->created_from, e) ||
	    !target_time(t, "createdTo", &f->created_to, e) || !target_time(t, "updatedSince", &f->updated_since, e) ||
	    !target_int(t, "limit", 1, JOB_LIST_MAX, &limit, e))
		return false;
	f->limit = (size_t)limit;
	f->sort = param_text(x, "sort");
	f->name = param_text(x, "name");
	f->cursor = param_text(x, "cursor");
	f->tags = read_tags(t, &x->lane->arena);
	return true;
}

enum outcome jobs_list(struct exchange *x)
{
	struct store *store;
	struct job_filter f = {0};
	struct job *jobs;
	size_t count;
	const char *next;
	struct err e;
	err_init(&e);
	if (!read_filter(x, &f, &e) || !server_store(x->server, &store, &e) ||
	    !job_list(store, &f, &x->lane->arena, &jobs, &count, &next, &e))
		return reply_error(x, &e);
	struct json_writer w = reply_list(x, "jobs");
	for (size_t i = 0; i < count; i++) job_view_write(&jobs[i], &x->lane->arena, &w);
	reply_list_end(x, &w, next);
	return ANSWERED;
}

/* --- Changing ----------------------------------------------------------------------------------------------------- */

enum outcome jobs_cancel(struct exchange *x)
{
	struct store *store;
	struct job j;
	struct err e;
	err_init(&e);
	path_id(x);
	if (!server_store(x->server, &store, &e) || !job_cancel(store, x->job_id, &x->lane->arena, &j, &e))
		return reply_error(x, &e);
	server_wake_scheduler(x->server);
	waiters_notify(x->server->waiters, x->job_id);
	write_job(x, 202, &j);
	return ANSWERED;
}

enum outcome jobs_retry(struct exchange *x)
{
	struct store *store;
	struct job j;
	struct err e;
	char new_id[UUID_TEXT_SIZE];
	err_init(&e);
	path_id(x);
	uuid_v7(new_id);
	if (!server_store(x->server, &store, &e) || !job_retry(store, x->job_id, new_id, &x->lane->arena, &j, &e))
		return reply_error(x, &e);
	server_wake_scheduler(x->server);
	answer_submitted(x, 202, &j);
	return ANSWERED;
}

enum outcome jobs_delete(struct exchange *x)
{
	struct store *store;
	struct err e;
	err_init(&e);
	path_id(x);
	if (!server_store(x->server, &store, &e) || !job_delete(store, x->job_id, &e)) return reply_error(x, &e);
	waiters_notify(x->server->waiters, x->job_id);
	reply_empty(x, 204);
	return ANSWERED;
}

/* --- Log ---------------------------------------------------------------------------------------------------------- */

enum outcome jobs_logs(struct exchange *x)
{
	struct store *store;
	struct job j;
	struct err e;
	int64_t tail = LOG_TAIL;
	err_init(&e);
	path_id(x);
	if (!target_int(&x->target, "tail", 0, JOB_LOG_MAX, &tail, &e) || !server_store(x->server, &store, &e) ||
	    !job_get(store, x->job_id, &x->lane->arena, &j, &e))
		return reply_error(x, &e);
	reply_text(x, 200, "text/plain; charset=utf-8");
	if (tail > 0 && !job_log(store, x->job_id, (size_t)tail, &x->rq->reply.body, &e)) return reply_error(x, &e);
	reply_live(x);
	return ANSWERED;
}
