/* Requests and their buffers, kept per HTTP thread. */
#include "server/http_private.h"

#include "base/clock.h"
#include "base/rng.h"

#include <stdio.h>

static const char *const method_names[HTTP_METHOD_COUNT] = {
	[HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",   [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "OTHER",
};

const char *http_method_name(enum http_method m) { return method_names[m]; }

static struct http_flow *flow_create(struct http_thread *t)
{
	const struct http_options *o = &t->http->options;
	struct http_flow *f = mem_zalloc(1, sizeof *f + o->app.size);
	f->thread = t;
	f->target = BUF_INIT(o->uri_max + 1);
	f->rq.thread = t->index;
	f->rq.app = f->app;
	f->rq.reply.text = BUF_INIT(64 << 10);
	f->rq.reply.body = BUF_INIT(o->answer_max);
	return f;
}

static void flow_destroy(struct http_flow *f)
{
	buf_release(&f->target);
	buf_release(&f->rq.body);
	buf_release(&f->rq.reply.body);
	buf_release(&f->rq.reply.text);
	arena_release(&f->rq.arena);
	mem_free(f);
}

static void make_id(struct http_thread *t, char out[HTTP_ID_MAX + 1])
{
	enum { LETTERS = 16 };
	typedef uint8_t letters __attribute__((vector_size(LETTERS)));
	uint64_t v = rng_at(t->id_seed, t->id_count++), low = v & 0x0f0f0f0f0f0f0f0fu, high = v >> 4 & 0x0f0f0f0f0f0f0f0fu;
	letters nibbles;
	memcpy(&nibbles, &low, sizeof low);
	memcpy((char *)&nibbles + sizeof low, &high, sizeof high);
	nibbles += '0' + ((letters)(nibbles > 9) & ('a' - '0' - 10));
	memcpy(out, &nibbles, LETTERS);
	out[LETTERS] = 0;
}

struct http_flow *http_flow_take(struct http_thread *t, struct MHD_Connection *mhd, const char *target)
{
	struct http_flow *f = t->spare;
	if (f) {
		t->spare = f->next;
		t->spare_count--;
	} else {
		f = flow_create(t);
	}
	f->phase = FLOW_HEADERS;
	f->mhd = mhd;
	f->conn = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	f->conn->flow = f;
	f->rq.started_ns = clock_mono_ns();
	make_id(t, f->rq.id);
	buf_str(&f->target, target);
	f->too_long = !buf_ok(&f->target) || f->target.len > t->http->options.uri_max;
	atomic_store_explicit(&t->requests, t->requests + 1, memory_order_relaxed);
	return f;
}

static void trim(struct buf *b, size_t keep)
{
	if (b->cap > keep) buf_release(b);
	else buf_clear(b);
}

void http_flow_give(struct http_flow *f)
{
	struct http_thread *t = f->thread;
	atomic_store_explicit(&t->requests, t->requests - 1, memory_order_relaxed);
	f->conn->flow = NULL;
	if (t->spare_count == HTTP_SPARE_MAX) {
		flow_destroy(f);
		return;
	}
	trim(&f->target, HTTP_KEEP_BYTES);
	trim(&f->rq.body, HTTP_KEEP_BYTES);
	http_reply_clear(&f->rq);
	trim(&f->rq.reply.body, HTTP_KEEP_BYTES);
	if (f->rq.arena.bytes > HTTP_KEEP_BYTES) arena_release(&f->rq.arena);
	else arena_reset(&f->rq.arena);
	memset(f->rq.headers, 0, sizeof f->rq.headers);
	memset(f->app, 0, t->http->options.app.size);
	f->rq.sent_bytes = 0;
	f->rq.broken = f->told = f->too_long = false;
	f->rq.body_limit = NULL;
	f->stream_sent = 0;
	f->mhd = NULL;
	f->conn = NULL;
	f->next = t->spare;
	t->spare = f;
	t->spare_count++;
}

void http_flow_free_spares(struct http_thread *t)
{
	while (t->spare) {
		struct http_flow *f = t->spare;
		t->spare = f->next;
		flow_destroy(f);
	}
	t->spare_count = 0;
}

void http_reply_clear(struct http_request *rq)
{
	struct http_reply *r = &rq->reply;
	buf_clear(&r->body);
	buf_clear(&r->text);
	r->status = 0;
	r->type = NULL;
	r->fixed = (struct str){0};
	r->header_count = 0;
	r->stream = r->stream_end = r->close = false;
}

/* Keeps the value that was appended to reply.text from start on, if it can be a header's. */
static void header_end(struct http_reply *r, const char *name, size_t start)
{
	CHECK(r->header_count < HTTP_REPLY_HEADERS);
	for (size_t i = start; i < r->text.len; i++)
		if ((unsigned char)r->text.data[i] < 0x20 || r->text.data[i] == 0x7f) return;
	if (r->text.len == start || !buf_ok(&r->text)) return;
	buf_char(&r->text, 0);
	r->headers[r->header_count].name = name;
	r->headers[r->header_count++].value = start;
}

void http_reply_header(struct http_request *rq, const char *name, const char *value)
{
	size_t start = rq->reply.text.len;
	buf_str(&rq->reply.text, value);
	header_end(&rq->reply, name, start);
}

void http_reply_headerf(struct http_request *rq, const char *name, const char *fmt, ...)
{
	size_t start = rq->reply.text.len;
	va_list args;
	va_start(args, fmt);
	buf_vprintf(&rq->reply.text, fmt, args);
	va_end(args);
	header_end(&rq->reply, name, start);
}

void http_suspend(struct http_request *rq)
{
	struct http_flow *f = http_flow_of(rq);
	f->phase = FLOW_APP;
	http_conn_step(f->conn, HTTP_WORKING);
	MHD_suspend_connection(f->mhd);
}

void http_resume(struct http_request *rq)
{
	struct http_flow *f = http_flow_of(rq);
	struct http_thread *t = f->thread;
	f->phase = FLOW_ANSWERED;
	MHD_resume_connection(f->mhd);
	http_loop_wake(t);
}
