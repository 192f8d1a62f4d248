#include "server/model_call.h"

#include "server/reply.h"
#include "server/router.h"
#include "server/server.h"

bool model_ref_version(struct str text, int *version)
{
	int64_t n;
	if (!str_to_i64(text, &n) || n < 1 || n > INT32_MAX) return false;
	*version = (int)n;
	return true;
}

struct model_ref model_ref_of_path(const struct exchange *x)
{
	struct model_ref ref = {.name = x->params[0]};
	if (strstr(x->route->path, "{version}") && !model_ref_version(x->params[1], &ref.version)) ref.version = 0;
	return ref;
}

enum outcome model_call_run(struct exchange *x, const struct model_ref *ref, model_call *call)
{
	struct model_reader *reader;
	const struct predictor *p;
	struct predictor_scratch *s;
	struct err e;
	bool loading = false;
	err_init(&e);
	if (!lane_reader(x, &reader, &e)) return reply_error(x, &e);
	if (!model_acquire(reader, ref->name, ref->version, ref->alias, &p, &s, &loading, &e)) {
		if (loading && x->lane->kind != LANE_STORE) return MUST_BLOCK;
		if (!loading || !model_acquire_wait(reader, ref->name, ref->version, ref->alias, &p, &s, &e))
			return reply_error(x, &e);
	}
	bool ok = call(x, p, s, &e);
	if (ok) http_reply_header(x->rq, "Quern-Model", predictor_label(p));
	model_release(reader);
	return ok ? ANSWERED : reply_error(x, &e);
}
