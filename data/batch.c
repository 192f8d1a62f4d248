#include "data/batch.h"

void batch_init(struct batch *b, const struct schema *schema)
{
	*b = (struct batch){.schema = schema};
	batch_fit_schema(b);
}

void batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->column_count; i++) column_release(&b->columns[i]);
	mem_free(b->columns);
	mem_free(b->row_ids_room);
	*b = (struct batch){.schema = b->schema};
}

void batch_clear(struct batch *b)
{
	batch_fit_schema(b);
	for (size_t i = 0; i < b->column_count; i++) column_clear(&b->columns[i], b->schema->columns[i].type);
	b->rows = 0;
	b->row_ids = NULL;
}

void batch_fit_schema(struct batch *b)
{
	MEM_GROW(b->columns, b->column_cap, b->schema->count);
	for (; b->column_count < b->schema->count; b->column_count++)
		column_init(&b->columns[b->column_count], b->schema->columns[b->column_count].type);
}

void batch_filter(struct batch *b, const uint8_t *keep)
{
	size_t kept = 0;
	MEM_GROW(b->row_ids_room, b->row_ids_cap, b->rows);
	for (size_t i = 0; i < b->rows; i++)
		if (keep[i]) b->row_ids_room[kept++] = b->row_ids ? b->row_ids[i] : b->first_row + i;
	if (kept == b->rows) return;
	for (size_t i = 0; i < b->column_count; i++)
		if (b->columns[i].rows) column_filter(&b->columns[i], keep);
	b->row_ids = b->row_ids_room;
	b->rows = kept;
}

void batch_truncate(struct batch *b, size_t rows)
{
	for (size_t i = 0; i < b->column_count; i++)
		if (b->columns[i].rows >= rows) column_truncate(&b->columns[i], rows);
	b->rows = rows;
}

size_t batch_bytes(const struct batch *b)
{
	size_t bytes = 0;
	for (size_t i = 0; i < b->column_count; i++) bytes += column_bytes(&b->columns[i]);
	return bytes;
}
