#include "pipeline/byte_class.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void byte_class_prepare(struct byte_class *c)
{
	unsigned count = 0;
	for (unsigned at = 0, low; at < 256; at++) {
		if (!c->member[at]) continue;
		low = at;
		while (at < 255 && c->member[at + 1]) at++;
		if (count < BYTE_CLASS_RANGES) {
			c->ranges[count].low = (uint8_t)low;
			c->ranges[count].more = (uint8_t)(at - low);
		}
		count++;
	}
	c->range_count = count <= BYTE_CLASS_RANGES ? count : 0;
}

#ifdef __SSE2__
/* In a range: what is left of low, without sign, is at most `more`. */
static uint64_t by_ranges(const struct byte_class *c, const unsigned char *p)
{
	uint64_t mask = 0;
	for (unsigned b = 0; b < BYTE_CLASS_BLOCK; b += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + b)), in = _mm_setzero_si128();
		for (unsigned k = 0; k < c->range_count; k++) {
			__m128i left = _mm_sub_epi8(v, _mm_set1_epi8((char)c->ranges[k].low));
			in = _mm_or_si128(in, _mm_cmpeq_epi8(_mm_min_epu8(left, _mm_set1_epi8((char)c->ranges[k].more)), left));
		}
		mask |= (uint64_t)(unsigned)_mm_movemask_epi8(in) << b;
	}
	return mask;
}
#endif

uint64_t byte_class_mask(const struct byte_class *c, const unsigned char p[BYTE_CLASS_BLOCK])
{
	uint64_t mask = 0;
#ifdef __SSE2__
	if (c->range_count) return by_ranges(c, p);
#endif
	for (unsigned i = 0; i < BYTE_CLASS_BLOCK; i++) mask |= (uint64_t)c->member[p[i]] << i;
	return mask;
}
