/* Bytes to gzip (RFC 1952), quickly; with data/inflate.h the only door to zlib, libdeflate and zstd. */
#ifndef QUERN_DATA_DEFLATE_H
#define QUERN_DATA_DEFLATE_H

#include "base/buf.h"

/* Appends one member. False when out's maximum would be passed: then nothing was appended. */
QN_MUST bool deflate_gzip(const void *p, size_t len, struct buf *out);
/* The CRC-32 of gzip. */
uint32_t deflate_crc32(const void *p, size_t len);

#endif
