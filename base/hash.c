#include "base/hash.h"

#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <xxhash.h>

uint64_t hash_xxh3(const void *p, size_t len) { return XXH3_64bits(p, len); }

void hash_sha256(const void *p, size_t len, unsigned char out[HASH_SHA256_SIZE])
{
	struct sha256_ctx ctx;
	sha256_init(&ctx);
	sha256_update(&ctx, len, p);
	sha256_digest(&ctx, HASH_SHA256_SIZE, out);
}

static void to_hex(const unsigned char *sum, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[2 * len] = 0;
}

void hash_sha256_hex(const void *p, size_t len, char out[HASH_SHA256_HEX])
{
	unsigned char sum[HASH_SHA256_SIZE];
	hash_sha256(p, len, sum);
	to_hex(sum, sizeof sum, out);
}

size_t hash_digest_hex(enum hash_digest kind, const void *p, size_t len, char out[HASH_DIGEST_HEX_MAX])
{
	static const struct nettle_hash *const kinds[] = {
		[HASH_MD5] = &nettle_md5,       [HASH_SHA1] = &nettle_sha1,     [HASH_SHA224] = &nettle_sha224,
		[HASH_SHA256] = &nettle_sha256, [HASH_SHA384] = &nettle_sha384, [HASH_SHA512] = &nettle_sha512,
	};
	const struct nettle_hash *h = kinds[kind];
	union {
		struct md5_ctx md5;
		struct sha1_ctx sha1;
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;
	} ctx;
	unsigned char sum[SHA512_DIGEST_SIZE];
	CHECK(h->context_size <= sizeof ctx);
	h->init(&ctx);
	h->update(&ctx, len, p);
	h->digest(&ctx, h->digest_size, sum);
	to_hex(sum, h->digest_size, out);
	return 2 * h->digest_size;
}

uint64_t hash_xxh64(const void *p, size_t len, uint64_t seed) { return XXH64(p, len, seed); }

uint32_t hash_murmur3_bytewise(const void *p, size_t len, uint32_t seed)
{
	const signed char *b = p;
	uint32_t h = seed, k;
	size_t n = len & ~(size_t)3;
	for (size_t i = 0; i < n; i += 4) {
		memcpy(&k, b + i, 4);
		h = hash_murmur3_mix(h, k);
	}
	for (size_t i = n; i < len; i++) h = hash_murmur3_mix(h, (uint32_t)(int32_t)b[i]);
	return hash_murmur3_end(h, len);
}
