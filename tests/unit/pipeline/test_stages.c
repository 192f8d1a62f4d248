/* What the fixtures of Spark's answers cannot show: that fast paths and plain ones agree, that stages work in place,
 * that shards make no difference, and edges of single stages. */
#include "base/rng.h"
#include "tests/unit/pipeline/stage_support.h"

#include <math.h>
#include <stdio.h>

#define TEXT_TABLE "[{\"name\":\"t\",\"type\":\"string\"}]"
#define WORDS_TABLE "[{\"name\":\"w\",\"type\":\"array<string>\"}]"
#define VECTOR_TABLE "[{\"name\":\"v\",\"type\":\"vector\"}]"

static void applied(const struct pipeline *p, const struct stage_table *t, bool plan_all, struct batch *b)
{
	struct err e;
	err_init(&e);
	assert_ok(stage_apply(p, t, plan_all, b, &e), &e);
}

static void fitted(struct pipeline *p, const char *stages, const struct stage_table *t, size_t shards)
{
	struct err e;
	err_init(&e);
	struct comm *c = comm_serial_create();
	stage_pipeline(p, stages, t);
	assert_ok(stage_fit(p, t, c, shards, &e), &e);
	comm_serial_destroy(c);
}

static void assert_same_vec(struct vec a, struct vec b)
{
	assert_int_equal(a.size, b.size);
	assert_int_equal(a.nnz, b.nnz);
	assert_int_equal(a.idx == NULL, b.idx == NULL);
	if (a.idx) assert_memory_equal(a.idx, b.idx, a.nnz * sizeof *a.idx);
	assert_memory_equal(a.val, b.val, a.nnz * sizeof *a.val);
}

static void assert_same_column(const struct column *a, const struct column *b)
{
	assert_int_equal(a->rows, b->rows);
	for (size_t i = 0; i < a->rows; i++) assert_same_vec(column_vec_at(a, i), column_vec_at(b, i));
}

/* --- Text ---------------------------------------------------------------------------------------------------- */

static const char *word(uint64_t seed)
{
	static const char *const words[] = {"the", "movie", "", "was", "\xc3\xa9t\xc3\xa9", "a", "\xf0\x9f\x98\x80",
					    "x y"};
	return words[seed % ARRAY_COUNT(words)];
}

/* Rows of up to 12 words, as one text with blanks between, or as arrays whose tokens lie wall to wall. */
static void put_words(struct stage_table *t, bool as_text, size_t rows)
{
	for (size_t i = 0; i < rows; i++) {
		struct buf text = BUF_INIT(1 << 16);
		size_t n = (size_t)(rng_at(i, 0) % 12);
		for (size_t k = 1; k <= n; k++) {
			const char *w = word(rng_at(i, k));
			if (as_text && !strchr(w, ' ') && *w) buf_printf(&text, "%s ", w);
			else if (!as_text && !strchr(w, ' ') && *w) column_elem(&t->rows.columns[0], w, strlen(w));
		}
		if (as_text) column_str(&t->rows.columns[0], text.data ? text.data : "", text.len);
		else column_row_end(&t->rows.columns[0]);
		buf_release(&text);
	}
	t->rows.rows = rows;
}

static void test_ngrams_shared_and_copied(void **state)
{
	struct stage_table texts, arrays;
	struct pipeline p, q;
	struct batch a, b;
	(void)state;
	stage_table_init(&texts, TEXT_TABLE);
	stage_table_init(&arrays, WORDS_TABLE);
	put_words(&texts, true, 200);
	put_words(&arrays, false, 200);
	stage_pipeline(&p,
		       "[{\"stage\":\"RegexTokenizer\",\"inputCol\":\"t\",\"outputCol\":\"w\"},"
		       "{\"stage\":\"NGram\",\"inputCol\":\"w\",\"outputCol\":\"g\",\"n\":3}]",
		       &texts);
	stage_pipeline(&q, "[{\"stage\":\"NGram\",\"inputCol\":\"w\",\"outputCol\":\"g\",\"n\":3}]", &arrays);
	applied(&p, &texts, true, &a);
	applied(&q, &arrays, true, &b);
	assert_ptr_equal(stage_result(&p, &a)->text, a.columns[1].text); /* spans of the tokens' text */
	for (size_t i = 0; i < 200; i++) {
		struct buf x = BUF_INIT(1 << 16), y = BUF_INIT(1 << 16);
		stage_elements(stage_result(&p, &a), i, &x);
		stage_elements(stage_result(&q, &b), i, &y);
		assert_string_equal(buf_cstr(&x), buf_cstr(&y));
		buf_release(&x);
		buf_release(&y);
	}
	batch_release(&a);
	batch_release(&b);
	pipeline_release(&p);
	pipeline_release(&q);
	stage_table_release(&texts);
	stage_table_release(&arrays);
}

