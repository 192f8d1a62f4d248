/* Functions of text: places and lengths are in code points, from 1. What they give points into their arguments where it
 * can, else into the run's room. */
#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_text.h"

#include "pipeline/text.h"

#define CALL(name)                                                                                                   \
	static bool name(QN_UNUSED const struct sql_node *n, QN_UNUSED struct sql_run *r, const struct sql_value *a, \
			 struct sql_value *out)

/* --- Case -------------------------------------------------------------------------------------------------------- */

CALL(lower)
{
	buf_clear(&r->work);
	text_lower(a[0].s, TEXT_ROOT, &r->work);
	return sql_worked(r, out);
}
CALL(upper)
{
	buf_clear(&r->work);
	text_upper(a[0].s, &r->work);
	return sql_worked(r, out);
}
CALL(initcap)
{
	struct sql_value low;
	if (!lower(n, r, a, &low)) return false;
	buf_clear(&r->work);
	text_capitalize(low.s, &r->work);
	return sql_worked(r, out);
}

/* --- Lengths and places ------------------------------------------------------------------------------------------ */

CALL(char_length)
{
	return out->i = sql_length(a[0].s), true;
}
CALL(octet_length)
{
	return out->i = (int64_t)a[0].s.len, true;
}
CALL(bit_length)
{
	return out->i = (int64_t)a[0].s.len * 8, true;
}

static int64_t place(struct str s, struct str part, int64_t from)
{
	if (from < 1) return 0;
	if (part.len == 0) return 1;
	size_t at = sql_find(s, part, sql_byte_of(s, from - 1));
	return at > s.len ? 0 : sql_length((struct str){s.data, at}) + 1;
}
CALL(instr)
{
	return out->i = place(a[0].s, a[1].s, 1), true;
}
/* A place to start from that is null is no place: 0, whatever the texts. */
static bool locate(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	struct sql_value part, s, from = {.i = 1};
	if (n->count > 2 && !sql_eval(n->args[2], r, &from)) return false;
	*out = (struct sql_value){0};
	if (from.null) return true;
	if (!sql_eval(n->args[0], r, &part) || !sql_eval(n->args[1], r, &s)) return false;
	out->null = part.null || s.null;
	if (!out->null) out->i = place(s.s, part.s, from.i);
	return true;
}
CALL(contains)
{
	return out->b = sql_find(a[0].s, a[1].s, 0) <= a[0].s.len, true;
}
CALL(startswith)
{
	struct str s = a[0].s, part = a[1].s;
	out->b = part.len <= s.len && str_eq((struct str){s.data, part.len}, part);
	return true;
}
CALL(endswith)
{
	struct str s = a[0].s, part = a[1].s;
	out->b = part.len <= s.len && str_eq((struct str){s.data + (s.len - part.len), part.len}, part);
	return true;
}

/* --- Parts ------------------------------------------------------------------------------------------------------- */

CALL(substring)
{
	return out->s = sql_substring(a[0].s, a[1].i, n->count > 2 ? a[2].i : INT64_MAX), true;
}
CALL(left)
{
	return out->s = sql_slice(a[0].s, 0, a[1].i), true;
}
CALL(right)
{
	int64_t length = sql_length(a[0].s);
	out->s = sql_slice(a[0].s, a[1].i <= 0 ? length : MAX(length - a[1].i, (int64_t)0), INT64_MAX);
	return true;
}

static bool among(struct str set, struct str c)
{
	return sql_find(set, c, 0) <= set.len;
}

static struct str trimmed(struct str s, struct str set, bool head, bool tail)
{
	while (head && s.len) {
		size_t first = sql_byte_of(s, 1);
		if (!among(set, (struct str){s.data, first})) break;
		s = (struct str){s.data + first, s.len - first};
	}
	while (tail && s.len) {
		size_t last = s.len - 1;
		while (last > 0 && !sql_is_start(s.data[last])) last--;
		if (!among(set, (struct str){s.data + last, s.len - last})) break;
		s.len = last;
	}
	return s;
}
/* With two arguments the first one says what to cut. */
static struct str trim(const struct sql_node *n, const struct sql_value *a, bool head, bool tail)
{
	return trimmed(a[n->count - 1].s, n->count > 1 ? a[0].s : STR(" "), head, tail);
}
CALL(both_trim)
{
	return out->s = trim(n, a, true, true), true;
}
CALL(ltrim)
{
	return out->s = trim(n, a, true, false), true;
}
CALL(rtrim)
{
	return out->s = trim(n, a, false, true), true;
}
CALL(btrim)
{
	return out->s = trimmed(a[0].s, n->count > 1 ? a[1].s : STR(" "), true, true), true;
}

