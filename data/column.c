#include "data/column.h"

#include "data/column_parts.h"
#include "data/vec.h"

void column_init(struct column *c, enum col_type type)
{
	*c = (struct column){.type = type, .own = BUF_INIT(COLUMN_TEXT_MAX)};
}

void column_clear(struct column *c, enum col_type type)
{
	c->type = type;
	c->rows = c->f64_count = c->span_count = 0;
	c->valid = c->elem_null = NULL;
	buf_clear(&c->own);
	c->text = c->own.data;
}

/* --- Growth ------------------------------------------------------------ */

void column_grow_f64(struct column *c, size_t more) { MEM_GROW(c->f64, c->f64_cap, c->f64_count + more); }
void column_grow_i64(struct column *c) { MEM_GROW(c->i64, c->i64_cap, c->rows + 1); }
void column_grow_u8(struct column *c) { MEM_GROW(c->u8, c->u8_cap, c->rows + 1); }
void column_grow_span(struct column *c, size_t more) { MEM_GROW(c->span, c->span_cap, c->span_count + more); }
void column_grow_idx(struct column *c, size_t more) { MEM_GROW(c->idx, c->idx_cap, c->f64_count + more); }

void column_grow_vec(struct column *c)
{
	MEM_GROW(c->size, c->size_cap, c->rows + 1);
	MEM_GROW(c->dense, c->dense_cap, c->rows + 1);
}

void column_grow_off(struct column *c)
{
	MEM_GROW(c->off, c->off_cap, c->rows + 2);
	c->off[0] = 0;
}

void column_valid_start(struct column *c)
{
	MEM_GROW(c->valid_room, c->valid_cap, c->rows + 1);
	memset(c->valid_room, 1, c->rows);
	c->valid = c->valid_room;
}

void column_valid_push(struct column *c, bool valid)
{
	MEM_GROW(c->valid_room, c->valid_cap, c->rows + 1);
	c->valid = c->valid_room;
	c->valid[c->rows] = valid;
}

void column_elem_null_push(struct column *c, bool null)
{
	MEM_GROW(c->elem_null_room, c->elem_null_cap, c->span_count + 1);
	if (!c->elem_null) memset(c->elem_null_room, 0, c->span_count);
	c->elem_null = c->elem_null_room;
	c->elem_null[c->span_count] = null;
}

uint32_t column_text_slow(struct column *c, const char *s, size_t len)
{
	CHECK(c->text == c->own.data);
	size_t at = c->own.len;
	char *room = buf_reserve(&c->own, len);
	CHECK(room);
	if (len) memcpy(room, s, len);
	buf_commit(&c->own, len);
	c->text = c->own.data;
	return (uint32_t)at;
}

/* --- Rows ------------------------------------------------------------ */

void column_elem_null(struct column *c)
{
	column_span_push(c, (struct span){(uint32_t)c->own.len, 0});
	column_elem_null_push(c, true);
	c->span_count++;
}

static double *append_values(struct column *c, const double *v, size_t n)
{
	if (c->f64_count + n > c->f64_cap) column_grow_f64(c, n);
	double *to = c->f64 + c->f64_count;
	if (n) memcpy(to, v, n * sizeof *v);
	return to;
}

void column_doubles(struct column *c, const double *v, size_t n)
{
	append_values(c, v, n);
	c->f64_count += n;
	column_row_end(c);
}

void column_dense(struct column *c, const double *v, size_t n)
{
	append_values(c, v, n);
	column_vec_end(c, (uint32_t)n, n, true);
}

void column_vec(struct column *c, struct vec v)
{
	if (v.idx) column_sparse(c, v.size, v.idx, v.val, v.nnz);
	else column_dense(c, v.val, v.size);
}

void column_vectors(struct column *c, const double *v, size_t count, uint32_t size)
{
	append_values(c, v, count * size);
	column_vec_end(c, size, count * size, true);
}

void column_sparse(struct column *c, uint32_t size, const uint32_t *idx, const double *val, size_t nnz)
{
	uint32_t *to_idx;
	double *to_val;
	column_vec_room(c, nnz, &to_idx, &to_val);
	if (nnz) {
		memcpy(to_idx, idx, nnz * sizeof *idx);
		memcpy(to_val, val, nnz * sizeof *val);
	}
	column_vec_end(c, size, nnz, false);
}

