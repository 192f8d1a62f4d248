#include "pipeline/java_random.h"

#include "base/hash.h"

#include <math.h>

/* --- The two steps ----------------------------------------------------------------------------------------------- */

#define LCG_MULTIPLIER 0x5DEECE66Du
#define LCG_MASK (((uint64_t)1 << 48) - 1)

static uint32_t lcg_next(struct java_random *r, int bits)
{
	r->state = (r->state * LCG_MULTIPLIER + 0xB) & LCG_MASK;
	return (uint32_t)(r->state >> (48 - bits));
}

struct java_random java_random(uint64_t seed)
{
	return (struct java_random){.next = lcg_next, .state = (seed ^ LCG_MULTIPLIER) & LCG_MASK};
}

static uint32_t xorshift_next(struct java_random *r, int bits)
{
	uint64_t s = r->state;
	s ^= s << 21;
	s ^= s >> 35;
	s ^= s << 4;
	r->state = s;
	return (uint32_t)(s & (((uint64_t)1 << bits) - 1));
}

/* XORShiftRandom.hashSeed, over the seed's bytes with the highest first. */
struct java_random spark_xorshift(uint64_t seed)
{
	enum { SCALA_ARRAY_SEED = 0x3c074a61 };
	unsigned char bytes[sizeof seed];
	for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(seed >> (56 - 8 * i));
	uint32_t low = hash_murmur3(bytes, sizeof bytes, SCALA_ARRAY_SEED);
	uint32_t high = hash_murmur3(bytes, sizeof bytes, low);
	return (struct java_random){.next = xorshift_next, .state = (uint64_t)high << 32 | low};
}

/* --- What java.util.Random makes of the bits --------------------------------------------------------------------- */

int32_t java_next_int(struct java_random *r, int32_t bound)
{
	uint32_t n = (uint32_t)bound, u = r->next(r, 31);
	CHECK(bound > 0);
	if ((n & (n - 1)) == 0) return (int32_t)((uint64_t)n * u >> 31);
	/* The last, incomplete stretch of bound numbers is drawn again. */
	while (u - u % n + (n - 1) > INT32_MAX) u = r->next(r, 31);
	return (int32_t)(u % n);
}

float java_next_float(struct java_random *r) { return (float)r->next(r, 24) * 0x1p-24f; }

double java_next_double(struct java_random *r)
{
	uint64_t high = r->next(r, 26);
	return (double)((high << 27) + r->next(r, 27)) * 0x1p-53;
}

/* StrictMath.log of a normal number in (0, 1), which is fdlibm's log (Sun Microsystems, 1993) to the last bit; the
 * system's differs from it in some last bits. log(2^k (1+f)) = k ln2 + log(1+f), with sqrt(1/2) < 1+f < sqrt(2) and
 * log(1+f) = f - (f²/2 - s (f²/2 + R)), s = f/(2+f), R a polynomial of degree 14 in s. */
static double strict_log(double x)
{
	static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	int32_t top = (int32_t)(bits >> 32 & 0xfffff), k = (int32_t)(bits >> 52) - 1023;
	int32_t up = (top + 0x95f64) & 0x100000;
	k += up >> 20;
	bits = (bits & 0xfffffffffffff) | (uint64_t)(up ^ 0x3ff00000) << 32;
	memcpy(&x, &bits, sizeof x);

	double f = x - 1.0, dk = k;
	if ((0xfffff & (2 + top)) < 3) { /* |f| < 2^-20 */
		double r = f * f * (0.5 - 0.33333333333333333 * f);
		if (f == 0) return dk * ln2_high + dk * ln2_low;
		return k == 0 ? f - r : dk * ln2_high - ((r - dk * ln2_low) - f);
	}
	double s = f / (2.0 + f), z = s * s, w = z * z;
	double odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
	double even = z * (6.666666666666735130e-01 +
			   w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
	double r = even + odd;
	if (((top - 0x6147a) | (0x6b851 - top)) > 0) {
		double half = 0.5 * f * f;
		return k == 0 ? f - (half - s * (half + r)) :
				dk * ln2_high - ((half - (s * (half + r) + dk * ln2_low)) - f);
	}
	return k == 0 ? f - s * (f - r) : dk * ln2_high - ((s * (f - r) - dk * ln2_low) - f);
}

double java_next_gaussian(struct java_random *r)
{
	double x, y, s;
	if (r->has_gaussian) {
		r->has_gaussian = false;
		return r->gaussian;
	}
	do {
		x = 2 * java_next_double(r) - 1;
		y = 2 * java_next_double(r) - 1;
		s = x * x + y * y;
	} while (s >= 1 || s == 0);
	double scale = sqrt(-2 * strict_log(s) / s);
	r->gaussian = y * scale;
	r->has_gaussian = true;
	return x * scale;
}
