/* The service's endpoints, one behaviour a test; what all routes share is tests/conformance/routes.c. */
#include "tests/support/server_fixture.h"

#include "data/deflate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#define JSON "Content-Type: application/json\r\n"
#define NS_PER_MS INT64_C(1000000)

static struct arena arena;
static const char *job_id;

static int setup(void **state QN_UNUSED)
{
	static const char *const flags[] = {"--limits.bodyBytes=1MiB", "--limits.eventClients=3",
					    "--trainer.pollSeconds=1", "--limits.inlinePredictBytes=1KiB", NULL};
	server_fixture_start(flags);
	server_fixture_up();
	job_id = server_fixture_train(&arena, "tiny");
	return 0;
}

static int teardown(void **state QN_UNUSED)
{
	server_fixture_stop();
	arena_release(&arena);
	return 0;
}

static struct http_answer get(const char *target, const char *headers)
{
	return server_fixture_call(&arena, "GET", target, headers, NULL);
}

static struct http_answer post(const char *target, const char *headers, const char *body)
{
	return server_fixture_call(&arena, "POST", target, headers, body);
}

static const struct json *parse(struct http_answer a)
{
	struct json *doc;
	struct err e;
	err_init(&e);
	assert_ok(json_parse(&arena, a.body.data, a.body.len, &doc, &e), &e);
	return doc;
}

static const char *pointer_of(struct http_answer a)
{
	return json_get(json_at(json_get(parse(a), "errors"), 0), "pointer")->string.data;
}

static bool has(struct http_answer a, const char *text)
{
	return memmem(a.body.data, a.body.len, text, strlen(text)) != NULL;
}

/* A small job, not waited for. */
static const char *submit(const char *headers)
{
	static const char spec[] =
		"{\"name\":\"small\",\"source\":{\"format\":\"inline\",\"rows\":[{\"x\":1.0,\"label\":0.0}]},\"tags\":{"
		"\"team\":\"a b\"},"
		"\"pipeline\":[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"x\"],\"outputCol\":\"features\"},"
		"{\"stage\":\"LogisticRegression\"}]}";
	struct http_answer a = post("/jobs", headers, spec);
	assert_int_equal(a.status, 202);
	return arena_strdup(&arena, json_get(parse(a), "id")->string.data);
}

/* --- Jobs --------------------------------------------------------------------------------------------------------- */

static void a_job_has_every_key(void **state QN_UNUSED)
{
	static const char *const keys[] = {"id",        "name",   "kind",      "state",     "attempt",    "maxAttempts",
					   "priority",  "tags",   "createdAt", "startedAt", "finishedAt", "updatedAt",
					   "progress",  "stages", "shards",    "metrics",   "evaluation", "model",
					   "resources", "error",  "seed",      "spec"};
	const struct json *job = parse(get(arena_printf(&arena, "/jobs/%s", job_id), ""));
	assert_int_equal(job->count, ARRAY_COUNT(keys));
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (!json_get(job, keys[i])) fail_msg("a job has no %s", keys[i]);
	assert_int_equal(json_get(json_get(job, "model"), "version")->integer, 1);
	assert_int_equal(json_get(job, "createdAt")->string.len, strlen("2026-11-23T04:18:00.123Z"));
}

static void faults_come_all_at_once(void **state QN_UNUSED)
{
	struct http_answer a = post(
		"/jobs?dryRun=true", JSON,
		"{\"name\":\"x\",\"colour\":1,\"source\":{\"format\":\"inline\",\"rows\":[{\"a\":1}]},"
		"\"pipeline\":[{\"stage\":\"HashingTF\",\"inputCol\":\"nowhere\",\"outputCol\":\"b\","
		"\"numFeatures\":0}]}");
	assert_int_equal(a.status, 422);
	assert_true(json_get(parse(a), "errors")->count >= 2);
	assert_true(has(a, "/colour") && has(a, "/pipeline/0/numFeatures"));
}

