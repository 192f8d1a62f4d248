#include "server/exchange_run.h"

#include "data/inflate.h"
#include "server/access_log.h"
#include "server/router.h"
#include "server/server.h"

enum { NO_BODY_BYTES = 64 << 10, INFLATE_STEP = 16 << 10 };

#define OWNER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static struct exchange *exchange_of(struct server *s, struct http_request *rq)
{
	struct exchange *x = rq->app;
	x->rq = rq;
	x->server = s;
	return x;
}

/* --- Before the body ---------------------------------------------------------------------------------------------- */

static bool check_media(struct exchange *x, struct err *e)
{
	struct str type = http_get(x->rq, HTTP_CONTENT_TYPE);
	x->media = negotiate_media(type);
	x->coding = negotiate_coding(http_get(x->rq, HTTP_CONTENT_ENCODING));
	if (x->route->body == BODY_NONE) return true;
	if (x->coding == CODING_OTHER)
		return err_set(e, ERR_unsupported_media_type,
			       "the body's Content-Encoding must be gzip, zstd or identity");
	bool json = x->media == MEDIA_NONE || x->media == MEDIA_JSON;
	bool rows = x->route->body == BODY_ROWS && (x->media == MEDIA_NDJSON || x->media == MEDIA_CSV);
	if (json || rows) return true;
	return err_set(e, ERR_unsupported_media_type,
		       "Content-Type %.*s is not read here, but application/json%s (in UTF-8); curl wants "
		       "-H 'Content-Type: application/json'",
		       (int)MIN(type.len, (size_t)80), type.data,
		       x->route->body == BODY_ROWS ? ", application/x-ndjson and text/csv" : "");
}

static bool check_accept(const struct exchange *x, struct err *e)
{
	if (x->route->answer != ANSWER_JSON) return true;
	if (negotiate_quality(http_get(x->rq, HTTP_ACCEPT), "application/json") > 0) return true;
	return err_set(e, ERR_not_acceptable, "this call answers application/json, which Accept refuses");
}

/* A page of another site must not make a browser act here on its user's behalf. */
static bool check_site(const struct exchange *x, struct err *e)
{
	if (x->route->method == HTTP_GET || !str_is(http_get(x->rq, HTTP_SEC_FETCH_SITE), "cross-site")) return true;
	return err_set(e, ERR_forbidden, "the call comes from a page of another site");
}

static void set_body_limit(struct exchange *x)
{
	const struct config *c = x->server->config;
	struct http_request *rq = x->rq;
	switch (x->route->body) {
	case BODY_NONE: rq->body_max = NO_BODY_BYTES, rq->body_limit = "this call takes no body"; break;
	case BODY_JOB: rq->body_max = c->limits_jobSpecBytes, rq->body_limit = "limits.jobSpecBytes"; break;
	case BODY_SEARCH:
	case BODY_ROWS: rq->body_max = c->limits_bodyBytes, rq->body_limit = "limits.bodyBytes"; break;
	}
}

static bool app_begin(void *ctx, struct http_request *rq)
{
	struct exchange *x = exchange_of(ctx, rq);
	char allow[64] = "";
	struct err e;
	err_init(&e);
	bool ok = target_parse(rq->target, &rq->arena, &x->target, &e) && router_find(x, allow, &e) &&
		  check_site(x, &e) && check_accept(x, &e) && check_media(x, &e);
	if (ok) {
		set_body_limit(x);
		return true;
	}
	reply_problem(x, &e);
	if (*allow) http_reply_header(rq, "Allow", allow);
	if (x->coding == CODING_OTHER) http_reply_header(rq, "Accept-Encoding", "gzip, zstd, identity");
	return false;
}

static void app_fault(void *ctx, struct http_request *rq, const struct err *e)
{
	reply_problem(exchange_of(ctx, rq), e);
}

/* --- On crews ----------------------------------------------------------------------------------------------------- */

/* No thread takes it: the answer is that it should come again. */
static void turn_away(struct exchange *x)
{
	struct err e;
	err_init(&e);
	err_set(&e, ERR_unavailable,
		x->server->closing ? "the service is stopping" : "too many requests are waiting (http.queue)");
	if (x->rq->reply.stream) x->rq->reply.stream_end = true;
	else reply_problem(x, &e);
	http_resume(x->rq);
}

/* Takes the exchange off its HTTP thread. */
static bool hand_over(struct exchange *x, struct crew *to)
{
	http_suspend(x->rq);
	if (!crew_push(to, &x->task, false)) turn_away(x);
	return false;
}

