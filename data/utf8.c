#include "data/utf8.h"

/* The length of the well-formed sequence at p, or (*ok false) of the ill-formed stretch there. */
static size_t sequence(const unsigned char *p, size_t left, bool *ok)
{
	unsigned char c = p[0], lo = 0x80, hi = 0xbf;
	size_t need = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0, n = 1;
	if (c == 0xe0) lo = 0xa0;
	if (c == 0xed) hi = 0x9f;
	if (c == 0xf0) lo = 0x90;
	if (c == 0xf4) hi = 0x8f;
	for (; n < need && n < left && p[n] >= lo && p[n] <= hi; n++) {
		lo = 0x80;
		hi = 0xbf;
	}
	*ok = need > 0 && n == need;
	return n;
}

/* Hands the text to put in well-formed pieces. */
static void mend(const char *s, size_t len, void (*put)(void *ctx, const char *p, size_t n), void *ctx)
{
	size_t run = 0, i = 0;
	while (i < len) {
		bool ok;
		size_t n = sequence((const unsigned char *)s + i, len - i, &ok);
		if (!ok) {
			put(ctx, s + run, i - run);
			put(ctx, "\xef\xbf\xbd", 3);
			run = i + n;
		}
		i += n;
	}
	put(ctx, s + run, len - run);
}

static void put_column(void *ctx, const char *p, size_t n) { column_text(ctx, p, n); }
static void put_buf(void *ctx, const char *p, size_t n) { buf_append(ctx, p, n); }

void utf8_column_str(struct column *c, const char *s, size_t len)
{
	if (str_utf8_valid(s, len)) {
		column_str(c, s, len);
		return;
	}
	size_t from = c->own.len;
	mend(s, len, put_column, c);
	column_span_push(c, (struct span){(uint32_t)from, (uint32_t)(c->own.len - from)});
	c->span_count++;
	column_row_done(c);
}

struct str utf8_mend(struct arena *a, struct str s)
{
	struct buf b = BUF_INIT(SIZE_MAX / 4);
	if (str_utf8_valid(s.data, s.len)) return s;
	mend(s.data, s.len, put_buf, &b);
	struct str mended = {arena_strndup(a, b.data, b.len), b.len};
	buf_release(&b);
	return mended;
}
