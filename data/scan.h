/* Finds the first of up to four bytes, sixteen bytes at a time where the CPU can. This loop is the CSV reader's inner one. */
#ifndef QUERN_DATA_SCAN_H
#define QUERN_DATA_SCAN_H

#include "base/check.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scan_set {
	char byte[4]; /* fewer are filled up with repetitions */
};

/* The first byte of the set in [p, end), or end. Bytes in [end, limit) may be looked at but do not count. */
static inline const char *scan_any(const char *p, const char *end, QN_UNUSED const char *limit, struct scan_set s)
{
#ifdef __SSE2__
	const __m128i a = _mm_set1_epi8(s.byte[0]), b = _mm_set1_epi8(s.byte[1]);
	const __m128i c = _mm_set1_epi8(s.byte[2]), d = _mm_set1_epi8(s.byte[3]);
	for (; p < end && limit - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i ab = _mm_or_si128(_mm_cmpeq_epi8(v, a), _mm_cmpeq_epi8(v, b));
		__m128i cd = _mm_or_si128(_mm_cmpeq_epi8(v, c), _mm_cmpeq_epi8(v, d));
		unsigned hits = (unsigned)_mm_movemask_epi8(_mm_or_si128(ab, cd));
		if (!hits) continue;
		p += __builtin_ctz(hits);
		return p < end ? p : end;
	}
#endif
	for (; p < end; p++)
		if (*p == s.byte[0] || *p == s.byte[1] || *p == s.byte[2] || *p == s.byte[3]) return p;
	return end;
}

#endif
