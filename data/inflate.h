/* Compressed input: the only door to zlib, libdeflate and zstd.
 *
 * gz (RFC 1952, any number of members) and zst (RFC 8878, any number of frames, windows up to 128 MiB). Checksums are verified.
 * Input that ends early, is damaged, or grows past the given limit is ERR_source naming the file and the byte. */
#ifndef QUERN_DATA_INFLATE_H
#define QUERN_DATA_INFLATE_H

#include "base/err.h"
#include "base/str.h"

enum inflate_kind { INFLATE_NONE, INFLATE_GZIP, INFLATE_ZSTD };

/* By the name's ending: .gz, .zst; anything else is INFLATE_NONE. */
enum inflate_kind inflate_kind_of(struct str name);

struct inflate;

/* Reads fd (borrowed) from its beginning. */
struct inflate *inflate_open(enum inflate_kind kind, int fd, const char *name);
/* The same over bytes in memory (borrowed), which may be hostile: a zstd window is at most 8 MiB (RFC 9659). */
struct inflate *inflate_open_bytes(enum inflate_kind kind, const void *p, size_t len, const char *name);
/* Fills buf as far as the data goes: *got < len means that all of it has come. */
QN_MUST bool inflate_read(struct inflate *z, void *buf, size_t len, size_t *got, struct err *e);
void inflate_close(struct inflate *z); /* NULL is fine */

/* A whole small gzip file at once (libdeflate, twice as fast as zlib). Data of at most max bytes comes back in *out (mem_free
 * it). False, without an error, where the file is not one member that fits: then read it as a stream. */
bool inflate_whole(int fd, uint64_t size, size_t max, char **out, size_t *len);

#endif
