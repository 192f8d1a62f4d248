/* Columns and batches: is what was appended what is read, through every way of moving it? */
#include "tests/support/support.h"

#include "base/rng.h"
#include "data/batch.h"

#include <math.h>
#include <stdio.h>

static struct column filled(enum col_type type, size_t rows, uint64_t seed)
{
	struct column c;
	column_init(&c, type);
	for (size_t i = 0; i < rows; i++) {
		uint64_t r = rng_at(seed, i);
		double v[4] = {(double)(r & 7), 0, (double)(r >> 3 & 7), -1.5};
		uint32_t idx[4] = {1, 5, 9, (uint32_t)(10 + (r & 63))};
		char text[32];
		int len = snprintf(text, sizeof text, "t%zu-%d", i, (int)(r & 1023));
		if (r % 11 == 0) {
			column_null(&c);
			continue;
		}
		switch (type) {
		case COL_DOUBLE: column_double(&c, v[0]); break;
		case COL_INT64: column_i64(&c, (int64_t)r); break;
		case COL_BOOLEAN: column_bool(&c, r & 1); break;
		case COL_STRING: column_str(&c, text, (size_t)len); break;
		case COL_STRINGS:
			for (size_t k = 0; k < r % 4; k++) column_elem(&c, text, (size_t)len - k);
			if (r % 5 == 0) column_elem_null(&c);
			column_row_end(&c);
			break;
		case COL_DOUBLES: column_doubles(&c, v, r % 5 % 4); break;
		case COL_VECTORS: column_vectors(&c, v, 1 + r % 3, r % 2); break;
		default:
			if (r % 3 == 0) column_dense(&c, v, r % 4);
			else column_sparse(&c, 100, idx, v, r % 5 % 4);
		}
	}
	return c;
}

/* Row i of a and row j of b hold the same. */
static void assert_same_row(const struct column *a, size_t i, const struct column *b, size_t j)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(column_valid(a, i), column_valid(b, j));
	if (!column_valid(a, i)) return;
	if (a->type == COL_STRING) {
		assert_true(str_eq(column_str_at(a, i), column_str_at(b, j)));
	} else if (a->type == COL_STRINGS) {
		assert_int_equal(a->off[i + 1] - a->off[i], b->off[j + 1] - b->off[j]);
		for (uint64_t k = a->off[i], m = b->off[j]; k < a->off[i + 1]; k++, m++) {
			assert_int_equal(column_elem_is_null(a, k), column_elem_is_null(b, m));
			assert_true(str_eq((struct str){a->text + a->span[k].off, a->span[k].len},
					   (struct str){b->text + b->span[m].off, b->span[m].len}));
		}
	} else if (a->type == COL_DOUBLES || a->type == COL_VECTORS) {
		size_t n = a->off[i + 1] - a->off[i];
		assert_int_equal(n, b->off[j + 1] - b->off[j]);
		if (a->type == COL_VECTORS) assert_int_equal(a->size[i], b->size[j]);
		for (size_t k = 0; k < n; k++) assert_true(a->f64[a->off[i] + k] == b->f64[b->off[j] + k]);
	} else if (a->type == COL_VECTOR) {
		struct vec x = column_vec_at(a, i), y = column_vec_at(b, j);
		assert_int_equal(x.size, y.size);
		assert_int_equal(x.nnz, y.nnz);
		assert_int_equal(x.idx == NULL, y.idx == NULL);
		for (uint32_t k = 0; k < x.nnz; k++) {
			assert_true(x.val[k] == y.val[k]);
			if (x.idx) assert_int_equal(x.idx[k], y.idx[k]);
		}
	} else {
		assert_true(column_number_at(a, i) == column_number_at(b, j));
	}
}

static void copies_and_filters_keep_rows(void **state)
{
	(void)state;
	enum { ROWS = 500 };
	uint8_t keep[ROWS];
	for (int type = 0; type < COL_TYPE_COUNT; type++) {
		struct column a = filled((enum col_type)type, ROWS, 7), b;
		column_init(&b, a.type);
		for (size_t i = 0; i < ROWS; i++) column_copy_row(&b, &a, i);
		for (size_t i = 0; i < ROWS; i++) assert_same_row(&a, i, &b, i);
		for (size_t i = 0; i < ROWS; i++) keep[i] = rng_at(3, i) % 3 != 0;
		column_filter(&b, keep);
		size_t at = 0;
		for (size_t i = 0; i < ROWS; i++)
			if (keep[i]) assert_same_row(&a, i, &b, at++);
		assert_int_equal(b.rows, at);
		/* A filtered column can be appended to. */
		column_copy_row(&b, &a, 1);
		assert_same_row(&a, 1, &b, at);
		column_truncate(&b, 2);
		column_copy_row(&b, &a, 2);
		assert_int_equal(b.rows, 3);
		assert_same_row(&a, 2, &b, 2);
		column_release(&a);
		column_release(&b);
	}
}

