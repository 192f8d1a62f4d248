#include "pipeline/sql/sql_decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

sql_int128 sql_pow10(int k)
{
	sql_int128 v = 1;
	while (k-- > 0) v *= 10;
	return v;
}

bool sql_decimal_fits(sql_int128 v, int precision)
{
	sql_int128 bound = sql_pow10(precision);
	return v > -bound && v < bound;
}

sql_int128 sql_decimal_drop(sql_int128 v, int k, bool half_even)
{
	if (k == 0) return v;
	if (k > SQL_DECIMAL_DIGITS) return 0;
	sql_int128 unit = sql_pow10(k), whole = v / unit, rest = v % unit;
	sql_int128 left = rest < 0 ? -rest : rest, other = unit - left;
	bool up = left > other || (left == other && (!half_even || whole % 2 != 0));
	return up ? whole + (v < 0 ? -1 : 1) : whole;
}

bool sql_decimal_rescale(sql_int128 v, int from, int to, sql_int128 *out)
{
	if (to < from) {
		*out = sql_decimal_drop(v, from - to, false);
		return true;
	}
	if (v == 0 || to == from) {
		*out = v;
		return true;
	}
	return to - from <= SQL_DECIMAL_DIGITS && !__builtin_mul_overflow(v, sql_pow10(to - from), out) &&
	       sql_decimal_fits(*out, SQL_DECIMAL_DIGITS);
}

/* A product of 256 bits, the low ones first. */
struct wide {
	uint32_t limb[8];
};

static struct wide wide_product(unsigned __int128 a, unsigned __int128 b)
{
	struct wide w = {0};
	for (int i = 0; i < 4; i++) {
		uint64_t carry = 0, x = (uint32_t)(a >> 32 * i);
		for (int j = 0; j < 4; j++) {
			carry += w.limb[i + j] + x * (uint32_t)(b >> 32 * j);
			w.limb[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		w.limb[i + 4] = (uint32_t)carry;
	}
	return w;
}

static unsigned wide_drop_digit(struct wide *w)
{
	uint64_t rest = 0;
	for (int i = 8; i-- > 0;) {
		rest = rest << 32 | w->limb[i];
		w->limb[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
	return (unsigned)rest;
}

bool sql_decimal_multiply(sql_int128 a, sql_int128 b, int drop, sql_int128 *out)
{
	if (!__builtin_mul_overflow(a, b, out)) {
		*out = sql_decimal_drop(*out, MIN(drop, SQL_DECIMAL_DIGITS + 1), false);
		return true;
	}
	struct wide w = wide_product((unsigned __int128)(a < 0 ? -a : a), (unsigned __int128)(b < 0 ? -b : b));
	unsigned last = 0;
	for (; drop > 0; drop--) last = wide_drop_digit(&w);
	if (w.limb[4] | w.limb[5] | w.limb[6] | w.limb[7] | w.limb[3] >> 31) return false;
	sql_int128 v = 0;
	for (int i = 4; i-- > 0;) v = v << 32 | w.limb[i];
	v += last >= 5;
	*out = (a < 0) != (b < 0) ? -v : v;
	return sql_decimal_fits(*out, SQL_DECIMAL_DIGITS);
}

/* Long division, a digit at a time behind the point, so that nothing but the quotient can grow too long. */
bool sql_decimal_divide(sql_int128 a, int scale_a, sql_int128 b, int scale_b, int to, sql_int128 *out)
{
	bool negative = (a < 0) != (b < 0);
	int more = to + scale_b - scale_a;
	sql_int128 over = a < 0 ? -a : a, under = b < 0 ? -b : b;
	for (; more < 0; more++)
		if (__builtin_mul_overflow(under, (sql_int128)10, &under)) return *out = 0, true;
	sql_int128 whole = over / under, rest = over % under;
	for (; more > 0; more--) {
		sql_int128 next;
		if (__builtin_mul_overflow(rest, (sql_int128)10, &next) ||
		    __builtin_mul_overflow(whole, (sql_int128)10, &whole))
			return false;
		whole += next / under;
		rest = next % under;
	}
	whole += rest >= under - rest;
	*out = negative ? -whole : whole;
	return sql_decimal_fits(*out, SQL_DECIMAL_DIGITS);
}

/* --- Text -------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The exponent behind e or E, and where it begins; false: it is malformed. */
static bool split_exponent(struct str *text, int64_t *exponent)
{
	*exponent = 0;
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] != 'e' && text->data[i] != 'E') continue;
		struct str tail = {text->data + i + 1, text->len - i - 1};
		text->len = i;
		return str_to_i64(tail, exponent) && *exponent > -100000 && *exponent < 100000;
	}
	return true;
}

/* Digits beyond the 38th are dropped; the first of them still rounds where no other digit has to go. */
bool sql_decimal_parse(struct str text, int scale, sql_int128 *out)
{
	const sql_int128 full = sql_pow10(SQL_DECIMAL_DIGITS - 1);
	int64_t exponent;
	if (!split_exponent(&text, &exponent)) return false;
	size_t i = text.len && (text.data[0] == '-' || text.data[0] == '+');
	bool negative = i && text.data[0] == '-', point = false, any = false, cut = false;
	sql_int128 v = 0;
	char next = '0';
	for (; i < text.len; i++) {
		char c = text.data[i];
		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(c)) return false;
		any = true;
		if (v < full) {
			v = v * 10 + (c - '0');
			exponent -= point;
			continue;
		}
		if (!cut) next = c;
		cut = true;
		exponent += !point;
	}
	int64_t shift = v ? exponent + scale : 0;
	if (!any || shift > SQL_DECIMAL_DIGITS) return false;
	if (shift > 0 && __builtin_mul_overflow(v, sql_pow10((int)shift), &v)) return false;
	if (shift < 0) v = sql_decimal_drop(v, (int)MIN(-shift, (int64_t)SQL_DECIMAL_DIGITS + 1), false);
	if (shift == 0) v += next >= '5';
	*out = negative ? -v : v;
	return sql_decimal_fits(*out, SQL_DECIMAL_DIGITS);
}

