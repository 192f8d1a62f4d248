/* Character classes as sets: unions, intersections and complements, in PCRE2's brackets where those can say it. */
#include "pipeline/regex_scan.h"

enum { CLASS_DEPTH_MAX = 32 };

/* --- Sets ---------------------------------------------------------------------------------------------------- */

static struct regex_set set_negate(struct regex_set a)
{
	return (struct regex_set){{~a.ascii[0], ~a.ascii[1]}, !a.wide, a.known};
}

static struct regex_set set_union(struct regex_set a, struct regex_set b)
{
	return (struct regex_set){
		{a.ascii[0] | b.ascii[0], a.ascii[1] | b.ascii[1]}, a.wide || b.wide, a.known && b.known};
}

static struct regex_set set_of_range(int from, int to)
{
	struct regex_set set = {.known = to < 128 || (from <= 128 && to == CODE_POINT_MAX),
				.wide = to == CODE_POINT_MAX};
	for (int c = from; c <= MIN(to, 127); c++) set.ascii[c >> 6] |= (uint64_t)1 << (c & 63);
	return set;
}

/* --- Pieces -------------------------------------------------------------------------------------------------- */

void piece_init(struct regex_piece *p)
{
	*p = (struct regex_piece){.text = BUF_INIT(PATTERN_BYTES_MAX), .set = {.known = true}};
}

void piece_release(struct regex_piece *p) { buf_release(&p->text); }

void piece_write(const struct regex_piece *p, struct buf *out)
{
	if (p->text.len == 0) {
		buf_str(out, "(?!)"); /* no character at all: \P{all} */
		return;
	}
	if (!p->is_fragment) buf_char(out, '[');
	buf_append(out, p->text.data, p->text.len);
	if (!p->is_fragment) buf_char(out, ']');
}

/* The piece's text becomes before + the piece as it stands for itself + after. */
static void wrap(struct regex_piece *p, const char *before, const char *after)
{
	struct buf text = BUF_INIT(PATTERN_BYTES_MAX);
	buf_str(&text, before);
	piece_write(p, &text);
	buf_str(&text, after);
	buf_release(&p->text);
	p->text = text;
	p->is_fragment = true;
}

void piece_unite(struct regex_piece *a, struct regex_piece *b)
{
	struct regex_set set = set_union(a->set, b->set);
	if (a->text.len == 0) {
		struct regex_piece empty = *a;
		*a = *b;
		*b = empty;
	} else if (!a->is_fragment && !b->is_fragment) buf_append(&a->text, b->text.data, b->text.len);
	else if (b->text.len > 0) {
		wrap(a, "(?:", "|");
		piece_write(b, &a->text);
		buf_char(&a->text, ')');
	}
	a->set = set;
	piece_release(b);
}

static void put_range(struct buf *out, int from, int to)
{
	buf_printf(out, "\\x{%x}", (unsigned)from);
	if (to != from) buf_printf(out, "-\\x{%x}", (unsigned)to);
}

/* Both cases of the ASCII letters among from … to. */
static void put_other_case(struct regex_piece *p, int from, int to)
{
	for (int upper = 'A'; upper <= 'Z'; upper++) {
		int lower = upper + 32;
		bool has_upper = upper >= from && upper <= to, has_lower = lower >= from && lower <= to;
		if (has_upper == has_lower) continue;
		int other = has_upper ? lower : upper;
		put_range(&p->text, other, other);
		p->set = set_union(p->set, set_of_range(other, other));
	}
}

void piece_range(struct regex_piece *p, int from, int to, unsigned flags)
{
	struct regex_piece one;
	piece_init(&one);
	put_range(&one.text, from, to);
	one.set = set_of_range(from, to);
	if (flags & FLAG_I && flags & FLAG_U) {
		wrap(&one, "(?i:", ")");
		one.set.known = false;
	} else if (flags & FLAG_I) put_other_case(&one, from, to);
	piece_unite(p, &one);
}

void piece_ranges(struct regex_piece *p, const struct regex_range *ranges, size_t count, bool negated)
{
	int from = 0;
	for (size_t i = 0; i < count; i++) {
		if (!negated) piece_range(p, ranges[i].from, ranges[i].to, 0);
		else if (from < ranges[i].from) piece_range(p, from, ranges[i].from - 1, 0);
		from = ranges[i].to + 1;
	}
	if (negated && from <= CODE_POINT_MAX) piece_range(p, from, CODE_POINT_MAX, 0);
}

