/* A typed column of some rows, built row by row.
 *
 * Layout of a column with n rows:
 *   valid     NULL (all rows valid) or n bytes 0/1
 *   double, int64, boolean      values f64 / i64 / u8 [n]
 *   string                      span[i] into text
 *   array<string>, array<double>  row i has elements [off[i], off[i+1]) of span (into text) or f64; elem_null marks null
 *                               strings inside an array (NULL: none)
 *   vector                      row i: size[i]; dense[i] ? f64[off[i] .. off[i]+size) : f64[off[i] .. off[i+1]) with idx
 *                               beside it (strictly increasing). idx is allocated once a sparse row comes; dense rows leave
 *                               theirs unset.
 *   array<vector>               row i: dense vectors of size[i] entries, side by side in f64[off[i] .. off[i+1])
 * off[0] is 0. Appends grow by doubling; a cleared column keeps its memory, so refilling it allocates nothing.
 *
 * Strings are spans, so a stage may share bytes with the column it reads: column_share_bytes. An n-gram of tokens that lie
 * side by side is a longer span, not a copy.
 *
 * Appends are inline: a corpus passes through here token by token.
 */
#ifndef QUERN_DATA_COLUMN_H
#define QUERN_DATA_COLUMN_H

#include "base/buf.h"
#include "data/schema.h"

struct span {
	uint32_t off, len;
};

struct column {
	enum col_type type;
	size_t rows;    /* appended so far */
	uint8_t *valid; /* NULL, or valid_room */
	uint8_t *valid_room;
	size_t valid_cap;
	double *f64; /* COL_DOUBLE; elements of COL_DOUBLES; values of COL_VECTOR, COL_VECTORS */
	size_t f64_count, f64_cap; /* count: elements or values; rows for COL_DOUBLE */
	int64_t *i64;
	size_t i64_cap;
	uint8_t *u8;
	size_t u8_cap;
	struct span *span; /* COL_STRING: one a row; COL_STRINGS: one an element */
	size_t span_count, span_cap;
	uint8_t *elem_null; /* NULL, or elem_null_room */
	uint8_t *elem_null_room;
	size_t elem_null_cap;
	const char *text; /* where spans point: own.data, or another column's text when shared */
	struct buf own;
	uint64_t *off; /* rows + 1 */
	size_t off_cap;
	uint32_t *size;
	size_t size_cap;
	uint8_t *dense;
	size_t dense_cap;
	uint32_t *idx;
	size_t idx_cap;
};

/* One vector, borrowed from a column. idx NULL: dense with nnz == size. */
struct vec {
	uint32_t size, nnz;
	const uint32_t *idx;
	const double *val;
};

enum { COLUMN_TEXT_MAX = 1 << 30 }; /* bytes of one column's text: spans are 32 bits */

void column_init(struct column *c, enum col_type type);
void column_release(struct column *c);
/* No rows; memory kept. */
void column_clear(struct column *c, enum col_type type);
size_t column_bytes(const struct column *c); /* that its rows use */

/* --- Appending: each adds one row. Callers keep a column's text below COLUMN_TEXT_MAX (a batch ends before). ------------- */