static void dry_runs_leave_nothing(void **state QN_UNUSED)
{
	size_t before = json_get(parse(get("/jobs?limit=1000", "")), "jobs")->count;
	struct http_answer a = post("/jobs?dryRun=1", JSON,
				    "{\"name\":\"x\",\"source\":{\"format\":\"inline\",\"rows\":[{\"t\":\"a\"}]},"
				    "\"pipeline\":[{\"stage\":\"Tokenizer\",\"inputCol\":\"t\",\"outputCol\":\"w\"}]}");
	assert_int_equal(a.status, 200);
	assert_true(json_get(parse(a), "valid")->boolean);
	assert_int_equal(json_get(parse(a), "plan")->type, JSON_OBJECT);
	assert_int_equal(json_get(parse(get("/jobs?limit=1000", "")), "jobs")->count, before);
	assert_int_equal(post("/jobs?dryRun=perhaps", JSON, "{}").status, 400);
}

static void idempotency_keys(void **state QN_UNUSED)
{
	static const char spec[] =
		"{\"name\":\"once\",\"source\":{\"format\":\"inline\",\"rows\":[{\"x\":1.0}]},"
		"\"pipeline\":[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"x\"],\"outputCol\":\"f\"}]}";
	struct http_answer first = post("/jobs", JSON "Idempotency-Key: \"k-1\"\r\n", spec);
	struct http_answer again = post("/jobs", JSON "Idempotency-Key: k-1\r\n", spec);
	assert_int_equal(first.status, 202);
	assert_int_equal(again.status, 200);
	assert_true(str_eq(http_answer_get(&first, "Location"), http_answer_get(&again, "Location")));
	assert_int_equal(post("/jobs", JSON "Idempotency-Key: k-1\r\n", arena_printf(&arena, "%s ", spec)).status, 422);
	assert_int_equal(post("/jobs", JSON "Idempotency-Key: \"\"\r\n", spec).status, 400);
}

static void lists_are_paged(void **state QN_UNUSED)
{
	for (int i = 0; i < 3; i++) submit(JSON);
	const char *target = "/jobs?limit=2&sort=createdAt";
	size_t seen = 0, all = json_get(parse(get("/jobs?limit=1000", "")), "jobs")->count;
	for (int pages = 0; target && pages < 100; pages++) {
		struct http_answer a = get(target, "");
		const struct json *next = json_get(parse(a), "nextCursor");
		assert_int_equal(a.status, 200);
		seen += json_get(parse(a), "jobs")->count;
		struct str link = http_answer_get(&a, "Link");
		assert_int_equal(link.data != NULL, next->type == JSON_STRING);
		if (!link.data) break;
		const char *end = memchr(link.data, '>', link.len);
		assert_non_null(memmem(end, link.len - (size_t)(end - link.data), "rel=\"next\"", 10));
		target = arena_strndup(&arena, link.data + 1, (size_t)(end - link.data) - 1);
		assert_non_null(strstr(target, "sort=createdAt"));
	}
	assert_int_equal(seen, all);
}

static void filters(void **state QN_UNUSED)
{
	static const struct {
		const char *query;
		bool finds;
	} rows[] = {{"state=succeeded", true},
		    {"state=failed,succeeded", true},
		    {"state=cancelled&state=succeeded", true},
		    {"state=cancelled&name=tiny", false},
		    {"name=tiny", true},
		    {"name=nobody", false},
		    {"tag.team=growth", true},
		    {"tag.team=other", false},
		    {"createdFrom=2020-01-01", true},
		    {"createdTo=2020-01-01", false},
		    {"updatedSince=2020-01-01T00:00:00Z", true},
		    {"updatedSince=2100-01-01", false}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct http_answer a = get(arena_printf(&arena, "/jobs?limit=1000&%s", rows[i].query), "");
		assert_int_equal(a.status, 200);
		if (has(a, job_id) != rows[i].finds) fail_msg("%s", rows[i].query);
	}
}

