/* LIKE, and Java's regular expressions. Patterns of the latter are literals, compiled when the statement is bound. */
#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_text.h"

#include "pipeline/regex.h"
#include "pipeline/text.h"

#define CALL(name)                                                                                                   \
	static bool name(QN_UNUSED const struct sql_node *n, QN_UNUSED struct sql_run *r, const struct sql_value *a, \
			 struct sql_value *out)

/* --- LIKE -------------------------------------------------------------------------------------------------------- */

static size_t code_length(struct str s, size_t at)
{
	size_t end = at + 1;
	while (end < s.len && ((unsigned char)s.data[end] & 0xc0) == 0x80) end++;
	return end - at;
}

struct like {
	struct str pattern, escape;
};

static bool at_escape(const struct like *l, size_t p)
{
	return l->escape.len && l->pattern.len - p >= l->escape.len &&
	       memcmp(l->pattern.data + p, l->escape.data, l->escape.len) == 0;
}

/* An escape stands before %, _ or itself, nowhere else. */
static bool check_escapes(const struct like *l, struct sql_run *r)
{
	for (size_t p = 0; p < l->pattern.len; p += code_length(l->pattern, p)) {
		if (!at_escape(l, p)) continue;
		p += l->escape.len;
		if (p < l->pattern.len && (l->pattern.data[p] == '%' || l->pattern.data[p] == '_' || at_escape(l, p)))
			continue;
		return sql_bad(r, "in a LIKE pattern the escape must stand before %%, _ or itself");
	}
	return true;
}

/* Does the pattern's piece at p (one character, _ or an escaped one) match the text at s? *step: what it takes of both.
 */
static bool piece(const struct like *l, size_t p, struct str text, size_t s, size_t step[2])
{
	size_t skip = at_escape(l, p) ? l->escape.len : 0;
	if (s >= text.len || p + skip >= l->pattern.len) return false;
	size_t width = code_length(l->pattern, p + skip), length = code_length(text, s);
	step[0] = skip + width;
	step[1] = length;
	if (!skip && l->pattern.data[p] == '_') return true;
	return width == length && memcmp(l->pattern.data + p + skip, text.data + s, length) == 0;
}

/* Only the last % met needs to be tried anew: an earlier one could not do better. */
static bool matches(const struct like *l, struct str text)
{
	size_t p = 0, s = 0, back_p = SIZE_MAX, back_s = 0, step[2];
	while (s < text.len || p < l->pattern.len) {
		if (p < l->pattern.len && l->pattern.data[p] == '%' && !at_escape(l, p)) {
			back_p = ++p;
			back_s = s;
		} else if (p < l->pattern.len && piece(l, p, text, s, step)) {
			p += step[0];
			s += step[1];
		} else {
			if (back_p == SIZE_MAX || back_s >= text.len) return false;
			p = back_p;
			s = back_s += code_length(text, back_s);
		}
	}
	return true;
}

static bool like_escaped(struct sql_run *r, struct str s, struct str pattern, struct str escape, struct sql_value *out)
{
	struct like l = {pattern, escape};
	if (l.escape.len == 0 || code_length(l.escape, 0) != l.escape.len)
		return sql_bad(r, "ESCAPE wants one character");
	if (!check_escapes(&l, r)) return false;
	out->b = matches(&l, s);
	return true;
}

static struct str escape_of(const struct sql_node *n, const struct sql_value *a)
{
	return n->count > 2 ? a[2].s : STR("\\");
}
CALL(like)
{
	return like_escaped(r, a[0].s, a[1].s, escape_of(n, a), out);
}

static bool lowered(struct sql_run *r, struct sql_value *v)
{
	buf_clear(&r->work);
	text_lower(v->s, TEXT_ROOT, &r->work);
	return sql_worked(r, v);
}

CALL(ilike)
{
	struct sql_value s = a[0], pattern = a[1];
	return lowered(r, &s) && lowered(r, &pattern) && like_escaped(r, s.s, pattern.s, escape_of(n, a), out);
}