/* Up to the count-th separator, from the end below 0. */
CALL(substring_index)
{
	struct str s = a[0].s, sep = a[1].s;
	int64_t count = a[2].i;
	out->s = (struct str){s.data, 0};
	if (count == 0 || sep.len == 0) return true;
	size_t at = count > 0 ? 0 : s.len;
	for (int64_t k = count; k != 0; k += k > 0 ? -1 : 1) {
		size_t found = count > 0 ? sql_find(s, sep, at) : sql_find_last(s, sep, at);
		if (found > s.len) return out->s = s, true;
		at = count > 0 && k > 1 ? found + sep.len : found;
	}
	out->s = count > 0 ? (struct str){s.data, at} : (struct str){s.data + at + sep.len, s.len - at - sep.len};
	return true;
}

static int64_t count_parts(struct str s, struct str sep)
{
	int64_t count = 1;
	for (size_t at = 0; (at = sql_find(s, sep, at)) <= s.len; at += sep.len) count++;
	return count;
}

CALL(split_part)
{
	struct str s = a[0].s, sep = a[1].s;
	int64_t count = sep.len ? count_parts(s, sep) : 1, wanted = a[2].i < 0 ? count + a[2].i : a[2].i - 1;
	size_t from = 0;
	if (a[2].i == 0) return sql_bad(r, "split_part counts from 1, or from -1 backwards; there is no part 0");
	out->s = (struct str){s.data, 0};
	if (wanted < 0 || wanted >= count) return true;
	for (int64_t k = 0; k < wanted; k++) from = sql_find(s, sep, from) + sep.len;
	size_t end = sep.len ? MIN(sql_find(s, sep, from), s.len) : s.len;
	out->s = (struct str){s.data + from, end - from};
	return true;
}

/* --- New text ---------------------------------------------------------------------------------------------------- */

CALL(repeat)
{
	size_t len = a[0].s.len, times = a[1].i > 0 ? (size_t)a[1].i : 0;
	char *room = sql_room(r, times && len > SQL_ROW_TEXT_MAX / times ? SIZE_MAX : len * times);
	if (!room) return false;
	out->s = (struct str){room, len * times};
	for (size_t k = 0; len && k < times; k++) memcpy(room + k * len, a[0].s.data, len);
	return true;
}
CALL(space)
{
	struct sql_value blank[2] = {{.s = STR(" ")}, a[0]};
	return repeat(n, r, blank, out);
}

CALL(reverse)
{
	struct str s = a[0].s;
	char *room = sql_room(r, s.len);
	if (!room) return false;
	out->s = (struct str){room, s.len};
	for (size_t i = 0, end; i < s.len; i = end) {
		for (end = i + 1; end < s.len && !sql_is_start(s.data[end]);) end++;
		memcpy(room + s.len - end, s.data + i, end - i);
	}
	return true;
}

/* Filled up to a length, or cut to it; an empty filling only cuts. */
static bool pad(const struct sql_node *n, struct sql_run *r, const struct sql_value *a, bool before,
		struct sql_value *out)
{
	struct str s = a[0].s, filling = n->count > 2 ? a[2].s : STR(" ");
	int64_t missing = a[1].i - sql_length(s), width = sql_length(filling);
	if (missing <= 0 || width == 0) return out->s = sql_slice(s, 0, a[1].i), true;
	struct sql_value whole, times[2] = {{.s = filling}, {.i = missing / width}};
	if (!repeat(n, r, times, &whole)) return false;
	struct str rest = sql_slice(filling, 0, missing % width), parts[] = {whole.s, rest, s},
		   behind[] = {s, whole.s, rest};
	return sql_put(r, out, before ? parts : behind, 3);
}
CALL(lpad)
{
	return pad(n, r, a, true, out);
}
CALL(rpad)
{
	return pad(n, r, a, false, out);
}

CALL(replace)
{
	struct str s = a[0].s, part = a[1].s, by = n->count > 2 ? a[2].s : (struct str){0};
	size_t from = 0, at;
	if (part.len == 0) return out->s = s, true;
	buf_clear(&r->work);
	for (; (at = sql_find(s, part, from)) <= s.len; from = at + part.len) {
		buf_append(&r->work, s.data + from, at - from);
		buf_append(&r->work, by.data, by.len);
	}
	buf_append(&r->work, s.data + from, s.len - from);
	return sql_worked(r, out);
}

/* Character k of `from` becomes character k of `to`, or nothing where `to` is shorter. */
CALL(translate)
{
	struct str s = a[0].s, from = a[1].s, to = a[2].s;
	buf_clear(&r->work);
	for (size_t i = 0, len; i < s.len; i += len) {
		struct str c = {s.data + i, len = sql_byte_of((struct str){s.data + i, s.len - i}, 1)};
		size_t at = sql_find(from, c, 0);
		int64_t k = at <= from.len ? sql_length((struct str){from.data, at}) : 0;
		if (at <= from.len) c = sql_slice(to, k, k + 1);
		buf_append(&r->work, c.data, c.len);
	}
	return sql_worked(r, out);
}

