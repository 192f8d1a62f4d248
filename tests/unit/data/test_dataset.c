/* Datasets: are rows the same from memory and from disk, bit by bit, and is nothing held that is not needed? */
#include "tests/unit/data/data_support.h"

#include "base/rng.h"
#include "data/dataset.h"
#include "data/json_row_write.h"

#include <math.h>
#include <stdio.h>

static struct schema schema;
enum { SHARDS = 3, BATCHES = 4, ROWS = 200 };

static int make_schema(void **state)
{
	(void)state;
	schema = SCHEMA_INIT;
	for (int t = 0; t < COL_TYPE_COUNT; t++) {
		const char *name = col_type_name((enum col_type)t);
		schema_add(&schema, &(struct column_def){.name = STR(name), .type = (enum col_type)t});
	}
	return 0;
}

static int drop_schema(void **state)
{
	schema_release(&schema);
	return data_arena_reset(state);
}

/* Rows are functions of their number; every ninth cell is null. */
static void fill(struct batch *b, uint32_t shard, uint64_t first)
{
	batch_clear(b);
	b->shard = shard;
	b->first_row = first;
	for (uint64_t i = 0; i < ROWS; i++, b->rows++) {
		for (size_t t = 0; t < COL_TYPE_COUNT; t++) {
			struct column *c = &b->columns[t];
			uint64_t r = rng_at(shard * 1000 + t, first + i);
			double v[3] = {rng_unit(r), -0.0, (double)(r & 15)};
			char text[40];
			int len = snprintf(text, sizeof text, "%llu caf\xc3\xa9", (unsigned long long)(r % 1000));
			if (r % 9 == 0) column_null(c);
			else if (t == COL_DOUBLE) column_double(c, r % 7 ? v[0] : NAN);
			else if (t == COL_INT64) column_i64(c, (int64_t)r);
			else if (t == COL_BOOLEAN) column_bool(c, r & 1);
			else if (t == COL_STRING) column_str(c, text, (size_t)len);
			else if (t == COL_DOUBLES) column_doubles(c, v, r % 4);
			else if (t == COL_VECTORS) column_vectors(c, v, 1 + r % 3, r % 2);
			else if (t == COL_VECTOR && r % 2) column_dense(c, v, r % 4);
			else if (t == COL_VECTOR) column_sparse(c, 50, (uint32_t[]){1, 7, 49}, v, r % 4);
			else {
				for (uint64_t k = 0; k < r % 3; k++) column_elem(c, text, (size_t)len);
				if (r % 5 == 0) column_elem_null(c);
				column_row_end(c);
			}
		}
	}
}

static struct dataset *make(enum storage_level level, uint64_t memory_max, const uint8_t *keep)
{
	struct err e;
	struct batch b;
	struct dataset_options o = {.shard_count = SHARDS, .memory_max = memory_max, .level = level, .spool_dir = data_dir};
	struct dataset *d = dataset_create(&schema, &o);
	err_init(&e);
	batch_init(&b, &schema);
	for (uint32_t s = 0; s < SHARDS; s++) {
		for (uint64_t k = 0; k < BATCHES; k++) {
			fill(&b, s, k * ROWS);
			if (k == 1) {
				uint8_t some[ROWS];
				for (size_t i = 0; i < ROWS; i++) some[i] = i % 3 != 1;
				batch_filter(&b, some);
			}
			assert_ok(dataset_append(d, &b, keep, &e), &e);
		}
	}
	batch_release(&b);
	return d;
}

static bool show(void *ctx, const struct batch *b, struct err *e)
{
	struct json_writer w = JSON_WRITER(ctx);
	(void)e;
	for (size_t i = 0; i < b->rows; i++) {
		w.comma = false;
		json_int(&w, b->shard);
		json_int(&w, (int64_t)(b->row_ids ? b->row_ids[i] : b->first_row + i));
		json_row_write(&w, b, NULL, i);
		buf_char(ctx, '\n');
	}
	return true;
}

static const char *shown(struct dataset *d)
{
	struct buf out = BUF_INIT(1 << 26);
	struct err e;
	err_init(&e);
	for (size_t s = 0; s < SHARDS; s++) assert_ok(dataset_scan(d, s, show, &out, &e), &e);
	const char *text = arena_strdup(&data_arena, buf_cstr(&out));
	buf_release(&out);
	return text;
}

static const uint8_t all[COL_TYPE_COUNT] = {1, 1, 1, 1, 1, 1, 1, 1};

