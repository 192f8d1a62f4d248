/* Private to data/: the arrays of a column, as a table. What holds for every array alike (bytes, release, filtering, tight
 * copies, the spool's format) walks this table; nobody else needs to know which type has which arrays. */
#ifndef QUERN_DATA_COLUMN_PARTS_H
#define QUERN_DATA_COLUMN_PARTS_H

#include "data/column.h"

enum column_part_kind {
	PART_ROW,     /* an entry a row */
	PART_OFFSET,  /* rows + 1 */
	PART_ELEMENT, /* an entry an element of the rows' arrays */
	PART_INDEX,   /* one more than elements: there even where no row has any, for it tells sparse rows from dense ones */
};

struct column_part {
	enum column_part_kind kind;
	unsigned types;    /* that have this array */
	size_t array, cap; /* offsets in struct column of the pointer that owns the memory and of its capacity */
	size_t width;      /* bytes of an entry */
	bool (*present)(const struct column *c); /* NULL: always */
};

enum { COLUMN_PARTS = 12 };
extern const struct column_part column_parts[COLUMN_PARTS];

/* Entries that the column's rows use; 0 where its type has no such array. */
size_t column_part_used(const struct column *c, const struct column_part *p);
/* The element number at which row i begins (i may be rows). */
size_t column_element(const struct column *c, size_t i);

static inline void **column_part_array(struct column *c, const struct column_part *p)
{
	return (void **)((char *)c + p->array);
}
static inline void *column_part_data(const struct column *c, const struct column_part *p)
{
	return *(void *const *)((const char *)c + p->array);
}
static inline size_t *column_part_cap(struct column *c, const struct column_part *p)
{
	return (size_t *)((char *)c + p->cap);
}

#endif
