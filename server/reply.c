#include "server/reply.h"

#include "base/hash.h"
#include "base/log.h"
#include "data/deflate.h"
#include "server/router.h"
#include "server/server.h"

#include <stdio.h>
#include <time.h>

enum { GZIP_MIN_BYTES = 1024, DATE_SIZE = 40 };

static const char json_type[] = "application/json";

/* --- Problems ----------------------------------------------------------------------------------------------------- */

static bool is_ours(enum err_code code) { return err_status(code) == 500; }

static void write_problem(struct exchange *x, const struct err *e)
{
	char instance[HTTP_ID_MAX + 32];
	struct http_reply *r = &x->rq->reply;
	struct json_writer w = JSON_WRITER(&r->body);
	snprintf(instance, sizeof instance, "urn:quern:request:%s", x->rq->id);
	json_problem(&w, e, instance);
	r->type = "application/problem+json";
	r->status = err_status(e->code);
	if (r->status == 503 || r->status == 429)
		http_reply_headerf(x->rq, "Retry-After", "%u", e->retry_after_s ? e->retry_after_s : 1);
}

void reply_problem(struct exchange *x, const struct err *e)
{
	struct err hidden;
	bool close = x->rq->reply.close;
	http_reply_clear(x->rq);
	x->rq->reply.close = close;
	if (!is_ours(e->code)) {
		write_problem(x, e);
		return;
	}
	log_scope("requestId", x->rq->id);
	log_err(LOG_ERROR, "request failed", e);
	log_scope("requestId", NULL);
	err_init(&hidden);
	err_set(&hidden, ERR_internal, "the log has the details under request id %s", x->rq->id);
	write_problem(x, &hidden);
}

enum outcome reply_error(struct exchange *x, const struct err *e)
{
	reply_problem(x, e);
	return ANSWERED;
}

/* --- Bodies ------------------------------------------------------------------------------------------------------- */

void reply_text(struct exchange *x, int status, const char *type)
{
	http_reply_clear(x->rq);
	x->rq->reply.status = status;
	x->rq->reply.type = type;
}

struct json_writer reply_json(struct exchange *x, int status)
{
	reply_text(x, status, json_type);
	return JSON_WRITER(&x->rq->reply.body);
}

void reply_empty(struct exchange *x, int status) { reply_text(x, status, NULL); }

/* Link: <this target with another cursor>; rel="next" */
static void next_link(struct exchange *x, const char *cursor)
{
	static const char key[] = "cursor=";
	struct buf link = BUF_INIT(16 << 10);
	buf_printf(&link, "<%.*s?", (int)x->target.path.len, x->target.path.data);
	for (struct str rest = x->target.query; rest.len;) {
		const char *end = memchr(rest.data, '&', rest.len);
		size_t len = end ? (size_t)(end - rest.data) : rest.len;
		bool is_cursor = len >= sizeof key - 1 && memcmp(rest.data, key, sizeof key - 1) == 0;
		/* <, > and quotes would end the link early; the rest of the target has been checked. */
		bool plain = !memchr(rest.data, '>', len) && !memchr(rest.data, '<', len) &&
			     !memchr(rest.data, '"', len);
		if (len && !is_cursor && plain) buf_printf(&link, "%.*s&", (int)len, rest.data);
		rest = end ? (struct str){end + 1, rest.len - len - 1} : (struct str){0};
	}
	buf_printf(&link, "cursor=%s>; rel=\"next\"", cursor);
	if (buf_ok(&link)) http_reply_header(x->rq, "Link", link.data);
	buf_release(&link);
}

struct json_writer reply_list(struct exchange *x, const char *plural)
{
	struct json_writer w = reply_json(x, 200);
	json_object_begin(&w);
	json_key(&w, plural);
	json_array_begin(&w);
	return w;
}

/* --- Validators --------------------------------------------------------------------------------------------------- */

/* The tag of these bytes, with its quotes, and the hash in it. */
static uint64_t reply_etag(struct str body, char out[24])
{
	uint64_t hash = hash_xxh3(body.data, body.len);
	snprintf(out, 24, "\"%016llx\"", (unsigned long long)hash);
	return hash;
}

enum { LIVE = -1 };

/* When a resource changed last, in the whole seconds of HTTP dates. */
struct modified {
	int64_t at_s;
	bool certain; /* a client that has this time has this body */
};

static bool is_read(const struct exchange *x) { return x->rq->method == HTTP_GET || x->rq->method == HTTP_HEAD; }

/* RFC 9110, 13.2.2: If-Modified-Since counts only where If-None-Match is absent. */
static bool client_has_it(const struct exchange *x, const char *etag, const struct modified *m)
{
	struct str tags = http_get(x->rq, HTTP_IF_NONE_MATCH);
	int64_t since;
	if (!is_read(x)) return false;
	if (tags.data) return negotiate_tag_matches(tags, etag);
	return negotiate_date(http_get(x->rq, HTTP_IF_MODIFIED_SINCE), &since) && m->certain && since >= m->at_s &&
	       since <= clock_wall_ms() / 1000;
}