static inline void column_null(struct column *c); /* null of the column's type (an empty value behind it) */
static inline void column_double(struct column *c, double v);
static inline void column_i64(struct column *c, int64_t v);
static inline void column_bool(struct column *c, bool v);
static inline void column_str(struct column *c, const char *s, size_t len); /* copies */
/* Room for count rows, to be filled in place, before column_double_rows makes them rows. */
static inline double *column_double_room(struct column *c, size_t count);
static inline void column_double_rows(struct column *c, size_t count);
void column_doubles(struct column *c, const double *v, size_t n);
void column_dense(struct column *c, const double *v, size_t n);
void column_sparse(struct column *c, uint32_t size, const uint32_t *idx, const double *val, size_t nnz);
void column_vec(struct column *c, struct vec v); /* as it is */
/* A row of count dense vectors of size entries each. */
void column_vectors(struct column *c, const double *v, size_t count, uint32_t size);
/* Spark's `compressed`: sparse iff 1.5 * (nnz + 1) < size, where nnz counts non-zeros; appends in that form. */
void column_compressed(struct column *c, struct vec v);
/* The same for a row whose `size` values were put, all of them, into the room that column_vec_room gave. */
void column_vec_end_compressed(struct column *c, uint32_t size);
/* Rows of arrays: elements first, then the row's end. */
static inline void column_elem(struct column *c, const char *s, size_t len); /* copies the text */
static inline void column_elem_span(struct column *c, struct span s);        /* into c->text */
/* Room for count elements, to be filled in place with spans into c->text. */
static inline struct span *column_elem_room(struct column *c, size_t count);
void column_elem_null(struct column *c);
static inline void column_elem_double(struct column *c, double v);
static inline void column_row_end(struct column *c);
/* Room for nnz more values of a vector row, to be filled in place; *idx may be left alone for a dense row. Then
 * column_vec_end(size, nnz used, dense). */
static inline void column_vec_room(struct column *c, size_t nnz, uint32_t **idx, double **val);
static inline void column_vec_end(struct column *c, uint32_t size, size_t nnz, bool dense);
/* Takes back the elements of an unfinished row and the whole rows beyond `rows` (their text stays until the column is
 * cleared). */
void column_truncate(struct column *c, size_t rows);

/* --- Whole columns ------------------------------------------------------------ */

/* Spans of c point into from's text from here on (from must outlive c's rows and not grow meanwhile). */
void column_share_bytes(struct column *c, const struct column *from);
/* c takes from's whole content (buffers are swapped) and from is left without rows: for in-place stages whose input is dead
 * afterwards. Types must agree. */
void column_steal(struct column *c, struct column *from);
/* Appends row i of from, any type (the types must agree). */
void column_copy_row(struct column *c, const struct column *from, size_t i);
/* Keeps the rows with keep[i] != 0. */
void column_filter(struct column *c, const uint8_t *keep);

/* --- Reading ------------------------------------------------------------ */

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

/* --- Behind the inline calls: growth, and what happens once a null has come --------------------------------- */

void column_grow_f64(struct column *c, size_t more);
void column_grow_i64(struct column *c);
void column_grow_u8(struct column *c);
void column_grow_span(struct column *c, size_t more);
void column_grow_off(struct column *c);
void column_grow_vec(struct column *c);
void column_grow_idx(struct column *c, size_t more);
void column_valid_start(struct column *c);             /* valid comes to be: all rows so far are valid */
void column_valid_push(struct column *c, bool valid);  /* of row c->rows */
void column_elem_null_push(struct column *c, bool null); /* of element span_count */
/* Copies len bytes behind the text (which must be the column's own) and returns their offset. */
uint32_t column_text_slow(struct column *c, const char *s, size_t len);

#define COLUMN_RARE(x) __builtin_expect(!!(x), 0)

static inline uint32_t column_text(struct column *c, const char *s, size_t len)
{
	struct buf *b = &c->own;
	if (COLUMN_RARE(len >= b->cap - b->len || c->text != b->data)) return column_text_slow(c, s, len);
	uint32_t at = (uint32_t)b->len;
	memcpy(b->data + at, s, len);
	b->len += len;
	b->data[b->len] = 0;
	return at;
}

static inline void column_row_done(struct column *c)
{
	if (COLUMN_RARE(c->valid != NULL)) column_valid_push(c, true);
	c->rows++;
}

static inline void column_double(struct column *c, double v)
{
	if (COLUMN_RARE(c->rows == c->f64_cap)) column_grow_f64(c, 1);
	c->f64[c->rows] = v;
	c->f64_count = c->rows + 1;
	column_row_done(c);
}

