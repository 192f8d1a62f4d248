/* Hashes with a fixed meaning. xxh3 guards stored bytes (not a security hash); murmur3 is Spark's feature hash and is
 * in the hot path, so it is inline; sha256 identifies request bodies and checkpoints; the others are functions of SQL. */
#ifndef QUERN_BASE_HASH_H
#define QUERN_BASE_HASH_H

#include "base/check.h"

#include <string.h>

uint64_t hash_xxh3(const void *p, size_t len);
enum { HASH_SHA256_SIZE = 32, HASH_SHA256_HEX = 65 };
void hash_sha256(const void *p, size_t len, unsigned char out[HASH_SHA256_SIZE]);
void hash_sha256_hex(const void *p, size_t len, char out[HASH_SHA256_HEX]);

/* XXH64, as SQL's xxhash64 chains it: the hash so far is the next one's seed. */
uint64_t hash_xxh64(const void *p, size_t len, uint64_t seed);
enum hash_digest { HASH_MD5, HASH_SHA1, HASH_SHA224, HASH_SHA256, HASH_SHA384, HASH_SHA512 };
enum { HASH_DIGEST_HEX_MAX = 129 };
/* In hexadecimal, with a NUL; gives its length. */
size_t hash_digest_hex(enum hash_digest kind, const void *p, size_t len, char out[HASH_DIGEST_HEX_MAX]);

static inline uint32_t hash_rotl32(uint32_t x, int r) { return (x << r) | (x >> (32 - r)); }

static inline uint32_t hash_murmur3_mix(uint32_t h, uint32_t k)
{
	k *= 0xcc9e2d51u;
	k = hash_rotl32(k, 15);
	k *= 0x1b873593u;
	h ^= k;
	h = hash_rotl32(h, 13);
	return h * 5 + 0xe6546b64u;
}

static inline uint32_t hash_murmur3_end(uint32_t h, size_t len)
{
	h ^= (uint32_t)len;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	return h ^ (h >> 16);
}

/* The last len % 4 bytes as a number, without a branch on how many they are: terms of every length come in any order. */
static inline uint32_t hash_murmur3_rest(const unsigned char *b, size_t len)
{
	uint32_t last;
	if (len >= 4) {
		memcpy(&last, b + len - 4, 4);
		return (uint32_t)((uint64_t)last >> (32 - 8 * (len & 3)));
	}
	return len == 0 ? 0 : b[0] | (uint32_t)b[len / 2] << 8 * (len / 2) | (uint32_t)b[len - 1] << 8 * (len - 1);
}

/* MurmurHash3_x86_32 (Austin Appleby, public domain algorithm), as Spark 3+ hashUnsafeBytes2. */
static inline uint32_t hash_murmur3(const void *p, size_t len, uint32_t seed)
{
	const unsigned char *b = p;
	uint32_t h = seed, k;
	size_t n = len & ~(size_t)3;
	for (size_t i = 0; i < n; i += 4) {
		memcpy(&k, b + i, 4);
		h = hash_murmur3_mix(h, k);
	}
	k = hash_murmur3_rest(b, len) * 0xcc9e2d51u;
	h ^= hash_rotl32(k, 15) * 0x1b873593u;
	return hash_murmur3_end(h, len);
}

/* The same but for the last len % 4 bytes, each mixed as a signed number of its own: Spark 2's hash, and SQL's of texts to
 * this day (hashUnsafeBytes). */
uint32_t hash_murmur3_bytewise(const void *p, size_t len, uint32_t seed);

/* The hash as a signed number, mod n, never negative. */
static inline uint32_t hash_bucket(uint32_t hash, uint32_t n)
{
	if ((n & (n - 1)) == 0) return hash & (n - 1);
	int64_t r = (int64_t)(int32_t)hash % (int64_t)n;
	return (uint32_t)(r < 0 ? r + n : r);
}

#endif