static void bad_parameters_are_named(void **state QN_UNUSED)
{
	static const char *const rows[][2] = {{"state=done", "state"},      {"limit=0", "limit"},
					      {"limit=1001", "limit"},      {"limit=x", "limit"},
					      {"sort=name", "sort"},        {"createdFrom=yesterday", "createdFrom"},
					      {"createdTo=1", "createdTo"}, {"updatedSince=%20", "updatedSince"},
					      {"cursor=abc", "cursor"}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct http_answer a = get(arena_printf(&arena, "/jobs?%s", rows[i][0]), "");
		if (a.status != 400 || !has(a, rows[i][1])) fail_msg("%s: %d %s", rows[i][0], a.status, a.body.data);
	}
	assert_int_equal(get(arena_printf(&arena, "/jobs/%s?wait=-1", job_id), "").status, 400);
	assert_int_equal(get(arena_printf(&arena, "/jobs/%s/logs?tail=x", job_id), "").status, 400);
	assert_int_equal(get("/models?limit=0", "").status, 400);
	assert_int_equal(get("/models?cursor=%21", "").status, 400);
}

static void cancel_retry_delete(void **state QN_UNUSED)
{
	char *path = arena_printf(&arena, "/jobs/%s", job_id);
	assert_int_equal(post(arena_printf(&arena, "%s/cancel", path), "", "").status, 409);
	assert_int_equal(post(arena_printf(&arena, "%s/retry", path), "", "").status, 409);
	struct http_answer logs = get(arena_printf(&arena, "%s/logs?tail=2", path), "");
	assert_int_equal(logs.status, 200);
	assert_true(logs.body.len > 0 && logs.body.data[logs.body.len - 1] == '\n');
}

/* --- Waiting ------------------------------------------------------------------------------------------------------ */

static void a_long_poll_of_an_ended_job_returns_at_once(void **state QN_UNUSED)
{
	int64_t began = clock_mono_ns();
	char *path = arena_printf(&arena, "/jobs/%s?wait=30", job_id);
	struct http_answer a = get(path, "");
	struct str tag = http_answer_get(&a, "ETag");
	assert_int_equal(a.status, 200);
	assert_int_equal(get(path, arena_printf(&arena, "If-None-Match: %.*s\r\n", (int)tag.len, tag.data)).status,
			 304);
	assert_true(clock_mono_ns() - began < 5000 * NS_PER_MS);
}

/* Trains without waiting and follows the job by long polls alone: every answer but the last is a change. */
static void long_polls_follow_a_job(void **state QN_UNUSED)
{
	const char *id = submit(JSON);
	char *path = arena_printf(&arena, "/jobs/%s?wait=20", id), tag[64] = "If-None-Match: \"none\"\r\n";
	for (int i = 0; i < 50; i++) {
		struct http_answer a = get(path, tag);
		struct str etag = http_answer_get(&a, "ETag"), state_text = json_get(parse(a), "state")->string;
		assert_int_equal(a.status, 200);
		if (!str_is(state_text, "queued") && !str_is(state_text, "running")) return;
		snprintf(tag, sizeof tag, "If-None-Match: %.*s\r\n", (int)etag.len, etag.data);
	}
	fail_msg("the job does not end");
}

static void prefer_wait_says_how_long(void **state QN_UNUSED)
{
	struct http_answer a = post(
		"/jobs", JSON "Prefer: wait=3600\r\n",
		"{\"name\":\"waited\",\"source\":{\"format\":\"inline\",\"rows\":[{\"x\":1.0}]},"
		"\"pipeline\":[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"x\"],\"outputCol\":\"f\"}]}");
	assert_int_equal(a.status, 202);
	assert_true(str_is(http_answer_get(&a, "Preference-Applied"), "wait=60"));
	assert_true(has(a, "\"state\":\"succeeded\"") || has(a, "\"state\":\"failed\""));
}

/* --- Events ------------------------------------------------------------------------------------------------------- */

static void events_of_an_ended_job_end(void **state QN_UNUSED)
{
	char *path = arena_printf(&arena, "/jobs/%s/events", job_id);
	struct http_answer all = get(path, "");
	assert_int_equal(all.status, 200);
	assert_true(str_is(http_answer_get(&all, "Content-Type"), "text/event-stream"));
	assert_true(has(all, "event: state\ndata: "));
	const char *last = NULL;
	for (const char *p = all.body.data; (p = strstr(p, "id: ")); p++) last = p + 4;
	assert_non_null(last);
	assert_true(has(get(path, arena_printf(&arena, "Last-Event-ID: %ld\r\n", atol(last) - 1)), "succeeded"));
	assert_false(has(get(path, arena_printf(&arena, "Last-Event-ID: %ld\r\n", atol(last))), "event:"));
	assert_int_equal(get(path, "Last-Event-ID: x\r\n").status, 400);
}

