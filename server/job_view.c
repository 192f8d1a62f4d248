#include "server/job_view.h"

void view_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];
	json_key(w, key);
	if (wall_ms) clock_text(wall_ms, text);
	json_cstr(w, wall_ms ? text : NULL);
}

void view_json(struct json_writer *w, const char *key, const char *text, const char *absent)
{
	if (!text) text = absent;
	json_key(w, key);
	json_raw(w, text, strlen(text));
}

static void text(struct json_writer *w, const char *key, const char *value)
{
	json_key(w, key);
	json_cstr(w, value && *value ? value : NULL);
}

static void number(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_int(w, value);
}

static void write_progress(const struct job *j, struct json_writer *w)
{
	json_key(w, "progress");
	json_object_begin(w);
	json_key(w, "fraction");
	json_double(w, j->fraction);
	text(w, "phase", j->phase);
	text(w, "message", j->message);
	number(w, "rowsDone", j->rows_done);
	json_key(w, "rowsTotal");
	if (j->rows_total > 0) json_int(w, j->rows_total);
	else json_null(w);
	json_key(w, "etaSeconds");
	json_double(w, j->eta_s);
	json_object_end(w);
}

static void write_model(const struct job *j, struct json_writer *w)
{
	json_key(w, "model");
	if (!j->model_version) {
		json_null(w);
		return;
	}
	json_object_begin(w);
	text(w, "name", j->model_name);
	number(w, "version", j->model_version);
	json_object_end(w);
}

static const struct json *parsed(struct arena *a, const char *text_)
{
	struct err ignored;
	struct json *v = NULL;
	err_init(&ignored);
	return text_ && json_parse(a, text_, strlen(text_), &v, &ignored) ? v : NULL;
}

/* What has been used where that is known; until then what was asked for. */
static void write_resources(const struct job *j, struct arena *a, struct json_writer *w)
{
	static const char *const keys[] = {"workers", "executor", "cpuSeconds", "peakMemoryBytes"};
	const struct json *used = parsed(a, j->resources);
	const struct json *asked = used ? NULL : json_get(parsed(a, j->spec), "resources");
	json_key(w, "resources");
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		const struct json *v = json_get(used ? used : asked, keys[i]);
		json_key(w, keys[i]);
		if (v) json_value(w, v);
		else json_null(w);
	}
	json_object_end(w);
}

void job_view_write(const struct job *j, struct arena *a, struct json_writer *w)
{
	json_object_begin(w);
	text(w, "id", j->id);
	text(w, "name", j->name);
	text(w, "kind", j->kind);
	text(w, "state", job_state_name(j->state));
	number(w, "attempt", j->attempt);
	number(w, "maxAttempts", j->max_attempts);
	number(w, "priority", j->priority);
	view_json(w, "tags", j->tags, "{}");
	view_time(w, "createdAt", j->created_at);
	view_time(w, "startedAt", j->started_at);
	view_time(w, "finishedAt", j->finished_at);
	view_time(w, "updatedAt", j->updated_at);
	write_progress(j, w);
	view_json(w, "stages", j->stages, "[]");
	view_json(w, "shards", j->shards, "[]");
	view_json(w, "metrics", j->metrics, "{}");
	view_json(w, "evaluation", j->evaluation, "null");
	write_model(j, w);
	write_resources(j, a, w);
	view_json(w, "error", j->error, "null");
	number(w, "seed", j->seed);
	view_json(w, "spec", j->spec, "null");
	json_object_end(w);
}
