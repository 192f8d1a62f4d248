/* What a client sends and what it wants: Content-Type, Content-Encoding, Accept, Accept-Encoding, Prefer, ETags (RFC
 * 9110). Pure functions of header values; a value with data NULL is an absent header. */
#ifndef QUERN_SERVER_NEGOTIATE_H
#define QUERN_SERVER_NEGOTIATE_H

#include "base/str.h"

enum media { MEDIA_NONE, MEDIA_JSON, MEDIA_NDJSON, MEDIA_CSV, MEDIA_OTHER };
/* Of a Content-Type. A charset other than UTF-8 (or its subset US-ASCII) makes it MEDIA_OTHER. */
enum media negotiate_media(struct str content_type);

enum coding { CODING_NONE, CODING_GZIP, CODING_ZSTD, CODING_OTHER };
enum coding negotiate_coding(struct str content_encoding);

/* The quality, 0 to 1, that Accept gives a type as "application/json"; the most specific range decides. Absent: 1. */
double negotiate_quality(struct str accept, const char *type);
bool negotiate_gzip(struct str accept_encoding);

/* Does If-None-Match name this entity tag (given with its quotes)? Weak comparison, as 304 asks for. */
bool negotiate_tag_matches(struct str if_none_match, const char *etag);
/* IMF-fixdate of If-Modified-Since to seconds since 1970; false when it is none. */
bool negotiate_date(struct str http_date, int64_t *seconds);

/* wait=N of Prefer; false where there is none. */
bool negotiate_wait(struct str prefer, int64_t *seconds);

#endif
