#define PCRE2_CODE_UNIT_WIDTH 8
#include "pipeline/regex.h"

#include "base/buf.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	uint8_t bytes[256];
	bool has_bytes, plus;
};

/* --- Java's dialect to PCRE2's -------------------------------------------------------------------------------------------- */

static const struct {
	const char *java, *posix;
} posix_names[] = {{"Lower", "lower"}, {"Upper", "upper"}, {"ASCII", "ascii"}, {"Alpha", "alpha"}, {"Digit", "digit"},
		   {"Alnum", "alnum"}, {"Punct", "punct"}, {"Graph", "graph"}, {"Print", "print"}, {"Blank", "blank"},
		   {"Cntrl", "cntrl"}, {"XDigit", "xdigit"}, {"Space", "space"}};

static const struct {
	const char *java, *pcre;
} binary_names[] = {{"IsAlphabetic", "\\p{L}\\p{Nl}"}, {"IsLetter", "\\p{L}"},	   {"IsDigit", "\\p{Nd}"},
		    {"IsUppercase", "\\p{Lu}"},	      {"IsLowercase", "\\p{Ll}"}, {"IsPunctuation", "\\p{P}"},
		    {"IsWhite_Space", "\\s\\x{85}\\x{a0}\\p{Z}"}};

struct translation {
	const char *p, *end;
	struct buf out;
	unsigned class_depth;
	bool dot_all; /* an inline flag s occurs: "." is left to PCRE2 */
	char *why;
};

static bool refuse(struct translation *t, const char *what)
{
	snprintf(t->why, 256, "%s", what);
	return false;
}

static void put_class(struct translation *t, bool negated, const char *inside)
{
	if (t->class_depth == 0) buf_printf(&t->out, "[%s%s]", negated ? "^" : "", inside);
	else buf_str(&t->out, inside);
}

static bool put_posix(struct translation *t, bool negated, const char *name)
{
	char text[32];
	snprintf(text, sizeof text, "[:%s%s:]", negated ? "^" : "", name);
	if (t->class_depth == 0) buf_printf(&t->out, "[%s]", text);
	else buf_str(&t->out, text);
	return true;
}

/* After \p or \P. */
static bool property(struct translation *t, bool negated)
{
	char name[64];
	size_t n = 1;
	if (t->p < t->end && *t->p == '{') {
		const char *close = memchr(t->p, '}', (size_t)(t->end - t->p));
		if (!close || close - t->p - 1 >= (long)sizeof name) return refuse(t, "\\p{ has no } or too long a name");
		n = (size_t)(close - t->p - 1);
		memcpy(name, t->p + 1, n);
		t->p = close + 1;
	} else if (t->p < t->end) name[0] = *t->p++;
	else return refuse(t, "\\p needs a name");
	name[n] = 0;
	for (size_t i = 0; i < ARRAY_COUNT(posix_names); i++)
		if (strcmp(name, posix_names[i].java) == 0) return put_posix(t, negated, posix_names[i].posix);
	if (strncmp(name, "java", 4) == 0) return refuse(t, "\\p{java…} classes are not available; use a Unicode category such as \\p{Ll}");
	if (strncmp(name, "In", 2) == 0) return refuse(t, "\\p{In…} blocks are not available; use a script such as \\p{IsGreek}");
	for (size_t i = 0; i < ARRAY_COUNT(binary_names); i++)
		if (strcmp(name, binary_names[i].java) == 0) {
			if (negated && t->class_depth) return refuse(t, "a negated property inside a class is not available");
			put_class(t, negated, binary_names[i].pcre);
			return true;
		}
	const char *equals = strchr(name, '='), *bare = equals ? equals + 1 : strncmp(name, "Is", 2) == 0 ? name + 2 : name;
	buf_printf(&t->out, "\\%c{%s}", negated ? 'P' : 'p', bare);
	return true;
}

static bool hex_digits(struct translation *t, int count, unsigned *out)
{
	char text[9] = {0}, *stop;
	if (t->end - t->p < count) return refuse(t, "an escape lacks hexadecimal digits");
	memcpy(text, t->p, (size_t)count);
	*out = (unsigned)strtoul(text, &stop, 16);
	if (*stop) return refuse(t, "an escape lacks hexadecimal digits");
	t->p += count;
	return true;
}

