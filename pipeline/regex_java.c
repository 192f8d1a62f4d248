#include "pipeline/regex_java.h"

#include "pipeline/regex_scan.h"

#include <stdarg.h>
#include <stdio.h>

enum { GROUP_DEPTH_MAX = 200 };

struct translation {
	struct regex_scan scan;
	struct buf *out;
	unsigned saved_flags[GROUP_DEPTH_MAX]; /* by open group */
	size_t depth;
	unsigned groups; /* capturing ones so far */
	bool after_flags; /* what is behind (?i) cannot be repeated */
	/* Is the pattern one class? things: everything met so far, a + behind the first one apart. */
	size_t things;
	bool plus;
	struct regex_set only;
};

/* --- Reading ------------------------------------------------------------------------------------------------- */

bool scan_refuse(struct regex_scan *s, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(s->why, REGEX_WHY_SIZE, fmt, args);
	va_end(args);
	return false;
}

static int decode(const char *p, const char *end, size_t *bytes)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	*bytes = MIN(n, (size_t)(end - p));
	int v = n == 1 ? c : c & (0xff >> (n + 1));
	for (size_t i = 1; i < *bytes; i++) v = v << 6 | (p[i] & 0x3f);
	return v;
}

int scan_peek(const struct regex_scan *s)
{
	size_t bytes;
	return s->p < s->end ? decode(s->p, s->end, &bytes) : SCAN_END;
}

int scan_next(struct regex_scan *s)
{
	size_t bytes;
	if (s->p >= s->end) return SCAN_END;
	int c = decode(s->p, s->end, &bytes);
	s->p += bytes;
	return c;
}

bool scan_take(struct regex_scan *s, const char *text)
{
	size_t n = strlen(text);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0) return false;
	s->p += n;
	return true;
}

static bool is_line_end(int c) { return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029; }

void scan_blanks(struct regex_scan *s)
{
	if (!(s->flags & FLAG_X)) return;
	for (int c; (c = scan_peek(s)) == ' ' || (c >= '\t' && c <= '\r') || c == '#';) {
		scan_next(s);
		while (c == '#' && (c = scan_peek(s)) != SCAN_END && !is_line_end(c)) {
			scan_next(s);
			c = '#';
		}
	}
}

/* --- Line ends ----------------------------------------------------------------------------------------------- */

#define LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"
/* Each stands in a group, so that it may be repeated as in Java. */
#define BEFORE_LAST_END "(?:(?=\\r\\n\\z)|(?<!\\r)(?=\\n\\z)|(?=[\\r\\x{85}\\x{2028}\\x{2029}]\\z)|\\z)"

static const char *dot(unsigned flags)
{
	if (flags & FLAG_S) return "(?s:.)";
	return flags & FLAG_D ? "[^\\n]" : "[^" LINE_ENDS "]";
}

static const char *caret(unsigned flags)
{
	if (!(flags & FLAG_M)) return "(?:\\A)";
	return flags & FLAG_D ? "(?:(?:(?<=\\n)|\\A)(?!\\z))" :
				"(?:(?:(?<=[\\n\\x{85}\\x{2028}\\x{2029}])|(?<=\\r)(?!\\n)|\\A)(?!\\z))";
}

static const char *dollar(unsigned flags)
{
	if (flags & FLAG_M)
		return flags & FLAG_D ? "(?:(?=\\n|\\z))" :
					"(?:(?<!\\r)(?=\\n)|(?=[\\r\\x{85}\\x{2028}\\x{2029}])|\\z)";
	return flags & FLAG_D ? "(?:(?=\\n?\\z))" : BEFORE_LAST_END;
}

/* --- Things of a pattern ------------------------------------------------------------------------------------- */

static bool put_text(struct translation *t, const char *text)
{
	buf_str(t->out, text);
	t->things += 2; /* no class */
	return true;
}

static bool put_piece(struct translation *t, bool ok, struct regex_piece *p)
{
	if (ok) piece_write(p, t->out);
	if (t->things++ == 0) t->only = p->set;
	piece_release(p);
	return ok;
}

static bool put_char(struct translation *t, int c)
{
	struct regex_piece p;
	piece_init(&p);
	piece_range(&p, c, c, t->scan.flags);
	return put_piece(t, true, &p);
}

static bool put_class(struct translation *t)
{
	struct regex_piece p;
	piece_init(&p);
	bool ok = scan_class(&t->scan, &p);
	return put_piece(t, ok, &p);
}

/* \1 … : as many digits as there are groups for, at least one. */
static bool put_reference(struct translation *t, unsigned group)
{
	for (int c; (c = scan_peek(&t->scan)) >= '0' && c <= '9' && group * 10 + (unsigned)(c - '0') <= t->groups;)
		group = group * 10 + (unsigned)(scan_next(&t->scan) - '0');
	bool any_case = t->scan.flags & FLAG_I;
	buf_printf(t->out, any_case ? "(?i:\\g{%u})" : "\\g{%u}", group);
	t->things += 2;
	return true;
}