static void test_stop_words_of_languages(void **state)
{
	static const struct {
		const char *language, *kept;
	} rows[] = {{"english", "und|movie|det"}, {"german", "the|movie|det"}, {"danish", "the|und|movie"}};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct stage_table t;
		struct pipeline p;
		struct batch b;
		struct buf got = BUF_INIT(1 << 10);
		char stages[160];
		snprintf(
			stages, sizeof stages,
			"[{\"stage\":\"StopWordsRemover\",\"inputCol\":\"w\",\"outputCol\":\"o\",\"language\":\"%s\"}]",
			rows[i].language);
		stage_table_init(&t, WORDS_TABLE);
		static const char *const words[] = {"the", "und", "movie", "det"};
		for (size_t k = 0; k < ARRAY_COUNT(words); k++)
			column_elem(&t.rows.columns[0], words[k], strlen(words[k]));
		column_row_end(&t.rows.columns[0]);
		t.rows.rows = 1;
		stage_pipeline(&p, stages, &t);
		applied(&p, &t, true, &b);
		stage_elements(stage_result(&p, &b), 0, &got);
		assert_string_equal(buf_cstr(&got), rows[i].kept);
		buf_release(&got);
		batch_release(&b);
		pipeline_release(&p);
		stage_table_release(&t);
	}
}

/* --- HashingTF ----------------------------------------------------------------------------------------------- */

static void hashed(struct stage_table *t, uint64_t features, struct pipeline *p, struct batch *b)
{
	char stages[128];
	snprintf(stages, sizeof stages,
		 "[{\"stage\":\"HashingTF\",\"inputCol\":\"w\",\"outputCol\":\"f\",\"numFeatures\":%llu}]",
		 (unsigned long long)features);
	stage_pipeline(p, stages, t);
	applied(p, t, true, b);
}

/* 2^22 features are counted in an array, 2^23 are sorted; both keep the low 22 bits of the hash. */
static void test_counting_and_sorting(void **state)
{
	enum { NARROW = 1 << 22, WIDE = 1 << 23 };
	struct stage_table t;
	struct pipeline p, q;
	struct batch a, b;
	(void)state;
	stage_table_init(&t, WORDS_TABLE);
	put_words(&t, false, 50);
	for (int k = 0; k < 5000; k++) {
		char term[16];
		column_elem(&t.rows.columns[0], term, (size_t)snprintf(term, sizeof term, "t%d", k % 3000));
	}
	column_row_end(&t.rows.columns[0]);
	t.rows.rows++;
	hashed(&t, NARROW, &p, &a);
	hashed(&t, WIDE, &q, &b);
	double *sums = mem_zalloc(NARROW, sizeof *sums);
	for (size_t i = 0; i < t.rows.rows; i++) {
		struct vec x = column_vec_at(stage_result(&p, &a), i), y = column_vec_at(stage_result(&q, &b), i);
		for (uint32_t k = 0; k < y.nnz; k++) {
			assert_true(k == 0 || y.idx[k] > y.idx[k - 1]);
			sums[y.idx[k] % NARROW] += y.val[k];
		}
		for (uint32_t k = 0; k < x.nnz; k++) {
			assert_true(k == 0 || x.idx[k] > x.idx[k - 1]);
			assert_true(sums[x.idx[k]] == x.val[k]);
			sums[x.idx[k]] = 0;
		}
		for (uint32_t k = 0; k < y.nnz; k++) assert_true(sums[y.idx[k] % NARROW] == 0);
	}
	mem_free(sums);
	batch_release(&a);
	batch_release(&b);
	pipeline_release(&p);
	pipeline_release(&q);
	stage_table_release(&t);
}

