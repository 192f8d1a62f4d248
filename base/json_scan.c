/* The one JSON grammar of the program (RFC 8259), as a pull scanner. */
#include "base/json.h"

/* What may come next. */
enum { WANT_VALUE, WANT_VALUE_OR_END, WANT_KEY, WANT_KEY_OR_END, WANT_COMMA_OR_END, WANT_NOTHING, FAILED };

void json_scan_init(struct json_scan *s, const char *text, size_t len, struct buf *scratch)
{
	*s = (struct json_scan){.start = text, .p = text, .end = text + len, .scratch = scratch, .state = WANT_VALUE};
}

static enum json_tok fail(struct json_scan *s, const char *why)
{
	if (s->state != FAILED) s->err = why;
	s->state = FAILED;
	return JSON_TOK_ERROR;
}

static bool in_object(const struct json_scan *s) { return s->in_object >> (s->depth - 1) & 1; }

static void after_value(struct json_scan *s) { s->state = s->depth ? WANT_COMMA_OR_END : WANT_NOTHING; }

static void skip_blanks(struct json_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) s->p++;
}

static enum json_tok word(struct json_scan *s, const char *text, size_t len, enum json_tok tok)
{
	if ((size_t)(s->end - s->p) < len || memcmp(s->p, text, len) != 0) return fail(s, "not a JSON value");
	s->p += len;
	after_value(s);
	return tok;
}

static bool digits(struct json_scan *s)
{
	const char *from = s->p;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') s->p++;
	return s->p > from;
}

static enum json_tok number(struct json_scan *s)
{
	const char *from = s->p;
	if (*s->p == '-') s->p++;
	if (s->p < s->end && *s->p == '0') s->p++;
	else if (!digits(s)) return fail(s, "not a JSON value");
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!digits(s)) return fail(s, "a number's fraction has no digits");
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-')) s->p++;
		if (!digits(s)) return fail(s, "a number's exponent has no digits");
	}
	s->text = (struct str){from, (size_t)(s->p - from)};
	after_value(s);
	return JSON_TOK_NUMBER;
}

/* --- Strings ------------------------------------------------------------------------------------- */

static bool hex4(struct json_scan *s, unsigned *out)
{
	unsigned v = 0;
	if (s->end - s->p < 4) return false;
	for (int i = 0; i < 4; i++, s->p++) {
		char c = *s->p;
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
			     c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) :
			     c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) : 16;
		if (d > 15) return false;
		v = v << 4 | d;
	}
	*out = v;
	return true;
}

static void put_utf8(struct buf *b, unsigned c)
{
	if (c < 0x80) buf_char(b, (char)c);
	else if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
		buf_char(b, (char)(0x80 | (c & 63)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 63)));
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
		buf_char(b, (char)(0x80 | (c & 63)));
	}
}

/* After \u. */
static bool unicode_escape(struct json_scan *s)
{
	unsigned c, low;
	if (!hex4(s, &c)) return fail(s, "\\u needs four hexadecimal digits"), false;
	if (c >= 0xdc00 && c < 0xe000) return fail(s, "a lone low surrogate"), false;
	if (c >= 0xd800 && c < 0xdc00) {
		if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
			return fail(s, "a lone high surrogate"), false;
		s->p += 2;
		if (!hex4(s, &low) || low < 0xdc00 || low >= 0xe000) return fail(s, "a lone high surrogate"), false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(s->scratch, c);
	return true;
}

static bool escape(struct json_scan *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (s->p == s->end) return fail(s, "the text ends inside a string"), false;
	char c = *s->p++;
	if (c == 'u') return unicode_escape(s);
	const char *at = c ? strchr(from, c) : NULL;
	if (!at) return fail(s, "an unknown escape in a string"), false;
	buf_char(s->scratch, to[at - from]);
	return true;
}

/* To the byte that ends a run of plain text: a quote, a backslash, a control character. Of eight bytes the lowest that is one has
 * the lowest high bit in hit; above it there may be wrong ones. */
static const char *plain_run(const char *p, const char *end, bool *ascii)
{
	uint64_t word, seen = 0;
	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, 8);
		uint64_t quote = word ^ 0x2222222222222222u, slash = word ^ 0x5c5c5c5c5c5c5c5cu;
		uint64_t hit = ((quote - 0x0101010101010101u) & ~quote) | ((slash - 0x0101010101010101u) & ~slash) |
			       ((word - 0x2020202020202020u) & ~word);
		hit &= 0x8080808080808080u;
		if (hit) {
			*ascii &= ((seen | (word & (hit ^ (hit - 1)))) & 0x8080808080808080u) == 0;
			return p + __builtin_ctzll(hit) / 8;
		}
		seen |= word;
	}
	for (; p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20; p++) seen |= (unsigned char)*p;
	*ascii &= (seen & 0x8080808080808080u) == 0;
	return p;
}

