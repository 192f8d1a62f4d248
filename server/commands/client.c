#include "server/commands/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { CONNECT_SECONDS = 10 };
#define ANSWER_BYTES_MAX ((size_t)1 << 30)

struct client {
	CURL *curl;
	char *url; /* without a slash at its end */
};

bool client_open(const char *url, struct client **out, struct err *e)
{
	const char *set = getenv("QUERN_URL");
	if (!url) url = set && *set ? set : "http://127.0.0.1:8080";
	struct client *c = mem_zalloc(1, sizeof *c);
	c->curl = curl_easy_init();
	if (!c->curl) {
		mem_free(c);
		return err_set(e, ERR_internal, "libcurl cannot be started");
	}
	c->url = mem_strdup(url);
	for (size_t n = strlen(c->url); n > 0 && c->url[n - 1] == '/'; n--) c->url[n - 1] = 0;
	*out = c;
	return true;
}

void client_close(struct client *c)
{
	if (!c) return;
	curl_easy_cleanup(c->curl);
	mem_free(c->url);
	mem_free(c);
}

/* --- Paths -------------------------------------------------------------------------------------------------------- */

static void escaped(struct buf *path, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			     strchr("-._~", *p);
		if (plain) buf_char(path, (char)*p);
		else buf_printf(path, "%%%02X", *p);
	}
}

void client_path(struct buf *path, const char *segment)
{
	buf_char(path, '/');
	escaped(path, segment);
}

void client_param(struct buf *path, const char *key, const char *value)
{
	if (!value) return;
	buf_char(path, strchr(buf_cstr(path), '?') ? '&' : '?');
	buf_str(path, key);
	buf_char(path, '=');
	escaped(path, value);
}

/* --- One call ----------------------------------------------------------------------------------------------------- */

struct running {
	struct client *c;
	const struct client_call *call;
	struct client_answer *answer;
};

static long status_of(const struct running *r)
{
	long status = 0;
	curl_easy_getinfo(r->c->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t take_body(char *p, size_t size, size_t count, void *ctx)
{
	struct running *r = ctx;
	size_t len = size * count;
	long status = status_of(r);
	if (r->call->sink && status >= 200 && status < 300) return r->call->sink(r->call->sink_ctx, p, len) ? len : 0;
	buf_append(&r->answer->body, p, len);
	return buf_ok(&r->answer->body) ? len : 0;
}

static size_t take_header(char *p, size_t size, size_t count, void *ctx)
{
	static const char name[] = "etag:";
	struct running *r = ctx;
	size_t len = size * count, at = sizeof name - 1;
	if (len <= at || strncasecmp(p, name, at) != 0) return len;
	while (at < len && p[at] == ' ') at++;
	size_t n = len - at;
	while (n > 0 && (p[at + n - 1] == '\r' || p[at + n - 1] == '\n')) n--;
	if (n >= CLIENT_ETAG_MAX) return len;
	memcpy(r->answer->etag, p + at, n);
	r->answer->etag[n] = 0;
	return len;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	struct buf line = BUF_INIT(1024);
	buf_printf(&line, "%s: %s", name, value);
	if (buf_ok(&line)) list = curl_slist_append(list, buf_cstr(&line));
	buf_release(&line);
	return list;
}

static void set_call(struct running *r, const char *url, struct curl_slist *headers)
{
	CURL *h = r->c->curl;
	const struct client_call *call = r->call;
	curl_easy_reset(h);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)call->timeout_s);
	curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(h, CURLOPT_USERAGENT, "quern");
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, r);
	if (call->body || strcmp(call->method, "POST") == 0) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body ? call->body : "");
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->len);
	}
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call->method);
}

static const char *member(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);
	return v && v->type == JSON_STRING ? v->string.data : NULL;
}

bool client_problem(const struct json *problem, enum err_code fallback, const char *text, struct err *e)
{
	const struct json *faults = json_get(problem, "errors");
	const char *type = member(problem, "type"), *detail = member(problem, "detail");
	const char *slug = type ? strrchr(type, '/') : NULL;
	enum err_code code = slug ? err_by_slug(slug + 1) : ERR_NONE;
	err_set(e, code == ERR_NONE ? fallback : code, "%s", detail ? detail : text);
	for (const struct json *f = faults && faults->type == JSON_ARRAY ? faults->child : NULL; f; f = f->next) {
		const char *pointer = member(f, "pointer"), *what = member(f, "detail");
		if (pointer && what) err_fault(e, pointer, "%s", what);
	}
	return false;
}

static bool read_problem(const struct running *r, int status, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct json *root = NULL;
	struct err bad;
	char text[256];
	err_init(&bad);
	snprintf(text, sizeof text, "%s answered %d", r->c->url, status);
	bool ok = json_parse(&a, r->answer->body.data, r->answer->body.len, &root, &bad);
	client_problem(ok ? root : NULL, status >= 500 ? ERR_unavailable : ERR_bad_request, text, e);
	arena_release(&a);
	return false;
}

bool client_run(struct client *c, const struct client_call *call, struct client_answer *out, struct err *e)
{
	struct running r = {c, call, out};
	struct buf url = BUF_INIT(1 << 16);
	/* No "Expect: 100-continue": a body is sent at once. */
	struct curl_slist *headers = add_header(NULL, "Expect", "");
	*out = (struct client_answer){.body = BUF_INIT(ANSWER_BYTES_MAX)};
	if (call->type) headers = add_header(headers, "Content-Type", call->type);
	if (call->if_none_match) headers = add_header(headers, "If-None-Match", call->if_none_match);
	buf_printf(&url, "%s%s", c->url, call->path);
	set_call(&r, buf_cstr(&url), headers);
	CURLcode rc = curl_easy_perform(c->curl);
	buf_release(&url);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK) return err_set(e, ERR_unavailable, "%s: %s", c->url, curl_easy_strerror(rc));
	out->status = (int)status_of(&r);
	return out->status < 400 || read_problem(&r, out->status, e);
}
