#include "pipeline/text.h"

#include "pipeline/text_special.h"
#include "pipeline/words.h"

#include <utf8proc.h>

enum {
	SIGMA = 0x3a3,
	SIGMA_SMALL = 0x3c3,
	SIGMA_FINAL = 0x3c2,
	I_DOTTED = 0x130,
	I_DOTLESS = 0x131,
	DOT_ABOVE = 0x307,
	SOFT_HYPHEN = 0xad,
	BEYOND_BASIC_PLANE = 0x10000,
	CLASS_ABOVE = 230, /* combining class of marks above the letter */
	CODE_POINT_BYTES_MAX = 4,
};

bool text_locale_known(struct str name)
{
	struct str text = words_text("locales.txt"), line;
	while (words_line(&text, &line))
		if (!(line.len && line.data[0] == '#') && str_eq(line, name)) return true;
	return false;
}

enum text_locale text_locale_find(struct str name)
{
	if (str_is(name, "lt")) return TEXT_LITHUANIAN;
	return str_is(name, "tr") || str_is(name, "az") ? TEXT_TURKIC : TEXT_ROOT;
}

bool text_is_ascii(struct str s)
{
	uint64_t seen = 0, word;
	size_t i = 0;
	for (; i + 8 <= s.len; i += 8) {
		memcpy(&word, s.data + i, 8);
		seen |= word;
	}
	for (; i < s.len; i++) seen |= (unsigned char)s.data[i];
	return (seen & 0x8080808080808080u) == 0;
}

/* Byte by byte in words of eight: adding 0x3f carries into the high bit from 'A' on, 0x25 from beyond 'Z' on. */
bool text_is_lower_ascii(struct str s)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t seen = 0, word;
	size_t i = 0;
	for (; i + 8 <= s.len; i += 8) {
		memcpy(&word, s.data + i, 8);
		uint64_t low = word & ~high;
		seen |= word | ((low + 0x3f * ones) & ~(low + 0x25 * ones));
	}
	for (; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		seen |= text_lower_ascii(c) != c ? high : c;
	}
	return (seen & high) == 0;
}

typedef unsigned char bytes16 __attribute__((vector_size(16)));

bool text_copy_lower_ascii(struct str s, unsigned char *to)
{
	bytes16 seen = {0}, v;
	uint64_t halves[2];
	unsigned char rest = 0;
	size_t i = 0;
	for (; i + sizeof v <= s.len; i += sizeof v) {
		memcpy(&v, s.data + i, sizeof v);
		seen |= v;
		v += (bytes16)((bytes16)(v - 'A') <= 25) & 32;
		memcpy(to + i, &v, sizeof v);
	}
	for (; i < s.len; i++) {
		rest |= (unsigned char)s.data[i];
		to[i] = text_lower_ascii((unsigned char)s.data[i]);
	}
	memcpy(halves, &seen, sizeof halves);
	return ((halves[0] | halves[1]) & 0x8080808080808080u) == 0 && rest < 0x80;
}

size_t text_utf16_length(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		n += (c & 0xc0) != 0x80;
		n += c >= 0xf0;
	}
	return n;
}

/* --- Code points --------------------------------------------------------------------------------------------- */

/* The code point at i, which moves behind it. */
static utf8proc_int32_t next_code(struct str s, size_t *i)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n =
		utf8proc_iterate((const utf8proc_uint8_t *)s.data + *i, (utf8proc_ssize_t)(s.len - *i), &c);
	*i += n > 0 ? (size_t)n : 1;
	return n > 0 ? c : 0xfffd;
}

/* The code point before i > 0, which moves to its start. */
static utf8proc_int32_t previous_code(struct str s, size_t *i)
{
	do (*i)--;
	while (*i > 0 && ((unsigned char)s.data[*i] & 0xc0) == 0x80);
	size_t at = *i;
	return next_code(s, &at);
}

static void put(struct buf *out, utf8proc_int32_t c)
{
	char *to = buf_reserve(out, CODE_POINT_BYTES_MAX);
	if (to) buf_commit(out, (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)to));
}

static int combining_class(utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; }

/* --- Final sigma -------------------------------------------------------------------------------------------------- */

/* Java writes a capital sigma as a final one when a cased letter stands before it and none after it within the word,
 * where the word is what java.text.BreakIterator takes for one: letters, digits, and single marks such as - ' . between
 * two letters or two digits; combining and format characters are passed over. Sources:
 * java.lang.ConditionalSpecialCasing, the word rules of sun.text.resources.BreakIteratorRules (facts of JDK 17). */

static bool is_cased(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);
	return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT ||
	       (c >= 0x2b0 && c <= 0x2b8) || (c >= 0x2c0 && c <= 0x2c1) || (c >= 0x2e0 && c <= 0x2e4) || c == 0x345 ||
	       c == 0x37a || (c >= 0x1d2c && c <= 0x1d61) || (c >= 0x2160 && c <= 0x217f) ||
	       (c >= 0x24b6 && c <= 0x24e9);
}

