/* How a request comes in: the guard, the application's word on it, then the body. */
#include "server/http_private.h"

#include "server/http_guard.h"

static enum http_method method_of(const char *name)
{
	for (int m = 0; m < HTTP_OTHER; m++)
		if (strcmp(name, http_method_name((enum http_method)m)) == 0) return (enum http_method)m;
	return HTTP_OTHER;
}

/* See struct http_head. */
static bool parses_in_place(void)
{
	static _Thread_local int known = -1;
	if (known < 0) known = strncmp(MHD_get_version(), "0.9.75", 6) == 0;
	return known;
}

static enum MHD_Result take_header(void *ctx, enum MHD_ValueKind kind QN_UNUSED, const char *name, size_t name_len,
				   const char *value, size_t value_len)
{
	http_guard_header(ctx, (struct str){name, name_len}, (struct str){value ? value : "", value ? value_len : 0});
	return MHD_YES;
}

static bool is_id(struct str s)
{
	if (s.len == 0 || s.len > HTTP_ID_MAX) return false;
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/+=@", s.data[i]))
			return false;
	return true;
}

/* Fills the request's view of its target and headers. */
static bool read_head(struct http_flow *f, const char *method, const char *version, uint64_t *length, struct err *e)
{
	struct http_request *rq = &f->rq;
	struct http_head head = {.values = rq->headers, .arena = &rq->arena};
	const struct http_options *o = &f->thread->http->options;
	const char *end = NULL;
	rq->method = method_of(method);
	rq->http_1_0 = strcmp(version, MHD_HTTP_VERSION_1_1) != 0;
	if (parses_in_place() && *version) {
		head.at = version + strlen(version);
		end = method + MHD_get_connection_info(f->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
	}
	MHD_get_connection_values_n(f->mhd, MHD_HEADER_KIND, take_header, &head);
	struct str id = http_get(rq, HTTP_X_REQUEST_ID);
	if (is_id(id)) {
		memcpy(rq->id, id.data, id.len);
		rq->id[id.len] = 0;
	}
	rq->target = (struct str){buf_cstr(&f->target), f->target.len};
	if (f->too_long)
		return err_set(e, ERR_uri_too_long, "the request target is over %zu bytes (limits.uriBytes)",
			       o->uri_max);
	const char *fault = http_guard_framing(&head, end, rq->http_1_0);
	if (!fault) fault = http_guard_target(&rq->target);
	*length = head.length;
	return fault ? err_set(e, ERR_bad_request, "%s", fault) : true;
}

/* Refuses a request whose fault is in how it was sent. Whatever else comes on this connection is not to be trusted. */
static enum MHD_Result refuse_now(struct http_flow *f)
{
	f->rq.reply.close = true;
	f->conn->linger = true;
	return http_send(f);
}

static enum MHD_Result fault_now(struct http_flow *f, const struct err *e)
{
	const struct http_app *app = &f->thread->http->options.app;
	app->fault(app->ctx, &f->rq, e);
	return refuse_now(f);
}

static bool too_large(const struct http_request *rq, struct err *e)
{
	return err_set(e, ERR_too_large, "the body is over %zu bytes (%s)", rq->body_max, rq->body_limit);
}

/* May the rest of a refused request be read, so that the connection can be kept? */
static bool swallows(const struct http_request *rq, uint64_t length)
{
	if (http_get(rq, HTTP_TRANSFER_ENCODING).data || http_get(rq, HTTP_EXPECT).data) return false;
	return length <= HTTP_SWALLOW_BYTES;
}

enum MHD_Result http_body_begin(struct http_flow *f, const char *method, const char *version)
{
	struct http_request *rq = &f->rq;
	const struct http_app *app = &f->thread->http->options.app;
	uint64_t length = 0;
	struct err e;
	err_init(&e);
	f->told = true;
	if (!read_head(f, method, version, &length, &e)) return fault_now(f, &e);
	if (!app->begin(app->ctx, rq)) {
		if (!swallows(rq, length)) return refuse_now(f);
		f->phase = FLOW_REFUSED;
		return MHD_YES;
	}
	if (length > rq->body_max) {
		too_large(rq, &e);
		return fault_now(f, &e);
	}
	rq->body.max = rq->body_max;
	f->phase = FLOW_BODY;
	http_conn_step(f->conn, HTTP_READING);
	return MHD_YES;
}

enum MHD_Result http_body_take(struct http_flow *f, const char *data, size_t *size)
{
	struct http_request *rq = &f->rq;
	if (f->phase == FLOW_BODY) buf_append(&rq->body, data, *size);
	*size = 0;
	if (buf_ok(&rq->body)) return MHD_YES;
	const struct http_app *app = &f->thread->http->options.app;
	struct err e;
	err_init(&e);
	too_large(rq, &e);
	app->fault(app->ctx, rq, &e);
	http_send_raw(f);
	return MHD_NO;
}