static bool inflate_body(struct exchange *x, struct inflate *z, struct buf *plain, struct err *e)
{
	char block[INFLATE_STEP];
	size_t got = sizeof block;
	while (got == sizeof block) {
		if (!inflate_read(z, block, sizeof block, &got, e)) return false;
		buf_append(plain, block, got);
		if (!buf_ok(plain))
			return err_set(e, ERR_too_large, "the body is over %zu bytes once decompressed (%s)",
				       x->rq->body_max, x->rq->body_limit);
	}
	return true;
}

/* The limit of the body holds after decompression too, so a bomb costs no more than a plain body. */
static bool decode_body(struct exchange *x, struct err *e)
{
	struct http_request *rq = x->rq;
	if (x->coding == CODING_NONE || x->decoded) return true;
	x->decoded = true;
	struct buf plain = BUF_INIT(rq->body_max);
	enum inflate_kind kind = x->coding == CODING_GZIP ? INFLATE_GZIP : INFLATE_ZSTD;
	struct inflate *z = inflate_open_bytes(kind, rq->body.data, rq->body.len, "the body");
	bool ok = inflate_body(x, z, &plain, e);
	inflate_close(z);
	if (!ok && e->code == ERR_source) e->code = ERR_bad_request;
	buf_release(&rq->body);
	rq->body = plain;
	return ok;
}

static enum outcome call_handler(struct exchange *x)
{
	struct err e;
	err_init(&e);
	if (!decode_body(x, &e)) return reply_error(x, &e);
	return x->route->handler(x);
}

void exchange_run_task(struct lane *lane, struct crew_task *t)
{
	struct exchange *x = OWNER_OF(t, struct exchange, task);
	struct server *s = x->server;
	x->lane = lane;
	switch (call_handler(x)) {
	case ANSWERED:
		reply_end(x);
		http_resume(x->rq);
		break;
	case MUST_BLOCK:
		if (!crew_push(s->stores, &x->task, true)) turn_away(x);
		break;
	case PARKED: break;
	}
	if (lane->arena.bytes > HTTP_KEEP_BYTES) arena_release(&lane->arena);
	else arena_reset(&lane->arena);
}

/* --- On HTTP threads ---------------------------------------------------------------------------------------------- */

static bool run_here(struct exchange *x)
{
	x->lane = &x->server->lanes[LANE_HTTP][x->rq->thread];
	if (x->route->handler(x) == MUST_BLOCK) return hand_over(x, x->server->stores);
	reply_end(x);
	return true;
}

static bool app_run(void *ctx, struct http_request *rq)
{
	struct server *s = ctx;
	struct exchange *x = rq->app;
	switch (x->route->place) {
	case PLACE_STORE: return hand_over(x, s->stores);
	case PLACE_COMPUTE: return hand_over(x, s->compute);
	case PLACE_PREDICT:
		if (rq->body.len > s->config->limits_inlinePredictBytes || x->coding != CODING_NONE)
			return hand_over(x, s->compute);
		return run_here(x);
	default: return run_here(x);
	}
}

static void app_drained(void *ctx QN_UNUSED, struct http_request *rq)
{
	struct exchange *x = rq->app;
	if (exchange_park(x, x->deadline_ns) == PARKED) return;
	rq->reply.stream_end = true;
	http_resume(rq);
}

static void app_end(void *ctx, struct http_request *rq)
{
	struct server *s = ctx;
	struct exchange *x = rq->app;
	struct lane *lane = &s->lanes[LANE_HTTP][rq->thread];
	int64_t took = clock_mono_ns() - rq->started_ns;
	size_t row = x->route ? (size_t)(x->route - routes) : route_count;
	metrics_count(lane->metrics, row, rq->reply.status, took, rq->body.len, rq->sent_bytes);
	access_log_add(lane->access, rq, took);
	if (x->streams) s->streams--;
}

struct http_app exchange_app(struct server *s)
{
	return (struct http_app){.ctx = s,
				 .size = sizeof(struct exchange),
				 .begin = app_begin,
				 .fault = app_fault,
				 .run = app_run,
				 .drained = app_drained,
				 .end = app_end};
}

/* --- Waiting ------------------------------------------------------------------------------------------------------ */

enum outcome exchange_park(struct exchange *x, int64_t deadline_ns)
{
	x->again = true;
	return waiters_park(x->server->waiters, &x->waiter, x->job_id, x->mark, deadline_ns) ? PARKED : ANSWERED;
}

void exchange_wake(void *server, struct waiter *w)
{
	struct server *s = server;
	struct exchange *x = OWNER_OF(w, struct exchange, waiter);
	if (!crew_push(s->stores, &x->task, true)) turn_away(x);
}
