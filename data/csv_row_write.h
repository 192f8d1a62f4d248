/* CSV by RFC 4180: commas, \r\n, quotes doubled. null is nothing, the empty string is "", arrays and vectors are their JSON. */
#ifndef QUERN_DATA_CSV_ROW_WRITE_H
#define QUERN_DATA_CSV_ROW_WRITE_H

#include "data/batch.h"

/* One value, without the comma. */
void csv_row_text(struct buf *out, struct str s);
void csv_row_cell(struct buf *out, const struct column *c, size_t row);
/* The names, and one row, of the columns with shown[slot] (NULL: all that have rows), with the line end. */
void csv_row_header(struct buf *out, const struct batch *b, const uint8_t *shown);
void csv_row_write(struct buf *out, const struct batch *b, const uint8_t *shown, size_t row);

#endif