static void events_of_a_running_job_come_until_its_end(void **state QN_UNUSED)
{
	const char *id = submit(JSON);
	struct http_answer a = get(arena_printf(&arena, "/jobs/%s/events", id), "");
	assert_true(has(a, "\"queued\"") && (has(a, "\"succeeded\"") || has(a, "\"failed\"")));
}

/* --- Predictions -------------------------------------------------------------------------------------------------- */

#define PREDICT "/models/tiny/predict"

static void one_and_many_rows(void **state QN_UNUSED)
{
	struct http_answer one = post(PREDICT, JSON, "{\"text\":\"good nice\"}");
	assert_int_equal(one.status, 200);
	assert_true(str_is(http_answer_get(&one, "Quern-Model"), "tiny:1"));
	assert_true(json_get(parse(one), "sentiment")->number > 0.5);
	struct http_answer many = post(PREDICT, JSON,
				       "{\"instances\":[{\"text\":\"good nice\"},{\"text\":\"awful\"}]}");
	const struct json *rows = json_get(parse(many), "predictions");
	assert_int_equal(rows->count, 2);
	assert_true(str_eq(json_at(rows, 0)->raw, one.body));
	struct http_answer lines = post(PREDICT, "Content-Type: application/x-ndjson\r\n",
					"{\"text\":\"good nice\"}\n{\"text\":\"awful\"}\n");
	assert_true(str_is(http_answer_get(&lines, "Content-Type"), "application/x-ndjson"));
	assert_memory_equal(lines.body.data, one.body.data, one.body.len);
	struct http_answer csv = post(PREDICT, "Content-Type: text/csv\r\n", "text\ngood nice\n");
	assert_int_equal(csv.status, 200);
	assert_true(has(csv, "sentiment"));
	assert_int_equal(post(PREDICT, "", "{\"text\":\"no type is JSON\"}").status, 200);
}

static void predict_faults(void **state QN_UNUSED)
{
	assert_string_equal(pointer_of(post(PREDICT, JSON, "{}")), "/text");
	assert_string_equal(pointer_of(post(PREDICT, JSON, "{\"instances\":[{\"text\":\"a\"},{\"text\":5}]}")),
			    "/instances/1/text");
	assert_int_equal(post(PREDICT, JSON, "").status, 400);
	assert_int_equal(post(PREDICT, JSON, "{\"text\":\"a\",\"x\":1}").status, 200);
	assert_int_equal(post(PREDICT "?strict=true", JSON, "{\"text\":\"a\",\"x\":1}").status, 422);
	assert_int_equal(post(PREDICT "?strict=perhaps", JSON, "{\"text\":\"a\"}").status, 400);
	assert_int_equal(post(PREDICT "?explain=3", JSON, "{\"text\":\"a\"}").status, 400);
	assert_int_equal(post(PREDICT "?output=some", JSON, "{\"text\":\"a\"}").status, 400);
	assert_true(has(post(PREDICT "?output=full", JSON, "{\"text\":\"a\"}"), "\"probability\""));
	assert_int_equal(post("/predict?model=", JSON, "{}").status, 400);
	assert_int_equal(post("/predict?model=tiny:x", JSON, "{}").status, 400);
	assert_int_equal(post("/predict?model=@production", JSON, "{}").status, 400);
	assert_int_equal(post("/predict?model=tiny:1", JSON, "{\"text\":\"a\"}").status, 200);
}

static void large_bodies_answer_the_same(void **state QN_UNUSED)
{
	struct buf body = BUF_INIT(1 << 20);
	buf_str(&body, "{\"instances\":[");
	for (int i = 0; i < 2000; i++) buf_printf(&body, "%s{\"text\":\"good nice\"}", i ? "," : "");
	buf_str(&body, "]}");
	struct http_answer a = post(PREDICT, JSON, buf_cstr(&body)),
			   one = post(PREDICT, JSON, "{\"text\":\"good nice\"}");
	const struct json *rows = json_get(parse(a), "predictions");
	assert_int_equal(rows->count, 2000);
	assert_true(str_eq(json_at(rows, 1999)->raw, one.body));
	buf_release(&body);
}

