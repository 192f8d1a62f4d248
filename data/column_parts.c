#include "data/column_parts.h"

#define ARRAY(field) offsetof(struct column, field)
#define VECTORS (COL_BIT(COL_VECTOR) | COL_BIT(COL_VECTORS))

static bool has_valid(const struct column *c) { return c->valid != NULL; }
static bool has_elem_null(const struct column *c) { return c->elem_null != NULL; }
static bool has_sparse(const struct column *c) { return c->rows && memchr(c->dense, 0, c->rows) != NULL; }

const struct column_part column_parts[COLUMN_PARTS] = {
	{PART_ROW, COL_ANY, ARRAY(valid_room), ARRAY(valid_cap), sizeof(uint8_t), has_valid},
	{PART_ROW, COL_BIT(COL_DOUBLE), ARRAY(f64), ARRAY(f64_cap), sizeof(double)},
	{PART_ROW, COL_BIT(COL_INT64), ARRAY(i64), ARRAY(i64_cap), sizeof(int64_t)},
	{PART_ROW, COL_BIT(COL_BOOLEAN), ARRAY(u8), ARRAY(u8_cap), sizeof(uint8_t)},
	{PART_ROW, COL_BIT(COL_STRING), ARRAY(span), ARRAY(span_cap), sizeof(struct span)},
	{PART_ROW, VECTORS, ARRAY(size), ARRAY(size_cap), sizeof(uint32_t)},
	{PART_ROW, VECTORS, ARRAY(dense), ARRAY(dense_cap), sizeof(uint8_t)},
	{PART_OFFSET, COL_ARRAYS, ARRAY(off), ARRAY(off_cap), sizeof(uint64_t)},
	{PART_ELEMENT, COL_BIT(COL_STRINGS), ARRAY(span), ARRAY(span_cap), sizeof(struct span)},
	{PART_ELEMENT, COL_BIT(COL_STRINGS), ARRAY(elem_null_room), ARRAY(elem_null_cap), sizeof(uint8_t), has_elem_null},
	{PART_ELEMENT, COL_BIT(COL_DOUBLES) | VECTORS, ARRAY(f64), ARRAY(f64_cap), sizeof(double)},
	{PART_INDEX, COL_BIT(COL_VECTOR), ARRAY(idx), ARRAY(idx_cap), sizeof(uint32_t), has_sparse},
};

size_t column_element(const struct column *c, size_t i)
{
	return !(COL_BIT(c->type) & COL_ARRAYS) ? i : i ? c->off[i] : 0;
}

size_t column_part_used(const struct column *c, const struct column_part *p)
{
	if (!(p->types & COL_BIT(c->type)) || (p->present && !p->present(c))) return 0;
	if (p->kind == PART_ROW) return c->rows;
	if (p->kind == PART_OFFSET) return c->rows ? c->rows + 1 : 0;
	return column_element(c, c->rows) + (p->kind == PART_INDEX);
}

void column_release(struct column *c)
{
	/* span and f64 stand in two rows: the first that frees one leaves NULL. */
	for (const struct column_part *p = column_parts; p < column_parts + COLUMN_PARTS; p++) {
		mem_free(column_part_data(c, p));
		*column_part_array(c, p) = NULL;
		*column_part_cap(c, p) = 0;
	}
	buf_release(&c->own);
	column_clear(c, c->type);
}

size_t column_bytes(const struct column *c)
{
	size_t bytes = c->own.len;
	for (const struct column_part *p = column_parts; p < column_parts + COLUMN_PARTS; p++)
		bytes += column_part_used(c, p) * p->width;
	return bytes;
}

static void filter_rows(char *data, size_t width, size_t rows, const uint8_t *keep)
{
	size_t to = 0;
	for (size_t i = 0; i < rows; i++)
		if (keep[i]) memmove(data + to++ * width, data + i * width, width);
}

static void filter_elements(const struct column *c, char *data, size_t width, const uint8_t *keep)
{
	size_t to = 0;
	for (size_t i = 0; i < c->rows; i++) {
		if (!keep[i]) continue;
		size_t n = c->off[i + 1] - c->off[i];
		memmove(data + to * width, data + c->off[i] * width, n * width);
		to += n;
	}
}

/* Returns the rows that stay. off goes last: the others read it. */
static size_t filter_offsets(struct column *c, const uint8_t *keep)
{
	size_t to = 0, elements = 0, begin = 0;
	for (size_t i = 0; i < c->rows; i++) {
		size_t end = column_element(c, i + 1);
		if (keep[i]) {
			elements += end - begin;
			to++;
			if (COL_BIT(c->type) & COL_ARRAYS) c->off[to] = elements;
		}
		begin = end;
	}
	if (COL_BIT(c->type) & (COL_BIT(COL_STRING) | COL_BIT(COL_STRINGS))) c->span_count = elements;
	else c->f64_count = elements;
	return to;
}

void column_filter(struct column *c, const uint8_t *keep)
{
	for (const struct column_part *p = column_parts; p < column_parts + COLUMN_PARTS; p++) {
		if (column_part_used(c, p) == 0 || p->kind == PART_OFFSET) continue;
		if (p->kind == PART_ROW) filter_rows(column_part_data(c, p), p->width, c->rows, keep);
		else filter_elements(c, column_part_data(c, p), p->width, keep);
	}
	c->rows = filter_offsets(c, keep);
}
