/* Private to data/: rows at rest. A block holds some columns of one batch's rows, each array exactly as long as its rows need.
 *
 * As bytes (in the spool) a block is: rows, first_row, whether it has row ids, the number of columns; then for each column its
 * slot, type, the entries of each array and the bytes of its text; then the arrays themselves, each aligned to 8. Such bytes
 * can be read in place: block_view points columns into them. */
#ifndef QUERN_DATA_BLOCK_H
#define QUERN_DATA_BLOCK_H

#include "data/batch.h"

struct block_column {
	size_t slot; /* in the schema */
	struct column column;
};

struct block {
	bool mapped; /* the arrays belong to someone else (block_map) */
	size_t rows;
	uint64_t first_row;
	uint64_t *row_ids; /* NULL, or [rows] */
	struct block_column *columns;
	size_t column_count;
};

/* Copies the columns with keep[slot] of a batch. */
void block_copy(struct block *to, const struct batch *b, const uint8_t *keep);
/* The same, but moves out of b the columns that are tight already. */
void block_take(struct block *to, struct batch *b, const uint8_t *keep);
/* Moves the block's columns and row ids into b, which is cleared first; the block is released. */
void block_give(struct block *from, struct batch *b);
/* Points b's slots into the block: b may be read, never appended to or released. */
void block_view(const struct block *k, struct batch *b);
size_t block_bytes(const struct block *k);
void block_release(struct block *k);

void block_encode(const struct block *k, struct buf *out);
/* bytes (aligned to 8) are what block_encode wrote and must outlive the block, whose arrays lie in them. */
void block_map(struct block *k, const void *bytes, size_t len);

#endif
