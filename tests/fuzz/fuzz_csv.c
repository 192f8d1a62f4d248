/* CSV, in Spark's dialect, RFC 4180's, and one with a separator of two characters. */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/source_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const options[] = {"{\"header\":true}",
					      "{\"header\":true,\"escape\":\"\\\"\",\"multiLine\":true}",
					      "{\"header\":true,\"mode\":\"DROPMALFORMED\",\"sep\":\"||\"}", NULL};
	source_rows_check("csv", options, data, size);
	return 0;
}