/* After \u: a surrogate pair written as two escapes is one character. */
static bool unicode(struct translation *t)
{
	unsigned c, low;
	if (!hex_digits(t, 4, &c)) return false;
	if (c >= 0xd800 && c < 0xdc00 && t->end - t->p >= 6 && t->p[0] == '\\' && t->p[1] == 'u') {
		t->p += 2;
		if (!hex_digits(t, 4, &low)) return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	buf_printf(&t->out, "\\x{%x}", c);
	return true;
}

static bool octal(struct translation *t)
{
	unsigned v = 0;
	int n = 0;
	for (; n < 3 && t->p < t->end && *t->p >= '0' && *t->p <= '7' && v * 8 + (unsigned)(*t->p - '0') <= 0377; n++)
		v = v * 8 + (unsigned)(*t->p++ - '0');
	if (n == 0) return refuse(t, "\\0 needs octal digits");
	buf_printf(&t->out, "\\x{%x}", v);
	return true;
}

static bool escape(struct translation *t)
{
	if (t->p == t->end) return refuse(t, "the pattern ends in a backslash");
	char c = *t->p++;
	switch (c) {
	case 'p': return property(t, false);
	case 'P': return property(t, true);
	case 'u': return unicode(t);
	case '0': return octal(t);
	case 'N': return refuse(t, "\\N{…} is not available");
	default: buf_printf(&t->out, "\\%c", c); return true;
	}
}

/* \Q…\E is copied as it stands. */
static bool quoted(struct translation *t)
{
	const char *close = memmem(t->p, (size_t)(t->end - t->p), "\\E", 2);
	const char *stop = close ? close + 2 : t->end;
	buf_append(&t->out, t->p, (size_t)(stop - t->p));
	if (!close) buf_str(&t->out, "\\E");
	t->p = stop;
	return true;
}

static bool open_class(struct translation *t)
{
	bool negated = t->p < t->end && *t->p == '^';
	if (t->class_depth == 0) {
		buf_str(&t->out, negated ? "[^" : "[");
		t->p += negated;
		/* In Java too a ] that comes first is a member. */
		if (t->p < t->end && *t->p == ']') {
			buf_str(&t->out, "\\]");
			t->p++;
		}
	} else if (negated) return refuse(t, "a negated class inside a class is not available");
	t->class_depth++;
	return true;
}

static bool one(struct translation *t)
{
	char c = *t->p++;
	if (c == '\\' && t->p < t->end && *t->p == 'Q') {
		t->p--;
		return quoted(t);
	}
	if (c == '\\') return escape(t);
	if (c == '[') return open_class(t);
	if (c == ']' && t->class_depth > 0) {
		if (--t->class_depth == 0) buf_char(&t->out, ']');
		return true;
	}
	if (t->class_depth && c == '&' && t->p < t->end && *t->p == '&')
		return refuse(t, "intersections of classes (&&) are not available");
	if (!t->class_depth && c == '.' && !t->dot_all) buf_str(&t->out, "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]");
	else buf_char(&t->out, c);
	return true;
}

static bool has_dot_all(struct str p)
{
	for (size_t i = 0; i + 2 < p.len; i++)
		if (p.data[i] == '(' && p.data[i + 1] == '?')
			for (size_t k = i + 2; k < p.len && strchr("imsxudU-", p.data[k]); k++)
				if (p.data[k] == 's') return true;
	return false;
}

/* --- Byte classes ---------------------------------------------------------------------------------------------------------- */

static void add_escape(uint8_t set[256], char c)
{
	for (int b = 0; b < 128; b++) {
		bool word = (b >= '0' && b <= '9') || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '_';
		bool digit = b >= '0' && b <= '9', blank = b == ' ' || (b >= 9 && b <= 13);
		set[b] |= c == 'w' ? word : c == 'd' ? digit : blank;
	}
}

/* The members of [ … ] where all are ASCII characters, ranges, or \w \d \s; false: too hard for bytes. */
static bool bracket_bytes(const char *p, const char *end, uint8_t set[256])
{
	while (p < end) {
		unsigned char from = (unsigned char)*p++;
		if (from >= 0x80 || from == '[' || from == '&' || from == ']') return false;
		if (from == '\\') {
			if (p == end) return false;
			from = (unsigned char)*p++;
			if (strchr("wds", from)) {
				add_escape(set, (char)from);
				continue;
			}
			const char *at = strchr("tnrf", from);
			if (at) from = (unsigned char)"\t\n\r\f"[at - "tnrf"];
			else if ((from >= '0' && from <= '9') || (from >= 'A' && from <= 'Z') || (from >= 'a' && from <= 'z')) return false;
		}
		unsigned char to = from;
		if (end - p >= 2 && p[0] == '-') {
			to = (unsigned char)p[1];
			if (to >= 0x80 || to == '\\' || to == '[' || to < from) return false;
			p += 2;
		}
		for (int b = from; b <= to; b++) set[b] = 1;
	}
	return true;
}

static void complement(uint8_t set[256])
{
	for (int b = 0; b < 256; b++) set[b] = !set[b];
}

static bool byte_class(struct str p, uint8_t set[256], bool *plus)
{
	memset(set, 0, 256);
	*plus = p.len > 1 && p.data[p.len - 1] == '+' && p.data[p.len - 2] != '\\';
	if (*plus) p.len--;
	if (p.len == 2 && p.data[0] == '\\' && strchr("wdsWDS", p.data[1])) {
		add_escape(set, (char)(p.data[1] | 32));
		if (p.data[1] < 'a') complement(set);
		return true;
	}
	if (p.len == 1 && (unsigned char)p.data[0] < 0x80 && !strchr("\\^$.|?*+()[]{}", p.data[0])) {
		set[(unsigned char)p.data[0]] = 1;
		return true;
	}
	if (p.len < 3 || p.data[0] != '[' || p.data[p.len - 1] != ']') return false;
	bool negated = p.data[1] == '^';
	if (!bracket_bytes(p.data + 1 + negated, p.data + p.len - 1, set)) return false;
	if (negated) complement(set);
	return true;
}

const uint8_t *regex_byte_class(const struct regex *r, bool *plus)
{
	*plus = r->plus;
	return r->has_bytes ? r->bytes : NULL;
}

/* --- Compile and match ------------------------------------------------------------------------------------------------------ */

static bool compile(struct regex *r, const struct buf *pattern, char why[256])
{
	int code;
	PCRE2_SIZE at;
	pcre2_compile_context *ctx = pcre2_compile_context_create(NULL);
	pcre2_set_newline(ctx, PCRE2_NEWLINE_ANY);
	r->code = pcre2_compile((PCRE2_SPTR)(pattern->data ? pattern->data : ""), pattern->len, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
				&code, &at, ctx);
	pcre2_compile_context_free(ctx);
	if (!r->code) {
		PCRE2_UCHAR text[160];
		pcre2_get_error_message(code, text, sizeof text);
		snprintf(why, 256, "%s near offset %zu", (const char *)text, (size_t)at);
		return false;
	}
	pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* where it fails, the interpreter serves */
	r->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(r->limits, REGEX_MATCH_MAX);
	pcre2_set_depth_limit(r->limits, REGEX_DEPTH_MAX);
	return true;
}

bool regex_compile(struct str java, struct regex **out, char why[256])
{
	if (java.len > REGEX_PATTERN_MAX) {
		snprintf(why, 256, "the pattern is over %d bytes", REGEX_PATTERN_MAX);
		return false;
	}
	struct translation t = {.p = java.data,
				.end = java.data + java.len,
				.out = BUF_INIT(16 * REGEX_PATTERN_MAX + 64),
				.dot_all = has_dot_all(java),
				.why = why};
	bool ok = true;
	while (ok && t.p < t.end) ok = one(&t);
	if (ok && t.class_depth) ok = refuse(&t, "a character class is not closed");
	struct regex *r = mem_zalloc(1, sizeof *r);
	ok = ok && compile(r, &t.out, why);
	buf_release(&t.out);
	if (!ok) {
		regex_free(r);
		return false;
	}
	r->has_bytes = byte_class(java, r->bytes, &r->plus);
	*out = r;
	return true;
}

void regex_free(struct regex *r)
{
	if (!r) return;
	pcre2_code_free(r->code);
	pcre2_match_context_free(r->limits);
	mem_free(r);
}

struct regex_match *regex_match_create(const struct regex *r)
{
	return (struct regex_match *)pcre2_match_data_create_from_pattern(r->code, NULL);
}

void regex_match_free(struct regex_match *m) { pcre2_match_data_free((pcre2_match_data *)m); }

int regex_find(const struct regex *r, struct regex_match *m, struct str s, size_t from, size_t *begin, size_t *end)
{
	pcre2_match_data *data = (pcre2_match_data *)m;
	int rc = pcre2_match(r->code, (PCRE2_SPTR)(s.data ? s.data : ""), s.len, from, PCRE2_NO_UTF_CHECK, data, r->limits);
	if (rc == PCRE2_ERROR_NOMATCH) return 0;
	if (rc < 0) return -1;
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);
	*begin = v[0];
	*end = MAX(v[0], v[1]); /* \K may move the start behind the end */
	return 1;
}