enum word_class { WORD_OTHER, WORD_LETTER, WORD_DIGIT, WORD_MARK, WORD_FORMAT };

static bool is_ideograph_or_kana(utf8proc_int32_t c)
{
	return c == 0x3005 || (c >= 0x3041 && c <= 0x309e) || (c >= 0x30a1 && c <= 0x30fe) ||
	       (c >= 0x3400 && c <= 0x4db5) || (c >= 0x4e00 && c <= 0x9fa5) || (c >= 0xf900 && c <= 0xfa6a);
}

static enum word_class word_class(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);
	if (k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_ME) return WORD_MARK;
	if (k == UTF8PROC_CATEGORY_CF) return c == SOFT_HYPHEN ? WORD_OTHER : WORD_FORMAT;
	if (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO) return WORD_DIGIT;
	bool letter = (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) || k == UTF8PROC_CATEGORY_MC;
	return letter && !is_ideograph_or_kana(c) ? WORD_LETTER : WORD_OTHER;
}

static bool is_word(enum word_class k) { return k == WORD_LETTER || k == WORD_DIGIT; }

/* May c stand between two characters of class k? */
static bool is_inside(utf8proc_int32_t c, enum word_class k)
{
	utf8proc_category_t category = utf8proc_category(c);
	bool both = c == '"' || c == '\'' || c == '.';
	if (k == WORD_DIGIT) return both || c == ',' || c == 0x66b;
	return both || c == SOFT_HYPHEN || c == 0x2027 || category == UTF8PROC_CATEGORY_PD ||
	       category == UTF8PROC_CATEGORY_PC;
}

/* The nearest code point before / after i that is no format character, and with `marks` no combining mark; 0 at the
 * end. */
static utf8proc_int32_t before(struct str s, size_t *i, bool marks)
{
	while (*i > 0) {
		utf8proc_int32_t c = previous_code(s, i);
		enum word_class k = word_class(c);
		if (k != WORD_FORMAT && !(marks && k == WORD_MARK)) return c;
	}
	return 0;
}

static utf8proc_int32_t after(struct str s, size_t *i)
{
	while (*i < s.len) {
		utf8proc_int32_t c = next_code(s, i);
		if (word_class(c) != WORD_FORMAT) return c;
	}
	return 0;
}

/* Does a word go on from what stands before i to what stands after it? */
static bool word_goes_on(struct str s, size_t i)
{
	size_t left = i, near = i, right = i;
	utf8proc_int32_t x = before(s, &left, true), y = after(s, &right), mark = before(s, &near, false);
	enum word_class kx = word_class(x), ky = word_class(y);
	if (!is_word(kx))
		return is_word(ky) && x == mark && is_inside(x, ky) && word_class(before(s, &left, true)) == ky;
	if (ky == WORD_OTHER) return is_inside(y, kx) && word_class(after(s, &right)) == kx;
	return x < BEYOND_BASIC_PLANE || !is_word(ky); /* where Java's iterator always breaks */
}

static bool cased_before(struct str s, size_t i)
{
	while (i > 0 && word_goes_on(s, i))
		if (is_cased(previous_code(s, &i))) return true;
	return false;
}

static bool cased_after(struct str s, size_t i)
{
	while (i < s.len && word_goes_on(s, i))
		if (is_cased(next_code(s, &i))) return true;
	return false;
}

/* --- Languages with a dot to mind ---------------------------------------------------------------------------- */

/* A dot above follows, with nothing between but marks that leave the place above free. */
static bool dot_follows(struct str s, size_t i)
{
	while (i < s.len) {
		utf8proc_int32_t c = next_code(s, &i);
		int k = combining_class(c);
		if (c == DOT_ABOVE) return true;
		if (k == 0 || k == CLASS_ABOVE) return false;
	}
	return false;
}

static bool capital_i_precedes(struct str s, size_t i)
{
	while (i > 0) {
		utf8proc_int32_t c = previous_code(s, &i);
		int k = combining_class(c);
		if (c == 'I') return true;
		if (k == 0 || k == CLASS_ABOVE) return false;
	}
	return false;
}

static bool mark_above_follows(struct str s, size_t i)
{
	while (i < s.len) {
		int k = combining_class(next_code(s, &i));
		if (k == CLASS_ABOVE) return true;
		if (k == 0) return false;
	}
	return false;
}

/* The code point c of s in [at, end): true when it was one that the language lower-cases in its own way. */
static bool lower_turkic(struct str s, size_t at, size_t end, utf8proc_int32_t c, struct buf *out)
{
	if (c == I_DOTTED) put(out, 'i');
	else if (c == 'I' && !dot_follows(s, end)) put(out, I_DOTLESS);
	else return c == DOT_ABOVE && capital_i_precedes(s, at); /* the i made of it has the dot */
	return true;
}