/* Is there a pattern that the text is like (`wanted`), or unlike? Null where only a null may be that one. */
static bool exists(const struct sql_node *n, struct sql_run *r, bool wanted, struct sql_value *out)
{
	struct sql_value s, pattern, is = {0};
	bool ignore_case = strstr(n->fn->name, "ilike") != NULL, unknown = false;
	if (!sql_eval(n->args[0], r, &s)) return false;
	*out = s;
	if (s.null) return true;
	if (ignore_case && !lowered(r, &s)) return false;
	for (size_t k = 1; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, &pattern)) return false;
		unknown |= pattern.null;
		if (pattern.null) continue;
		if (ignore_case && !lowered(r, &pattern)) return false;
		if (!like_escaped(r, s.s, pattern.s, STR("\\"), &is)) return false;
		if (is.b == wanted) return *out = (struct sql_value){.b = true}, true;
	}
	*out = (struct sql_value){.null = unknown};
	return true;
}
static bool any_like(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return exists(n, r, true, out);
}
static bool any_unlike(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return exists(n, r, false, out);
}
static bool all_like(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return any_unlike(n, r, out) && (out->null || (out->b = !out->b, true));
}
static bool all_unlike(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return any_like(n, r, out) && (out->null || (out->b = !out->b, true));
}

/* --- Regular expressions ----------------------------------------------------------------------------------------- */

static bool bind_regex(struct sql_binder *b, struct sql_node *n)
{
	struct sql_select *s = b->select;
	const struct sql_node *pattern = n->args[1];
	struct regex *compiled;
	char why[256];
	if (pattern->kind != SQL_LITERAL || pattern->value.null)
		return sql_fail(b->e, pattern->at, "the pattern must be a string literal");
	if (!regex_compile(pattern->value.s, &compiled, why)) return sql_fail(b->e, pattern->at, "%s", why);
	MEM_GROW(s->regexes, b->regex_cap, s->regex_count + 1);
	n->regex = s->regex_count;
	n->compiled = compiled;
	s->regexes[s->regex_count++] = compiled;
	return true;
}

static struct regex_match *match_of(const struct sql_node *n, struct sql_run *r)
{
	if (!r->matches[n->regex]) r->matches[n->regex] = regex_match_create(n->compiled);
	return r->matches[n->regex];
}

/* 1 found, 0 not, and -1 with r->why. */
static int find(const struct sql_node *n, struct sql_run *r, struct str s, size_t from, size_t *begin, size_t *end)
{
	int found = regex_find(n->compiled, match_of(n, r), s, from, begin, end);
	if (found < 0) sql_bad(r, "matching the pattern takes too many steps");
	return found;
}

CALL(rlike)
{
	size_t begin, end;
	int found = find(n, r, a[0].s, 0, &begin, &end);
	out->b = found > 0;
	return found >= 0;
}

static bool no_group(struct sql_run *r, int64_t group)
{
	return sql_bad(r, "the pattern has no group %lld", (long long)group);
}

/* The group, or "" where it took no part. */
static bool group_of(const struct sql_node *n, struct sql_run *r, struct str s, int64_t group, struct str *out)
{
	size_t begin, end;
	*out = (struct str){s.data, 0};
	if (group < 0 || group > regex_groups(n->compiled)) return no_group(r, group);
	if (regex_group(match_of(n, r), (unsigned)group, &begin, &end))
		*out = (struct str){s.data + begin, end - begin};
	return true;
}

CALL(regexp_extract)
{
	size_t begin, end;
	int64_t group = n->count > 2 ? a[2].i : 1;
	int found = find(n, r, a[0].s, 0, &begin, &end);
	out->s = (struct str){"", 0};
	return found == 0 || (found > 0 && group_of(n, r, a[0].s, group, &out->s));
}

/* Null where nothing matches, and where the match is empty. */
CALL(regexp_substr)
{
	size_t begin, end;
	int found = find(n, r, a[0].s, 0, &begin, &end);
	out->null = found == 0 || (found > 0 && begin == end);
	if (found > 0) out->s = (struct str){a[0].s.data + begin, end - begin};
	return found >= 0;
}

/* In Java's characters, of which those beyond U+FFFF are two. */
CALL(regexp_instr)
{
	size_t begin, end;
	int found = find(n, r, a[0].s, 0, &begin, &end);
	if (found <= 0) return found == 0;
	out->i = sql_length((struct str){a[0].s.data, begin}) + 1;
	for (size_t i = 0; i < begin; i++) out->i += (unsigned char)a[0].s.data[i] >= 0xf0;
	return true;
}

/* Where to look on behind a match; s.len + 1: nowhere. */
static size_t behind(struct str s, size_t begin, size_t end)
{
	return end > begin ? end : end < s.len ? end + code_length(s, end) : s.len + 1;
}

