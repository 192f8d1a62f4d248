/* Word2Vec beyond the fixtures: the tree, the two kernels, stopping and resuming, null terms, refusals. */
#include "pipeline/skip_gram_fit.h"
#include "tests/unit/pipeline/stage_support.h"

#include "base/rng.h"

#include <stdio.h>

#define WORDS_TABLE "[{\"name\":\"w\",\"type\":\"array<string>\"}]"

/* --- The tree ---------------------------------------------------------------------------------------------------- */

static void the_tree_is_huffmans(void **state)
{
	static const uint64_t counts[] = {9, 5, 3, 1};
	static const char *const codes[] = {"1", "01", "001", "000"};
	struct skip_gram g = {.words = ARRAY_COUNT(counts), .size = 1};
	(void)state;
	skip_gram_prepare(&g, counts);
	for (size_t w = 0; w < g.words; w++) {
		assert_int_equal(g.path[w + 1] - g.path[w], strlen(codes[w]));
		for (size_t d = 0; codes[w][d]; d++) {
			assert_int_equal(g.code[g.path[w] + d], codes[w][d] - '0');
			assert_int_equal(g.inner[g.path[w] + d], g.words - 2 - d);
		}
	}
	skip_gram_release(&g);
}

/* --- Training by itself ------------------------------------------------------------------------------------------ */

enum { VOCABULARY = 40, SENTENCES = 300, LENGTH = 12 };

struct drawn {
	uint32_t words[SENTENCES * LENGTH];
	uint64_t ends[SENTENCES], counts[VOCABULARY];
	struct skip_gram_corpus corpus;
	struct skip_gram g;
};

static void draw(struct drawn *d, size_t size, int64_t iterations, int64_t partitions)
{
	*d = (struct drawn){.corpus = {d->words, d->ends, SENTENCES}};
	for (size_t i = 0; i < ARRAY_COUNT(d->words); i++) d->words[i] = (uint32_t)(rng_at(5, i) % VOCABULARY);
	for (size_t s = 0; s < SENTENCES; s++) d->ends[s] = (s + 1) * LENGTH;
	for (size_t w = 0; w < VOCABULARY; w++) d->counts[w] = VOCABULARY - w;
	d->g = (struct skip_gram){
		.words = VOCABULARY,
		.size = size,
		.window = 3,
		.iterations = iterations,
		.partitions = partitions,
		.step = 0.5,
		.seed = 77,
		.occurrences = ARRAY_COUNT(d->words),
	};
	skip_gram_prepare(&d->g, d->counts);
}

static void pass(const struct drawn *d, struct skip_gram_weights *w)
{
	*w = skip_gram_weights(&d->g);
	skip_gram_start(&d->g, w);
	for (int64_t k = 1; k <= d->g.iterations; k++) assert_true(skip_gram_pass(&d->g, &d->corpus, k, 0, w, NULL, NULL));
}

static void kernels_agree(void **state)
{
	static const size_t sizes[] = {1, 31, 32, 33, 100, 128};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct drawn d;
		struct skip_gram_weights fast, plain;
		draw(&d, sizes[i], 2, 1);
		pass(&d, &fast);
		d.g.unfused = true;
		pass(&d, &plain);
		assert_memory_equal(fast.word, plain.word, VOCABULARY * sizes[i] * sizeof *fast.word);
		assert_memory_equal(fast.inner, plain.inner, VOCABULARY * sizes[i] * sizeof *fast.inner);
		skip_gram_weights_release(&fast);
		skip_gram_weights_release(&plain);
		skip_gram_release(&d.g);
	}
}

static bool at_once(void *ctx)
{
	(void)ctx;
	return true;
}

static void a_pass_can_be_stopped(void **state)
{
	struct drawn d;
	struct skip_gram_corpus longer;
	uint64_t ends[1000];
	(void)state;
	draw(&d, 2, 1, 1);
	/* The same words again and again: it is asked each 10,000. */
	uint32_t *words = mem_zalloc(ARRAY_COUNT(ends) * LENGTH, sizeof *words);
	for (size_t s = 0; s < ARRAY_COUNT(ends); s++) ends[s] = (s + 1) * LENGTH;
	longer = (struct skip_gram_corpus){words, ends, ARRAY_COUNT(ends)};
	struct skip_gram_weights w = skip_gram_weights(&d.g);
	skip_gram_start(&d.g, &w);
	assert_false(skip_gram_pass(&d.g, &longer, 1, 0, &w, at_once, NULL));
	skip_gram_weights_release(&w);
	mem_free(words);
	skip_gram_release(&d.g);
}

/* --- Checkpoints ------------------------------------------------------------------------------------------------- */

struct saved {
	struct buf bytes; /* of the second iteration */
	int count;
};

static bool always_due(void *ctx)
{
	(void)ctx;
	return true;
}

static bool keep_second(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct saved *s = ctx;
	(void)e;
	if (++s->count == 2) buf_append(&s->bytes, bytes, len);
	return true;
}