/* murmur3_32, seed 42, mod 262144: answers of an independent computation that Spark's own tests agree with. */
static void test_hash_known_answers(void **state)
{
	static const struct {
		const char *term;
		uint32_t index;
	} rows[] = {{"a", 107107},    {"", 249180},        {"spark", 173558},
		    {"good", 113432}, {"\xc3\xa9", 33439}, {"\xf0\x9f\x91\x8d", 137902}};
	struct stage_table t;
	struct pipeline p;
	struct batch b;
	(void)state;
	stage_table_init(&t, WORDS_TABLE);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		column_elem(&t.rows.columns[0], rows[i].term, strlen(rows[i].term));
		column_row_end(&t.rows.columns[0]);
	}
	t.rows.rows = ARRAY_COUNT(rows);
	hashed(&t, 262144, &p, &b);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct vec v = column_vec_at(stage_result(&p, &b), i);
		assert_true(v.idx && v.nnz == 1 && v.idx[0] == rows[i].index);
	}
	batch_release(&b);
	pipeline_release(&p);
	hashed(&t, INT32_MAX, &p, &b);
	assert_int_equal(column_vec_at(stage_result(&p, &b), 0).size, INT32_MAX);
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
}

/* --- Vectors ------------------------------------------------------------------------------------------------- */

/* Dense and sparse rows of 6 entries; the first entry is 0.1 everywhere. */
static void put_vectors(struct stage_table *t, size_t rows)
{
	for (size_t i = 0; i < rows; i++) {
		double dense[6] = {0.1};
		for (size_t j = 1; j < 6; j++) dense[j] = rng_at(i, j) % 3 ? rng_unit(rng_at(i, j + 9)) * 10 - 3 : 0;
		uint32_t idx[] = {0, 2, 5};
		double val[] = {0.1, dense[2], dense[5]};
		if (i % 2) column_sparse(&t->rows.columns[0], 6, idx, val, 3);
		else column_dense(&t->rows.columns[0], dense, 6);
	}
	t->rows.rows = rows;
}

static void test_in_place(void **state)
{
	static const char *const stages[] = {
		"[{\"stage\":\"Normalizer\",\"inputCol\":\"v\",\"outputCol\":\"o\"}]",
		"[{\"stage\":\"IDF\",\"inputCol\":\"v\",\"outputCol\":\"o\"}]",
		"[{\"stage\":\"StandardScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\"}]",
		"[{\"stage\":\"StandardScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"withMean\":true}]",
		"[{\"stage\":\"StandardScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"withMean\":true,\"withStd\":"
		"false}]",
		"[{\"stage\":\"StandardScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"withStd\":false}]",
		"[{\"stage\":\"MaxAbsScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\"}]",
		"[{\"stage\":\"RobustScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"withCentering\":true}]",
	};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(stages); k++) {
		struct stage_table t;
		struct pipeline p;
		struct batch copied, placed;
		stage_table_init(&t, VECTOR_TABLE);
		put_vectors(&t, 21);
		fitted(&p, stages[k], &t, 1);
		applied(&p, &t, true, &copied);
		applied(&p, &t, false, &placed);
		assert_int_equal(copied.columns[0].rows, 21);
		assert_int_equal(placed.columns[0].rows, 0); /* its buffers are the output's now */
		assert_same_column(&copied.columns[1], &placed.columns[1]);
		batch_release(&copied);
		batch_release(&placed);
		pipeline_release(&p);
		stage_table_release(&t);
	}
}

static const struct json *state_of(const struct pipeline *p, struct arena *a)
{
	struct buf text = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&text);
	struct json *out;
	struct err e;
	err_init(&e);
	pipeline_state(p, &w);
	char *kept = arena_strndup(a, text.data, text.len);
	assert_ok(json_parse(a, kept, text.len, &out, &e), &e);
	buf_release(&text);
	return json_at(out, 0);
}

