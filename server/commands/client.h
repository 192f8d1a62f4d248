/* An HTTP client of a service: the only door to libcurl. One thread. */
#ifndef QUERN_SERVER_COMMANDS_CLIENT_H
#define QUERN_SERVER_COMMANDS_CLIENT_H

#include "base/json.h"

struct client;

enum { CLIENT_ETAG_MAX = 128 };

struct client_call {
	const char *method; /* "GET" … */
	const char *path;   /* with its query; see client_path */
	const char *type;   /* Content-Type of the body */
	const void *body;   /* NULL: none */
	size_t len;
	const char *if_none_match; /* NULL: none */
	unsigned timeout_s; /* of the whole call; 0: none but for connecting */
	/* Takes the answer's bytes as they come; NULL: client_answer.body. Called for 2xx answers only. */
	bool (*sink)(void *ctx, const void *p, size_t len);
	void *sink_ctx;
};

struct client_answer {
	int status;
	char etag[CLIENT_ETAG_MAX]; /* "": none */
	struct buf body;            /* the caller's to release, on failure too */
};

/* url NULL: $QUERN_URL, else http://127.0.0.1:8080. */
QN_MUST bool client_open(const char *url, struct client **out, struct err *e);
void client_close(struct client *c); /* NULL is fine */
/* False where the service could not be reached (ERR_unavailable) or answered 4xx or 5xx: then e is its problem
 * document. */
QN_MUST bool client_run(struct client *c, const struct client_call *call, struct client_answer *out, struct err *e);

/* A problem document as an error; fallback and text stand for what it does not say. problem may be NULL. Returns
 * false. */
bool client_problem(const struct json *problem, enum err_code fallback, const char *text, struct err *e);

/* Appends /segment, percent-encoded; and ?key=value or &key=value (value NULL: nothing). */
void client_path(struct buf *path, const char *segment);
void client_param(struct buf *path, const char *key, const char *value);

#endif