/* --- Compression -------------------------------------------------------------------------------------------------- */

static struct http_answer post_packed(const char *coding, const void *p, size_t len)
{
	return http_client_call(server_fixture_address(), &arena, "POST", PREDICT,
				arena_printf(&arena, JSON "Content-Encoding: %s\r\n", coding), (struct str){p, len});
}

static void compressed_bodies(void **state QN_UNUSED)
{
	static const char text[] = "{\"text\":\"good nice\"}";
	/* What the zstd program makes of the same text. */
	static const char zstd[] = "\x28\xb5\x2f\xfd\x00\x68\xa1\x00\x00{\"text\":\"good nice\"}";
	struct buf packed = BUF_INIT(4096);
	assert_true(deflate_gzip(text, sizeof text - 1, &packed));
	struct http_answer plain = post(PREDICT, JSON, text), gzip = post_packed("gzip", packed.data, packed.len);
	assert_int_equal(gzip.status, 200);
	assert_true(str_eq(plain.body, gzip.body));
	assert_int_equal(post_packed("gzip", packed.data, packed.len - 3).status, 400);
	assert_int_equal(post_packed("zstd", packed.data, packed.len).status, 400);
	assert_int_equal(post_packed("gzip", "", 0).status, 400);
	struct http_answer frame = post_packed("zstd", zstd, sizeof zstd - 1);
	assert_int_equal(frame.status, 200);
	assert_true(str_eq(plain.body, frame.body));
	buf_release(&packed);
}

static void bombs_are_too_large(void **state QN_UNUSED)
{
	size_t len = 64u << 20;
	char *zeros = mem_zalloc(len, 1);
	struct buf packed = BUF_INIT(2 * len);
	assert_true(deflate_gzip(zeros, len, &packed));
	assert_true(packed.len < 1 << 20);
	struct http_answer a = post_packed("gzip", packed.data, packed.len);
	assert_int_equal(a.status, 413);
	assert_true(has(a, "limits.bodyBytes"));
	buf_release(&packed);
	mem_free(zeros);
}

static void answers_are_compressed_when_asked(void **state QN_UNUSED)
{
	static const char *const targets[] = {"/stages", "/jobs?limit=1000", "/metrics"};
	for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
		struct http_answer plain = get(targets[i], ""),
				   packed = get(targets[i], "Accept-Encoding: gzip;q=0.5, br\r\n");
		assert_null(http_answer_get(&plain, "Content-Encoding").data);
		assert_true(str_is(http_answer_get(&packed, "Content-Encoding"), "gzip"));
		assert_true(str_is(http_answer_get(&plain, "Vary"), "Accept-Encoding"));
		assert_true(packed.body.len < plain.body.len);
		assert_memory_equal(packed.body.data, "\x1f\x8b", 2);
		struct http_answer refused = get(targets[i], "Accept-Encoding: gzip;q=0\r\n");
		assert_null(http_answer_get(&refused, "Content-Encoding").data);
	}
	struct http_answer small = get("/version", "Accept-Encoding: gzip\r\n");
	assert_null(http_answer_get(&small, "Content-Encoding").data);
}

/* --- Pages -------------------------------------------------------------------------------------------------------- */

static void metrics_are_prometheus_text(void **state QN_UNUSED)
{
	get("/nothing", "");
	struct http_answer a = get("/metrics", "");
	assert_true(strncmp(http_answer_get(&a, "Content-Type").data, "text/plain; version=0.0.4", 25) == 0);
	assert_true(has(a, "quern_http_requests_total{route=\"/models/{name}/predict\",method=\"POST\",code=\"200\"}"));
	assert_true(has(a, "quern_http_requests_total{route=\"none\",method=\"any\",code=\"404\"}"));
	assert_true(has(a, "quern_jobs{state=\"succeeded\"}"));
	assert_true(has(a, "_bucket{route=\"/stages\",method=\"GET\",le=\"+Inf\"}"));
	assert_true(has(a, "quern_build_info{version=\""));
	for (const char *line = a.body.data; *line;) {
		size_t len = strcspn(line, "\n");
		bool comment = strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0;
		if (!comment && strncmp(line, "quern_", 6) != 0 && strncmp(line, "process_", 8) != 0)
			fail_msg("%.*s", (int)len, line);
		line += len + 1;
	}
}

