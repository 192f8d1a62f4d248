/* An HTTP client for tests that lets them say anything: bytes out, parsed answers in. Every read has a deadline. */
#ifndef QUERN_TESTS_HTTP_CLIENT_H
#define QUERN_TESTS_HTTP_CLIENT_H

#include "tests/support/support.h"

#include "base/buf.h"

struct http_client {
	int fd;
	struct buf in; /* received and not yet taken */
};

struct http_answer {
	int status; /* 0: the connection ended, or nothing came in time */
	struct str head;
	struct str body; /* chunks joined; both live in the arena */
};

/* address: "127.0.0.1:8080". The test fails when nobody listens. */
struct http_client http_client_open(const char *address);
void http_client_close(struct http_client *c);
/* False when the server has gone; what it answered can still be read. */
bool http_client_send(struct http_client *c, const void *bytes, size_t len);
#define http_client_say(c, text) http_client_send((c), (text), strlen(text))
/* The next answer; head_only: to a HEAD request. */
struct http_answer http_client_read(struct http_client *c, struct arena *a, bool head_only, int timeout_ms);
/* True when the server closes the connection within the time, with nothing more to say. */
bool http_client_closed(struct http_client *c, int timeout_ms);
/* The value of a header of the answer; data NULL: it has none. */
struct str http_answer_get(const struct http_answer *answer, const char *name);

/* One exchange on a connection of its own. headers: whole lines ended by \r\n, or "". body.data NULL: none; else its
 * length is stated. */
struct http_answer http_client_call(const char *address, struct arena *a, const char *method, const char *target,
				    const char *headers, struct str body);

#endif
