/* A container of any bytes is refused with a status below 500, or its pipeline is encoded to bytes that decode and are
 * encoded to the same. So that more than checksums is tried, the bytes come a second time with theirs made right. */
#include "tests/fuzz/fuzz.h"

#include "base/hash.h"
#include "pipeline/pipeline.h"

/* schemas/pipeline/FORMAT.md */
enum { SECTIONS = 12, TOTAL = 16, SUM = 32, TABLE = 40, ALIGN = 64 };
enum { ENTRY = 32, ENTRY_OFFSET = 8, ENTRY_LENGTH = 16, ENTRY_SUM = 24 };

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static void set_word(uint8_t *p, uint64_t v) { memcpy(p, &v, sizeof v); }

static void seal(uint8_t *bytes, size_t size)
{
	uint32_t sections;
	if (size < TABLE) return;
	memcpy(&sections, bytes + SECTIONS, sizeof sections);
	size_t head = (TABLE + (size_t)sections * ENTRY + ALIGN - 1) / ALIGN * ALIGN;
	if (head > size) return;
	for (uint8_t *entry = bytes + TABLE; entry < bytes + TABLE + (size_t)sections * ENTRY; entry += ENTRY) {
		uint64_t offset = word_at(entry + ENTRY_OFFSET), length = word_at(entry + ENTRY_LENGTH);
		if (offset >= head && offset <= size && length <= size - offset)
			set_word(entry + ENTRY_SUM, hash_xxh3(bytes + offset, length));
	}
	set_word(bytes + TOTAL, size);
	set_word(bytes + SUM, 0);
	set_word(bytes + SUM, hash_xxh3(bytes, head));
}

static bool encode_again(const void *bytes, size_t size, struct buf *out)
{
	struct pipeline p;
	struct err e;
	err_init(&e);
	bool ok = pipeline_decode(&p, bytes, size, &e);
	CHECK(ok || (err_is(&e) && err_status(e.code) < 500));
	if (ok) {
		bool encoded = pipeline_encode(&p, out, &e);
		CHECK(encoded);
	}
	pipeline_release(&p);
	return ok;
}

static void check(const void *bytes, size_t size)
{
	struct buf once = BUF_INIT((size_t)1 << 28), twice = BUF_INIT((size_t)1 << 28);
	if (encode_again(bytes, size, &once)) {
		CHECK(encode_again(once.data, once.len, &twice));
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	}
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size);
	uint8_t *sealed = mem_alloc(size);
	if (size) memcpy(sealed, data, size);
	seal(sealed, size);
	check(sealed, size);
	mem_free(sealed);
	return 0;
}
