/* HTTP/1.1 over libmicrohttpd: sockets, framing, bodies, deadlines. Knows nothing of routes or of what is served. Only
 * the files http*.c include microhttpd.h.
 *
 * One thread (the keeper) accepts connections, deals them out to `threads` loops with a libmicrohttpd daemon each, and
 * enforces the deadlines that libmicrohttpd lacks. A request's life:
 *
 *     headers ── app.begin ──▶ body ── app.run ──▶ reply ──▶ sent ── app.end
 *                    │                    │  ▲
 *                    └ reply (refused)    ▼  │ http_resume
 *                                      http_suspend: owned by the application, on any thread
 *
 * A request is always owned by exactly one party: the HTTP thread, or, between http_suspend and http_resume, the
 * application. The application must resume everything it suspended, at the latest when it is told to stop.
 *
 * Memory: requests and their buffers are kept per HTTP thread and used again, so a request in the steady state
 * allocates nothing here.
 */
#ifndef QUERN_SERVER_HTTP_H
#define QUERN_SERVER_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER, HTTP_METHOD_COUNT };
const char *http_method_name(enum http_method m);

enum http_header {
#define HTTP_HEADER(id, name, repeats) HTTP_##id,
#include "server/http_header.def"
#undef HTTP_HEADER
	HTTP_HEADER_COUNT,
};

enum {
	HTTP_ID_MAX = 128, /* bytes of X-Request-Id taken over */
	HTTP_REPLY_HEADERS = 12,
	HTTP_KEEP_BYTES = 1 << 20, /* a buffer that grew past this is given back after the request */
};

struct http_reply {
	int status;
	const char *type; /* Content-Type; NULL: no body */
	struct buf body;
	struct str fixed; /* a body that outlives the server; sent instead of `body` where data is set */
	bool stream;      /* body is what there is now; more follows until stream_end */
	bool stream_end;
	bool close; /* Connection: close */
	struct {
		const char *name; /* a constant */
		size_t value;     /* in text */
	} headers[HTTP_REPLY_HEADERS];
	size_t header_count;
	struct buf text;
};

struct http_request {
	enum http_method method;
	bool http_1_0;
	struct str target;                     /* as sent: path and query, still percent-encoded */
	struct str headers[HTTP_HEADER_COUNT]; /* data NULL: absent */
	char id[HTTP_ID_MAX + 1];
	size_t body_max; /* set by app.begin, with the name of the setting */
	const char *body_limit;
	struct buf body; /* whole when app.run is called; as sent (Content-Encoding is the application's business) */
	struct http_reply reply;
	struct arena arena;  /* memory that lives as long as the request */
	int64_t started_ns;  /* monotonic: when the request line had come */
	uint64_t sent_bytes; /* of reply body, at app.end */
	bool broken;         /* at app.end: the connection ended before the answer did */
	unsigned thread;     /* which of http_options.threads */
	void *app;           /* app_size bytes, zeroed before app.begin; aligned for anything */
};

static inline struct str http_get(const struct http_request *rq, enum http_header h) { return rq->headers[h]; }

/* Adds a header to the reply. The value is copied; an empty one or one with control characters is dropped. */
void http_reply_header(struct http_request *rq, const char *name, const char *value);
void http_reply_headerf(struct http_request *rq, const char *name, const char *fmt, ...) QN_PRINTF(3, 4);
/* Empties the reply, keeping its memory. */
void http_reply_clear(struct http_request *rq);

/* Takes the request away from its HTTP thread. Only from app.run and app.drained, on that thread. */
void http_suspend(struct http_request *rq);
/* Gives it back with its reply (or with more of a stream). Any thread; the caller must not touch rq afterwards. */
void http_resume(struct http_request *rq);

/* Called on HTTP threads; must not block. */
struct http_app {
	void *ctx;
	size_t size; /* of http_request.app */
	/* The headers have come. True: go on, rq->body_max and body_limit are set. False: the reply refuses the
	 * request. */
	bool (*begin)(void *ctx, struct http_request *rq);
	/* The framing is at fault: the reply to be filled says so (e). */
	void (*fault)(void *ctx, struct http_request *rq, const struct err *e);
	/* All of it has come. True: the reply is there. False: http_suspend was called, and rq may already be
	 * elsewhere. */
	bool (*run)(void *ctx, struct http_request *rq);
	/* A stream's reply.body was sent and emptied; the request is suspended and the application's again. */
	void (*drained)(void *ctx, struct http_request *rq);
	/* It is over; the last look at rq. Always called once for a request whose begin or fault was called. */
	void (*end)(void *ctx, struct http_request *rq);
};

struct http_options {
	const char *listen; /* "127.0.0.1:8080", "[::1]:0", "localhost:0" */
	unsigned threads;
	size_t connections_max, per_ip_max; /* per_ip_max 0: no own limit */
	size_t connection_memory, uri_max;
	unsigned backlog;
	unsigned idle_s, header_s, request_s;
	size_t answer_max; /* most bytes of a reply body */
	struct http_app app;
};

struct http;

/* Is this an address that only this machine can reach? ERR_bad_request where it is no address. */
QN_MUST bool http_listen_loopback(const char *listen, bool *loopback, struct err *e);

/* Binds and starts. Error: ERR_io naming the address (in use, not allowed), ERR_bad_request. */
QN_MUST bool http_start(const struct http_options *o, struct http **out, struct err *e);
/* "127.0.0.1:41873": what was bound. */
const char *http_address(const struct http *h);
size_t http_connections(const struct http *h);
size_t http_requests(const struct http *h); /* begun and not over */
/* Closes the listening socket; answers from now on close their connections. */
void http_drain(struct http *h);
/* Ends every connection. Nothing may be suspended. */
void http_stop(struct http *h);

#endif