static void memory_and_disk_hold_the_same(void **state)
{
	(void)state;
	struct dataset *memory = make(STORAGE_MEMORY_ONLY, 1 << 26, all);
	struct dataset *disk = make(STORAGE_DISK_ONLY, 1 << 26, all);
	struct dataset *both = make(STORAGE_MEMORY_AND_DISK, 50000, all);
	const char *want = shown(memory);
	assert_string_equal(shown(disk), want);
	assert_string_equal(shown(both), want);
	assert_string_equal(shown(both), want);
	assert_int_equal(dataset_bytes(disk), 0);
	assert_int_equal(dataset_spooled(memory), 0);
	assert_in_range(dataset_bytes(both), 1, 50000);
	assert_true(dataset_spooled(both) > 0);
	assert_int_equal(dataset_rows(both, 2), ROWS * BATCHES - (ROWS + 1) / 3);
	dataset_destroy(memory);
	dataset_destroy(disk);
	dataset_destroy(both);
}

static void only_kept_columns_are_stored(void **state)
{
	(void)state;
	uint8_t keep[COL_TYPE_COUNT] = {[COL_INT64] = 1, [COL_VECTOR] = 1};
	struct dataset *d = make(STORAGE_MEMORY_ONLY, 1 << 26, keep);
	const char *text = shown(d);
	assert_null(strstr(text, "\"string\""));
	assert_non_null(strstr(text, "\"vector\""));
	dataset_destroy(d);
}

/* Doubles a column in place, drops another, drops rows. */
static bool step(void *ctx, struct batch *b, struct err *e)
{
	uint8_t keep[ROWS];
	(void)e;
	if (ctx) *(const double **)ctx = b->columns[COL_VECTOR].f64;
	for (size_t i = 0; i < b->rows; i++) {
		b->columns[COL_DOUBLE].f64[i] *= 2;
		keep[i] = (b->row_ids ? b->row_ids[i] : b->first_row + i) % 5 != 0;
	}
	batch_filter(b, keep);
	return true;
}

static void rewrites_are_the_same_from_memory_and_disk(void **state)
{
	(void)state;
	const uint8_t keep[COL_TYPE_COUNT] = {1, 1, 1, 0, 1, 1, 1, 1};
	struct err e;
	err_init(&e);
	struct dataset *memory = make(STORAGE_MEMORY_ONLY, 1 << 26, all), *both = make(STORAGE_MEMORY_AND_DISK, 50000, all);
	uint64_t before = dataset_spooled(both);
	for (int round = 0; round < 2; round++) {
		for (size_t s = 0; s < SHARDS; s++) {
			assert_ok(dataset_rewrite(memory, s, keep, step, NULL, &e), &e);
			assert_ok(dataset_rewrite(both, s, keep, step, NULL, &e), &e);
		}
	}
	const char *want = shown(memory);
	assert_null(strstr(want, "\"string\""));
	assert_string_equal(shown(both), want);
	assert_true(dataset_spooled(both) < before);
	assert_in_range(dataset_bytes(both), 1, 50000);
	dataset_destroy(memory);
	dataset_destroy(both);
}

static bool leave(void *ctx, struct batch *b, struct err *e)
{
	(void)e;
	*(const double **)ctx = b->columns[COL_VECTOR].f64;
	return true;
}

static bool look(void *ctx, const struct batch *b, struct err *e)
{
	(void)e;
	*(const double **)ctx = b->columns[COL_VECTOR].f64;
	return true;
}

static void a_rewrite_in_memory_moves_columns(void **state)
{
	(void)state;
	struct err e;
	const double *during, *after;
	err_init(&e);
	struct dataset *d = make(STORAGE_MEMORY_ONLY, 1 << 26, all);
	uint64_t bytes = dataset_bytes(d);
	assert_ok(dataset_rewrite(d, 1, all, leave, &during, &e), &e);
	assert_ok(dataset_scan(d, 1, look, &after, &e), &e);
	assert_ptr_equal(during, after);
	assert_int_equal(dataset_bytes(d), bytes);
	dataset_destroy(d);
}

/* 9.2 million values of IMDb must fit: an index and a double each, and little per row. */
static void stored_vectors_are_tight(void **state)
{
	(void)state;
	enum { NNZ = 300 };
	uint32_t idx[NNZ];
	double val[NNZ];
	uint8_t keep[COL_TYPE_COUNT] = {[COL_VECTOR] = 1};
	struct err e;
	struct batch b;
	struct dataset *d = dataset_create(&schema, &(struct dataset_options){.shard_count = 1, .memory_max = 1 << 28});
	err_init(&e);
	batch_init(&b, &schema);
	for (uint32_t k = 0; k < NNZ; k++) idx[k] = k * 3, val[k] = k;
	for (int k = 0; k < 10; k++) {
		batch_clear(&b);
		for (; b.rows < BATCH_ROWS; b.rows++) column_sparse(&b.columns[COL_VECTOR], 1000, idx, val, NNZ);
		assert_ok(dataset_append(d, &b, keep, &e), &e);
	}
	assert_true((double)dataset_bytes(d) / (10.0 * BATCH_ROWS * NNZ) < 12.1);
	batch_release(&b);
	dataset_destroy(d);
}

