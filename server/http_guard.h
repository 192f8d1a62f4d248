/* Framing and header rules that libmicrohttpd 0.9.75 does not keep, each of which lets two readers of one stream see
 * different requests (smuggling). Pure: fed with what was received, answers with the fault's sentence.
 */
#ifndef QUERN_SERVER_HTTP_GUARD_H
#define QUERN_SERVER_HTTP_GUARD_H

#include "server/http.h"

struct http_head {
	struct str *values;  /* [HTTP_HEADER_COUNT], data NULL: absent */
	struct arena *arena; /* for repeated headers that are joined */
	const char *fault;   /* NULL: none so far */
	/* libmicrohttpd 0.9.75 parses in place: names and values point into the bytes received, so a gap between a
	 * value and the next name that is no line end tells of what it hid: folded lines, NUL bytes, a head ended by a
	 * line like ":x" (which makes the rest of the head a second request). NULL: the library does not parse so. */
	const char *at;
	uint64_t length; /* of the body, as Content-Length says; 0 without one */
};

/* Takes in one header line; known ones land in values. */
void http_guard_header(struct http_head *head, struct str name, struct str value);
/* After the last header, whose head ended before `end` (NULL where head.at is): NULL, or what is wrong. */
const char *http_guard_framing(struct http_head *head, const char *end, bool http_1_0);
/* Turns the request target into origin form (path and query) in place. NULL, or what is wrong. */
const char *http_guard_target(struct str *target);

#endif
