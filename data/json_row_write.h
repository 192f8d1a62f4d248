/* Rows of a batch as answers: JSON objects, and CSV records by RFC 4180. Doubles have the fewest digits that read back the same. */
#ifndef QUERN_DATA_JSON_ROW_WRITE_H
#define QUERN_DATA_JSON_ROW_WRITE_H

#include "base/json.h"
#include "data/batch.h"

/* One cell as a JSON value: dense vectors as arrays, sparse ones as {"size","indices","values"}, not finite numbers as strings. */
void json_row_cell(struct json_writer *w, const struct column *c, size_t row);
/* One row as an object of the columns with shown[slot] (NULL: all that have rows), in schema order. */
void json_row_write(struct json_writer *w, const struct batch *b, const uint8_t *shown, size_t row);

#endif
