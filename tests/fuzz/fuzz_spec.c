/* A job specification of any bytes is refused with a status below 500, or what is written of it parses and is written
 * again to the same bytes. */
#include "tests/fuzz/fuzz.h"

#include "trainer/spec.h"

static bool parse_and_write(const char *text, size_t len, struct buf *out, struct err *e)
{
	static const struct spec_defaults defaults = {2, (uint64_t)1 << 30};
	struct spec sp;
	struct json_writer w = JSON_WRITER(out);
	err_init(e);
	if (!spec_parse(&sp, text, len, &defaults, NULL, e)) return false;
	spec_write(&sp, &w);
	spec_release(&sp);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = BUF_INIT((size_t)1 << 26), twice = BUF_INIT((size_t)1 << 26);
	struct err e;
	if (parse_and_write((const char *)data, size, &once, &e)) {
		CHECK(parse_and_write(once.data, once.len, &twice, &e));
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	} else CHECK(err_is(&e) && err_status(e.code) < 500);
	buf_release(&once);
	buf_release(&twice);
	return 0;
}
