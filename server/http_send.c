/* How a reply goes out. */
#include "server/http_private.h"

#include <stdio.h>
#include <sys/socket.h>

static struct str reply_body(const struct http_reply *r)
{
	if (r->fixed.data) return r->fixed;
	return (struct str){r->body.data, r->body.len};
}

/* Hands out what the stream has; when that is all gone the request goes back to the application for more. */
static ssize_t read_stream(void *ctx, uint64_t pos QN_UNUSED, char *to, size_t max)
{
	struct http_flow *f = ctx;
	const struct http_app *app = &f->thread->http->options.app;
	struct http_reply *r = &f->rq.reply;
	size_t left = r->body.len - f->stream_sent;
	if (left > 0) {
		size_t n = MIN(left, max);
		memcpy(to, r->body.data + f->stream_sent, n);
		f->stream_sent += n;
		f->rq.sent_bytes += n;
		return (ssize_t)n;
	}
	if (r->stream_end) return MHD_CONTENT_READER_END_OF_STREAM;
	buf_clear(&r->body);
	f->stream_sent = 0;
	MHD_suspend_connection(f->mhd);
	app->drained(app->ctx, &f->rq);
	return 0;
}

static struct MHD_Response *response_create(struct http_flow *f)
{
	const struct http_reply *r = &f->rq.reply;
	if (r->stream)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK, read_stream, f, NULL);
	struct str body = reply_body(r);
	/* PERSISTENT: the buffer is the request's, which stays until libmicrohttpd says that it is over. */
	return MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result http_send(struct http_flow *f)
{
	struct http_request *rq = &f->rq;
	struct http_reply *r = &rq->reply;
	CHECK(r->status != 0);
	struct MHD_Response *response = response_create(f);
	if (!response) return MHD_NO;
	if (r->close || atomic_load_explicit(&f->thread->http->draining, memory_order_relaxed))
		MHD_add_response_header(response, "Connection", "close");
	if (r->type) MHD_add_response_header(response, "Content-Type", r->type);
	MHD_add_response_header(response, "X-Request-Id", rq->id);
	for (size_t i = 0; i < r->header_count; i++)
		MHD_add_response_header(response, r->headers[i].name, r->text.data + r->headers[i].value);
	f->phase = FLOW_SENDING;
	http_conn_step(f->conn, r->stream ? HTTP_WORKING : HTTP_WRITING);
	if (!r->stream && rq->method != HTTP_HEAD) rq->sent_bytes = reply_body(r).len;
	enum MHD_Result queued = MHD_queue_response(f->mhd, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return queued;
}

void http_send_raw(struct http_flow *f)
{
	const struct http_reply *r = &f->rq.reply;
	struct str body = reply_body(r);
	struct buf out = BUF_INIT(body.len + (64 << 10));
	buf_printf(&out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %s\r\nX-Request-Id: %s\r\n", r->status,
		   MHD_get_reason_phrase_for((unsigned)r->status), r->type, f->rq.id);
	for (size_t i = 0; i < r->header_count; i++)
		buf_printf(&out, "%s: %s\r\n", r->headers[i].name, r->text.data + r->headers[i].value);
	buf_printf(&out, "Content-Length: %zu\r\n\r\n", body.len);
	buf_append(&out, body.data, body.len);
	/* A fresh answer fits the socket's buffer; if it does not, the client has stopped reading anyway. */
	ssize_t sent = send(f->conn->fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	f->rq.sent_bytes = sent > 0 ? (uint64_t)sent : 0;
	f->conn->linger = true;
	buf_release(&out);
}