static void a_checkpoint_leads_to_the_same_end(void **state)
{
	enum { SIZE = 6 };
	float whole[VOCABULARY * SIZE], resumed[VOCABULARY * SIZE];
	struct saved saved = {.bytes = BUF_INIT(1 << 20)};
	struct comm *c = comm_serial_create();
	struct drawn d;
	struct err e;
	(void)state;
	err_init(&e);
	draw(&d, SIZE, 4, 3);
	struct fit f = {.comm = c, .ctx = &saved, .checkpoint_due = always_due, .checkpoint_save = keep_second};
	assert_ok(skip_gram_fit(&f, &d.g, &d.corpus, whole, &e), &e);
	assert_int_equal(saved.count, 4);
	f = (struct fit){.comm = c, .resume = saved.bytes.data, .resume_len = saved.bytes.len};
	assert_ok(skip_gram_fit(&f, &d.g, &d.corpus, resumed, &e), &e);
	assert_memory_equal(whole, resumed, sizeof whole);
	f.resume_len--;
	assert_false(skip_gram_fit(&f, &d.g, &d.corpus, resumed, &e));
	buf_release(&saved.bytes);
	skip_gram_release(&d.g);
	comm_serial_destroy(c);
}

/* --- The stage --------------------------------------------------------------------------------------------------- */

static void put_row(struct stage_table *t, const char *const *words, size_t n)
{
	struct column *c = &t->rows.columns[0];
	for (size_t k = 0; k < n; k++)
		if (words[k]) column_elem(c, words[k], strlen(words[k]));
		else column_elem_null(c);
	column_row_end(c);
	t->rows.rows++;
}

static bool fitted(struct pipeline *p, const char *more, const struct stage_table *t, struct err *e)
{
	char stages[256];
	struct comm *c = comm_serial_create();
	snprintf(stages, sizeof stages, "[{\"stage\":\"Word2Vec\",\"inputCol\":\"w\",\"outputCol\":\"v\",\"seed\":3%s}]", more);
	err_init(e);
	stage_pipeline(p, stages, t);
	bool ok = stage_fit(p, t, c, 2, e);
	comm_serial_destroy(c);
	return ok;
}

static void a_null_term_is_a_word(void **state)
{
	static const char *const row[] = {NULL, "a", NULL, NULL}, *const other[] = {NULL};
	struct stage_table t;
	struct pipeline p;
	struct batch out = {0};
	struct err e;
	(void)state;
	stage_table_init(&t, WORDS_TABLE);
	put_row(&t, row, 4);
	put_row(&t, other, 1);
	assert_ok(fitted(&p, ",\"vectorSize\":2,\"minCount\":2", &t, &e), &e);
	assert_ok(stage_apply(&p, &t, true, &out, &e), &e);
	struct vec mixed = column_vec_at(stage_result(&p, &out), 0), alone = column_vec_at(stage_result(&p, &out), 1);
	assert_true(alone.val[0] != 0 && mixed.val[0] == 3 * alone.val[0] * 0.25);
	batch_release(&out);
	pipeline_release(&p);
	stage_table_release(&t);
}

static void without_iterations_vectors_are_as_drawn(void **state)
{
	static const char *const row[] = {"one"};
	struct stage_table t;
	struct pipeline p;
	struct batch out = {0};
	struct err e;
	(void)state;
	stage_table_init(&t, WORDS_TABLE);
	put_row(&t, row, 1);
	for (int iterations = 0; iterations < 2; iterations++) {
		/* A single word is a tree without inner nodes: there is nothing to learn. */
		assert_ok(fitted(&p, iterations ? ",\"vectorSize\":2,\"minCount\":1" :
						  ",\"vectorSize\":2,\"minCount\":1,\"maxIter\":0", &t, &e), &e);
		assert_ok(stage_apply(&p, &t, true, &out, &e), &e);
		struct vec v = column_vec_at(stage_result(&p, &out), 0);
		assert_true(v.val[0] != 0 && v.val[0] >= -0.25 && v.val[0] < 0.25);
		batch_release(&out);
		pipeline_release(&p);
	}
	stage_table_release(&t);
}

static void what_cannot_be_learned_is_refused(void **state)
{
	static const char *const row[] = {"a", "b", "a"};
	static const struct {
		const char *more, *said;
	} cases[] = {
		{"", "no word occurs minCount (5) times"},
		{",\"minCount\":1,\"vectorSize\":2147483647", "are over"},
	};
	struct stage_table t;
	struct pipeline p;
	struct err e;
	(void)state;
	stage_table_init(&t, WORDS_TABLE);
	put_row(&t, row, 3);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_false(fitted(&p, cases[i].more, &t, &e));
		assert_non_null(strstr(e.detail, cases[i].said));
		pipeline_release(&p);
	}
	column_null(&t.rows.columns[0]);
	t.rows.rows++;
	assert_false(fitted(&p, "", &t, &e));
	assert_non_null(strstr(e.detail, "the array is null"));
	pipeline_release(&p);
	stage_table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tree_is_huffmans),
		cmocka_unit_test(kernels_agree),
		cmocka_unit_test(a_pass_can_be_stopped),
		cmocka_unit_test(a_checkpoint_leads_to_the_same_end),
		cmocka_unit_test(a_null_term_is_a_word),
		cmocka_unit_test(without_iterations_vectors_are_as_drawn),
		cmocka_unit_test(what_cannot_be_learned_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
