#include "server/handlers/handlers.h"
#include "server/job_view.h"
#include "server/reply.h"
#include "server/server.h"
#include "store/model.h"

#include <stdio.h>

enum { LIST_LIMIT = 100 };

/* --- Models ------------------------------------------------------------------------------------------------------- */

static void write_model(const struct model *m, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "name");
	json_cstr(w, m->name);
	view_time(w, "createdAt", m->created_at);
	view_time(w, "updatedAt", m->updated_at);
	json_key(w, "latest");
	if (m->latest) json_int(w, m->latest);
	else json_null(w);
	json_key(w, "versions");
	json_array_begin(w);
	for (size_t i = 0; i < m->version_count; i++) json_int(w, m->versions[i]);
	json_array_end(w);
	json_key(w, "aliases");
	json_array_begin(w);
	for (size_t i = 0; i < m->alias_count; i++) {
		json_object_begin(w);
		json_key(w, "alias");
		json_cstr(w, m->aliases[i].alias);
		view_json(w, "target", m->aliases[i].target, "null");
		view_time(w, "updatedAt", m->aliases[i].updated_at);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
}

enum outcome models_list(struct exchange *x)
{
	struct store *store;
	struct model *models;
	size_t count;
	const char *next;
	struct err e;
	struct arena *a = &x->lane->arena;
	int64_t limit = LIST_LIMIT;
	struct str cursor = target_param(&x->target, "cursor");
	err_init(&e);
	if (!target_int(&x->target, "limit", 1, MODEL_LIST_MAX, &limit, &e) || !server_store(x->server, &store, &e) ||
	    !model_list(store, (size_t)limit, cursor.data ? arena_strndup(a, cursor.data, cursor.len) : NULL, a,
			&models, &count, &next, &e))
		return reply_error(x, &e);
	struct json_writer w = reply_list(x, "models");
	for (size_t i = 0; i < count; i++) write_model(&models[i], &w);
	reply_list_end(x, &w, next);
	return ANSWERED;
}

static const char *path_name(struct exchange *x)
{
	return arena_strndup(&x->lane->arena, x->params[0].data, x->params[0].len);
}

static int path_version(const struct exchange *x)
{
	int64_t n = 0;
	bool ok = str_to_i64(x->params[1], &n);
	CHECK(ok); /* the router saw to it */
	return (int)n;
}

enum outcome models_get(struct exchange *x)
{
	struct store *store;
	struct model m;
	struct err e;
	err_init(&e);
	if (!server_store(x->server, &store, &e) || !model_get(store, path_name(x), &x->lane->arena, &m, &e))
		return reply_error(x, &e);
	struct json_writer w = reply_json(x, 200);
	write_model(&m, &w);
	reply_live(x);
	return ANSWERED;
}

/* --- Versions ----------------------------------------------------------------------------------------------------- */

/* What the manifest says of these, by itself or of the training; null where it does not. */
static void write_manifest_keys(const struct model_version *v, struct arena *a, struct json_writer *w)
{
	static const char *const keys[] = {"input", "response", "stages", "metrics", "evaluation", "source"};
	struct json *manifest = NULL;
	struct err ignored;
	err_init(&ignored);
	if (v->manifest && !json_parse(a, v->manifest, strlen(v->manifest), &manifest, &ignored)) manifest = NULL;
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		const struct json *value = json_get(manifest, keys[i]);
		if (!value) value = json_get(json_get(manifest, "training"), keys[i]);
		json_key(w, keys[i]);
		if (value) json_value(w, value);
		else json_null(w);
	}
}

static void write_version(const struct model_version *v, struct arena *a, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "name");
	json_cstr(w, v->name);
	json_key(w, "version");
	json_int(w, v->version);
	write_manifest_keys(v, a, w);
	json_key(w, "job");
	json_cstr(w, *v->job_id ? v->job_id : NULL);
	json_key(w, "size");
	json_int(w, v->size);
	json_key(w, "checksum");
	json_cstr(w, v->checksum);
	view_time(w, "createdAt", v->created_at);
	json_object_end(w);
}

enum outcome models_versions(struct exchange *x)
{
	struct store *store;
	struct model_version *versions;
	size_t count;
	struct err e;
	err_init(&e);
	if (!server_store(x->server, &store, &e) ||
	    !model_version_list(store, path_name(x), &x->lane->arena, &versions, &count, &e))
		return reply_error(x, &e);
	struct json_writer w = reply_list(x, "versions");
	for (size_t i = 0; i < count; i++) write_version(&versions[i], &x->lane->arena, &w);
	reply_list_end(x, &w, NULL);
	return ANSWERED;
}

static bool find_version(struct exchange *x, struct store **store, struct model_version *v, struct err *e)
{
	return server_store(x->server, store, e) &&
	       model_version_get(*store, path_name(x), path_version(x), &x->lane->arena, v, e);
}

enum outcome models_version(struct exchange *x)
{
	struct store *store;
	struct model_version v;
	struct err e;
	err_init(&e);
	if (!find_version(x, &store, &v, &e)) return reply_error(x, &e);
	struct json_writer w = reply_json(x, 200);
	write_version(&v, &x->lane->arena, &w);
	reply_settled(x, v.created_at);
	return ANSWERED;
}

/* From the model in memory, so it answers while Postgres is away. */
enum outcome models_state(struct exchange *x)
{
	struct model_reader *reader;
	const struct predictor *p;
	struct predictor_scratch *s;
	struct err e;
	err_init(&e);
	if (!lane_reader(x, &reader, &e) ||
	    !model_acquire_wait(reader, x->params[0], path_version(x), (struct str){0}, &p, &s, &e))
		return reply_error(x, &e);
	struct json_writer w = reply_json(x, 200);
	json_object_begin(&w);
	json_key(&w, "stages");
	pipeline_state(predictor_pipeline(p), &w);
	json_object_end(&w);
	model_release(reader);
	reply_settled(x, x->server->started_ms);
	return ANSWERED;
}

enum outcome models_export(struct exchange *x)
{
	struct store *store;
	struct model_version v;
	struct err e;
	char etag[24];
	err_init(&e);
	if (!find_version(x, &store, &v, &e)) return reply_error(x, &e);
	reply_text(x, 200, "application/octet-stream");
	snprintf(etag, sizeof etag, "\"%s\"", v.checksum);
	http_reply_headerf(x->rq, "Content-Disposition", "attachment; filename=\"%s-%d.quern\"", v.name, v.version);
	if (reply_not_modified(x, etag, v.created_at)) return ANSWERED;
	x->rq->reply.body.max = MAX(x->rq->reply.body.max, (size_t)x->server->config->limits_modelBytes);
	if (!model_load(store, v.name, v.version, &x->rq->reply.body, &e)) return reply_error(x, &e);
	return ANSWERED;
}