static bool lower_lithuanian(struct str s, size_t at, size_t end, utf8proc_int32_t c, struct buf *out)
{
	static const struct {
		utf8proc_int32_t from, letter, accent;
	} rows[] = {{'I', 'i', 0},      {'J', 'j', 0},      {0x12e, 0x12f, 0},
		    {0xcc, 'i', 0x300}, {0xcd, 'i', 0x301}, {0x128, 'i', 0x303}};
	(void)at;
	for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
		if (rows[k].from != c || (!rows[k].accent && !mark_above_follows(s, end))) continue;
		put(out, rows[k].letter);
		put(out, DOT_ABOVE);
		if (rows[k].accent) put(out, rows[k].accent);
		return true;
	}
	return false;
}

static bool (*const lower_own[])(struct str s, size_t at, size_t end, utf8proc_int32_t c, struct buf *out) = {
	[TEXT_TURKIC] = lower_turkic,
	[TEXT_LITHUANIAN] = lower_lithuanian,
};

/* --- Lower case ---------------------------------------------------------------------------------------------- */

static size_t ascii_run(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && (unsigned char)s[n] < 0x80) n++;
	return n;
}

static void lower_ascii_run(const char *s, size_t n, struct buf *out)
{
	char *to = buf_reserve(out, n);
	if (!to) return;
	for (size_t i = 0; i < n; i++) to[i] = (char)text_lower_ascii((unsigned char)s[i]);
	buf_commit(out, n);
}

static void lower_code(struct str s, size_t at, size_t end, utf8proc_int32_t c, struct buf *out)
{
	if (c == I_DOTTED) {
		put(out, 'i');
		put(out, DOT_ABOVE);
	} else if (c == SIGMA) put(out, cased_before(s, at) && !cased_after(s, end) ? SIGMA_FINAL : SIGMA_SMALL);
	else put(out, utf8proc_tolower(c));
}

void text_lower(struct str s, enum text_locale locale, struct buf *out)
{
	size_t i = 0;
	while (i < s.len) {
		size_t run = locale == TEXT_ROOT ? ascii_run(s.data + i, s.len - i) : 0;
		lower_ascii_run(s.data + i, run, out);
		i += run;
		if (i == s.len) break;
		size_t at = i;
		utf8proc_int32_t c = next_code(s, &i);
		if (locale == TEXT_ROOT || !lower_own[locale](s, at, i, c, out)) lower_code(s, at, i, c, out);
	}
}

bool text_of_cell(const struct column *c, size_t i, char number[STR_NUMBER_MAX], struct str *out)
{
	if (!column_valid(c, i)) return false;
	switch (c->type) {
	case COL_STRING: *out = column_str_at(c, i); break;
	case COL_BOOLEAN: *out = STR(c->u8[i] ? "true" : "false"); break;
	case COL_INT64: *out = (struct str){number, str_from_i64(c->i64[i], number)}; break;
	default: *out = (struct str){number, str_from_double_java(c->f64[i], number)}; break;
	}
	return true;
}

/* --- Upper case ---------------------------------------------------------------------------------------------- */

static const struct text_special *special(utf8proc_int32_t c)
{
	size_t low = 0, high = ARRAY_COUNT(text_specials);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (text_specials[middle].code < c) low = middle + 1;
		else high = middle;
	}
	return low < ARRAY_COUNT(text_specials) && text_specials[low].code == c ? &text_specials[low] : NULL;
}

static void put_special(const int32_t codes[TEXT_SPECIAL_MAX], struct buf *out)
{
	for (size_t k = 0; k < TEXT_SPECIAL_MAX && codes[k]; k++) put(out, codes[k]);
}

void text_upper(struct str s, struct buf *out)
{
	size_t i = 0;
	while (i < s.len) {
		utf8proc_int32_t c = next_code(s, &i);
		const struct text_special *several = c < 0x80 ? NULL : special(c);
		if (several) put_special(several->upper, out);
		else put(out, c < 0x80 ? c - (c >= 'a' && c <= 'z') * 32 : utf8proc_toupper(c));
	}
}

void text_capitalize(struct str s, struct buf *out)
{
	bool first = true;
	size_t i = 0;
	while (i < s.len) {
		utf8proc_int32_t c = next_code(s, &i);
		const struct text_special *several = first ? special(c) : NULL;
		if (several) put_special(several->title, out);
		else put(out, first ? utf8proc_totitle(c) : c);
		first = c == ' ';
	}
}

int32_t text_first_code(struct str s)
{
	size_t i = 0;
	return s.len ? next_code(s, &i) : 0;
}
