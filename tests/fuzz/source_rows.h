/* The property of every reader of rows: any bytes give rows or an error, and a text cell that comes out is UTF-8. */
#ifndef QUERN_TESTS_SOURCE_ROWS_H
#define QUERN_TESTS_SOURCE_ROWS_H

#include "data/source.h"

/* Reads data as `format` into the columns text (string) and n (double), once with each of the options (JSON,
 * NULL-terminated). */
void source_rows_check(const char *format, const char *const *options, const uint8_t *data, size_t size);

#endif
