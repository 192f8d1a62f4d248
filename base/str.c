#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.len, b.len);
	int c = n ? memcmp(a.data, b.data, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }
static bool same_letter(char a, char b) { return lower(a) == lower(b); }

/* Bytes of the sequence that starts at p, 0 when it is not well-formed UTF-8 (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *p, size_t left)
{
	unsigned char c = p[0], lo = 0x80, hi = 0xbf;
	size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	if (n == 0 || n > left) return 0;
	if (c == 0xe0) lo = 0xa0;
	if (c == 0xed) hi = 0x9f;
	if (c == 0xf0) lo = 0x90;
	if (c == 0xf4) hi = 0x8f;
	if (p[1] < lo || p[1] > hi) return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80) return 0;
	return n;
}

size_t str_utf8_prefix(const char *s, size_t len)
{
	if (len == 0) return 0; /* s may be NULL */
	const unsigned char *p = (const unsigned char *)s, *end = p + len;
	while (p < end) {
		uint64_t word;
		while (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) p += 8;
		if (p == end) break;
		if (*p < 0x80) {
			p++;
			continue;
		}
		size_t n = sequence(p, (size_t)(end - p));
		if (n == 0) break;
		p += n;
	}
	return (size_t)(p - (const unsigned char *)s);
}

bool str_utf8_valid(const char *s, size_t len) { return str_utf8_prefix(s, len) == len; }

/* Optimal string alignment: the row above and the one above that are all that a cell looks at. */
size_t str_distance(struct str a, struct str b)
{
	size_t rows[3][STR_DISTANCE_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];
	if (a.len > STR_DISTANCE_MAX || b.len > STR_DISTANCE_MAX) return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++) row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *oldest = before;
		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t changed = above[j - 1] + !same_letter(a.data[i - 1], b.data[j - 1]);
			row[j] = MIN(MIN(above[j], row[j - 1]) + 1, changed);
			bool swapped = i > 1 && j > 1 && same_letter(a.data[i - 1], b.data[j - 2]) &&
				       same_letter(a.data[i - 2], b.data[j - 1]);
			if (swapped) row[j] = MIN(row[j], before[j - 2] + 1);
		}
	}
	return row[b.len];
}

bool str_to_i64(struct str s, int64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;
	bool negative = s.len > 0 && s.data[0] == '-';
	if (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+')) i = 1;
	if (i == s.len) return false;
	for (; i < s.len; i++) {
		unsigned d = (unsigned)(s.data[i] - '0');
		if (d > 9 || __builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)d, &v))
			return false;
	}
	if (v > (uint64_t)INT64_MAX + negative) return false;
	*out = (int64_t)(negative ? 0 - v : v);
	return true;
}

static bool plain_number(struct str s)
{
	bool digit = false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.data[i];
		digit |= c >= '0' && c <= '9';
		if (!((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E')) return false;
	}
	return digit;
}

static const double exact_powers[] = {1e0,  1e1,  1e2,	1e3,  1e4,  1e5,  1e6,	1e7,  1e8,  1e9,  1e10, 1e11,
				      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Up to 15 digits and a power of ten up to 22: both exact doubles, so one operation rounds right (Clinger 1990). */
static bool fast_double(struct str s, double *out)
{
	uint64_t digits = 0;
	int count = 0, fraction = 0;
	size_t i = s.data[0] == '-';
	bool point = false;
	for (; i < s.len; i++) {
		char c = s.data[i];
		if (c == '.' && !point) point = true;
		else if (c >= '0' && c <= '9') {
			digits = digits * 10 + (unsigned)(c - '0');
			if (digits > 0) count++;
			fraction += point;
		} else return false;
	}
	if (count > 15 || fraction > 22) return false;
	double v = (double)digits / exact_powers[fraction];
	*out = s.data[0] == '-' ? -v : v;
	return true;
}

bool str_to_double(struct str s, double *out)
{
	char room[128], *end;
	if (!plain_number(s)) return false;
	if (fast_double(s, out)) return true;
	char *text = s.len < sizeof room ? room : mem_alloc(s.len + 1);
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	double v = strtod(text, &end);
	bool whole = *end == 0;
	if (whole) *out = v;
	if (text != room) mem_free(text);
	return whole;
}

/* Two digits a division: numbers are printed on the hot path. */
size_t str_from_i64(int64_t v, char out[STR_NUMBER_MAX])
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char digits[24], *p = digits + sizeof digits;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	for (; u >= 100; u /= 100) {
		p -= 2;
		memcpy(p, pairs + u % 100 * 2, 2);
	}
	if (u >= 10) {
		p -= 2;
		memcpy(p, pairs + u * 2, 2);
	} else *--p = (char)('0' + u);
	if (v < 0) *--p = '-';
	size_t len = (size_t)(digits + sizeof digits - p);
	memcpy(out, p, len);
	return len;
}

bool str_to_bytes(struct str s, uint64_t *out)
{
	static const struct {
		const char *unit;
		uint64_t size;
	} units[] = {{"", 1},          {"B", 1},           {"KB", 1000},
		     {"MB", 1000000},  {"GB", 1000000000}, {"KiB", 1 << 10},
		     {"MiB", 1 << 20}, {"GiB", 1 << 30},   {"TiB", (uint64_t)1 << 40}};
	size_t n = 0;
	while (n < s.len && s.data[n] >= '0' && s.data[n] <= '9') n++;
	int64_t count;
	if (!str_to_i64((struct str){s.data, n}, &count)) return false;
	struct str unit = {s.data + n, s.len - n};
	for (size_t i = 0; i < ARRAY_COUNT(units); i++)
		if (str_is(unit, units[i].unit)) return !__builtin_mul_overflow((uint64_t)count, units[i].size, out);
	return false;
}
