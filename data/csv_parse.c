#include "data/csv_parse.h"

#include "base/mem.h"
#include "data/scan.h"

/* Where parsing stands. */
struct at {
	const struct csv_format *f;
	const char *end, *limit;
	struct csv_record *r;
	struct scan_set plain;  /* what ends an unquoted field */
	struct scan_set quoted; /* what needs a look inside quotes */
};

static bool is_newline(const struct csv_format *f, char c) { return c == f->newline[0] || c == f->newline[1]; }
static bool is_blank(char c) { return (unsigned char)c <= ' '; }

static bool at_sep(const struct at *at, const char *p)
{
	const struct csv_format *f = at->f;
	return *p == f->sep[0] &&
	       (f->sep_len == 1 || ((size_t)(at->end - p) >= f->sep_len && memcmp(p, f->sep, f->sep_len) == 0));
}

static bool at_field_end(const struct at *at, const char *p)
{
	return p == at->end || is_newline(at->f, *p) || at_sep(at, p);
}

/* The separator, newline or end that ends the text at p. */
static const char *plain_end(const struct at *at, const char *p)
{
	for (;; p++) {
		p = scan_any(p, at->end, at->limit, at->plain);
		if (at_field_end(at, p)) return p;
	}
}

static size_t trimmed(const struct csv_format *f, const char *p, size_t len)
{
	while (f->trim_trailing && len > 0 && is_blank(p[len - 1])) len--;
	return len;
}

/* --- Quoted fields that must be copied ------------------------------------------------------------ */

/* A closing quote that does not close: `quote` stands before something that is neither separator nor newline. The text so far
 * lies in [begin, text.len) with one byte free before it. Returns where the field ends, NULL: go on inside the quotes. */
static const char *unescaped_quote(struct at *at, const char *quote, size_t begin, struct csv_field *out)
{
	const struct csv_format *f = at->f;
	struct buf *b = &at->r->text;
	if (f->unescaped == CSV_STOP_AT_CLOSING_QUOTE) {
		buf_char(b, (char)f->quote);
		return NULL;
	}
	const char *end = plain_end(at, quote);
	if (f->unescaped == CSV_RAISE_ERROR) at->r->fault = "a quote inside a quoted value is not escaped";
	if (f->unescaped == CSV_SKIP_VALUE) {
		*out = (struct csv_field){0};
		return end;
	}
	buf_append(b, quote, (size_t)(end - quote));
	b->data[begin - 1] = (char)f->quote;
	*out = (struct csv_field){b->data + begin - 1, trimmed(f, b->data + begin - 1, b->len - begin + 1), true};
	return end;
}

/* What an escape (or the character that escapes escapes) at p stands for is appended; returns what follows. */
static const char *escaped(struct at *at, const char *p)
{
	const struct csv_format *f = at->f;
	struct buf *b = &at->r->text;
	int next = p + 1 < at->end ? (unsigned char)p[1] : CSV_NO_CHAR;
	if ((unsigned char)*p == f->escape_escape && next == f->escape) {
		buf_char(b, (char)f->escape);
		return p + 2;
	}
	if ((unsigned char)*p == f->escape && next == f->quote) {
		buf_char(b, (char)f->quote);
		return p + 2;
	}
	buf_char(b, *p);
	return p + 1;
}

static const char *copy_quoted(struct at *at, const char *p, struct csv_field *out)
{
	const struct csv_format *f = at->f;
	struct buf *b = &at->r->text;
	buf_char(b, 0); /* for the quote that unescaped_quote puts back */
	size_t begin = b->len;
	for (;;) {
		const char *stop = scan_any(p, at->end, at->limit, at->quoted);
		buf_append(b, p, (size_t)(stop - p));
		p = stop;
		if (p == at->end) break;
		bool doubled = p + 1 < at->end && (unsigned char)p[1] == f->quote;
		if ((unsigned char)*p != f->quote || (f->escape == f->quote && doubled)) {
			p = escaped(at, p);
			continue;
		}
		if (doubled) {
			buf_char(b, *p++);
			continue;
		}
		const char *after = p + 1;
		while (!at_field_end(at, after) && is_blank(*after)) after++;
		if (at_field_end(at, after)) {
			p = after;
			break;
		}
		const char *end = unescaped_quote(at, p, begin, out);
		if (end) return end;
		p++;
	}
	*out = (struct csv_field){b->data + begin, b->len - begin, true};
	return p;
}

/* --- Fields ------------------------------------------------------------ */

/* p: behind the opening quote. */
static const char *quoted_field(struct at *at, const char *p, struct csv_field *out)
{
	const char *stop = scan_any(p, at->end, at->limit, at->quoted);
	if (stop < at->end && (unsigned char)*stop == at->f->quote && at_field_end(at, stop + 1)) {
		*out = (struct csv_field){p, (size_t)(stop - p), true};
		return stop + 1;
	}
	if (at->r->text.cap - at->r->text.len <= (size_t)(at->end - p) + 2) {
		/* What is copied is never longer than what is read, so from here on nothing moves under earlier fields. */
		CHECK(at->r->text.len == 0 && buf_reserve(&at->r->text, (size_t)(at->end - p) * 2 + 64));
	}
	return copy_quoted(at, p, out);
}

static const char *plain_field(struct at *at, const char *p, struct csv_field *out)
{
	const char *end = plain_end(at, p);
	size_t len = trimmed(at->f, p, (size_t)(end - p));
	*out = (struct csv_field){len ? p : NULL, len, false};
	return end;
}

static const char *field(struct at *at, const char *p)
{
	struct csv_record *r = at->r;
	struct csv_field value;
	while (at->f->trim_leading && !at_field_end(at, p) && is_blank(*p)) p++;
	/* A quote with nothing behind it is a quote. */
	bool quoted = p + 1 < at->end && (unsigned char)*p == at->f->quote;
	p = quoted ? quoted_field(at, p + 1, &value) : plain_field(at, p, &value);
	if (at->f->chars_max && value.len > at->f->chars_max) r->fault = "a value is longer than maxCharsPerColumn";
	if (r->count == at->f->fields_max) {
		r->fault = "more values than maxColumns";
	} else {
		MEM_GROW(r->fields, r->cap, r->count + 1);
		r->fields[r->count++] = value;
	}
	return p;
}

void csv_record_release(struct csv_record *r)
{
	mem_free(r->fields);
	buf_release(&r->text);
	*r = (struct csv_record){0};
}

const char *csv_parse(const struct csv_format *f, const char *p, const char *end, const char *limit, struct csv_record *r)
{
	char quote = (char)f->quote, escape = f->escape == CSV_NO_CHAR ? quote : (char)f->escape;
	char escape_escape = f->escape_escape == CSV_NO_CHAR ? quote : (char)f->escape_escape;
	struct at at = {
		.f = f,
		.end = end,
		.limit = limit,
		.r = r,
		.plain = {{f->sep[0], f->newline[0], f->newline[1], f->sep[0]}},
		.quoted = {{quote, escape, escape_escape, quote}},
	};
	r->count = 0;
	r->fault = NULL;
	r->text.max = SIZE_MAX / 4;
	buf_clear(&r->text);
	for (;;) {
		p = field(&at, p);
		if (p == end || is_newline(f, *p)) return p;
		p += f->sep_len;
	}
}
