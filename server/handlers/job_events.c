/* GET /jobs/{id}/events: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), one an
 * event of the job's log. After the job has ended and everything was sent, the stream ends. */
#include "server/handlers/handlers.h"
#include "server/reply.h"
#include "server/server.h"
#include "store/job.h"

enum { EVENTS_AT_ONCE = 500, COMMENT_AFTER_S = 15 };
#define NS_PER_S INT64_C(1000000000)

/* JSON may be written over lines; each line is a data field of its own. */
static void write_data(struct buf *out, const char *data)
{
	for (const char *p = data; *p;) {
		size_t len = strcspn(p, "\r\n");
		buf_str(out, "data: ");
		buf_append(out, p, len);
		buf_char(out, '\n');
		p += len;
		p += strspn(p, "\r\n");
	}
}

static void write_event(struct buf *out, const struct job_event *ev)
{
	buf_printf(out, "id: %lld\nevent: %s\n", (long long)ev->seq, ev->type);
	write_data(out, ev->data);
	buf_char(out, '\n');
}

/* Appends what has happened since the last event sent. *over: the job has ended and this was all. */
static bool write_news(struct exchange *x, bool *over, struct err *e)
{
	struct store *store;
	struct job j;
	struct job_event *events;
	size_t count;
	x->mark = waiters_mark(x->server->waiters, x->job_id);
	/* The job before its events: when it has ended they are all there. */
	if (!server_store(x->server, &store, e) || !job_get(store, x->job_id, &x->lane->arena, &j, e) ||
	    !job_events_after(store, x->job_id, x->seq, EVENTS_AT_ONCE, &x->lane->arena, &events, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		write_event(&x->rq->reply.body, &events[i]);
		x->seq = events[i].seq;
	}
	*over = job_state_final(j.state) && count < EVENTS_AT_ONCE;
	return true;
}

static bool join_clients(struct exchange *x, struct err *e)
{
	size_t max = x->server->config->limits_eventClients;
	x->streams = true; /* counted down when the request ends */
	if (atomic_fetch_add(&x->server->streams, 1) < max) return true;
	e->retry_after_s = 5;
	return err_set(e, ERR_unavailable,
		       "%zu clients follow events already (limits.eventClients); GET /jobs/{id} with an ETag "
		       "is cheap",
		       max);
}

static bool begin(struct exchange *x, struct err *e)
{
	struct str last = http_get(x->rq, HTTP_LAST_EVENT_ID);
	memcpy(x->job_id, x->params[0].data, UUID_TEXT_SIZE - 1);
	if (last.data && (!str_to_i64(last, &x->seq) || x->seq < 0))
		return err_set(e, ERR_bad_request, "Last-Event-ID must be the id of an event");
	reply_text(x, 200, "text/event-stream");
	http_reply_header(x->rq, "Cache-Control", "no-store");
	return join_clients(x, e);
}

/* Something is sent at least every so often, so that a client that has gone is noticed. */
static bool is_silent(const struct exchange *x) { return clock_mono_ns() - x->sent_ns >= COMMENT_AFTER_S * NS_PER_S; }

enum outcome job_events_stream(struct exchange *x)
{
	struct http_reply *r = &x->rq->reply;
	struct err e;
	bool over = false;
	err_init(&e);
	if (!x->again && (!begin(x, &e) || !write_news(x, &over, &e))) return reply_error(x, &e);
	/* In the middle of a stream there is no other way to say that it failed: it ends, and the client comes back. */
	if (x->again && !write_news(x, &over, &e)) over = true;
	r->stream = x->rq->method != HTTP_HEAD;
	r->stream_end = over;
	if (r->body.len == 0 && !over) {
		if (x->again && !is_silent(x)) {
			if (exchange_park(x, x->deadline_ns) == PARKED) return PARKED;
			r->stream_end = true;
		}
		buf_str(&r->body, ":\n\n");
	}
	x->sent_ns = clock_mono_ns();
	x->deadline_ns = x->sent_ns + COMMENT_AFTER_S * NS_PER_S;
	return ANSWERED;
}