size_t sql_decimal_text(sql_int128 v, int scale, char out[SQL_DECIMAL_TEXT])
{
	char digits[SQL_DECIMAL_TEXT];
	size_t n = 0, at = 0;
	bool negative = v < 0;
	do {
		int d = (int)(v % 10);
		digits[n++] = (char)('0' + abs(d));
		v /= 10;
	} while (v != 0 || n <= (size_t)scale);
	if (negative) out[at++] = '-';
	while (n > 0) {
		if (n == (size_t)scale) out[at++] = '.';
		out[at++] = digits[--n];
	}
	return at;
}

double sql_decimal_double(sql_int128 v, int scale)
{
	char text[SQL_DECIMAL_TEXT];
	double d = 0;
	(void)str_to_double((struct str){text, sql_decimal_text(v, scale, text)}, &d);
	return d;
}

/* --- Doubles ----------------------------------------------------------------------------------------------------- */

void sql_double_digits(double v, int64_t *digits, int *exponent)
{
	char text[STR_NUMBER_MAX];
	size_t n = str_from_double_java(v, text), i = text[0] == '-';
	int64_t d = 0;
	int e = 0;
	bool point = false;
	for (; i < n && text[i] != 'E'; i++) {
		if (text[i] == '.') {
			point = true;
			continue;
		}
		d = d * 10 + (text[i] - '0');
		e -= point;
	}
	int64_t written = 0;
	if (i < n) (void)str_to_i64((struct str){text + i + 1, n - i - 1}, &written);
	*digits = text[0] == '-' ? -d : d;
	*exponent = e + (int)written;
}

double sql_double_round(double v, int scale, bool half_even)
{
	int64_t digits;
	int exponent;
	if (!isfinite(v)) return v;
	if (v == 0) return 0;
	sql_double_digits(v, &digits, &exponent);
	int64_t drop = -(int64_t)exponent - scale;
	if (drop <= 0) return v;
	int64_t kept = (int64_t)sql_decimal_drop(digits, (int)MIN(drop, (int64_t)SQL_DECIMAL_DIGITS + 1), half_even);
	if (kept == 0) return 0;
	char text[2 * STR_NUMBER_MAX];
	int n = snprintf(text, sizeof text, "%llde%d", (long long)kept, -scale);
	double out = v;
	(void)str_to_double((struct str){text, (size_t)n}, &out);
	return out;
}

bool sql_integer_round(int64_t v, int scale, bool half_even, int64_t *out)
{
	if (scale < -SQL_DECIMAL_DIGITS) return *out = 0, true;
	sql_int128 r = sql_decimal_drop(v, -scale, half_even);
	if (__builtin_mul_overflow(r, sql_pow10(-scale), &r)) return false;
	*out = (int64_t)r;
	return *out == r;
}
