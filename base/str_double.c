/* Doubles as the shortest decimal text that reads back the same.
 *
 * Raffaello Giulietti, "The Schubfach way to render doubles" (2020): of the decimals inside the rounding interval, the
 * shortest, and of those the closest. The products use 128-bit approximations of powers of ten, rounded up, made once
 * at first use. */
#include "base/str.h"

#include <math.h>
#include <pthread.h>

enum { POW10_MIN = -292, POW10_MAX = 324, BIG_WORDS = 40 };

struct u128 {
	uint64_t hi, lo;
};
static struct u128 pow10_table[POW10_MAX - POW10_MIN + 1];
static pthread_once_t pow10_once = PTHREAD_ONCE_INIT;

/* --- The table: 10^k scaled to 128 bits, rounded up ---------------------------------------------- */

struct big {
	uint32_t word[BIG_WORDS]; /* little end first */
};

static void big_times(struct big *b, uint32_t by)
{
	uint64_t carry = 0;
	for (int i = 0; i < BIG_WORDS; i++) {
		carry += (uint64_t)b->word[i] * by;
		b->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static int big_bits(const struct big *b)
{
	for (int i = BIG_WORDS - 1; i >= 0; i--)
		if (b->word[i]) return 32 * i + 32 - __builtin_clz(b->word[i]);
	return 0;
}

static bool big_bit(const struct big *b, int i) { return i >= 0 && (b->word[i / 32] >> (i % 32) & 1); }

static bool big_less(const struct big *a, const struct big *b)
{
	for (int i = BIG_WORDS - 1; i >= 0; i--)
		if (a->word[i] != b->word[i]) return a->word[i] < b->word[i];
	return false;
}

static void big_subtract(struct big *a, const struct big *b)
{
	int64_t borrow = 0;
	for (int i = 0; i < BIG_WORDS; i++) {
		borrow += (int64_t)a->word[i] - b->word[i];
		a->word[i] = (uint32_t)borrow;
		borrow >>= 32;
	}
}

static struct u128 u128_shift_in(struct u128 v, bool bit)
{
	return (struct u128){v.hi << 1 | v.lo >> 63, v.lo << 1 | bit};
}

static struct u128 u128_up(struct u128 v, bool inexact)
{
	v.lo += inexact;
	v.hi += inexact && v.lo == 0;
	return v;
}

/* The top 128 bits of power. */
static struct u128 scaled(const struct big *power)
{
	int top = big_bits(power);
	struct u128 v = {0, 0};
	for (int i = 1; i <= 128; i++) v = u128_shift_in(v, big_bit(power, top - i));
	bool rest = false;
	for (int i = top - 129; i >= 0 && !rest; i--) rest = big_bit(power, i);
	return u128_up(v, rest);
}

/* The first 128 bits of 1 / power, by long division. */
static struct u128 scaled_inverse(const struct big *power)
{
	struct big rest = {{0}};
	int top = big_bits(power);
	struct u128 v = {0, 0};
	rest.word[(top - 1) / 32] = 1u << ((top - 1) % 32);
	for (int i = 0; i < 128; i++) {
		big_times(&rest, 2);
		bool one = !big_less(&rest, power);
		if (one) big_subtract(&rest, power);
		v = u128_shift_in(v, one);
	}
	return u128_up(v, big_bits(&rest) > 0);
}

static void make_table(void)
{
	struct big power = {{1}};
	for (int k = 0; k <= POW10_MAX; k++) {
		pow10_table[k - POW10_MIN] = scaled(&power);
		if (k > 0 && -k >= POW10_MIN) pow10_table[-k - POW10_MIN] = scaled_inverse(&power);
		big_times(&power, 10);
	}
}

/* --- Schubfach ----------------------------------------------------------------------------------- */

struct decimal {
	uint64_t digits;
	int exponent; /* value = digits · 10^exponent */
};

static int floor_log2_pow10(int e) { return (e * 1741647) >> 19; }

static uint64_t round_to_odd(struct u128 g, uint64_t cp)
{
	unsigned __int128 low = (unsigned __int128)g.lo * cp;
	unsigned __int128 high = (unsigned __int128)g.hi * cp + (uint64_t)(low >> 64);
	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static struct decimal shortest(uint64_t fraction, int biased)
{
	uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
	int q = (biased ? biased : 1) - 1075;
	if (biased && q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) return (struct decimal){c >> -q, 0};
	bool closer = fraction == 0 && biased > 1, odd = c & 1;
	int k = (q * 1262611 - (closer ? 524031 : 0)) >> 22;
	int h = q + floor_log2_pow10(-k) + 1;
	struct u128 g = pow10_table[-k - POW10_MIN];
	uint64_t vbl = round_to_odd(g, (4 * c - 2 + closer) << h);
	uint64_t vb = round_to_odd(g, 4 * c << h);
	uint64_t vbr = round_to_odd(g, (4 * c + 2) << h);
	uint64_t lower = vbl + odd, upper = vbr - odd, s = vb / 4;
	if (s >= 10) {
		uint64_t sp = s / 10;
		bool down = lower <= 40 * sp, up = 40 * sp + 40 <= upper;
		if (down != up) return (struct decimal){sp + up, k + 1};
	}
	bool down = lower <= 4 * s, up = 4 * s + 4 <= upper;
	if (down != up) return (struct decimal){s + up, k};
	uint64_t middle = 4 * s + 2;
	return (struct decimal){s + (vb > middle || (vb == middle && (s & 1))), k};
}

/* Digits without trailing zeros; exponent becomes that of the first digit (d.ddd · 10^e). */
struct rendered {
	char digits[24];
	int count, exponent;
};

static struct rendered render(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	pthread_once(&pow10_once, make_table);
	struct decimal d = shortest(bits & (((uint64_t)1 << 52) - 1), (int)(bits >> 52 & 2047));
	while (d.digits % 10 == 0) {
		d.digits /= 10;
		d.exponent++;
	}
	struct rendered r;
	char text[STR_NUMBER_MAX];
	r.count = (int)str_from_i64((int64_t)d.digits, text);
	memcpy(r.digits, text, (size_t)r.count);
	r.exponent = d.exponent + r.count - 1;
	return r;
}

static char *put_zeros(char *p, int n)
{
	for (; n > 0; n--) *p++ = '0';
	return p;
}

static char *put_digits(char *p, const char *digits, int n)
{
	memcpy(p, digits, (size_t)n);
	return p + n;
}

/* ddd.ddd; min_fraction digits at least behind the point (0: the point may be left out). */
static char *put_plain(char *p, const struct rendered *r, int min_fraction)
{
	int whole = r->exponent + 1;
	if (whole <= 0) {
		p = put_zeros(p, 1);
		*p++ = '.';
		p = put_zeros(p, -whole);
		return put_digits(p, r->digits, r->count);
	}
	p = put_digits(p, r->digits, MIN(whole, r->count));
	p = put_zeros(p, whole - r->count);
	if (r->count <= whole && min_fraction == 0) return p;
	*p++ = '.';
	return r->count > whole ? put_digits(p, r->digits + whole, r->count - whole) : put_zeros(p, min_fraction);
}

static char *put_scientific(char *p, const struct rendered *r, char e, bool need_fraction)
{
	*p++ = r->digits[0];
	if (r->count > 1 || need_fraction) *p++ = '.';
	if (r->count > 1) p = put_digits(p, r->digits + 1, r->count - 1);
	else if (need_fraction) *p++ = '0';
	*p++ = e;
	return p + str_from_i64(r->exponent, p);
}

enum { JSON_PLAIN_BELOW = 21, JSON_PLAIN_FROM = -6, JAVA_PLAIN_BELOW = 7, JAVA_PLAIN_FROM = -3 };

size_t str_from_double(double v, char out[STR_NUMBER_MAX])
{
	char *p = out;
	CHECK(isfinite(v));
	if (signbit(v)) *p++ = '-';
	if (v == 0) return (size_t)(put_zeros(p, 1) - out);
	struct rendered r = render(fabs(v));
	bool plain = r.exponent >= JSON_PLAIN_FROM && r.exponent < JSON_PLAIN_BELOW;
	p = plain ? put_plain(p, &r, 0) : put_scientific(p, &r, 'e', false);
	return (size_t)(p - out);
}

/* Java wants two digits at least and of those the closest. Only of the two smallest doubles is that not the shortest.
 */
static const char *java_word(double magnitude)
{
	if (isnan(magnitude)) return "NaN";
	if (isinf(magnitude)) return "Infinity";
	if (magnitude == 0) return "0.0";
	if (magnitude == 0x1p-1074) return "4.9E-324";
	return magnitude == 0x1p-1073 ? "9.9E-324" : NULL;
}

size_t str_from_double_java(double v, char out[STR_NUMBER_MAX])
{
	char *p = out;
	if (signbit(v) && !isnan(v)) *p++ = '-';
	const char *word = java_word(fabs(v));
	if (word) return (size_t)(put_digits(p, word, (int)strlen(word)) - out);
	struct rendered r = render(fabs(v));
	bool plain = r.exponent >= JAVA_PLAIN_FROM && r.exponent < JAVA_PLAIN_BELOW;
	p = plain ? put_plain(p, &r, 1) : put_scientific(p, &r, 'E', true);
	return (size_t)(p - out);
}
