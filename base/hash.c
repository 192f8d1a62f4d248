#include "base/hash.h"

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

void hash_sha256_hex(const void *p, size_t len, char out[HASH_SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[HASH_SHA256_SIZE];
	hash_sha256(p, len, sum);
	for (int i = 0; i < HASH_SHA256_SIZE; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[HASH_SHA256_HEX - 1] = 0;
}
