#include "data/inflate.h"

#include "data/spool.h"

#include <errno.h>
#include <libdeflate.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
	INFLATE_IN_BYTES = 128 << 10,
	GZIP_TRAILER = 4,       /* ISIZE: the member's length modulo 2^32, little-endian */
	DEFLATE_RATIO_MAX = 1032, /* no DEFLATE stream grows more */
	ZSTD_WINDOW_LOG_BYTES = 23, /* windows of bytes in memory */
	WHOLE_IN_MAX = 256 << 20, /* compressed bytes that inflate_whole takes into memory */
};

/* One step of a codec: consumes input and makes output. *done: a member or frame ended. */
struct codec {
	const char *what;
	bool (*open)(struct inflate *z);
	bool (*step)(struct inflate *z, char **out, char *end, bool *done, const char **why);
	void (*close)(struct inflate *z);
};

struct inflate {
	const struct codec *codec;
	const char *name;
	int fd; /* -1: all the input is there */
	uint64_t offset; /* in the file, of the end of in */
	bool eof, started, inside; /* inside: a member has begun and not ended */
	char *in, *p, *end;
	z_stream gz;
	ZSTD_DStream *zst;
};

enum inflate_kind inflate_kind_of(struct str name)
{
	static const struct {
		const char *ending;
		enum inflate_kind kind;
	} endings[] = {{".gz", INFLATE_GZIP}, {".zst", INFLATE_ZSTD}};
	for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
		size_t n = strlen(endings[i].ending);
		if (name.len > n && memcmp(name.data + name.len - n, endings[i].ending, n) == 0) return endings[i].kind;
	}
	return INFLATE_NONE;
}

/* --- gzip ------------------------------------------------------------ */

static bool gzip_open(struct inflate *z) { return inflateInit2(&z->gz, MAX_WBITS + 16) == Z_OK; }
static void gzip_close(struct inflate *z) { inflateEnd(&z->gz); }

static bool gzip_step(struct inflate *z, char **out, char *end, bool *done, const char **why)
{
	z->gz.next_in = (Bytef *)z->p;
	z->gz.avail_in = (uInt)(z->end - z->p);
	z->gz.next_out = (Bytef *)*out;
	z->gz.avail_out = (uInt)MIN((size_t)(end - *out), (size_t)UINT32_MAX);
	int rc = inflate(&z->gz, Z_NO_FLUSH);
	z->p = (char *)z->gz.next_in;
	*out = (char *)z->gz.next_out;
	*done = rc == Z_STREAM_END;
	if (*done) rc = inflateReset(&z->gz);
	*why = z->gz.msg ? z->gz.msg : "not gzip data";
	return rc == Z_OK || rc == Z_BUF_ERROR;
}

/* --- zstd ------------------------------------------------------------ */

static bool zstd_open(struct inflate *z)
{
	z->zst = ZSTD_createDStream();
	if (z->zst && z->fd < 0) ZSTD_DCtx_setParameter(z->zst, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_BYTES);
	return z->zst != NULL;
}

static void zstd_close(struct inflate *z) { ZSTD_freeDStream(z->zst); }

static bool zstd_step(struct inflate *z, char **out, char *end, bool *done, const char **why)
{
	ZSTD_inBuffer in = {z->p, (size_t)(z->end - z->p), 0};
	ZSTD_outBuffer to = {*out, (size_t)(end - *out), 0};
	size_t rc = ZSTD_decompressStream(z->zst, &to, &in);
	z->p += in.pos;
	*out += to.pos;
	*done = rc == 0;
	if (!ZSTD_isError(rc)) return true;
	*why = ZSTD_getErrorName(rc);
	return false;
}

static const struct codec codecs[] = {
	[INFLATE_GZIP] = {"gzip", gzip_open, gzip_step, gzip_close},
	[INFLATE_ZSTD] = {"zstd", zstd_open, zstd_step, zstd_close},
};

/* --- Streams ------------------------------------------------------------ */

