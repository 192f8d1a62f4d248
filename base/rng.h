/* Quern's own generator, never the system's: SplitMix64 (Steele, Lea, Flood 2014). A value is a function of (seed,
 * index), so a row's draw does not depend on who draws it. Java's generators for Spark's RNG-bound stages come beside
 * it when a stage needs them. */
#ifndef QUERN_BASE_RNG_H
#define QUERN_BASE_RNG_H

#include "base/check.h"

static inline uint64_t rng_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}
static inline uint64_t rng_at(uint64_t seed, uint64_t index) { return rng_mix(rng_mix(seed) ^ index); }
/* Uniform in [0, 1). */
static inline double rng_unit(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }
/* From the kernel; for seeds, tokens and ids. */
void rng_system(void *out, size_t len);

#endif
