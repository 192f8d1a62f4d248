/* The generators that Spark's stages draw from, bit for bit: java.util.Random (its documentation states the algorithm),
 * and Spark's XORShiftRandom, which is the same class over another step (Marsaglia's xorshift, its seed scrambled by
 * two rounds of MurmurHash3). One thread at a time; copying the struct copies the sequence. */
#ifndef QUERN_PIPELINE_JAVA_RANDOM_H
#define QUERN_PIPELINE_JAVA_RANDOM_H

#include "base/check.h"

struct java_random {
	uint32_t (*next)(struct java_random *r, int bits); /* that many random bits, 1 to 32 */
	uint64_t state;
	double gaussian; /* the polar method makes two at a time */
	bool has_gaussian;
};

struct java_random java_random(uint64_t seed);   /* new java.util.Random(seed) */
struct java_random spark_xorshift(uint64_t seed); /* new XORShiftRandom(seed) */

int32_t java_next_int(struct java_random *r, int32_t bound); /* in [0, bound), bound > 0 */
float java_next_float(struct java_random *r);                /* in [0, 1) */
double java_next_double(struct java_random *r);              /* in [0, 1) */
double java_next_gaussian(struct java_random *r);

#endif
