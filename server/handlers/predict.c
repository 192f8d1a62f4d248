/* Predictions. In the steady state nothing is allocated: the reader pins a model that is in memory, its scratch is
 * warm, and the answer is written into the request's own buffer. */
#include "server/handlers/handlers.h"
#include "server/model_call.h"
#include "server/reply.h"
#include "server/server.h"

/* "name", "name@alias", "name:version". */
static bool read_reference(struct str text, struct model_ref *ref, struct err *e)
{
	size_t at = 0;
	if (!text.data) return true;
	while (at < text.len && text.data[at] != '@' && text.data[at] != ':') at++;
	struct str rest = {text.data + at + 1, at < text.len ? text.len - at - 1 : 0};
	ref->name = (struct str){text.data, at};
	bool ok = at > 0 && (at == text.len || rest.len > 0);
	if (ok && at < text.len && text.data[at] == '@') ref->alias = rest;
	else if (ok && at < text.len) ok = model_ref_version(rest, &ref->version);
	return ok || err_set(e, ERR_bad_request, "parameter model must be a name, name@alias or name:version");
}

static bool read_options(const struct exchange *x, struct predictor_request *r, struct err *e)
{
	const struct config *c = x->server->config;
	*r = (struct predictor_request){.body = x->rq->body.data ? x->rq->body.data : "", .len = x->rq->body.len};
	r->limits = (struct predictor_limits){c->limits_instances, c->limits_answerBytes};
	if (x->target.param_count == 0) return true;
	struct str output = target_param(&x->target, "output");
	if (output.data && !str_is(output, "full"))
		return err_set(e, ERR_bad_request, "parameter output can only be full");
	if (output.data) r->output = PREDICT_FULL;
	if (target_param(&x->target, "explain").data)
		return err_set(e, ERR_bad_request, "parameter explain: explanations are not available yet");
	return target_bool(&x->target, "strict", &r->strict, e);
}

static const struct {
	const char *type, *format; /* format NULL: a JSON document */
} answers[] = {
	[MEDIA_NONE] = {"application/json", NULL},
	[MEDIA_JSON] = {"application/json", NULL},
	[MEDIA_NDJSON] = {"application/x-ndjson", "ndjson"},
	[MEDIA_CSV] = {"text/csv; charset=utf-8", "csv"},
};

static bool predict_rows(struct exchange *x, const struct predictor *p, struct predictor_scratch *s, struct err *e)
{
	struct predictor_request r;
	const char *format = answers[x->media].format;
	if (!read_options(x, &r, e)) return false;
	reply_text(x, 200, answers[x->media].type);
	if (format) return predictor_lines(p, s, &r, format, &x->rq->reply.body, e);
	return predictor_json(p, s, &r, &x->rq->reply.body, e);
}

enum outcome predict_default(struct exchange *x)
{
	struct model_ref ref = {0};
	struct err e;
	err_init(&e);
	if (!read_reference(target_param(&x->target, "model"), &ref, &e)) return reply_error(x, &e);
	return model_call_run(x, &ref, predict_rows);
}

enum outcome predict_model(struct exchange *x)
{
	struct model_ref ref = model_ref_of_path(x);
	return model_call_run(x, &ref, predict_rows);
}

enum outcome predict_version(struct exchange *x)
{
	struct model_ref ref = model_ref_of_path(x);
	return model_call_run(x, &ref, predict_rows);
}

enum outcome predict_alias(struct exchange *x)
{
	struct model_ref ref = {.name = x->params[0], .alias = x->params[1]};
	return model_call_run(x, &ref, predict_rows);
}