static inline double *column_double_room(struct column *c, size_t count)
{
	if (COLUMN_RARE(c->f64_cap - c->rows < count)) column_grow_f64(c, count);
	return c->f64 + c->rows;
}
static inline void column_double_rows(struct column *c, size_t count)
{
	for (; COLUMN_RARE(c->valid != NULL) && count > 0; count--) column_row_done(c);
	c->rows += count;
	c->f64_count = c->rows;
}

static inline void column_i64(struct column *c, int64_t v)
{
	if (COLUMN_RARE(c->rows == c->i64_cap)) column_grow_i64(c);
	c->i64[c->rows] = v;
	column_row_done(c);
}

static inline void column_bool(struct column *c, bool v)
{
	if (COLUMN_RARE(c->rows == c->u8_cap)) column_grow_u8(c);
	c->u8[c->rows] = v;
	column_row_done(c);
}

static inline void column_span_push(struct column *c, struct span s)
{
	if (COLUMN_RARE(c->span_count == c->span_cap)) column_grow_span(c, 1);
	c->span[c->span_count] = s;
}

static inline void column_str(struct column *c, const char *s, size_t len)
{
	column_span_push(c, (struct span){column_text(c, s, len), (uint32_t)len});
	c->span_count++;
	column_row_done(c);
}

static inline void column_elem_span(struct column *c, struct span s)
{
	column_span_push(c, s);
	if (COLUMN_RARE(c->elem_null != NULL)) column_elem_null_push(c, false);
	c->span_count++;
}

static inline struct span *column_elem_room(struct column *c, size_t count)
{
	struct span *room;
	if (COLUMN_RARE(c->span_cap - c->span_count < count)) column_grow_span(c, count);
	room = c->span + c->span_count;
	for (; COLUMN_RARE(c->elem_null != NULL) && count > 0; count--, c->span_count++) column_elem_null_push(c, false);
	c->span_count += count;
	return room;
}

static inline void column_elem(struct column *c, const char *s, size_t len)
{
	column_elem_span(c, (struct span){column_text(c, s, len), (uint32_t)len});
}

static inline void column_elem_double(struct column *c, double v)
{
	if (COLUMN_RARE(c->f64_count == c->f64_cap)) column_grow_f64(c, 1);
	c->f64[c->f64_count++] = v;
}

static inline void column_row_end(struct column *c)
{
	if (COLUMN_RARE(c->rows + 2 > c->off_cap)) column_grow_off(c);
	c->off[c->rows + 1] = c->type == COL_STRINGS ? c->span_count : c->f64_count;
	column_row_done(c);
}

static inline void column_vec_room(struct column *c, size_t nnz, uint32_t **idx, double **val)
{
	if (COLUMN_RARE(c->f64_count + nnz > c->f64_cap)) column_grow_f64(c, nnz);
	if (COLUMN_RARE(c->f64_count + nnz > c->idx_cap)) column_grow_idx(c, nnz);
	*idx = c->idx + c->f64_count;
	*val = c->f64 + c->f64_count;
}

static inline void column_vec_end(struct column *c, uint32_t size, size_t nnz, bool dense)
{
	if (COLUMN_RARE(c->rows == c->size_cap || c->rows == c->dense_cap)) column_grow_vec(c);
	c->size[c->rows] = size;
	c->dense[c->rows] = dense;
	c->f64_count += nnz;
	/* Once there, idx is as long as the values; a sparse row without values needs it too, to be told from a dense one. */
	if (COLUMN_RARE(c->idx_cap <= c->f64_count && (c->idx || !dense))) column_grow_idx(c, 1);
	column_row_end(c);
}

static inline void column_null(struct column *c)
{
	if (!c->valid) column_valid_start(c);
	switch (c->type) {
	case COL_DOUBLE: column_double(c, 0); break;
	case COL_INT64: column_i64(c, 0); break;
	case COL_BOOLEAN: column_bool(c, false); break;
	case COL_STRING: column_str(c, "", 0); break;
	case COL_STRINGS:
	case COL_DOUBLES: column_row_end(c); break;
	default: column_vec_end(c, 0, 0, true); break;
	}
	c->valid[c->rows - 1] = 0;
}

#endif