static void a_cleared_column_keeps_its_memory(void **state)
{
	(void)state;
	struct column c = filled(COL_VECTOR, 300, 1);
	const double *was = c.f64;
	column_clear(&c, COL_VECTOR);
	assert_int_equal(c.rows, 0);
	assert_null(c.valid);
	column_dense(&c, (double[]){1, 2}, 2);
	assert_ptr_equal(c.f64, was);
	assert_int_equal(column_vec_at(&c, 0).size, 2);
	column_release(&c);
}

static void spans_may_share_anothers_text(void **state)
{
	(void)state;
	struct column words, pairs;
	column_init(&words, COL_STRINGS);
	column_init(&pairs, COL_STRINGS);
	column_elem(&words, "ab ", 3);
	column_elem(&words, "cd", 2);
	column_row_end(&words);
	column_share_bytes(&pairs, &words);
	column_elem_span(&pairs, (struct span){words.span[0].off, 5});
	column_row_end(&pairs);
	assert_memory_equal(pairs.text + pairs.span[0].off, "ab cd", 5);
	struct column taken;
	column_init(&taken, COL_STRINGS);
	column_steal(&taken, &words);
	assert_int_equal(words.rows, 0);
	assert_memory_equal(taken.text + taken.span[1].off, "cd", 2);
	assert_memory_equal(pairs.text + pairs.span[0].off, "ab cd", 5);
	column_release(&words);
	column_release(&pairs);
	column_release(&taken);
}

/* Spark: sparse iff 1.5 * (non-zeros + 1) < size; stored zeros go in sparse form and stay in dense form. */
static void compressed_takes_sparks_form(void **state)
{
	(void)state;
	struct column c;
	column_init(&c, COL_VECTOR);
	double dense[] = {0, 3, 0, -0.0}, sparse[] = {1, 0, 2};
	uint32_t idx[] = {0, 2, 8};
	column_compressed(&c, (struct vec){4, 4, NULL, dense});
	column_compressed(&c, (struct vec){3, 3, NULL, dense});
	column_compressed(&c, (struct vec){9, 3, idx, sparse});
	column_compressed(&c, (struct vec){9, 3, idx, (double[]){1, 2, 3}});
	column_compressed(&c, (struct vec){6, 1, idx, (double[]){5}});
	struct vec v = column_vec_at(&c, 0);
	assert_non_null(v.idx);
	assert_int_equal(v.nnz, 1);
	assert_int_equal(v.idx[0], 1);
	assert_null(column_vec_at(&c, 1).idx);
	v = column_vec_at(&c, 2);
	assert_int_equal(v.nnz, 2);
	assert_int_equal(v.idx[1], 8);
	assert_non_null(column_vec_at(&c, 3).idx);
	assert_true(column_vec_at(&c, 4).idx != NULL);
	column_release(&c);
}

static void batches_filter_with_row_numbers(void **state)
{
	(void)state;
	struct schema s = SCHEMA_INIT;
	struct batch b;
	schema_add(&s, &(struct column_def){.name = STR("x"), .type = COL_DOUBLE});
	batch_init(&b, &s);
	schema_add(&s, &(struct column_def){.name = STR("y"), .type = COL_STRING});
	batch_fit_schema(&b);
	b.first_row = 100;
	for (int i = 0; i < 6; i++) {
		column_double(&b.columns[0], i);
		b.rows++;
	}
	batch_filter(&b, (uint8_t[]){1, 0, 1, 0, 1, 1});
	batch_filter(&b, (uint8_t[]){0, 1, 1, 1});
	assert_int_equal(b.rows, 3);
	assert_int_equal(b.columns[1].rows, 0);
	assert_int_equal(b.row_ids[0], 102);
	assert_int_equal(b.row_ids[2], 105);
	assert_true(b.columns[0].f64[1] == 4);
	batch_truncate(&b, 1);
	assert_int_equal(b.columns[0].rows, 1);
	batch_clear(&b);
	assert_null(b.row_ids);
	batch_release(&b);
	schema_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_and_filters_keep_rows),
		cmocka_unit_test(a_cleared_column_keeps_its_memory),
		cmocka_unit_test(spans_may_share_anothers_text),
		cmocka_unit_test(compressed_takes_sparks_form),
		cmocka_unit_test(batches_filter_with_row_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