static bool expect_empty_sparse(void *ctx, const struct batch *b, struct err *e)
{
	(void)ctx, (void)e;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(&b->columns[COL_VECTOR], i);
		assert_int_equal(v.size, 7);
		assert_non_null(v.idx);
	}
	return true;
}

/* A dense vector of that size would be read beyond its values, of which there are none. */
static void empty_sparse_vectors_stay_sparse(void **state)
{
	static const enum storage_level levels[] = {STORAGE_MEMORY_ONLY, STORAGE_DISK_ONLY};
	uint8_t keep[COL_TYPE_COUNT] = {[COL_VECTOR] = 1};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
		struct err e;
		struct batch b;
		struct dataset_options o = {
			.shard_count = 1, .memory_max = 1 << 20, .level = levels[k], .spool_dir = data_dir};
		struct dataset *d = dataset_create(&schema, &o);
		err_init(&e);
		batch_init(&b, &schema);
		batch_clear(&b);
		for (; b.rows < 3; b.rows++) column_sparse(&b.columns[COL_VECTOR], 7, NULL, NULL, 0);
		assert_ok(dataset_append(d, &b, keep, &e), &e);
		assert_ok(dataset_scan(d, 0, expect_empty_sparse, NULL, &e), &e);
		batch_release(&b);
		dataset_destroy(d);
	}
}

static void memory_only_says_when_it_is_full(void **state)
{
	(void)state;
	struct err e;
	struct batch b;
	struct dataset_options o = {.shard_count = 1, .memory_max = 1000, .level = STORAGE_MEMORY_ONLY};
	struct dataset *d = dataset_create(&schema, &o);
	err_init(&e);
	batch_init(&b, &schema);
	fill(&b, 0, 0);
	assert_false(dataset_append(d, &b, all, &e));
	assert_int_equal(e.code, ERR_out_of_memory);
	dataset_destroy(d);
	o.level = STORAGE_DISK_ONLY;
	d = dataset_create(&schema, &o);
	err_init(&e);
	assert_false(dataset_append(d, &b, all, &e));
	assert_int_equal(e.code, ERR_io);
	dataset_destroy(d);
	batch_release(&b);
}

/* n-grams share their words' text; at rest they have one of their own. */
static void shared_text_is_stored(void **state)
{
	(void)state;
	struct schema s = SCHEMA_INIT;
	struct batch b;
	struct err e;
	struct buf out = BUF_INIT(1 << 16);
	err_init(&e);
	schema_add(&s, &(struct column_def){.name = STR("words"), .type = COL_STRINGS});
	schema_add(&s, &(struct column_def){.name = STR("pairs"), .type = COL_STRINGS});
	batch_init(&b, &s);
	for (; b.rows < 3; b.rows++) {
		struct span first;
		column_elem(&b.columns[0], "the ", 4);
		first = b.columns[0].span[b.columns[0].span_count - 1];
		column_elem(&b.columns[0], "cat", 3);
		column_row_end(&b.columns[0]);
		column_share_bytes(&b.columns[1], &b.columns[0]);
		column_elem_span(&b.columns[1], (struct span){first.off, 7});
		column_row_end(&b.columns[1]);
	}
	struct dataset *d = dataset_create(&s, &(struct dataset_options){.shard_count = 1, .level = STORAGE_DISK_ONLY,
									 .spool_dir = data_dir});
	assert_ok(dataset_append(d, &b, (uint8_t[]){0, 1}, &e), &e);
	batch_clear(&b);
	assert_ok(dataset_scan(d, 0, show, &out, &e), &e);
	assert_non_null(strstr(buf_cstr(&out), "{\"pairs\":[\"the cat\"]}\n"));
	dataset_destroy(d);
	batch_release(&b);
	schema_release(&s);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_and_disk_hold_the_same, make_schema, drop_schema),
		cmocka_unit_test_setup_teardown(only_kept_columns_are_stored, make_schema, drop_schema),
		cmocka_unit_test_setup_teardown(rewrites_are_the_same_from_memory_and_disk, make_schema, drop_schema),
		cmocka_unit_test_setup_teardown(a_rewrite_in_memory_moves_columns, make_schema, drop_schema),
		cmocka_unit_test_setup_teardown(stored_vectors_are_tight, make_schema, drop_schema),
		cmocka_unit_test_setup_teardown(empty_sparse_vectors_stay_sparse, make_schema, drop_schema),
		cmocka_unit_test_setup_teardown(memory_only_says_when_it_is_full, make_schema, drop_schema),
		cmocka_unit_test_teardown(shared_text_is_stored, data_arena_reset),
	};
	return cmocka_run_group_tests(tests, data_dir_make, data_dir_remove);
}
