#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void buf_release(struct buf *b)
{
	mem_free(b->data);
	*b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

bool buf_ok(const struct buf *b) { return !b->overflow; }

char *buf_reserve(struct buf *b, size_t len)
{
	if (b->overflow || len > b->max - b->len) {
		b->overflow = true;
		return NULL;
	}
	/* One more for the NUL that buf_cstr sets. */
	if (b->cap - b->len < len + 1) {
		size_t cap = MAX(b->cap * 2, b->len + len + 1);
		cap = MAX(cap, (size_t)64);
		b->data = mem_realloc(b->data, cap, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_commit(struct buf *b, size_t len)
{
	CHECK(b->len + len < b->cap);
	b->len += len;
	b->data[b->len] = 0;
}

void buf_append_growing(struct buf *b, const void *p, size_t len)
{
	char *to = buf_reserve(b, len);
	if (!to) return;
	if (len) memcpy(to, p, len);
	buf_commit(b, len);
}

const char *buf_cstr(struct buf *b)
{
	if (!b->data) return "";
	b->data[b->len] = 0;
	return b->data;
}

char *buf_take(struct buf *b, size_t *len)
{
	char *data = b->data;
	if (len) *len = b->len;
	*b = BUF_INIT(b->max);
	return data;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	CHECK(n >= 0);
	char *to = buf_reserve(b, (size_t)n);
	if (to) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		buf_commit(b, (size_t)n);
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	buf_vprintf(b, fmt, args);
	va_end(args);
}

/* The build refuses big-endian machines (below), so numbers go as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "containers are little-endian");

void buf_u8(struct buf *b, uint8_t v) { buf_append(b, &v, sizeof v); }
void buf_u32(struct buf *b, uint32_t v) { buf_append(b, &v, sizeof v); }
void buf_u64(struct buf *b, uint64_t v) { buf_append(b, &v, sizeof v); }
void buf_f64(struct buf *b, double v) { buf_append(b, &v, sizeof v); }

void buf_block(struct buf *b, const void *p, size_t len)
{
	buf_u64(b, len);
	buf_append(b, p, len);
}

void buf_align(struct buf *b, size_t to)
{
	static const char zeros[64];
	size_t pad = (to - b->len % to) % to;
	for (; pad > 0; pad -= MIN(pad, sizeof zeros)) buf_append(b, zeros, MIN(pad, sizeof zeros));
}

/* --- Cursor -------------------------------------------------------------------------------------- */

size_t cursor_left(const struct cursor *c) { return c->bad ? 0 : (size_t)(c->end - c->p); }

const void *cursor_bytes(struct cursor *c, size_t len)
{
	if (c->bad || len > (size_t)(c->end - c->p)) {
		c->bad = true;
		return NULL;
	}
	const void *at = c->p;
	c->p += len;
	return at;
}

#define CURSOR_READ(name, type)                                                                                        \
	type cursor_##name(struct cursor *c)                                                                           \
	{                                                                                                              \
		type v = 0;                                                                                            \
		const void *at = cursor_bytes(c, sizeof v);                                                            \
		if (at) memcpy(&v, at, sizeof v);                                                                      \
		return v;                                                                                              \
	}
CURSOR_READ(u8, uint8_t)
CURSOR_READ(u32, uint32_t)
CURSOR_READ(u64, uint64_t)
CURSOR_READ(f64, double)

const void *cursor_block(struct cursor *c, size_t *len)
{
	uint64_t n = cursor_u64(c);
	const void *at = n > SIZE_MAX ? NULL : cursor_bytes(c, (size_t)n);
	*len = at ? (size_t)n : 0;
	return at;
}

void cursor_align(struct cursor *c, size_t to)
{
	size_t at = (size_t)(c->p - c->start);
	cursor_bytes(c, (to - at % to) % to);
}

size_t cursor_count(struct cursor *c, size_t each)
{
	uint64_t n = cursor_u64(c);
	if (c->bad || n > cursor_left(c) / MAX(each, (size_t)1)) {
		c->bad = true;
		return 0;
	}
	return (size_t)n;
}