/* Ten times 0.1 do not sum to 1, but a column of 0.1 has that mean and does not deviate from it. */
static void test_constant_column(void **state)
{
	(void)state;
	for (size_t shards = 1; shards <= 7; shards += 3) {
		struct stage_table t;
		struct pipeline p;
		struct batch b;
		struct arena a = ARENA_INIT;
		stage_table_init(&t, VECTOR_TABLE);
		put_vectors(&t, 50);
		fitted(&p, "[{\"stage\":\"StandardScaler\",\"inputCol\":\"v\",\"outputCol\":\"o\"}]", &t, shards);
		const struct json *learned = state_of(&p, &a);
		assert_true(json_at(json_get(learned, "mean"), 0)->number == 0.1);
		assert_true(json_at(json_get(learned, "std"), 0)->number == 0);
		applied(&p, &t, true, &b);
		assert_true(column_vec_at(stage_result(&p, &b), 0).val[0] == 0);
		batch_release(&b);
		pipeline_release(&p);
		arena_release(&a);
		stage_table_release(&t);
	}
}

static void test_assembler_refuses(void **state)
{
	struct stage_table t;
	struct pipeline p;
	struct batch b;
	struct err e;
	(void)state;
	err_init(&e);
	stage_table_init(&t, VECTOR_TABLE);
	column_sparse(&t.rows.columns[0], INT32_MAX, NULL, NULL, 0);
	t.rows.rows = 1;
	/* Over 2^31 entries. */
	stage_pipeline(&p, "[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"v\",\"v\"],\"outputCol\":\"o\"}]", &t);
	assert_false(stage_apply(&p, &t, true, &b, &e));
	assert_int_equal(e.code, ERR_data);
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
}

/* What only metadata tells is asked for as soon as no fit could tell it any more. */
static void test_what_will_not_be_known_is_refused_when_bound(void **state)
{
	static const struct {
		const char *stages, *pointer, *part;
	} rows[] = {
		{"[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"v\"],\"outputCol\":\"o\",\"handleInvalid\":\"keep\"}]",
		 "/pipeline/0/inputCols", "not known"},
		{"[{\"stage\":\"VectorSlicer\",\"inputCol\":\"v\",\"outputCol\":\"o\",\"names\":[\"a\"]}]", "/pipeline/0/names",
		 "no element"},
		{"[{\"stage\":\"Interaction\",\"inputCols\":[\"v\"],\"outputCol\":\"o\"}]", "/pipeline/0/inputCols", "attributes"},
		{"[{\"stage\":\"Binarizer\",\"inputCol\":\"x\",\"outputCol\":\"b\"},"
		 "{\"stage\":\"IndexToString\",\"inputCol\":\"b\",\"outputCol\":\"o\"}]",
		 "/pipeline/1/labels", "has none"},
	};
	struct stage_table t;
	struct pipeline p;
	(void)state;
	stage_table_init(&t, "[{\"name\":\"v\",\"type\":\"vector\"},{\"name\":\"x\",\"type\":\"double\"}]");
	for (size_t k = 0; k < ARRAY_COUNT(rows); k++) stage_fault_at(rows[k].stages, &t, rows[k].pointer, rows[k].part);
	/* A fit may still tell. */
	stage_pipeline(&p,
		       "[{\"stage\":\"StringIndexer\",\"inputCol\":\"x\",\"outputCol\":\"i\"},"
		       "{\"stage\":\"IndexToString\",\"inputCol\":\"i\",\"outputCol\":\"o\"}]",
		       &t);
	pipeline_release(&p);
	stage_table_release(&t);
}

/* --- Imputer, indexers --------------------------------------------------------------------------------------- */

static void test_imputer_numbers(void **state)
{
	struct stage_table t;
	struct pipeline p, q;
	struct batch b;
	struct buf bytes = BUF_INIT(1 << 20);
	struct err e;
	(void)state;
	err_init(&e);
	stage_table_init(&t, "[{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"n\",\"type\":\"int64\"}]");
	column_double(&t.rows.columns[0], 1e300);
	column_double(&t.rows.columns[0], NAN);
	column_i64(&t.rows.columns[1], 9007199254740993);
	column_i64(&t.rows.columns[1], INT64_MAX);
	t.rows.rows = 2;
	fitted(&p, "[{\"stage\":\"Imputer\",\"inputCols\":[\"x\",\"n\"],\"outputCols\":[\"y\",\"m\"]}]", &t, 1);
	assert_ok(pipeline_encode(&p, &bytes, &e), &e);
	assert_ok(pipeline_decode(&q, bytes.data, bytes.len, &e), &e);
	applied(&q, &t, true, &b);
	assert_true(b.columns[2].f64[1] == 1e300);
	/* Through double and back, as Spark casts them. */
	assert_true(b.columns[3].i64[0] == 9007199254740992);
	assert_true(b.columns[3].i64[1] == INT64_MAX);
	batch_release(&b);
	pipeline_release(&p);
	pipeline_release(&q);
	buf_release(&bytes);
	stage_table_release(&t);
}