/* Without a branch on the values, so each is written before it is known to stay: room for one more is needed. */
static size_t keep_nonzeros(struct vec v, uint32_t *idx, double *val)
{
	size_t n = 0;
	for (uint32_t k = 0; k < v.nnz; k++) {
		double x = v.val[k];
		idx[n] = v.idx ? v.idx[k] : k;
		val[n] = x;
		n += x != 0;
	}
	return n;
}

static void append_sparse_nonzeros(struct column *c, struct vec v, size_t nonzeros)
{
	uint32_t *idx;
	double *val;
	column_vec_room(c, nonzeros + 1, &idx, &val);
	column_vec_end(c, v.size, keep_nonzeros(v, idx, val), false);
}

static void append_spread(struct column *c, struct vec v)
{
	if (c->f64_count + v.size > c->f64_cap) column_grow_f64(c, v.size);
	double *val = c->f64 + c->f64_count;
	if (v.size) memset(val, 0, v.size * sizeof *val);
	for (uint32_t k = 0; k < v.nnz; k++) val[v.idx[k]] = v.val[k];
	column_vec_end(c, v.size, v.size, true);
}

static bool sparse_is_shorter(size_t nonzeros, size_t size) { return 1.5 * ((double)nonzeros + 1.0) < (double)size; }

void column_compressed(struct column *c, struct vec v)
{
	size_t nonzeros = vec_nonzeros(v);
	if (sparse_is_shorter(nonzeros, v.size)) append_sparse_nonzeros(c, v, nonzeros);
	else if (v.idx) append_spread(c, v);
	else column_dense(c, v.val, v.size);
}

void column_vec_end_compressed(struct column *c, uint32_t size)
{
	double *val = c->f64 + c->f64_count;
	struct vec v = {size, size, NULL, val};
	if (!sparse_is_shorter(vec_nonzeros(v), size)) column_vec_end(c, size, size, true);
	else column_vec_end(c, size, keep_nonzeros(v, c->idx + c->f64_count, val), false);
}

void column_truncate(struct column *c, size_t rows)
{
	bool arrays = COL_BIT(c->type) & COL_ARRAYS;
	size_t elements = !arrays ? rows : rows ? c->off[rows] : 0;
	if (COL_BIT(c->type) & (COL_BIT(COL_STRING) | COL_BIT(COL_STRINGS))) c->span_count = elements;
	else c->f64_count = elements;
	c->rows = rows;
}

/* --- Whole columns ------------------------------------------------------------ */

void column_share_bytes(struct column *c, const struct column *from)
{
	CHECK(c->own.len == 0);
	c->text = from->text;
}

void column_steal(struct column *c, struct column *from)
{
	CHECK(c->type == from->type);
	struct column was = *c;
	*c = *from;
	*from = was;
	column_clear(from, from->type);
}

static void copy_strings(struct column *c, const struct column *from, size_t i)
{
	for (uint64_t k = from->off[i]; k < from->off[i + 1]; k++) {
		if (column_elem_is_null(from, k)) column_elem_null(c);
		else column_elem(c, from->text + from->span[k].off, from->span[k].len);
	}
	column_row_end(c);
}

static void copy_vectors(struct column *c, const struct column *from, size_t i)
{
	size_t values = from->off[i + 1] - from->off[i];
	column_vectors(c, from->f64 + from->off[i], from->size[i] ? values / from->size[i] : 0, from->size[i]);
}

void column_copy_row(struct column *c, const struct column *from, size_t i)
{
	CHECK(c->type == from->type);
	if (!column_valid(from, i)) {
		column_null(c);
		return;
	}
	switch (c->type) {
	case COL_DOUBLE: column_double(c, from->f64[i]); break;
	case COL_INT64: column_i64(c, from->i64[i]); break;
	case COL_BOOLEAN: column_bool(c, from->u8[i]); break;
	case COL_STRING: column_str(c, from->text + from->span[i].off, from->span[i].len); break;
	case COL_STRINGS: copy_strings(c, from, i); break;
	case COL_DOUBLES: column_doubles(c, from->f64 + from->off[i], from->off[i + 1] - from->off[i]); break;
	case COL_VECTORS: copy_vectors(c, from, i); break;
	default: column_vec(c, column_vec_at(from, i)); break;
	}
}
