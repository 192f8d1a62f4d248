/* Page cursors: the sort key of the last row, opaque to clients. A cursor that was not made here, or for another list,
 * is ERR_bad_request. */
#ifndef QUERN_STORE_KEYSET_H
#define QUERN_STORE_KEYSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

/* list names what is paged and how it is sorted. */
const char *keyset_encode(const char *list, const struct buf *key, struct arena *a);
/* *key is the bytes that were encoded, in the arena. */
QN_MUST bool keyset_decode(const char *list, const char *cursor, struct arena *a, struct cursor *key, struct err *e);

#endif
