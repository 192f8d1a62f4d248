#include "data/json_row_write.h"

static void write_doubles(struct json_writer *w, const double *v, size_t n)
{
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) json_row_double(w, v[i]);
	json_array_end(w);
}

static void write_strings(struct json_writer *w, const struct column *c, size_t row)
{
	json_array_begin(w);
	for (uint64_t k = c->off[row]; k < c->off[row + 1]; k++) {
		if (column_elem_is_null(c, k)) json_null(w);
		else json_str(w, (struct str){c->text + c->span[k].off, c->span[k].len});
	}
	json_array_end(w);
}

static void write_vector(struct json_writer *w, struct vec v)
{
	if (!v.idx) {
		write_doubles(w, v.val, v.size);
		return;
	}
	json_object_begin(w);
	json_key(w, "size");
	json_int(w, v.size);
	json_key(w, "indices");
	json_array_begin(w);
	for (uint32_t k = 0; k < v.nnz; k++) json_int(w, v.idx[k]);
	json_array_end(w);
	json_key(w, "values");
	write_doubles(w, v.val, v.nnz);
	json_object_end(w);
}

static void write_vectors(struct json_writer *w, const struct column *c, size_t row)
{
	json_array_begin(w);
	for (uint64_t k = c->off[row]; k < c->off[row + 1]; k += c->size[row]) write_doubles(w, c->f64 + k, c->size[row]);
	json_array_end(w);
}

void json_row_cell(struct json_writer *w, const struct column *c, size_t row)
{
	if (!column_valid(c, row)) {
		json_null(w);
		return;
	}
	switch (c->type) {
	case COL_DOUBLE: json_row_double(w, c->f64[row]); break;
	case COL_INT64: json_int(w, c->i64[row]); break;
	case COL_BOOLEAN: json_bool(w, c->u8[row]); break;
	case COL_STRING: json_str(w, column_str_at(c, row)); break;
	case COL_STRINGS: write_strings(w, c, row); break;
	case COL_DOUBLES: write_doubles(w, c->f64 + c->off[row], c->off[row + 1] - c->off[row]); break;
	case COL_VECTORS: write_vectors(w, c, row); break;
	default: write_vector(w, column_vec_at(c, row)); break;
	}
}

void json_row_write(struct json_writer *w, const struct batch *b, const uint8_t *shown, size_t row)
{
	json_object_begin(w);
	for (size_t i = 0; i < b->column_count; i++) {
		if (b->columns[i].rows == 0 || (shown && !shown[i])) continue;
		json_keyn(w, b->schema->columns[i].name);
		json_row_cell(w, &b->columns[i], row);
	}
	json_object_end(w);
}
