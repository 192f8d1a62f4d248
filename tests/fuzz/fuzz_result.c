/* What a worker delivers: any bytes are refused, or are written again to the same bytes. */
#include "tests/fuzz/fuzz.h"

#include "trainer/train.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct train_result r;
	struct buf again = BUF_INIT((size_t)1 << 28);
	if (train_result_decode(data, size, &r)) {
		CHECK(strlen(r.metric) < sizeof r.metric && r.report.kept <= SOURCE_MALFORMED_KEPT);
		train_result_encode(&r, &again);
		CHECK(again.len == size);
		train_result_release(&r);
	}
	buf_release(&again);
	return 0;
}