void piece_unknown(struct regex_piece *p, const char *pcre)
{
	struct regex_piece one;
	piece_init(&one);
	buf_str(&one.text, pcre);
	one.set.known = false;
	piece_unite(p, &one);
}

void piece_negate(struct regex_piece *p)
{
	if (p->is_fragment) wrap(p, "(?:(?!", ")(?s:.))");
	else {
		p->is_fragment = true; /* its text is written as it is, between [^ and ] */
		wrap(p, "[^", "]");
	}
	p->set = set_negate(p->set);
}

/* a ∩ b; b is released. */
static void intersect(struct regex_piece *a, struct regex_piece *b)
{
	struct regex_set set = set_negate(set_union(set_negate(a->set), set_negate(b->set)));
	wrap(a, "(?:(?=", ")");
	piece_write(b, &a->text);
	buf_char(&a->text, ')');
	a->set = set;
	piece_release(b);
}

/* --- Reading ------------------------------------------------------------------------------------------------- */

static bool read_members(struct regex_scan *s, struct regex_piece *out, unsigned depth);
static bool read_class(struct regex_scan *s, struct regex_piece *out, unsigned depth);

/* A character or escape, perhaps the start of a range. */
static bool read_range(struct regex_scan *s, struct regex_piece *out)
{
	int from = scan_next(s), to;
	if (from == '\\' && !scan_escape(s, out, &from)) return false;
	if (from == SCAN_END) return true; /* a class's escape */
	scan_blanks(s);
	struct regex_scan dash = *s;
	if (!scan_take(s, "-") || scan_peek(s) == '[' || scan_peek(s) == ']' || scan_peek(s) == SCAN_END) {
		*s = dash;
		piece_range(out, from, from, s->flags);
		return true;
	}
	to = scan_next(s);
	struct regex_piece none;
	piece_init(&none);
	bool ok = to != '\\' || scan_escape(s, &none, &to);
	piece_release(&none);
	if (!ok) return false;
	if (to == SCAN_END || to < from) return scan_refuse(s, "a range of a character class runs backwards");
	piece_range(out, from, to, s->flags);
	return true;
}

/* What stands right of &&: nested classes, or everything up to the class's end. */
static bool read_right(struct regex_scan *s, struct regex_piece *right, unsigned depth)
{
	bool ok = true;
	for (scan_blanks(s); ok && scan_peek(s) == '['; scan_blanks(s)) {
		struct regex_piece inner;
		piece_init(&inner);
		scan_next(s);
		ok = read_class(s, &inner, depth + 1);
		piece_unite(right, &inner);
	}
	if (ok && scan_peek(s) != ']' && scan_peek(s) != '&') ok = read_members(s, right, depth + 1);
	return ok;
}

static bool read_nested(struct regex_scan *s, struct regex_piece *out, unsigned depth)
{
	struct regex_piece inner;
	piece_init(&inner);
	bool ok = read_class(s, &inner, depth + 1);
	piece_unite(out, &inner);
	return ok;
}

static bool read_intersection(struct regex_scan *s, struct regex_piece *out, unsigned depth)
{
	struct regex_piece right;
	piece_init(&right);
	bool ok = read_right(s, &right, depth);
	if (ok && out->text.len == 0 && right.text.len == 0)
		ok = scan_refuse(s, "&& of a character class stands alone");
	if (!ok || right.text.len == 0) piece_release(&right);
	else if (out->text.len == 0) piece_unite(out, &right);
	else intersect(out, &right);
	return ok;
}

/* Up to "]", which is a member where it comes first. */
static bool read_members(struct regex_scan *s, struct regex_piece *out, unsigned depth)
{
	if (depth > CLASS_DEPTH_MAX) return scan_refuse(s, "character classes are nested too deeply");
	for (;;) {
		scan_blanks(s);
		int c = scan_peek(s);
		bool ok;
		if (c == SCAN_END) return scan_refuse(s, "a character class is not closed");
		if (c == ']' && out->text.len > 0) return true;
		if (scan_take(s, "[")) ok = read_nested(s, out, depth);
		else if (scan_take(s, "&&")) ok = read_intersection(s, out, depth);
		else ok = read_range(s, out);
		if (!ok) return false;
	}
}

/* Behind "[". */
static bool read_class(struct regex_scan *s, struct regex_piece *out, unsigned depth)
{
	bool negated = scan_take(s, "^");
	if (!read_members(s, out, depth)) return false;
	scan_next(s);
	if (negated) piece_negate(out);
	return true;
}

bool scan_class(struct regex_scan *s, struct regex_piece *out) { return read_class(s, out, 0); }