static bool put_named_reference(struct translation *t)
{
	const char *close = memchr(t->scan.p, '>', (size_t)(t->scan.end - t->scan.p));
	if (!scan_take(&t->scan, "<") || !close) return scan_refuse(&t->scan, "\\k needs a group's name, as \\k<name>");
	buf_printf(t->out, t->scan.flags & FLAG_I ? "(?i:\\k<%.*s>)" : "\\k<%.*s>", (int)(close - t->scan.p),
		   t->scan.p);
	t->scan.p = close + 1;
	t->things += 2;
	return true;
}

static bool put_word_boundary(struct translation *t, bool negated)
{
	if (!(t->scan.flags & FLAG_W)) return put_text(t, negated ? "(?:\\B)" : "(?:\\b)");
	struct regex_piece w;
	struct buf word = BUF_INIT(PATTERN_BYTES_MAX);
	piece_init(&w);
	scan_class_escape(&t->scan, 'w', &w);
	piece_write(&w, &word);
	const char *text = buf_cstr(&word);
	buf_printf(t->out, negated ? "(?:(?<=%s)(?=%s)|(?<!%s)(?!%s))" : "(?:(?<=%s)(?!%s)|(?<!%s)(?=%s))", text, text,
		   text, text);
	piece_release(&w);
	buf_release(&word);
	t->things += 2;
	return true;
}

/* Behind a backslash outside of classes. */
static bool put_escape(struct translation *t)
{
	int c = scan_peek(&t->scan);
	struct regex_piece p;
	if (c >= '1' && c <= '9') return put_reference(t, (unsigned)(scan_next(&t->scan) - '0'));
	if (scan_take(&t->scan, "k")) return put_named_reference(t);
	if (scan_take(&t->scan, "b{g}")) return scan_refuse(&t->scan, "\\b{g} is not available");
	if (scan_take(&t->scan, "b")) return put_word_boundary(t, false);
	if (scan_take(&t->scan, "B")) return put_word_boundary(t, true);
	if (scan_take(&t->scan, "A")) return put_text(t, "(?:\\A)");
	if (scan_take(&t->scan, "G")) return put_text(t, "(?:\\G)");
	if (scan_take(&t->scan, "z")) return put_text(t, "(?:\\z)");
	if (scan_take(&t->scan, "Z")) return put_text(t, dollar(t->scan.flags & FLAG_D));
	if (scan_take(&t->scan, "R")) return put_text(t, "(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])");
	if (scan_take(&t->scan, "X")) return put_text(t, "\\X");
	piece_init(&p);
	bool ok = scan_escape(&t->scan, &p, &c);
	if (ok && c != SCAN_END) piece_range(&p, c, c, t->scan.flags);
	return put_piece(t, ok, &p);
}

/* --- Groups -------------------------------------------------------------------------------------------------- */

static unsigned flag_of(int c)
{
	static const char names[] = "iudsmxU";
	const char *at = c > 0 && c < 128 ? strchr(names, c) : NULL;
	return at ? 1u << (at - names) : 0;
}

static bool open_group(struct translation *t, const char *text)
{
	if (t->depth == GROUP_DEPTH_MAX) return scan_refuse(&t->scan, "groups are nested too deeply");
	t->saved_flags[t->depth++] = t->scan.flags;
	return put_text(t, text);
}

/* (?idmsuxU-idmsuxU) for the rest of the group, or (?…:X). */
static bool put_flags(struct translation *t)
{
	unsigned flags = t->scan.flags, flag;
	bool off = false;
	for (;; scan_next(&t->scan)) {
		int c = scan_peek(&t->scan);
		if (c == '-' && !off) off = true;
		else if ((flag = flag_of(c)) != 0)
			flags = off ? flags & ~flag : flags | flag | (flag == FLAG_W ? FLAG_U : 0);
		else break;
	}
	int c = scan_next(&t->scan);
	if (c != ':' && c != ')') return scan_refuse(&t->scan, "(? is followed by no kind of group that Java has");
	if (c == ':' && !open_group(t, "(?:")) return false;
	t->after_flags = c == ')';
	t->scan.flags = flags;
	return true;
}

