/* A batch: some rows (about BATCH_ROWS) as typed columns (data/column.h), one slot a schema column.
 *
 * Columns keep their memory when cleared, so a batch reused for the next rows allocates nothing in the steady state; one row
 * of a prediction request is a batch of one row through the same code. A batch belongs to one thread at a time.
 */
#ifndef QUERN_DATA_BATCH_H
#define QUERN_DATA_BATCH_H

#include "data/column.h"

enum {
	BATCH_ROWS = 1024,                  /* rows a reader puts in a batch, at most */
	BATCH_BYTES_MAX = COLUMN_TEXT_MAX,  /* bytes of one column's text in a batch */
	BATCH_BYTES_TARGET = 4 << 20,       /* a reader ends a batch early past this much text */
};
#define BATCH_NO_SHARD UINT32_MAX /* rows of a request: messages do not number them, the answer's pointer does */

struct batch {
	const struct schema *schema; /* borrowed */
	struct column *columns;      /* schema->count slots at batch_init; later schema columns need batch_fit_schema */
	size_t column_count, column_cap;
	size_t rows;
	uint64_t first_row; /* number of row 0 within its logical shard */
	uint32_t shard;     /* logical shard these rows come from */
	uint64_t *row_ids;  /* NULL (first_row + i), or [rows]: number of each row within the shard, once rows were dropped */
	uint64_t *row_ids_room;
	size_t row_ids_cap;
};

void batch_init(struct batch *b, const struct schema *schema);
void batch_release(struct batch *b);
/* No rows; memory kept. Types are set from the schema. */
void batch_clear(struct batch *b);
/* Gives slots to columns that the schema gained since. */
void batch_fit_schema(struct batch *b);
/* Keeps the rows with keep[i] != 0 in every column that has rows. */
void batch_filter(struct batch *b, const uint8_t *keep);
/* Takes back what was appended beyond the first `rows` rows, unfinished rows too. */
void batch_truncate(struct batch *b, size_t rows);
/* Approximate bytes in use. */
size_t batch_bytes(const struct batch *b);

#endif
