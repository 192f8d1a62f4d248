#include "server/handlers/handlers.h"
#include "server/reply.h"
#include "server/server.h"

enum outcome problems_list(struct exchange *x)
{
	reply_page(x, &x->server->pages[PAGE_PROBLEMS]);
	return ANSWERED;
}

static void write_html(struct buf *out, enum err_code code)
{
	buf_printf(out,
		   "<!doctype html>\n<html lang=\"en\">\n<meta "
		   "charset=\"utf-8\">\n<title>%s</title>\n<h1>%s</h1>\n<p>%s</p>\n"
		   "<p>Status %d, type <code>/problems/%s</code>.</p>\n</html>\n",
		   err_title(code), err_title(code), err_help(code), err_status(code), err_slug(code));
}

static void write_json(struct json_writer *w, enum err_code code)
{
	json_object_begin(w);
	json_key(w, "type");
	json_fmt(w, "/problems/%s", err_slug(code));
	json_key(w, "title");
	json_cstr(w, err_title(code));
	json_key(w, "status");
	json_int(w, err_status(code));
	json_key(w, "help");
	json_cstr(w, err_help(code));
	json_object_end(w);
}

/* A page for people who follow the link, JSON for programs that ask for it. */
enum outcome problems_get(struct exchange *x)
{
	char slug[64] = "";
	struct str accept = http_get(x->rq, HTTP_ACCEPT), name = x->params[0];
	if (name.len < sizeof slug) memcpy(slug, name.data, name.len);
	enum err_code code = err_by_slug(slug);
	if (code == ERR_NONE) {
		struct err e;
		err_init(&e);
		err_set(&e, ERR_not_found, "there is no such problem");
		return reply_error(x, &e);
	}
	if (negotiate_quality(accept, "text/html") > negotiate_quality(accept, "application/json")) {
		reply_text(x, 200, "text/html; charset=utf-8");
		write_html(&x->rq->reply.body, code);
	} else {
		struct json_writer w = reply_json(x, 200);
		write_json(&w, code);
	}
	http_reply_header(x->rq, "Vary", "Accept");
	reply_settled(x, x->server->started_ms);
	return ANSWERED;
}
