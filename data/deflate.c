#include "data/deflate.h"

#include <libdeflate.h>

enum { DEFLATE_LEVEL = 1 }; /* answers: most of the gain for a fraction of the time */

bool deflate_gzip(const void *p, size_t len, struct buf *out)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(DEFLATE_LEVEL);
	CHECK(c);
	size_t room = libdeflate_gzip_compress_bound(c, len);
	char *to = room <= out->max - out->len ? buf_reserve(out, room) : NULL;
	size_t made = to ? libdeflate_gzip_compress(c, p, len, to, room) : 0;
	libdeflate_free_compressor(c);
	if (made) buf_commit(out, made);
	return made > 0;
}

uint32_t deflate_crc32(const void *p, size_t len) { return libdeflate_crc32(0, p, len); }
