/* A checkpoint of any bytes is refused unless its digest is right. With a right digest put behind them, they are
 * refused or are written again to the same bytes. */
#include "tests/fuzz/fuzz.h"

#include "base/hash.h"
#include "trainer/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT((size_t)1 << 26), again = BUF_INIT((size_t)1 << 26);
	unsigned char digest[HASH_SHA256_SIZE];
	struct checkpoint c;
	(void)!checkpoint_decode(data, size, &c);
	buf_append(&whole, data, size);
	hash_sha256(data, size, digest);
	buf_append(&whole, digest, sizeof digest);
	if (checkpoint_decode(whole.data, whole.len, &c)) {
		checkpoint_encode(&c, &again);
		CHECK(again.len == whole.len && memcmp(again.data, whole.data, whole.len) == 0);
	}
	buf_release(&whole);
	buf_release(&again);
	return 0;
}
