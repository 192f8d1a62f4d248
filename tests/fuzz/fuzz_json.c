/* What parses is written and parses again to the same text. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_tree(const struct json *j, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_value(&w, j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct buf once = BUF_INIT((size_t)1 << 26), twice = BUF_INIT((size_t)1 << 26);
	struct json *j;
	struct err e;
	err_init(&e);
	if (json_parse(&a, (const char *)data, size, &j, &e)) {
		write_tree(j, &once);
		bool ok = json_parse(&a, once.data, once.len, &j, &e);
		CHECK(ok);
		write_tree(j, &twice);
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	} else CHECK(e.code == ERR_invalid_json);
	buf_release(&once);
	buf_release(&twice);
	arena_release(&a);
	return 0;
}
