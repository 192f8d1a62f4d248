/* A batch: some rows (about BATCH_ROWS) as typed columns, one slot a schema column.
 *
 * Columns keep their memory when cleared, so a batch reused for the next rows allocates nothing in the steady state; one row
 * of a prediction request is a batch of one row through the same code. A batch belongs to one thread at a time.
 *
 * Layout of a column with n rows:
 *   valid     NULL (all rows valid) or n bytes 0/1
 *   double, int64, boolean      values f64 / i64 / u8 [n]
 *   string                      span[i] into bytes
 *   array<string>, array<double>  row i has elements [off[i], off[i+1]) of span (into bytes) or f64; elem_null marks null
 *                               strings inside an array (NULL: none)
 *   vector                      row i: size[i]; dense[i] ? f64[off[i] .. off[i]+size) : f64[off[i] .. off[i+1]) with idx
 *                               beside it (strictly increasing). idx has room for every value, dense rows leave theirs unset.
 *
 * Strings are spans, so a stage may share bytes with the column it reads: column_share_bytes. An n-gram of tokens that lie
 * side by side is a longer span, not a copy.
 */
#ifndef QUERN_DATA_BATCH_H
#define QUERN_DATA_BATCH_H

#include "data/schema.h"

enum {
	BATCH_ROWS = 1024,             /* rows a reader puts in a batch, at most */
	BATCH_BYTES_MAX = 1 << 30,     /* bytes of one column's text in a batch: spans are 32 bits */
	BATCH_BYTES_TARGET = 4 << 20,  /* a reader ends a batch early past this much text */
};

struct span {
	uint32_t off, len;
};

struct column {
	enum col_type type;
	uint8_t *valid;
	size_t valid_cap;
	double *f64; /* COL_DOUBLE; elements of COL_DOUBLES; values of COL_VECTOR */
	size_t f64_count, f64_cap;
	int64_t *i64;
	size_t i64_cap;
	uint8_t *u8;
	size_t u8_cap;
	struct span *span; /* COL_STRING: one a row; COL_STRINGS: one an element */
	size_t span_count, span_cap;
	uint8_t *elem_null;
	size_t elem_null_cap;
	const char *text; /* where spans point: own.data, or another column's text when shared */
	struct buf own;
	uint64_t *off; /* n + 1 */
	size_t off_cap;
	uint32_t *size;
	size_t size_cap;
	uint8_t *dense;
	size_t dense_cap;
	uint32_t *idx;
	size_t idx_cap;
	size_t rows; /* rows appended so far */
};

/* One vector, borrowed from a column. idx NULL: dense with nnz == size. */
struct vec {
	uint32_t size, nnz;
	const uint32_t *idx;
	const double *val;
};

struct batch {
	const struct schema *schema; /* borrowed */
	struct column *columns;      /* schema->count slots at batch_init; later schema columns need batch_fit_schema */
	size_t column_count;
	size_t rows;
	uint64_t first_row; /* number of row 0 within its logical shard */
	uint32_t shard;     /* logical shard these rows come from */
	uint64_t *row_ids;  /* NULL, or [rows]: number within the shard of each row (after filtering) */
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
/* Approximate bytes in use. */
size_t batch_bytes(const struct batch *b);

/* Building a column, row by row. Each appends one row. */
void column_clear(struct column *c, enum col_type type);
void column_null(struct column *c); /* null of the column's type (empty value behind it) */
void column_double(struct column *c, double v);
void column_i64(struct column *c, int64_t v);
void column_bool(struct column *c, bool v);
void column_str(struct column *c, const char *s, size_t len); /* copies; the batch's byte limit is the caller's to keep */
void column_dense(struct column *c, const double *v, size_t n);
void column_sparse(struct column *c, uint32_t size, const uint32_t *idx, const double *val, size_t nnz);
void column_doubles(struct column *c, const double *v, size_t n);
/* Rows of arrays of strings: elements first, then the row's end. */
void column_elem(struct column *c, const char *s, size_t len); /* copies the text */
void column_elem_span(struct column *c, struct span s);        /* into c->text */
void column_elem_null(struct column *c);
void column_row_end(struct column *c);
/* Room for nnz more values of a vector row, to be filled in place; *idx may be left alone for a dense row. Then
 * column_vec_end(size, nnz used, dense). */
void column_vec_room(struct column *c, size_t nnz, uint32_t **idx, double **val);
void column_vec_end(struct column *c, uint32_t size, size_t nnz, bool dense);
/* Spark's `compressed`: sparse iff 1.5 * (nnz + 1) < size, where nnz counts non-zeros; appends in that form. */
void column_compressed(struct column *c, struct vec v);
/* Spans of c point into from's text from here on (from must outlive c's rows and not grow meanwhile). */
void column_share_bytes(struct column *c, const struct column *from);
/* c takes from's whole content (buffers are swapped): for in-place stages whose input is dead afterwards. Types must agree. */
void column_steal(struct column *c, struct column *from);
/* Appends row i of from, any type (the types must agree). */
void column_copy_row(struct column *c, const struct column *from, size_t i);

static inline bool column_valid(const struct column *c, size_t i) { return !c->valid || c->valid[i]; }
static inline struct str column_str_at(const struct column *c, size_t i)
{
	return (struct str){c->text + c->span[i].off, c->span[i].len};
}
static inline bool column_elem_is_null(const struct column *c, size_t k) { return c->elem_null && c->elem_null[k]; }
static inline struct vec column_vec_at(const struct column *c, size_t i)
{
	uint64_t o = c->off[i];
	return (struct vec){.size = c->size[i],
			    .nnz = (uint32_t)(c->off[i + 1] - o),
			    .idx = c->dense[i] ? NULL : c->idx + o,
			    .val = c->f64 + o};
}
/* The number of a numeric or boolean cell as a double; the cell must be valid. */
static inline double column_number_at(const struct column *c, size_t i)
{
	return c->type == COL_DOUBLE ? c->f64[i] : c->type == COL_INT64 ? (double)c->i64[i] : (double)c->u8[i];
}

#endif
