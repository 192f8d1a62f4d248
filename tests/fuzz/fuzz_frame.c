/* A frame of any bytes is refused, or it is written again to the same bytes; what it says is taken in without harm. */
#include "tests/fuzz/fuzz.h"

#include "trainer/frame.h"
#include "trainer/progress.h"

static const char spec[] = "{\"pipeline\":[{\"stage\":\"IDF\"},{\"stage\":\"LogisticRegression\"}]}";

static void take_in(const struct frame *f)
{
	struct progress p;
	struct buf json = BUF_INIT((size_t)1 << 24);
	struct json_writer w = JSON_WRITER(&json);
	struct err e;
	progress_init(&p, spec, sizeof spec - 1);
	(void)!progress_frame(&p, 0, f, 1);
	(void)!progress_frame(&p, 1, f, 2);
	CHECK(p.fraction >= 0 && p.fraction <= 1);
	progress_stages(&p, &w);
	progress_shards(&p, &w);
	frame_error_read(f->text, &e);
	CHECK(err_is(&e) && str_utf8_valid(e.detail, strlen(e.detail)));
	progress_release(&p);
	buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_INIT(FRAME_BYTES_MAX);
	struct frame f;
	if (frame_decode(data, size, &f)) {
		frame_encode(&f, &again);
		CHECK(again.len == size && memcmp(again.data, data, size) == 0);
		take_in(&f);
	}
	buf_release(&again);
	return 0;
}
