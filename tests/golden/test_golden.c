/* Containers that earlier builds made still load and answer the same. With QUERN_GOLDEN_WRITE=1 they are made anew:
 * only for a new pipeline, or when a stage's version changed and docs say so. */
#include "base/file.h"
#include "tests/golden/golden.h"

#include <stdio.h>
#include <stdlib.h>

static char *path_of(struct arena *a, const char *name, const char *ending)
{
	return arena_printf(a, "%s/tests/golden/%s.%s", support_source(), name, ending);
}

/* What is asked, a row a line: the response, then every column. */
static void ask_all(struct golden *g, struct buf *out)
{
	for (const struct json *row = g->ask->child; row; row = row->next) {
		const char *body = arena_strndup(&g->arena, row->raw.data, row->raw.len);
		buf_printf(out, "%s\n", golden_answer(g, body, PREDICT_RESPONSE));
		buf_printf(out, "%s\n", golden_answer(g, body, PREDICT_FULL));
	}
}

static void write_anew(struct golden *g, const char *name)
{
	struct err e;
	struct buf answers = BUF_INIT(1 << 24);
	err_init(&e);
	ask_all(g, &answers);
	assert_ok(file_replace(path_of(&g->arena, name, "quern"), g->container.data, g->container.len, &e), &e);
	assert_ok(file_replace(path_of(&g->arena, name, "ndjson"), answers.data, answers.len, &e), &e);
	buf_release(&answers);
}

static void use_stored(struct golden *g, const char *name)
{
	struct err e;
	err_init(&e);
	struct str bytes = support_read(&g->arena, path_of(&g->arena, name, "quern"));
	predictor_destroy(g->predictor);
	predictor_scratch_destroy(g->scratch);
	assert_ok(predictor_create(bytes.data, bytes.len, name, 1, &g->predictor, &e), &e);
	g->scratch = predictor_scratch_create(g->predictor);
}

static void test_stored_models_answer_as_they_did(void **state)
{
	(void)state;
	for (size_t i = 0; golden_names[i]; i++) {
		struct golden g;
		struct buf answers = BUF_INIT(1 << 24);
		golden_fit(&g, golden_names[i]);
		if (getenv("QUERN_GOLDEN_WRITE")) write_anew(&g, golden_names[i]);
		use_stored(&g, golden_names[i]);
		ask_all(&g, &answers);
		assert_string_equal(buf_cstr(&answers),
					support_read(&g.arena, path_of(&g.arena, golden_names[i], "ndjson")).data);
		buf_release(&answers);
		golden_release(&g);
	}
}

/* Encoding what was decoded gives the stored bytes again. */
static void test_stored_models_keep_their_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; golden_names[i]; i++) {
		struct arena a = ARENA_INIT;
		struct err e;
		struct pipeline p;
		struct buf again = BUF_INIT(1 << 24);
		err_init(&e);
		struct str bytes = support_read(&a, path_of(&a, golden_names[i], "quern"));
		assert_ok(pipeline_decode(&p, bytes.data, bytes.len, &e), &e);
		assert_ok(pipeline_encode(&p, &again, &e), &e);
		assert_int_equal(again.len, bytes.len);
		assert_memory_equal(again.data, bytes.data, bytes.len);
		buf_release(&again);
		pipeline_release(&p);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stored_models_answer_as_they_did),
		cmocka_unit_test(test_stored_models_keep_their_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
