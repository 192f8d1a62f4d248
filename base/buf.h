/* A growing byte buffer with a stated maximum.
 *
 * Appending never fails at the call: passing the maximum sets `overflow`, drops the bytes, and the owner asks once at
 * the end with buf_ok(). data is always NUL-terminated where len > 0 or after buf_cstr. buf_take moves ownership and
 * leaves the buffer empty and reusable.
 */
#ifndef QUERN_BASE_BUF_H
#define QUERN_BASE_BUF_H

#include "base/check.h"

#include <stdarg.h>
#include <string.h>

struct buf {
	char *data;
	size_t len, cap, max;
	bool overflow;
};

#define BUF_INIT(max_) ((struct buf){.max = (max_)})
void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
bool buf_ok(const struct buf *b);
const char *buf_cstr(struct buf *b);
char *buf_take(struct buf *b, size_t *len); /* mem_free it */

static inline void buf_append(struct buf *b, const void *p, size_t len); /* inline: answers are written piece by piece */
static inline void buf_str(struct buf *b, const char *s);
static inline void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) QN_PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list args) QN_PRINTF(2, 0);
/* Room for len more bytes to be written in place (NULL past the maximum); buf_commit says how many were. */
char *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);

/* Little-endian binary, for codecs and worker messages. */
void buf_u8(struct buf *b, uint8_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
void buf_f64(struct buf *b, double v);
void buf_block(struct buf *b, const void *p, size_t len); /* u64 length, bytes */
void buf_align(struct buf *b, size_t to);                 /* zeros up to a multiple */

/* A cursor over bytes that may be hostile: every read is checked; after the first bad one `bad` stays set and reads
 * give zeros, so a decoder can read a group and ask once. */
struct cursor {
	const unsigned char *p, *end, *start;
	bool bad;
};

static inline struct cursor cursor_over(const void *p, size_t len)
{
	const unsigned char *start = p;
	/* NULL + 0 is undefined in C; an empty block may be NULL. */
	return (struct cursor){.p = start, .end = len ? start + len : start, .start = start};
}
#define CURSOR(ptr, len) cursor_over(ptr, len)
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
double cursor_f64(struct cursor *c);
const void *cursor_bytes(struct cursor *c, size_t len);  /* NULL and bad when there are fewer */
const void *cursor_block(struct cursor *c, size_t *len); /* what buf_block wrote */
void cursor_align(struct cursor *c, size_t to);
size_t cursor_left(const struct cursor *c);
/* A count of things of at least `each` bytes that must still fit: guards allocations against hostile counts. */
size_t cursor_count(struct cursor *c, size_t each);

/* --- Behind the inline calls -------------------------------------------------------------------------------------- */

void buf_append_growing(struct buf *b, const void *p, size_t len);

static inline void buf_append(struct buf *b, const void *p, size_t len)
{
	/* One more for the NUL. */
	if (b->overflow || len > b->max - b->len || b->cap - b->len <= len) {
		buf_append_growing(b, p, len);
		return;
	}
	if (len) memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = 0;
}

static inline void buf_str(struct buf *b, const char *s) { buf_append(b, s, strlen(s)); }
static inline void buf_char(struct buf *b, char c) { buf_append(b, &c, 1); }

#endif