CALL(regexp_count)
{
	size_t begin, end;
	int found = 0;
	for (size_t from = 0; from <= a[0].s.len; from = behind(a[0].s, begin, end)) {
		if ((found = find(n, r, a[0].s, from, &begin, &end)) <= 0) break;
		out->i++;
	}
	return found >= 0;
}

/* As many digits as still name a group. */
static size_t group_number(const struct sql_node *n, struct str by, size_t at, int64_t *group)
{
	*group = by.data[at++] - '0';
	for (; at < by.len && by.data[at] >= '0' && by.data[at] <= '9'; at++) {
		int64_t longer = *group * 10 + (by.data[at] - '0');
		if (longer > regex_groups(n->compiled)) break;
		*group = longer;
	}
	return at;
}

/* Java's replacement: $1 a group, \ before a character that means itself. */
static bool put_replacement(const struct sql_node *n, struct sql_run *r, struct str s, struct str by)
{
	for (size_t i = 0; i < by.len;) {
		if (by.data[i] == '$') {
			int64_t number;
			struct str group;
			bool digit = i + 1 < by.len && by.data[i + 1] >= '0' && by.data[i + 1] <= '9';
			if (!digit) return sql_bad(r, "in the replacement $ must stand before a group's number");
			i = group_number(n, by, i + 1, &number);
			if (!group_of(n, r, s, number, &group)) return false;
			buf_append(&r->work, group.data, group.len);
			continue;
		}
		if (by.data[i] == '\\' && ++i == by.len) return sql_bad(r, "the replacement ends with \\");
		buf_char(&r->work, by.data[i++]);
	}
	return true;
}

CALL(regexp_replace)
{
	struct str s = a[0].s;
	size_t from = 0, last = 0, begin, end;
	int found = 0;
	int64_t start = n->count > 3 ? a[3].i : 1;
	if (start < 1) return sql_bad(r, "the place to start from must be 1 or more");
	while (--start > 0 && from < s.len) from += code_length(s, from);
	buf_clear(&r->work);
	while (from <= s.len && (found = find(n, r, s, from, &begin, &end)) > 0) {
		buf_append(&r->work, s.data + last, begin - last);
		if (!put_replacement(n, r, s, a[2].s)) return false;
		last = end;
		from = behind(s, begin, end);
	}
	buf_append(&r->work, s.data + last, s.len - last);
	return found >= 0 && sql_worked(r, out);
}

const struct sql_function sql_pattern_functions[] = {
	{"like", "ss:b", like, .form = "% LIKE %"},
	{"like", "sss:b", like, .form = "% LIKE % ESCAPE '%'"},
	{"ilike", "ss?s:b", ilike, .form = "ilike(%, %)"},
	{"like any", "ss*:b", .eval = any_like, .form = "likeany(%)"},
	{"like all", "ss*:b", .eval = all_like, .form = "likeall(%)"},
	{"not like any", "ss*:b", .eval = any_unlike, .form = "notlikeany(%)"},
	{"not like all", "ss*:b", .eval = all_unlike, .form = "notlikeall(%)"},
	{"ilike any", "ss*:b", .eval = any_like, .form = "likeany(lower(%))"},
	{"ilike all", "ss*:b", .eval = all_like, .form = "likeall(lower(%))"},
	{"not ilike any", "ss*:b", .eval = any_unlike, .form = "notlikeany(lower(%))"},
	{"not ilike all", "ss*:b", .eval = all_unlike, .form = "notlikeall(lower(%))"},
	{"rlike", "ss:b", rlike, .bind = bind_regex, .form = "RLIKE(%, %)"},
	{"regexp", "ss:b", rlike, .bind = bind_regex, .form = "REGEXP(~)"},
	{"regexp_like", "ss:b", rlike, .bind = bind_regex, .form = "REGEXP_LIKE(~)"},
	{"regexp_extract", "ss?i:s", regexp_extract, .bind = bind_regex, .lacking = "1"},
	{"regexp_substr", "ss:s", regexp_substr, .bind = bind_regex},
	{"regexp_instr", "ss?i:i", regexp_instr, .bind = bind_regex, .lacking = "0"},
	{"regexp_count", "ss:i", regexp_count, .bind = bind_regex},
	{"regexp_replace", "sss?i:s", regexp_replace, .bind = bind_regex, .lacking = "1"},
	{0},
};
