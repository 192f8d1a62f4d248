/* What a fuzz target implements: one property of one parser, held for any bytes. CHECK says that the property broke;
 * what the target allocates it frees, for the process lives through many inputs. The name is libFuzzer's. */
#ifndef QUERN_TESTS_FUZZ_H
#define QUERN_TESTS_FUZZ_H

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