/* By a length below 0 as much as is put in gives way. Places are Java's ints, which wrap. */
CALL(overlay)
{
	struct str s = a[0].s, by = a[1].s;
	int64_t at = a[2].i, length = n->count > 3 && a[3].i >= 0 ? a[3].i : sql_length(by);
	struct str parts[] = {sql_substring(s, 1, at - 1), by,
			      sql_substring(s, (int32_t)(uint32_t)(at + length), INT32_MAX)};
	return sql_put(r, out, parts, 3);
}

CALL(ascii)
{
	return out->i = text_first_code(a[0].s), true;
}

/* Latin-1, as Java's (char)(n & 0xff). */
CALL(chr)
{
	unsigned c = (unsigned)(a[0].i & 0xff);
	char utf8[2] = {c < 0x80 ? (char)c : (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
	return sql_put(r, out, &(struct str){utf8, a[0].i < 0 ? 0 : c < 0x80 ? 1 : 2}, 1);
}

/* --- CONCAT ------------------------------------------------------------------------------------------------------ */

static struct str *parts_of(struct sql_run *r, size_t count)
{
	return arena_alloc(&r->text, count * sizeof(struct str));
}

/* Null where one is. */
static bool concat(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	struct str *parts = parts_of(r, n->count);
	struct sql_value x;
	for (size_t k = 0; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, &x)) return false;
		if (x.null) return *out = x, true;
		parts[k] = x.s;
	}
	*out = (struct sql_value){0};
	return sql_put(r, out, parts, n->count);
}

/* Nulls are passed over. */
static bool concat_ws(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	struct str *parts = parts_of(r, 2 * n->count);
	struct sql_value sep, x;
	size_t count = 0;
	if (!sql_eval(n->args[0], r, &sep)) return false;
	if (sep.null) return *out = sep, true;
	for (size_t k = 1; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, &x)) return false;
		if (x.null) continue;
		if (count) parts[count++] = sep.s;
		parts[count++] = x.s;
	}
	*out = (struct sql_value){0};
	return sql_put(r, out, parts, count);
}

/* The k-th text, from 1; the others are not looked at. */
static bool elt(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	if (!sql_eval(n->args[0], r, out)) return false;
	if (out->null) return true;
	if (out->i < 1 || (uint64_t)out->i >= n->count)
		return sql_bad(r, "elt has no text %lld, there are %zu", (long long)out->i, n->count - 1);
	return sql_eval(n->args[out->i], r, out);
}

const struct sql_function sql_string_functions[] = {
	{"lower", "s:s", lower},
	{"lcase", "s:s", lower},
	{"upper", "s:s", upper},
	{"ucase", "s:s", upper},
	{"initcap", "s:s", initcap},
	{"length", "s:i", char_length},
	{"len", "s:i", char_length},
	{"char_length", "s:i", char_length},
	{"character_length", "s:i", char_length},
	{"octet_length", "s:i", octet_length},
	{"bit_length", "s:i", bit_length},
	{"instr", "ss:i", instr},
	{"locate", "ss?i:i", .eval = locate, .lacking = "1"},
	{"position", "ss?i:i", .eval = locate, .form = "locate(~)", .lacking = "1"},
	{"contains", "ss:b", contains},
	{"startswith", "ss:b", startswith},
	{"endswith", "ss:b", endswith},
	{"substring", "si?i:s", substring, .lacking = "2147483647"},
	{"substr", "si?i:s", substring, .lacking = "2147483647"},
	{"left", "si:s", left},
	{"right", "si:s", right},
	{"trim", "s:s", both_trim},
	{"trim", "ss:s", both_trim, .form = "TRIM(BOTH % FROM %)"},
	{"ltrim", "s:s", ltrim},
	{"ltrim", "ss:s", ltrim, .form = "TRIM(LEADING % FROM %)"},
	{"rtrim", "s:s", rtrim},
	{"rtrim", "ss:s", rtrim, .form = "TRIM(TRAILING % FROM %)"},
	{"btrim", "s?s:s", btrim},
	{"substring_index", "ssi:s", substring_index},
	{"split_part", "ssi:s", split_part},
	{"repeat", "si:s", repeat},
	{"space", "i:s", space},
	{"reverse", "s:s", reverse},
	{"lpad", "si?s:s", lpad, .lacking = " "},
	{"rpad", "si?s:s", rpad, .lacking = " "},
	{"replace", "ss?s:s", replace, .lacking = ""},
	{"translate", "sss:s", translate},
	{"overlay", "ssi?i:s", overlay, .lacking = "-1"},
	{"ascii", "s:i", ascii},
	{"chr", "l:s", chr},
	{"char", "l:s", chr},
	{"||", "s*:s", .eval = concat, .form = "concat(~)"},
	{"concat", "s*:s", .eval = concat},
	{"concat_ws", "s?s*:s", .eval = concat_ws},
	{"elt", "iss*:s", .eval = elt},
	{0},
};
