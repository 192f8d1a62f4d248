/* A container of any bytes is refused, or it holds a pipeline that can be encoded again to bytes that decode. */
#include "tests/fuzz/fuzz.h"

#include "pipeline/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pipeline p, again;
	struct buf out = BUF_INIT((size_t)1 << 28);
	struct err e;
	err_init(&e);
	if (pipeline_decode(&p, data, size, &e)) {
		bool ok = pipeline_encode(&p, &out, &e) && pipeline_decode(&again, out.data, out.len, &e);
		CHECK(ok);
		pipeline_release(&again);
	} else CHECK(err_status(e.code) < 500);
	pipeline_release(&p);
	buf_release(&out);
	return 0;
}