static bool validate(struct exchange *x, const char *etag, const struct modified *m)
{
	struct http_reply *r = &x->rq->reply;
	bool has = client_has_it(x, etag, m);
	char date[DATE_SIZE];
	struct tm tm;
	time_t t = (time_t)m->at_s;
	if (has) {
		buf_clear(&r->body);
		r->fixed = (struct str){0};
		r->type = NULL;
		r->status = 304;
	}
	http_reply_header(x->rq, "ETag", etag);
	http_reply_header(x->rq, "Cache-Control", "no-cache");
	if (gmtime_r(&t, &tm) && strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		http_reply_header(x->rq, "Last-Modified", date);
	return has;
}

bool reply_not_modified(struct exchange *x, const char *etag, int64_t made_ms)
{
	struct modified m = {made_ms / 1000, .certain = true};
	return validate(x, etag, &m);
}

/* "abc" names the plain form, "abc-gzip" the compressed one: strong tags differ where bytes do. */
static void gzip_tag(const char *etag, char *out, size_t size)
{
	snprintf(out, size, "%.*s-gzip\"", (int)strlen(etag) - 1, etag);
}

static bool wants_gzip(const struct exchange *x) { return negotiate_gzip(http_get(x->rq, HTTP_ACCEPT_ENCODING)); }

static bool worth_gzip(const struct exchange *x, size_t len) { return len > GZIP_MIN_BYTES && wants_gzip(x); }

/* since_ms: LIVE, or when the resource became what it stays. */
static void tag(struct exchange *x, int64_t since_ms)
{
	char plain[24], packed[32];
	struct modified m = {since_ms / 1000, .certain = true};
	struct str body = {x->rq->reply.body.data, x->rq->reply.body.len};
	uint64_t hash = reply_etag(body, plain);
	if (since_ms == LIVE) {
		m.certain = sightings_look(x->server->sightings, x->rq->target, hash, clock_wall_ms() / 1000, &m.at_s);
		m.at_s--; /* before the second in which it may yet become settled */
	}
	gzip_tag(plain, packed, sizeof packed);
	validate(x, worth_gzip(x, body.len) ? packed : plain, &m);
}

void reply_live(struct exchange *x) { tag(x, LIVE); }

void reply_settled(struct exchange *x, int64_t since_ms) { tag(x, since_ms); }

void reply_list_end(struct exchange *x, struct json_writer *w, const char *next)
{
	json_array_end(w);
	json_key(w, "nextCursor");
	json_cstr(w, next);
	json_object_end(w);
	if (next) next_link(x, next);
	reply_live(x);
}

/* --- Pages -------------------------------------------------------------------------------------------------------- */

struct page page_create(const char *type, struct str body)
{
	struct page p = {.type = type};
	char *copy = mem_alloc(body.len + 1);
	memcpy(copy, body.data, body.len);
	p.body = (struct str){copy, body.len};
	reply_etag(body, p.etag);
	gzip_tag(p.etag, p.gzip_etag, sizeof p.gzip_etag);
	struct buf packed = BUF_INIT(body.len + GZIP_MIN_BYTES);
	if (body.len > GZIP_MIN_BYTES && deflate_gzip(body.data, body.len, &packed))
		p.gzip = (struct str){packed.data, packed.len};
	return p;
}

void page_release(struct page *p)
{
	mem_free((void *)(uintptr_t)p->body.data);
	mem_free((void *)(uintptr_t)p->gzip.data);
	*p = (struct page){0};
}

void reply_page(struct exchange *x, const struct page *p)
{
	bool packed = p->gzip.data && wants_gzip(x);
	reply_text(x, 200, p->type);
	x->rq->reply.fixed = packed ? p->gzip : p->body;
	if (packed) http_reply_header(x->rq, "Content-Encoding", "gzip");
	if (p->gzip.data) http_reply_header(x->rq, "Vary", "Accept-Encoding");
	reply_not_modified(x, packed ? p->gzip_etag : p->etag, x->server->started_ms);
}

/* --- The end ------------------------------------------------------------------------------------------------------ */

static bool is_packed(const struct http_reply *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcmp(r->headers[i].name, "Content-Encoding") == 0) return true;
	return false;
}

static void pack(struct exchange *x)
{
	struct http_reply *r = &x->rq->reply;
	struct buf packed = BUF_INIT(r->body.max);
	if (!deflate_gzip(r->body.data, r->body.len, &packed)) return;
	buf_release(&r->body);
	r->body = packed;
	http_reply_header(x->rq, "Content-Encoding", "gzip");
}

void reply_end(struct exchange *x)
{
	struct http_reply *r = &x->rq->reply;
	struct err e;
	if (!buf_ok(&r->body)) {
		err_init(&e);
		err_set(&e, ERR_too_large, "the answer is over %zu bytes (limits.answerBytes)", r->body.max);
		reply_problem(x, &e);
	}
	if (r->stream || r->fixed.data || r->body.len <= GZIP_MIN_BYTES || is_packed(r)) return;
	http_reply_header(x->rq, "Vary", "Accept-Encoding");
	if (wants_gzip(x)) pack(x);
}
