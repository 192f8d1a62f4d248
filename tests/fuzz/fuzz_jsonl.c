/* JSON Lines, with bad lines kept as null rows and dropped. */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/source_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const options[] = {"{}", "{\"mode\":\"DROPMALFORMED\"}", NULL};
	source_rows_check("jsonl", options, data, size);
	return 0;
}
