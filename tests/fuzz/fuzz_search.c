/* A search on a model with an LSH stage: whatever comes, the answer is JSON or an error of the request's. */
#include "serving/search.h"
#include "tests/fuzz/fuzz.h"
#include "tests/golden/golden.h"

static const char model[] =
	"{\"rows\":{\"format\":\"inline\",\"schema\":[{\"name\":\"id\",\"type\":\"int64\"},{\"name\":\"x\",\"type\":\"vector\"}],"
	"\"rows\":[{\"id\":0,\"x\":[1,1]},{\"id\":1,\"x\":[1,-1]}]},"
	"\"pipeline\":[{\"stage\":\"BucketedRandomProjectionLSH\",\"inputCol\":\"x\",\"outputCol\":\"h\",\"bucketLength\":2,"
	"\"numHashTables\":2,\"seed\":1}],\"response\":{\"h\":\"h\"}}";

static void check(const struct golden *g, search_call *call, const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(1 << 22);
	struct json *root;
	struct err e;
	struct predictor_request r = {.body = (const char *)data, .len = size, .limits = {100, 1 << 20}};
	err_init(&e);
	if (call(g->predictor, g->scratch, &r, &a, &out, &e)) CHECK(json_parse(&a, out.data, out.len, &root, &e));
	else CHECK(err_status(e.code) < 500);
	buf_release(&out);
	arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct golden g;
	if (!g.predictor) golden_fit_text(&g, model);
	check(&g, search_neighbors, data, size);
	check(&g, search_similarity, data, size);
	return 0;
}
