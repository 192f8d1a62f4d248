/* Other encodings than UTF-8: the only door to iconv. Ill-formed input becomes U+FFFD, as Java's readers have it. */
#ifndef QUERN_DATA_TRANSCODE_H
#define QUERN_DATA_TRANSCODE_H

#include "base/err.h"
#include "base/str.h"

/* Java's names of the encodings that are read, NULL-terminated. Nothing else ever reaches iconv. */
extern const char *const transcode_names[];

bool transcode_is_utf8(struct str name); /* also where name is empty */

struct transcode;
struct transcode *transcode_open(struct str name);
/* Turns in[0..len) to UTF-8 and hands it to put in pieces; bytes of a character that is not whole yet are kept for the next call.
 * end: nothing follows. */
QN_MUST bool transcode_feed(struct transcode *t, const char *in, size_t len, bool end,
			    bool (*put)(void *ctx, const void *p, size_t len, struct err *e), void *ctx, struct err *e);
void transcode_close(struct transcode *t);

#endif