static bool put_named_group(struct translation *t)
{
	const char *name = t->scan.p;
	for (int c; ((c = scan_peek(&t->scan)) >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9' && t->scan.p > name);)
		scan_next(&t->scan);
	int len = (int)(t->scan.p - name);
	if (len == 0 || !scan_take(&t->scan, ">"))
		return scan_refuse(&t->scan, "a group's name is letters and digits, as in (?<name>…)");
	t->groups++;
	if (!open_group(t, "(?<")) return false;
	buf_printf(t->out, "%.*s>", len, name);
	return true;
}

/* Behind "(". */
static bool put_group(struct translation *t)
{
	static const char *const plain[] = {":", "=", "!", ">", "<=", "<!"};
	char text[8];
	if (!scan_take(&t->scan, "?")) {
		t->groups++;
		/* PCRE2 would read (* as a verb; Java refuses it too. */
		return scan_peek(&t->scan) == '*' ? scan_refuse(&t->scan, "* repeats nothing") : open_group(t, "(");
	}
	for (size_t i = 0; i < ARRAY_COUNT(plain); i++) {
		if (!scan_take(&t->scan, plain[i])) continue;
		snprintf(text, sizeof text, "(?%s", plain[i]);
		return open_group(t, text);
	}
	return scan_take(&t->scan, "<") ? put_named_group(t) : put_flags(t);
}

static bool close_group(struct translation *t)
{
	if (t->depth == 0) return scan_refuse(&t->scan, "a ) closes nothing");
	t->scan.flags = t->saved_flags[--t->depth];
	return put_text(t, ")");
}

/* --- Repetition ---------------------------------------------------------------------------------------------- */

static bool digits(struct translation *t)
{
	const char *from = t->scan.p;
	while (scan_peek(&t->scan) >= '0' && scan_peek(&t->scan) <= '9') scan_next(&t->scan);
	return t->scan.p > from;
}

/* Behind "{": n}, n,} or n,m}. */
static bool put_counts(struct translation *t)
{
	const char *from = t->scan.p;
	if (!digits(t)) return scan_refuse(&t->scan, "{ opens no repetition; write \\{ for the character");
	if (scan_take(&t->scan, ",")) digits(t);
	if (!scan_take(&t->scan, "}")) return scan_refuse(&t->scan, "a repetition {…} is not closed");
	put_text(t, "{");
	buf_append(t->out, from, (size_t)(t->scan.p - from));
	return true;
}

static bool put_repeat(struct translation *t, int c)
{
	if (c == '+' && t->things == 1 && !t->plus) {
		buf_char(t->out, '+');
		t->plus = true;
		return true;
	}
	char text[2] = {(char)c, 0};
	return put_text(t, text);
}

/* --- The pattern --------------------------------------------------------------------------------------------- */

static bool put_thing(struct translation *t)
{
	int c = scan_next(&t->scan);
	bool repeats = c == '*' || c == '+' || c == '?' || c == '{';
	if (repeats && t->after_flags) return scan_refuse(&t->scan, "%c repeats nothing", c);
	t->after_flags = false;
	switch (c) {
	case '\\': return put_escape(t);
	case '[': return put_class(t);
	case '(': return put_group(t);
	case ')': return close_group(t);
	case '{': return put_counts(t);
	case '*':
	case '+':
	case '?': return put_repeat(t, c);
	case '|': return put_text(t, "|");
	case '.': return put_text(t, dot(t->scan.flags));
	case '^': return put_text(t, caret(t->scan.flags));
	case '$': return put_text(t, dollar(t->scan.flags));
	default: return put_char(t, c);
	}
}

/* \Q…\E with each character escaped by itself, as Java does it first of all. */
static void unquote(struct str java, struct buf *out)
{
	bool quoted = false;
	for (size_t i = 0; i < java.len; i++) {
		char c = java.data[i];
		bool escape = c == '\\' && i + 1 < java.len;
		if (escape && java.data[i + 1] == (quoted ? 'E' : 'Q')) {
			quoted = !quoted;
			i++;
		} else if (!quoted) {
			buf_char(out, c);
			if (escape) buf_char(out, java.data[++i]);
		} else {
			bool plain =
				(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c & 0x80;
			if (!plain) buf_char(out, '\\');
			buf_char(out, c);
		}
	}
}

bool regex_java_translate(struct str java, struct regex_translation *out, char why[REGEX_WHY_SIZE])
{
	struct buf plain = BUF_INIT(PATTERN_BYTES_MAX);
	out->pcre = BUF_INIT(PATTERN_BYTES_MAX);
	unquote(java, &plain);
	struct translation t = {.scan = {.p = plain.data, .end = plain.data + plain.len, .why = why},
				.out = &out->pcre};
	bool ok = true;
	for (scan_blanks(&t.scan); ok && t.scan.p < t.scan.end; scan_blanks(&t.scan)) ok = put_thing(&t);
	if (ok && t.depth > 0) ok = scan_refuse(&t.scan, "a group is not closed");
	if (ok && !buf_ok(&out->pcre)) ok = scan_refuse(&t.scan, "the pattern is too long");
	out->is_class = ok && t.things == 1 && t.only.known;
	out->plus = t.plus;
	out->set = t.only;
	buf_release(&plain);
	return ok;
}