struct inflate *inflate_open(enum inflate_kind kind, int fd, const char *name)
{
	struct inflate *z = mem_zalloc(1, sizeof *z);
	z->codec = &codecs[kind];
	z->fd = fd;
	z->name = name;
	z->in = z->p = z->end = mem_alloc(INFLATE_IN_BYTES);
	CHECK(z->codec->open(z));
	return z;
}

struct inflate *inflate_open_bytes(enum inflate_kind kind, const void *p, size_t len, const char *name)
{
	struct inflate *z = mem_zalloc(1, sizeof *z);
	z->codec = &codecs[kind];
	z->fd = -1;
	z->name = name;
	z->p = (char *)(uintptr_t)p; /* read only, as zlib's interface does not say */
	z->end = z->p + len;
	z->offset = len;
	CHECK(z->codec->open(z));
	return z;
}

void inflate_close(struct inflate *z)
{
	if (!z) return;
	z->codec->close(z);
	mem_free(z->in);
	mem_free(z);
}

static bool refill(struct inflate *z, struct err *e)
{
	ssize_t n = 0;
	if (z->fd < 0) {
		z->eof = true;
		return true;
	}
	do n = pread(z->fd, z->in, INFLATE_IN_BYTES, (off_t)z->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) return err_errno(e, "reading %s", z->name);
	z->p = z->in;
	z->end = z->in + n;
	z->offset += (uint64_t)n;
	z->eof = n == 0;
	return true;
}

static bool damaged(struct inflate *z, const char *why, struct err *e)
{
	return err_set(e, ERR_source, "%s: damaged %s data near byte %llu: %s", z->name, z->codec->what,
		       (unsigned long long)(z->offset - (uint64_t)(z->end - z->p)), why);
}

bool inflate_read(struct inflate *z, void *buf, size_t len, size_t *got, struct err *e)
{
	char *out = buf, *end = out + len;
	while (out < end) {
		bool done = false;
		const char *why = NULL, *before = z->p;
		char *out_before = out;
		if (z->p == z->end && !refill(z, e)) return false;
		if (z->eof && !z->inside && z->started) break;
		if (!z->eof || z->inside) {
			if (!z->codec->step(z, &out, end, &done, &why)) return damaged(z, why, e);
			z->started = true;
			z->inside = !done;
		}
		/* Buffered output may still come after the last byte of input; when nothing comes, the rest is missing. */
		if (z->eof && !done && out == out_before && z->p == before)
			return err_set(e, ERR_source, "%s: ends in the middle of its %s data after %llu bytes (cut off?)", z->name,
				       z->codec->what, (unsigned long long)z->offset);
	}
	*got = (size_t)(out - (char *)buf);
	return true;
}

/* --- Whole files ------------------------------------------------------------ */

static bool inflate_buffer(const char *in, size_t in_len, char *out, size_t out_len)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	size_t used = 0, made = 0;
	CHECK(d);
	enum libdeflate_result rc = libdeflate_gzip_decompress_ex(d, in, in_len, out, out_len, &used, &made);
	libdeflate_free_decompressor(d);
	return rc == LIBDEFLATE_SUCCESS && used == in_len && made == out_len;
}

bool inflate_whole(int fd, uint64_t size, size_t max, char **out, size_t *len)
{
	unsigned char trailer[GZIP_TRAILER];
	struct err ignored;
	err_init(&ignored);
	if (size < GZIP_TRAILER || size > WHOLE_IN_MAX || size > max) return false;
	if (!spool_read_at(fd, trailer, sizeof trailer, size - GZIP_TRAILER, &ignored)) return false;
	size_t made = trailer[0] | (size_t)trailer[1] << 8 | (size_t)trailer[2] << 16 | (size_t)trailer[3] << 24;
	if (made > max - size || made > size * DEFLATE_RATIO_MAX) return false;
	char *in = mem_alloc(size), *to = mem_alloc(made + 1);
	bool ok = spool_read_at(fd, in, size, 0, &ignored) && inflate_buffer(in, size, to, made);
	mem_free(in);
	if (!ok) {
		mem_free(to);
		return false;
	}
	*out = to;
	*len = made;
	return true;
}
