/* Java's escapes: characters by name and number, classes by letter and by property. */
#include "pipeline/regex_scan.h"

#include <stdio.h>
#include <strings.h>

enum { NAME_BYTES_MAX = 64, CONTROL_BIT = 64 };

/* --- Classes of ASCII, and others that are plain ranges ------------------------------------------------------ */

struct ranged {
	const char *name;
	size_t count;
	struct regex_range ranges[10];
};

#define RANGES_D {'0', '9'}
#define RANGES_S {'\t', '\r'}, {' ', ' '}
#define RANGES_W {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}

static const struct ranged letters[] = {
	{"d", 1, {RANGES_D}},
	{"s", 2, {RANGES_S}},
	{"w", 4, {RANGES_W}},
	{"h", 9,
	 {{'\t', '\t'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200a},
	  {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}}},
	{"v", 3, {{'\n', '\r'}, {0x85, 0x85}, {0x2028, 0x2029}}},
};

static const struct ranged named_ranges[] = {
	{"Lower", 1, {{'a', 'z'}}},
	{"Upper", 1, {{'A', 'Z'}}},
	{"ASCII", 1, {{0, 127}}},
	{"Alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
	{"Digit", 1, {RANGES_D}},
	{"Alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
	{"Punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
	{"Graph", 1, {{'!', '~'}}},
	{"Print", 1, {{' ', '~'}}},
	{"Blank", 2, {{'\t', '\t'}, {' ', ' '}}},
	{"Cntrl", 2, {{0, 31}, {127, 127}}},
	{"XDigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
	{"Space", 2, {RANGES_S}},
	{"L1", 1, {{0, 0xff}}},
	{"all", 1, {{0, CODE_POINT_MAX}}},
};

/* --- Classes of Unicode -------------------------------------------------------------------------------------- */

#define UNICODE_WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}"

/* Names behind Is, and what POSIX names and letters mean under (?U). */
static const struct {
	const char *name, *pcre;
} named_unicode[] = {
	{"ALPHABETIC", "\\p{Alphabetic}"},
	{"IDEOGRAPHIC", "\\p{Ideographic}"},
	{"LETTER", "\\p{L}"},
	{"LOWERCASE", "\\p{Lowercase}"},
	{"UPPERCASE", "\\p{Uppercase}"},
	{"TITLECASE", "\\p{Lt}"},
	{"PUNCTUATION", "\\p{P}"},
	{"CONTROL", "\\p{Cc}"},
	{"WHITE_SPACE", "\\p{White_Space}"},
	{"DIGIT", "\\p{Nd}"},
	{"HEX_DIGIT", "\\p{Nd}\\p{Hex_Digit}"},
	{"JOIN_CONTROL", "\\p{Join_Control}"},
	{"NONCHARACTER_CODE_POINT", "\\p{Noncharacter_Code_Point}"},
	{"ASSIGNED", "\\P{Cn}"},
	{"WORD", UNICODE_WORD},
	{"LC", "\\p{L&}"},
	{"LD", "\\p{L}\\p{Nd}"},
	{"ALPHA", "\\p{Alphabetic}"},
	{"LOWER", "\\p{Lowercase}"},
	{"UPPER", "\\p{Uppercase}"},
	{"SPACE", "\\p{White_Space}"},
	{"PUNCT", "\\p{P}"},
	{"CNTRL", "\\p{Cc}"},
	{"ALNUM", "\\p{Alphabetic}\\p{Nd}"},
	{"BLANK", "\\p{Zs}\\t"},
	{"XDIGIT", "\\p{Nd}\\p{Hex_Digit}"},
};

static const struct {
	const char *letter, *pcre;
} unicode_letters[] = {{"d", "\\p{Nd}"}, {"s", "\\p{White_Space}"}, {"w", UNICODE_WORD}};

static void add_unicode(struct regex_piece *out, const char *pcre, bool negated)
{
	struct regex_piece one;
	piece_init(&one);
	piece_unknown(&one, pcre);
	if (negated) piece_negate(&one);
	piece_unite(out, &one);
}

bool scan_class_escape(struct regex_scan *s, int letter, struct regex_piece *out)
{
	bool negated = letter >= 'A' && letter <= 'Z';
	char name = (char)(negated ? letter + 32 : letter);
	for (size_t i = 0; s->flags & FLAG_W && i < ARRAY_COUNT(unicode_letters); i++)
		if (unicode_letters[i].letter[0] == name) {
			add_unicode(out, unicode_letters[i].pcre, negated);
			return true;
		}
	for (size_t i = 0; i < ARRAY_COUNT(letters); i++)
		if (letters[i].name[0] == name) {
			piece_ranges(out, letters[i].ranges, letters[i].count, negated);
			return true;
		}
	return false;
}

/* --- Properties ---------------------------------------------------------------------------------------------- */

static bool read_name(struct regex_scan *s, char name[NAME_BYTES_MAX])
{
	if (!scan_take(s, "{")) {
		int c = scan_next(s);
		if (c < 'A' || c > 'z') return scan_refuse(s, "\\p needs a property's name");
		snprintf(name, NAME_BYTES_MAX, "%c", c);
		return true;
	}
	const char *close = memchr(s->p, '}', (size_t)(s->end - s->p));
	if (!close || close == s->p || close - s->p >= NAME_BYTES_MAX)
		return scan_refuse(s, "\\p{…} has no } or no name of sensible length");
	snprintf(name, NAME_BYTES_MAX, "%.*s", (int)(close - s->p), s->p);
	s->p = close + 1;
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
		      strchr("_-= ", *c)))
			return scan_refuse(s, "\\p{%s} is no property", name);
	return true;
}

static bool unicode_named(const char *name, struct regex_piece *out, bool negated)
{
	for (size_t i = 0; i < ARRAY_COUNT(named_unicode); i++)
		if (strcasecmp(name, named_unicode[i].name) == 0) {
			add_unicode(out, named_unicode[i].pcre, negated);
			return true;
		}
	return false;
}

/* PCRE2 knows general categories and scripts by the same names; one that it does not know fails its compilation. */
static bool pcre_named(const char *kind, const char *name, struct regex_piece *out, bool negated)
{
	char text[NAME_BYTES_MAX + 16];
	snprintf(text, sizeof text, "\\%c{%s%s}", negated ? 'P' : 'p', kind, name);
	piece_unknown(out, text);
	return true;
}

static bool is_category(const char *name)
{
	static const char all[] = " L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs "
				  "Zl Zp C Cc Cf Cs Co Cn ";
	char word[NAME_BYTES_MAX + 3];
	snprintf(word, sizeof word, " %s ", name);
	return strstr(all, word) != NULL;
}

/* Under (?i) a case's category is any case's. */
static bool category(const struct regex_scan *s, const char *name, struct regex_piece *out, bool negated)
{
	bool cased = strcmp(name, "Lu") == 0 || strcmp(name, "Ll") == 0 || strcmp(name, "Lt") == 0;
	return pcre_named("", cased && s->flags & FLAG_I ? "L&" : name, out, negated);
}

static bool read_property(struct regex_scan *s, bool negated, struct regex_piece *out)
{
	char name[NAME_BYTES_MAX];
	if (!read_name(s, name)) return false;
	const char *equals = strchr(name, '=');
	if (equals && (strncasecmp(name, "sc=", 3) == 0 || strncasecmp(name, "script=", 7) == 0))
		return pcre_named("sc:", equals + 1, out, negated);
	if (equals && (strncasecmp(name, "gc=", 3) == 0 || strncasecmp(name, "general_category=", 17) == 0))
		return category(s, equals + 1, out, negated);
	if (equals || strncmp(name, "In", 2) == 0)
		return scan_refuse(s, "\\p{%s} is not available; use a script such as \\p{IsGreek}", name);
	if (strncmp(name, "java", 4) == 0)
		return scan_refuse(s, "\\p{%s} is not available; use a category such as \\p{Ll}", name);
	if (strncmp(name, "Is", 2) == 0) {
		if (unicode_named(name + 2, out, negated)) return true;
		return is_category(name + 2) ? category(s, name + 2, out, negated) :
					       pcre_named("sc:", name + 2, out, negated);
	}
	if (s->flags & FLAG_W && strlen(name) > 3 && unicode_named(name, out, negated)) return true;
	bool any_case = s->flags & FLAG_I && (strcmp(name, "Lower") == 0 || strcmp(name, "Upper") == 0);
	for (size_t i = 0; i < ARRAY_COUNT(named_ranges); i++)
		if (strcmp(any_case ? "Alpha" : name, named_ranges[i].name) == 0) {
			piece_ranges(out, named_ranges[i].ranges, named_ranges[i].count, negated);
			return true;
		}
	if (strcmp(name, "LC") == 0 || strcmp(name, "LD") == 0) return unicode_named(name, out, negated);
	return is_category(name) ? category(s, name, out, negated) : scan_refuse(s, "\\p{%s} is no property", name);
}

/* --- Characters by number ------------------------------------------------------------------------------------ */

static int digit_value(int c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

static bool read_hex(struct regex_scan *s, size_t digits, int *c)
{
	*c = 0;
	for (size_t i = 0; i < digits; i++) {
		int v = digit_value(scan_next(s));
		if (v == 16) return scan_refuse(s, "an escape lacks hexadecimal digits");
		*c = *c * 16 + v;
	}
	return true;
}

/* \u: a pair of surrogates written as two escapes is one character. */
static bool read_utf16(struct regex_scan *s, int *c)
{
	int low;
	if (!read_hex(s, 4, c)) return false;
	struct regex_scan ahead = *s;
	if (*c < 0xd800 || *c > 0xdfff) return true;
	if (*c > 0xdbff || !scan_take(&ahead, "\\u") || !read_hex(&ahead, 4, &low) || low < 0xdc00 || low > 0xdfff)
		return scan_refuse(s, "half of a surrogate pair is no character");
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	*s = ahead;
	return true;
}

static bool read_x(struct regex_scan *s, int *c)
{
	if (!scan_take(s, "{")) return read_hex(s, 2, c);
	long v = 0;
	bool any = false;
	for (int d; (d = digit_value(scan_peek(s))) < 16 && v <= CODE_POINT_MAX; any = true) {
		v = v * 16 + d;
		scan_next(s);
	}
	if (!any || v > CODE_POINT_MAX || (v >= 0xd800 && v <= 0xdfff) || !scan_take(s, "}"))
		return scan_refuse(s, "\\x{…} is no character");
	*c = (int)v;
	return true;
}

static bool read_octal(struct regex_scan *s, int *c)
{
	int v = digit_value(scan_peek(s));
	if (v > 7) return scan_refuse(s, "\\0 needs octal digits");
	*c = 0;
	for (size_t i = 0; i < 3 && (v = digit_value(scan_peek(s))) < 8 && *c * 8 + v <= 0377; i++) {
		*c = *c * 8 + v;
		scan_next(s);
	}
	return true;
}

bool scan_escape(struct regex_scan *s, struct regex_piece *out, int *c)
{
	static const char names[] = "tnrfae", values[] = "\t\n\r\f\a\x1b";
	int letter = scan_next(s);
	*c = SCAN_END;
	if (letter == SCAN_END) return scan_refuse(s, "the pattern ends in a backslash");
	if (letter == 'p' || letter == 'P') return read_property(s, letter == 'P', out);
	if (scan_class_escape(s, letter, out)) return true;
	const char *at = letter < 128 ? strchr(names, letter) : NULL;
	if (at && letter) *c = values[at - names];
	else if (letter == 'u') return read_utf16(s, c);
	else if (letter == 'x') return read_x(s, c);
	else if (letter == '0') return read_octal(s, c);
	else if (letter == 'c') {
		letter = scan_next(s);
		if (letter == SCAN_END) return scan_refuse(s, "\\c needs a character");
		*c = letter ^ CONTROL_BIT;
	} else if ((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'))
		return scan_refuse(s, "\\%c is not available here", letter);
	else *c = letter;
	return true;
}
