#include "pipeline/text.h"

#include <utf8proc.h>

enum {
	SIGMA = 0x3a3,
	SIGMA_SMALL = 0x3c3,
	SIGMA_FINAL = 0x3c2,
	I_DOTTED = 0x130,
	I_DOTLESS = 0x131,
	DOT_ABOVE = 0x307,
	CODE_POINT_BYTES_MAX = 4,
};

/* ISO 639-1 languages, as Locale.getAvailableLocales of a JDK knows them; all but Turkish and Azeri lower-case alike. */
static const char languages[] = " af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fo fr fy ga gd gl gu he hi hr "
				"hu hy id in is it iw ja ka kk kl km kn ko ks ku ky lb ln lo lt lv mg mi mk ml mn mr ms mt my nb "
				"ne nl nn no or pa pl ps pt rm ro ru rw sa sd se si sk sl so sq sr sv sw ta te tg th ti tk to tr tt "
				"ug uk ur uz vi wo yi yo zh zu ";

static bool is_language(const char *two)
{
	char word[5] = {' ', two[0], two[1], ' ', 0};
	return strstr(languages, word) != NULL;
}

enum text_locale text_locale_find(struct str name, bool *known)
{
	bool language = name.len >= 2 && is_language(name.data);
	bool with_country = name.len == 5 && (name.data[2] == '_' || name.data[2] == '-') && name.data[3] >= 'A' &&
			    name.data[3] <= 'Z' && name.data[4] >= 'A' && name.data[4] <= 'Z';
	*known = language && (name.len == 2 || with_country);
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

static utf8proc_int32_t code_at(struct str s, size_t i, size_t *bytes)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.data + i, (utf8proc_ssize_t)(s.len - i), &c);
	*bytes = n > 0 ? (size_t)n : 1;
	return n > 0 ? c : 0xfffd;
}

static size_t code_before(struct str s, size_t i)
{
	do i--;
	while (i > 0 && ((unsigned char)s.data[i] & 0xc0) == 0x80);
	return i;
}

static bool is_cased(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);
	return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT ||
	       (c >= 0x2b0 && c <= 0x2b8) || (c >= 0x2c0 && c <= 0x2c1) || (c >= 0x2e0 && c <= 0x2e4) || c == 0x345 ||
	       c == 0x37a || (c >= 0x1d2c && c <= 0x1d61) || (c >= 0x2160 && c <= 0x217f) || (c >= 0x24b6 && c <= 0x24e9);
}

/* Java looks for cased letters around a sigma only as far as the word goes. */
static bool in_word(utf8proc_int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);
	return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO) || k == UTF8PROC_CATEGORY_PC ||
	       k == UTF8PROC_CATEGORY_CF || c == '\'' || c == '.' || c == 0x2019;
}

static bool cased_before(struct str s, size_t i)
{
	while (i > 0) {
		size_t bytes, at = code_before(s, i);
		utf8proc_int32_t c = code_at(s, at, &bytes);
		if (is_cased(c)) return true;
		if (!in_word(c)) return false;
		i = at;
	}
	return false;
}

static bool cased_after(struct str s, size_t i)
{
	while (i < s.len) {
		size_t bytes;
		utf8proc_int32_t c = code_at(s, i, &bytes);
		if (is_cased(c)) return true;
		if (!in_word(c)) return false;
		i += bytes;
	}
	return false;
}

static void put(struct buf *out, utf8proc_int32_t c)
{
	char *to = buf_reserve(out, CODE_POINT_BYTES_MAX);
	if (to) buf_commit(out, (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)to));
}

static bool dot_follows(struct str s, size_t i)
{
	size_t bytes;
	return i < s.len && code_at(s, i, &bytes) == DOT_ABOVE;
}

/* Java's special casing for Turkish and Azeri; true when it handled the code point. */
static bool lower_turkic(struct str s, size_t *i, utf8proc_int32_t c, size_t bytes, struct buf *out)
{
	if (c == I_DOTTED) put(out, 'i');
	else if (c == 'I' && dot_follows(s, *i + bytes)) {
		put(out, 'i');
		bytes += 2; /* the dot itself is dropped */
	} else if (c == 'I') put(out, I_DOTLESS);
	else return false;
	*i += bytes;
	return true;
}

void text_lower(struct str s, enum text_locale locale, struct buf *out)
{
	for (size_t i = 0; i < s.len;) {
		unsigned char byte = (unsigned char)s.data[i];
		if (byte < 0x80 && (locale == TEXT_ROOT || byte != 'I')) {
			buf_char(out, (char)text_lower_ascii(byte));
			i++;
			continue;
		}
		size_t bytes;
		utf8proc_int32_t c = code_at(s, i, &bytes);
		if (locale == TEXT_TURKIC && lower_turkic(s, &i, c, bytes, out)) continue;
		if (c == I_DOTTED) {
			put(out, 'i');
			put(out, DOT_ABOVE);
		} else if (c == SIGMA) put(out, cased_before(s, i) && !cased_after(s, i + bytes) ? SIGMA_FINAL : SIGMA_SMALL);
		else put(out, utf8proc_tolower(c));
		i += bytes;
	}
}
