/* How many logical shards some bytes make, and where each begins. A function of the size alone, so that the same data is cut the
 * same way for any number of workers. */
#ifndef QUERN_DATA_SHARD_H
#define QUERN_DATA_SHARD_H

#include "base/check.h"

#define SHARD_SMALL_BYTES ((uint64_t)4 << 20)  /* of a shard of data below SHARD_LARGE_FROM */
#define SHARD_LARGE_BYTES ((uint64_t)32 << 20) /* of a shard above */
#define SHARD_LARGE_FROM ((uint64_t)256 << 20)
enum { SHARD_SMALL_MAX = 8, SHARD_LARGE_MAX = 256 };

/* At least 1. */
static inline size_t shard_count(uint64_t bytes)
{
	uint64_t each = bytes < SHARD_LARGE_FROM ? SHARD_SMALL_BYTES : SHARD_LARGE_BYTES;
	uint64_t most = bytes < SHARD_LARGE_FROM ? SHARD_SMALL_MAX : SHARD_LARGE_MAX;
	uint64_t n = bytes / each + (bytes % each != 0);
	return (size_t)(n < 1 ? 1 : n > most ? most : n);
}

/* Where shard i of `count` begins (i == count: the end), in bytes or rows. */
static inline uint64_t shard_begin(uint64_t total, size_t count, size_t i)
{
	return (uint64_t)((unsigned __int128)total * i / count);
}

#endif
