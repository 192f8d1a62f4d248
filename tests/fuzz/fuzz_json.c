/* A document that is accepted is written and read again to the same text. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"

static bool write_again(struct arena *a, const char *text, size_t size, struct buf *out)
{
	struct json *root = NULL;
	struct err e;
	err_init(&e);
	if (!json_parse(a, text, size, &root, &e)) {
		CHECK(e.code == ERR_invalid_json && e.detail[0] && !root);
		return false;
	}
	struct json_writer w = JSON_WRITER(out);
	json_value(&w, root);
	CHECK(buf_ok(out) && str_utf8_valid(out->data, out->len));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct buf once = BUF_INIT((size_t)1 << 20), twice = BUF_INIT((size_t)1 << 20);
	if (write_again(&a, (const char *)data, size, &once)) {
		CHECK(write_again(&a, once.data, once.len, &twice));
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	}
	buf_release(&once);
	buf_release(&twice);
	arena_release(&a);
	return 0;
}