/* After the opening quote; s->text becomes the decoded string. */
static bool string(struct json_scan *s)
{
	const char *from = s->p;
	bool ascii = true, copied = false;
	for (;;) {
		const char *run = s->p;
		s->p = plain_run(s->p, s->end, &ascii);
		if (s->p == s->end) return fail(s, "the text ends inside a string"), false;
		if (copied) buf_append(s->scratch, run, (size_t)(s->p - run));
		char c = *s->p;
		if (c == '"') break;
		if (c != '\\') return fail(s, "a control character in a string must be escaped"), false;
		if (!copied) {
			buf_clear(s->scratch);
			buf_append(s->scratch, from, (size_t)(s->p - from));
			copied = true;
		}
		s->p++;
		if (!escape(s)) return false;
	}
	if (copied && !buf_ok(s->scratch)) return fail(s, "a string is over the limit"), false;
	if (!ascii && !str_utf8_valid(from, (size_t)(s->p - from)))
		return fail(s, "a string is not valid UTF-8"), false;
	s->text = copied ? (struct str){s->scratch->data, s->scratch->len} : (struct str){from, (size_t)(s->p - from)};
	s->p++;
	return true;
}

/* --- Structure ----------------------------------------------------------------------------------- */

_Static_assert(JSON_DEPTH_MAX == 64, "in_object has a bit a level, and the sentence below says how many");

static enum json_tok open_container(struct json_scan *s, bool object)
{
	if (s->depth >= JSON_DEPTH_MAX) return fail(s, "nested too deeply (over 64 levels)");
	s->p++;
	uint64_t bit = (uint64_t)1 << s->depth++;
	s->in_object = object ? s->in_object | bit : s->in_object & ~bit;
	s->state = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	return object ? JSON_TOK_OBJECT_BEGIN : JSON_TOK_ARRAY_BEGIN;
}

static enum json_tok close_container(struct json_scan *s)
{
	bool object = in_object(s);
	if (*s->p != (object ? '}' : ']')) return fail(s, object ? "expected , or }" : "expected , or ]");
	s->p++;
	s->depth--;
	after_value(s);
	return object ? JSON_TOK_OBJECT_END : JSON_TOK_ARRAY_END;
}

static enum json_tok value(struct json_scan *s)
{
	s->token = s->p;
	switch (*s->p) {
	case '{': return open_container(s, true);
	case '[': return open_container(s, false);
	case '"':
		s->p++;
		if (!string(s)) return JSON_TOK_ERROR;
		after_value(s);
		return JSON_TOK_STRING;
	case 't': return word(s, "true", 4, JSON_TOK_TRUE);
	case 'f': return word(s, "false", 5, JSON_TOK_FALSE);
	case 'n': return word(s, "null", 4, JSON_TOK_NULL);
	default: return number(s);
	}
}

static enum json_tok key(struct json_scan *s)
{
	if (*s->p != '"') return fail(s, "expected a string as member name");
	s->p++;
	if (!string(s)) return JSON_TOK_ERROR;
	skip_blanks(s);
	if (s->p == s->end || *s->p != ':') return fail(s, "expected : after a member name");
	s->p++;
	s->state = WANT_VALUE;
	return JSON_TOK_KEY;
}

enum json_tok json_scan_next(struct json_scan *s)
{
	if (s->state == FAILED) return JSON_TOK_ERROR;
	skip_blanks(s);
	if (s->p == s->end) return s->state == WANT_NOTHING ? JSON_TOK_END : fail(s, "the text ends too early");
	if (s->state == WANT_COMMA_OR_END) {
		if (*s->p != ',') return close_container(s);
		s->p++;
		skip_blanks(s);
		s->state = in_object(s) ? WANT_KEY : WANT_VALUE;
		if (s->p == s->end) return fail(s, "the text ends too early");
	}
	switch (s->state) {
	case WANT_VALUE: return value(s);
	case WANT_VALUE_OR_END: return *s->p == ']' ? close_container(s) : value(s);
	case WANT_KEY: return key(s);
	case WANT_KEY_OR_END: return *s->p == '}' ? close_container(s) : key(s);
	default: return fail(s, "bytes after the value");
	}
}

bool json_scan_skip(struct json_scan *s, enum json_tok first)
{
	if (first != JSON_TOK_ARRAY_BEGIN && first != JSON_TOK_OBJECT_BEGIN) return first != JSON_TOK_ERROR;
	for (unsigned outside = s->depth - 1; s->depth > outside;)
		if (json_scan_next(s) == JSON_TOK_ERROR) return false;
	return true;
}

bool json_scan_error(const struct json_scan *s, struct err *e)
{
	size_t line = 1;
	const char *from = s->start;
	for (const char *p = s->start; p < s->p; p++)
		if (*p == '\n') {
			line++;
			from = p + 1;
		}
	return err_set(e, ERR_invalid_json, "%s at line %zu, column %zu", s->err ? s->err : "not valid JSON", line,
		       (size_t)(s->p - from) + 1);
}

double json_scan_double(const struct json_scan *s)
{
	double v = 0;
	bool ok = str_to_double(s->text, &v);
	CHECK(ok); /* its grammar is narrower than strtod's */
	return v;
}
