#include "pipeline/sql/sql_lexer.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}
static bool is_word(char c)
{
	return is_letter(c) || is_digit(c);
}
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The character k places on; 0 behind the end (and NUL is no token). */
static char ahead(const struct sql_lexer *l, size_t k)
{
	return l->at + k < l->text.len ? l->text.data[l->at + k] : 0;
}
static bool at_end(const struct sql_lexer *l)
{
	return l->at >= l->text.len;
}

/* --- Blanks and comments ----------------------------------------------------------------------------------------- */

/* Comments nest. */
static bool skip_comment(struct sql_lexer *l, struct sql_error *e)
{
	size_t start = l->at, depth = 0;
	do {
		bool opens = ahead(l, 0) == '/' && ahead(l, 1) == '*',
		     closes = ahead(l, 0) == '*' && ahead(l, 1) == '/';
		if (at_end(l)) return sql_fail(e, start, "the comment is not closed");
		depth += opens;
		depth -= closes;
		l->at += opens || closes ? 2 : 1;
	} while (depth > 0);
	return true;
}

static bool skip_blanks(struct sql_lexer *l, struct sql_error *e)
{
	for (;;) {
		while (!at_end(l) && is_blank(ahead(l, 0))) l->at++;
		if (ahead(l, 0) == '-' && ahead(l, 1) == '-')
			while (!at_end(l) && ahead(l, 0) != '\n') l->at++;
		else if (ahead(l, 0) == '/' && ahead(l, 1) == '*') {
			if (!skip_comment(l, e)) return false;
		} else
			return true;
	}
}

/* --- Strings ----------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (is_digit(c)) return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t put_code(char *to, uint32_t c)
{
	if (c < 0x80) return to[0] = (char)c, 1;
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t k = n; k-- > 1; c >>= 6) to[k] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
	return n;
}

/* \uXXXX, \UXXXXXXXX and \OOO, at l->at; the code point, or -1: it is none of them. */
static int64_t numbered(const struct sql_lexer *l, size_t *length)
{
	bool octal = ahead(l, 0) >= '0' && ahead(l, 0) <= '1';
	size_t n = octal ? 3 : ahead(l, 0) == 'u' ? 4 : ahead(l, 0) == 'U' ? 8 : 0, first = !octal;
	int64_t code = 0;
	for (size_t k = first; k < first + n; k++) {
		int d = hex_digit(ahead(l, k));
		if (d < 0 || (octal && d > 7)) return -1;
		code = code * (octal ? 8 : 16) + d;
	}
	*length = first + n;
	return n && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? code : -1;
}

/* What stands behind a backslash; at most as long as it was written. \% and \_ keep theirs, for LIKE. */
static size_t escaped(struct sql_lexer *l, char *to)
{
	static const char from[] = "0bnrtZ", means[] = "\0\b\n\r\t\x1a";
	size_t length;
	int64_t code = numbered(l, &length);
	if (code >= 0) {
		l->at += length;
		return put_code(to, (uint32_t)code);
	}
	char c = l->text.data[l->at++];
	if (c == '%' || c == '_') {
		to[0] = '\\';
		to[1] = c;
		return 2;
	}
	const char *at = c ? strchr(from, c) : NULL;
	to[0] = at ? means[at - from] : c;
	return 1;
}

/* What ends at its quote. Doubled, a quote is one in names, while of texts it ends one and begins the next. escapes:
 * backslashes mean something. */
static bool quoted(struct sql_lexer *l, bool escapes, bool doubles, struct sql_token *out, struct sql_error *e)
{
	size_t start = l->at, n = 0;
	char quote = l->text.data[l->at++], *to = l->room;
	for (;;) {
		if (at_end(l)) return sql_fail(e, start, "the %c is not closed", quote);
		char c = l->text.data[l->at++];
		if (c == quote && !(doubles && ahead(l, 0) == quote)) break;
		if (c == quote) l->at++;
		if (c == '\\' && escapes && !at_end(l))
			n += escaped(l, to + n);
		else
			to[n++] = c;
	}
	out->text = (struct str){to, n};
	l->room += n;
	return true;
}

/* --- Numbers, words, signs --------------------------------------------------------------------------------------- */

static void number(struct sql_lexer *l)
{
	while (is_digit(ahead(l, 0))) l->at++;
	if (ahead(l, 0) == '.') l->at++;
	while (is_digit(ahead(l, 0))) l->at++;
	size_t sign = ahead(l, 1) == '+' || ahead(l, 1) == '-';
	if ((ahead(l, 0) == 'e' || ahead(l, 0) == 'E') && is_digit(ahead(l, 1 + sign))) {
		l->at += 1 + sign;
		while (is_digit(ahead(l, 0))) l->at++;
	}
	while (is_word(ahead(l, 0))) l->at++; /* the suffix, or what makes it malformed */
}

static size_t sign_length(const struct sql_lexer *l)
{
	static const char *const signs[] = {"<=>", ">>>", "<<", ">>", "<=", ">=", "<>", "!=", "==", "||", "::"};
	for (size_t k = 0; k < ARRAY_COUNT(signs); k++) {
		size_t n = strlen(signs[k]);
		if (l->text.len - l->at >= n && memcmp(l->text.data + l->at, signs[k], n) == 0) return n;
	}
	char c = ahead(l, 0);
	return c && strchr("+-*/%=<>(),.;&|^~![]:?{}@#$", c) ? 1 : 0;
}

static bool token(struct sql_lexer *l, struct sql_token *out, struct sql_error *e)
{
	char c = ahead(l, 0);
	bool raw = (c == 'r' || c == 'R') && (ahead(l, 1) == '\'' || ahead(l, 1) == '"');
	l->at += raw;
	if (raw || c == '\'' || c == '"') {
		out->kind = SQL_TOK_TEXT;
		return quoted(l, !raw, false, out, e);
	}
	if (c == '`') {
		out->kind = SQL_TOK_QUOTED;
		return quoted(l, false, true, out, e);
	}
	if (is_digit(c) || (c == '.' && is_digit(ahead(l, 1)))) {
		out->kind = SQL_TOK_NUMBER;
		number(l);
	} else if (is_letter(c)) {
		out->kind = SQL_TOK_WORD;
		while (is_word(ahead(l, 0))) l->at++;
	} else {
		size_t n = sign_length(l);
		if (n == 0) return sql_fail(e, l->at, "unexpected character");
		out->kind = SQL_TOK_SIGN;
		l->at += n;
	}
	out->text = (struct str){l->text.data + out->at, l->at - out->at};
	return true;
}

bool sql_lex(struct sql_lexer *l, struct sql_token *out, struct sql_error *e)
{
	if (!skip_blanks(l, e)) return false;
	*out = (struct sql_token){.kind = SQL_TOK_END, .at = l->at};
	if (!at_end(l) && !token(l, out, e)) return false;
	out->raw = (struct str){l->text.data + out->at, l->at - out->at};
	return true;
}