static void test_imputer_refuses(void **state)
{
	static const double opposite[] = {INFINITY, -INFINITY}, missing[] = {NAN, NAN};
	static const double *const columns[] = {opposite, missing};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(columns); k++) {
		struct stage_table t;
		struct pipeline p;
		struct err e;
		err_init(&e);
		stage_table_init(&t, "[{\"name\":\"x\",\"type\":\"double\"}]");
		for (size_t i = 0; i < 2; i++) column_double(&t.rows.columns[0], columns[k][i]);
		t.rows.rows = 2;
		struct comm *c = comm_serial_create();
		stage_pipeline(&p, "[{\"stage\":\"Imputer\",\"inputCol\":\"x\",\"outputCol\":\"y\"}]", &t);
		assert_false(stage_fit(&p, &t, c, 1, &e));
		assert_int_equal(e.code, ERR_data);
		comm_serial_destroy(c);
		pipeline_release(&p);
		stage_table_release(&t);
	}
}

/* An indexer that saw no label has one category with its unknown one, or none: no vector of length -1. */
static void test_encoder_without_categories(void **state)
{
	struct stage_table t;
	struct pipeline p;
	struct batch b;
	(void)state;
	stage_table_init(&t, "[{\"name\":\"i\",\"type\":\"double\"}]");
	column_double(&t.rows.columns[0], 0);
	t.rows.rows = 1;
	fitted(&p, "[{\"stage\":\"OneHotEncoder\",\"inputCol\":\"i\",\"outputCol\":\"o\"}]", &t, 1);
	applied(&p, &t, true, &b);
	assert_int_equal(column_vec_at(stage_result(&p, &b), 0).size, 0);
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
}

static void test_vocabulary_ties(void **state)
{
	struct stage_table t;
	struct pipeline p;
	struct arena a = ARENA_INIT;
	(void)state;
	for (size_t shards = 1; shards <= 5; shards += 4) {
		static const char *const words[] = {"b", "\xc3\xa9", "a", "z", "b", "a", "z", "\xc3\xa9", "q"};
		static const char *const order[] = {"a", "b", "z", "\xc3\xa9"};
		stage_table_init(&t, WORDS_TABLE);
		for (size_t k = 0; k < ARRAY_COUNT(words); k++) {
			column_elem(&t.rows.columns[0], words[k], strlen(words[k]));
			column_row_end(&t.rows.columns[0]);
		}
		t.rows.rows = ARRAY_COUNT(words);
		fitted(&p, "[{\"stage\":\"CountVectorizer\",\"inputCol\":\"w\",\"outputCol\":\"v\",\"vocabSize\":4}]",
		       &t, shards);
		const struct json *vocabulary = json_get(state_of(&p, &a), "vocabulary");
		assert_int_equal(vocabulary->count, 4);
		for (size_t k = 0; k < 4; k++) assert_true(str_is(json_at(vocabulary, k)->string, order[k]));
		pipeline_release(&p);
		stage_table_release(&t);
	}
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ngrams_shared_and_copied), cmocka_unit_test(test_stop_words_of_languages),
		cmocka_unit_test(test_counting_and_sorting),	 cmocka_unit_test(test_hash_known_answers),
		cmocka_unit_test(test_in_place),		 cmocka_unit_test(test_constant_column),
		cmocka_unit_test(test_assembler_refuses),	 cmocka_unit_test(test_imputer_numbers),
		cmocka_unit_test(test_what_will_not_be_known_is_refused_when_bound),
		cmocka_unit_test(test_imputer_refuses),		 cmocka_unit_test(test_encoder_without_categories),
		cmocka_unit_test(test_vocabulary_ties),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
