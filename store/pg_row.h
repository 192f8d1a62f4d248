/* Rows into structs by tables: one line says which column goes to which member. Text and arrays land in the arena; what
 * is null becomes NULL, 0, NaN, false, or an empty string or array. */
#ifndef QUERN_STORE_PG_ROW_H
#define QUERN_STORE_PG_ROW_H

#include "base/str.h"
#include "store/pg.h"

enum pg_field_type {
	PG_INT,   /* int, of int2 or int4 */
	PG_I64,   /* int64_t, of int4 or int8 */
	PG_F64,   /* double */
	PG_BOOL,  /* bool */
	PG_TEXT,  /* const char *, of text, json or jsonb */
	PG_STR,   /* struct str, of text, json or bytea: borrowed from the rows; data NULL: null */
	PG_UUID,  /* char[UUID_TEXT_SIZE] */
	PG_TIME,  /* int64_t, wall milliseconds */
	PG_TIME_US,
	PG_TEXTS, /* struct pg_texts, of text[] */
	PG_INTS,  /* struct pg_ints, of int4[] */
	PG_TIMES, /* struct pg_times, of timestamptz[] */
};
struct pg_texts {
	const char **items;
	size_t count;
};
struct pg_ints {
	int *items;
	size_t count;
};
struct pg_times {
	int64_t *items; /* wall milliseconds */
	size_t count;
};
struct pg_field {
	const char *column; /* NULL ends a table */
	enum pg_field_type type;
	size_t offset;
};

/* ERR_internal when a column is missing or of another type: then program and schema do not fit. */
QN_MUST bool pg_row(const struct pg_rows *rows, int row, const struct pg_field *fields, struct arena *a, void *out,
		    struct err *e);
/* All rows as an array of structs of `size` bytes, in the arena. NULL: failed. */
void *pg_row_array(const struct pg_rows *rows, const struct pg_field *fields, size_t size, struct arena *a,
		   struct err *e);
/* One column. a may be NULL for types that need no memory. */
QN_MUST bool pg_value(const struct pg_rows *rows, int row, const char *column, enum pg_field_type type, struct arena *a,
		      void *out, struct err *e);

#endif
