#include "data/transcode.h"

#include <errno.h>
#include <iconv.h>

enum { OUT_BYTES = 64 << 10, PENDING_MAX = 8 };

static const char replacement[] = "\xef\xbf\xbd";

struct encoding {
	const char *name, *iconv;
	size_t unit; /* bytes passed over when they make no character */
};

static const struct encoding encodings[] = {
	{"UTF-8", NULL, 1},
	{"utf-8", NULL, 1},
	{"US-ASCII", "US-ASCII", 1},
	{"ISO-8859-1", "ISO-8859-1", 1},
	{"ISO-8859-15", "ISO-8859-15", 1},
	{"windows-1252", "CP1252", 1},
	{"UTF-16LE", "UTF-16LE", 2},
	{"UTF-16BE", "UTF-16BE", 2},
	{"UTF-16", NULL, 2}, /* the byte order mark tells; big-endian without one, as in Java */
};

const char *const transcode_names[] = {"UTF-8",	       "utf-8",	   "US-ASCII", "ISO-8859-1", "ISO-8859-15",
				       "windows-1252", "UTF-16LE", "UTF-16BE", "UTF-16",     NULL};

struct transcode {
	const struct encoding *encoding;
	iconv_t cd;
	char pending[PENDING_MAX]; /* the beginning of a character */
	size_t pending_len;
	char out[OUT_BYTES];
};

bool transcode_is_utf8(struct str name) { return name.len == 0 || str_is(name, "UTF-8") || str_is(name, "utf-8"); }

struct transcode *transcode_open(struct str name)
{
	struct transcode *t = mem_zalloc(1, sizeof *t);
	for (size_t i = 0; i < ARRAY_COUNT(encodings); i++)
		if (str_is(name, encodings[i].name)) t->encoding = &encodings[i];
	CHECK(t->encoding);
	t->cd = (iconv_t)-1;
	return t;
}

void transcode_close(struct transcode *t)
{
	if (t->cd != (iconv_t)-1) iconv_close(t->cd);
	mem_free(t);
}

static void start(struct transcode *t, const char *in, size_t len)
{
	bool little = len >= 2 && memcmp(in, "\xff\xfe", 2) == 0;
	t->cd = iconv_open("UTF-8", t->encoding->iconv ? t->encoding->iconv : little ? "UTF-16LE" : "UTF-16BE");
	CHECK(t->cd != (iconv_t)-1);
}

/* Converts what it can of [*in, *in + *len). */
static bool convert(struct transcode *t, char **in, size_t *len,
		    bool (*put)(void *ctx, const void *p, size_t len, struct err *e), void *ctx, struct err *e)
{
	while (*len > 0) {
		char *out = t->out;
		size_t room = sizeof t->out;
		size_t rc = iconv(t->cd, in, len, &out, &room);
		int why = rc == (size_t)-1 ? errno : 0;
		if (out > t->out && !put(ctx, t->out, (size_t)(out - t->out), e)) return false;
		if (why == EINVAL) return true;
		if (why == EILSEQ) {
			size_t skip = MIN(t->encoding->unit, *len);
			*in += skip;
			*len -= skip;
			if (!put(ctx, replacement, sizeof replacement - 1, e)) return false;
		}
	}
	return true;
}

bool transcode_feed(struct transcode *t, const char *in, size_t len, bool end,
		    bool (*put)(void *ctx, const void *p, size_t len, struct err *e), void *ctx, struct err *e)
{
	if (t->cd == (iconv_t)-1) start(t, in, len);
	/* A character cut in two is put together first, a byte at a time: it is short. */
	while (t->pending_len > 0 && len > 0) {
		t->pending[t->pending_len++] = *in++;
		len--;
		char *p = t->pending;
		size_t left = t->pending_len;
		if (!convert(t, &p, &left, put, ctx, e)) return false;
		memmove(t->pending, p, left);
		t->pending_len = left;
	}
	char *p = (char *)(uintptr_t)in;
	if (!convert(t, &p, &len, put, ctx, e)) return false;
	if (len > 0) {
		CHECK(t->pending_len == 0 && len < PENDING_MAX);
		memcpy(t->pending, p, len);
		t->pending_len = len;
	}
	return !end || t->pending_len == 0 || put(ctx, replacement, sizeof replacement - 1, e);
}