static void problems_explain_themselves(void **state QN_UNUSED)
{
	struct http_answer html = get("/problems/too-large", "Accept: text/html,*/*;q=0.1\r\n"),
			   json = get("/problems/too-large", "");
	assert_true(strncmp(http_answer_get(&html, "Content-Type").data, "text/html", 9) == 0);
	assert_int_equal(json_get(parse(json), "status")->integer, 413);
	assert_true(json_get(parse(get("/problems", "")), "problems")->count > 10);
}

static void the_index_runs_no_script(void **state QN_UNUSED)
{
	struct http_answer a = get("/", "");
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(http_answer_get(&a, "Content-Security-Policy").data, "default-src 'none'"));
}

/* --- The end ------------------------------------------------------------------------------------------------------ */

static _Atomic int answered;

static void *follow(void *path)
{
	struct arena mine = ARENA_INIT;
	struct http_answer a = server_fixture_call(&mine, "GET", path, "", NULL);
	if (a.status == 200) answered++;
	arena_release(&mine);
	return NULL;
}

/* Nobody claims the job any more, so it does not change by itself. */
static void stopping_answers_everyone_who_waits(void **state QN_UNUSED)
{
	enum { CLIENTS = 6 };
	pthread_t threads[CLIENTS];
	scheduler_drain(server_fixture()->scheduler);
	const char *id = submit(JSON);
	char *poll = arena_printf(&arena, "/jobs/%s?wait=60", id),
	     *events = arena_printf(&arena, "/jobs/%s/events", id);
	for (int i = 0; i < CLIENTS; i++) pthread_create(&threads[i], NULL, follow, i % 2 ? poll : events);
	for (int i = 0; i < 500 && waiters_count(server_fixture()->waiters) < CLIENTS; i++) usleep(10000);
	assert_int_equal(waiters_count(server_fixture()->waiters), CLIENTS);
	struct http_answer full = get(events, "");
	assert_int_equal(full.status, 503);
	int64_t began = clock_mono_ns();
	server_fixture_stop();
	for (int i = 0; i < CLIENTS; i++) pthread_join(threads[i], NULL);
	assert_int_equal(answered, CLIENTS);
	assert_true(clock_mono_ns() - began < 20000 * NS_PER_MS);
	server_fixture_start(NULL); /* for teardown */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_has_every_key),
		cmocka_unit_test(faults_come_all_at_once),
		cmocka_unit_test(dry_runs_leave_nothing),
		cmocka_unit_test(idempotency_keys),
		cmocka_unit_test(lists_are_paged),
		cmocka_unit_test(filters),
		cmocka_unit_test(bad_parameters_are_named),
		cmocka_unit_test(cancel_retry_delete),
		cmocka_unit_test(a_long_poll_of_an_ended_job_returns_at_once),
		cmocka_unit_test(long_polls_follow_a_job),
		cmocka_unit_test(prefer_wait_says_how_long),
		cmocka_unit_test(events_of_an_ended_job_end),
		cmocka_unit_test(events_of_a_running_job_come_until_its_end),
		cmocka_unit_test(one_and_many_rows),
		cmocka_unit_test(predict_faults),
		cmocka_unit_test(large_bodies_answer_the_same),
		cmocka_unit_test(compressed_bodies),
		cmocka_unit_test(bombs_are_too_large),
		cmocka_unit_test(answers_are_compressed_when_asked),
		cmocka_unit_test(metrics_are_prometheus_text),
		cmocka_unit_test(problems_explain_themselves),
		cmocka_unit_test(the_index_runs_no_script),
		cmocka_unit_test(stopping_answers_everyone_who_waits), /* last */
	};
	return cmocka_run_group_tests_name("service", tests, setup, teardown);
}
