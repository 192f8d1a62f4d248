/* Searches with a model's LSH stage. */
#include "server/handlers/handlers.h"
#include "server/model_call.h"
#include "server/reply.h"
#include "server/server.h"
#include "serving/search.h"

static bool answer(struct exchange *x, const struct predictor *p, struct predictor_scratch *s, search_call *call,
		   struct err *e)
{
	const struct config *c = x->server->config;
	struct predictor_request r = {
		.body = x->rq->body.data ? x->rq->body.data : "",
		.len = x->rq->body.len,
		.limits = {c->limits_instances, c->limits_answerBytes},
	};
	struct json_writer w = reply_json(x, 200);
	return call(p, s, &r, &x->lane->arena, w.out, e);
}

static bool neighbors(struct exchange *x, const struct predictor *p, struct predictor_scratch *s, struct err *e)
{
	return answer(x, p, s, search_neighbors, e);
}

static bool similarity(struct exchange *x, const struct predictor *p, struct predictor_scratch *s, struct err *e)
{
	return answer(x, p, s, search_similarity, e);
}

enum outcome search_find_neighbors(struct exchange *x)
{
	struct model_ref ref = model_ref_of_path(x);
	return model_call_run(x, &ref, neighbors);
}

enum outcome search_join_similar(struct exchange *x)
{
	struct model_ref ref = model_ref_of_path(x);
	return model_call_run(x, &ref, similarity);
}
