/* What handlers answer with. Each call sets the whole reply; the framework sends it. */
#ifndef QUERN_SERVER_REPLY_H
#define QUERN_SERVER_REPLY_H

#include "server/exchange.h"

#include "base/json.h"

/* A body made once and sent many times, with its ETag and its gzip form. Immutable. */
struct page {
	const char *type;
	struct str body, gzip; /* gzip.data NULL: not worth it */
	char etag[24], gzip_etag[32];
};
/* Keeps a copy of the body. */
struct page page_create(const char *type, struct str body);
void page_release(struct page *p);

/* A problem document (RFC 9457). Details of errors that are Quern's fault go to the log, not to the client. */
void reply_problem(struct exchange *x, const struct err *e);
/* As reply_problem, for a handler's return. */
enum outcome reply_error(struct exchange *x, const struct err *e);
/* An empty JSON body of this status, to be written; reply_end, reply_live or reply_settled follows. */
struct json_writer reply_json(struct exchange *x, int status);
/* A page of a list: {"<plural>":[ … reply_list_end closes it with "nextCursor" and, where next is given, a Link. */
struct json_writer reply_list(struct exchange *x, const char *plural);
void reply_list_end(struct exchange *x, struct json_writer *w, const char *next);
void reply_text(struct exchange *x, int status, const char *type);
void reply_empty(struct exchange *x, int status);
/* Turns the reply into what a GET of a resource answers: an ETag over the body, Last-Modified, 304 where the client has
 * it already. Live: it may change, and what HTTP's whole seconds can tell of that is in server/sightings.h. Settled: it
 * stays as it has been since then, as a job that ended or a version does. */
void reply_live(struct exchange *x);
void reply_settled(struct exchange *x, int64_t since_ms);
/* As reply_settled, where the tag is known without the body, as '"abc"'. True: answered with 304, no body is needed. */
bool reply_not_modified(struct exchange *x, const char *etag, int64_t made_ms);
void reply_page(struct exchange *x, const struct page *p);

/* The framework's last touch, on any thread: an answer that grew too large becomes a problem; gzip where it is asked
 * for. */
void reply_end(struct exchange *x);

#endif
