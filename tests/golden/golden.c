#include "tests/golden/golden.h"

const char *const golden_names[] = {"sentiment", "topics", "passengers", "vectors", NULL};

void golden_fit_text(struct golden *g, const char *text)
{
	struct err e;
	struct json *root;
	err_init(&e);
	*g = (struct golden){.container = BUF_INIT((size_t)1 << 30)};
	text = arena_strdup(&g->arena, text); /* rows to ask are parts of it */
	assert_ok(json_parse(&g->arena, text, strlen(text), &root, &e), &e);
	g->ask = json_get(root, "ask");
	table_read(&g->table, json_get(root, "rows"));
	pipeline_from(&g->pipeline, json_get(root, "pipeline"), &g->table);
	assert_ok(pipeline_response(&g->pipeline, json_get(root, "response"), "/response", &e), &e);
	struct comm *c = comm_serial_create();
	assert_ok(pipeline_fit_table(&g->pipeline, &g->table, c, &e), &e);
	comm_serial_destroy(c);
	assert_ok(pipeline_encode(&g->pipeline, &g->container, &e), &e);
	assert_ok(predictor_create(g->container.data, g->container.len, "golden", 1, &g->predictor, &e), &e);
	g->scratch = predictor_scratch_create(g->predictor);
}

void golden_fit(struct golden *g, const char *name)
{
	struct arena a = ARENA_INIT;
	golden_fit_text(g, support_read(&a, arena_printf(&a, "%s/tests/golden/%s.json", support_source(), name)).data);
	arena_release(&a);
}

void golden_release(struct golden *g)
{
	/* The order that the model cache has: a scratch may go last. */
	predictor_destroy(g->predictor);
	predictor_scratch_destroy(g->scratch);
	pipeline_release(&g->pipeline);
	table_release(&g->table);
	buf_release(&g->container);
	arena_release(&g->arena);
}

const char *golden_answer(struct golden *g, const char *body, enum predictor_output output)
{
	struct err e;
	struct buf out = BUF_INIT((size_t)1 << 28);
	struct predictor_request r = {.body = body, .len = strlen(body), .output = output, .limits = GOLDEN_LIMITS};
	err_init(&e);
	assert_ok(predictor_json(g->predictor, g->scratch, &r, &out, &e), &e);
	const char *text = arena_strndup(&g->arena, out.data, out.len);
	buf_release(&out);
	return text;
}

const struct err *golden_refusal(struct golden *g, const struct predictor_request *r)
{
	struct err *e = arena_alloc(&g->arena, sizeof *e);
	struct buf out = BUF_INIT((size_t)1 << 28);
	err_init(e);
	assert_false(predictor_json(g->predictor, g->scratch, r, &out, e));
	buf_release(&out);
	return e;
}
