/* Every row of routes.def keeps the rules that all routes share; and the two descriptions of the interface, routes.def
 * and openapi.json, agree. */
#include "tests/support/server_fixture.h"

#include "server/router.h"

#include <dirent.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct arena arena;
static const char *job_id;

static int setup(void **state QN_UNUSED)
{
	static const char *const flags[] = {"--limits.jobSpecBytes=1MiB", "--limits.bodyBytes=1MiB",
					    "--trainer.pollSeconds=1", NULL};
	server_fixture_start(flags);
	return 0;
}

static int teardown(void **state QN_UNUSED)
{
	server_fixture_stop();
	arena_release(&arena);
	return 0;
}

/* --- Rows as requests --------------------------------------------------------------------------------------------- */

/* The row's path with values for its parameters; bad: values that cannot be. NULL: it has none to make bad. */
static char *path_of(const struct route *r, bool bad)
{
	static const struct {
		const char *name, *good, *bad;
	} values[] = {{"{id}", NULL, "not-a-uuid"},
		      {"{version}", "1", "0"},
		      {"{name}", "tiny", ""},
		      {"{alias}", "production", ""},
		      {"{code}", "not-found", ""}};
	struct buf out = BUF_INIT(1024);
	bool spoiled = false;
	for (const char *p = r->path; *p;) {
		size_t i = 0;
		while (i < ARRAY_COUNT(values) && strncmp(p, values[i].name, strlen(values[i].name)) != 0) i++;
		if (i == ARRAY_COUNT(values)) {
			buf_char(&out, *p++);
			continue;
		}
		const char *good = values[i].good ? values[i].good
				   : job_id       ? job_id
						  : "01a2070a-a44c-7275-9a55-75d92d7caaa6";
		buf_str(&out, bad ? values[i].bad : good);
		spoiled |= bad;
		p += strlen(values[i].name);
	}
	char *path = bad && !spoiled ? NULL : arena_strndup(&arena, out.data, out.len);
	buf_release(&out);
	return path;
}

static const char *name_of(const struct route *r)
{
	return arena_printf(&arena, "%s %s", http_method_name(r->method), r->path);
}

static struct http_answer call(const struct route *r, const char *headers, const char *body)
{
	return server_fixture_call(&arena, http_method_name(r->method), path_of(r, false), headers, body);
}

/* A body that the route reads. */
static const char *body_of(const struct route *r)
{
	if (r->body == BODY_ROWS) return "{\"text\":\"good\"}";
	return r->body == BODY_JOB || r->body == BODY_SEARCH ? "{}" : r->method == HTTP_POST ? "" : NULL;
}

static void assert_problem(const char *what, struct http_answer a, int status)
{
	static const char *const keys[] = {"type", "title", "status", "detail", "instance", "errors"};
	struct json *doc;
	struct err e;
	err_init(&e);
	if (a.status != status) fail_msg("%s: %d, not %d: %s", what, a.status, status, a.body.data);
	if (!str_is(http_answer_get(&a, "Content-Type"), "application/problem+json"))
		fail_msg("%s: no problem document", what);
	assert_ok(json_parse(&arena, a.body.data, a.body.len, &doc, &e), &e);
	assert_int_equal(doc->count, ARRAY_COUNT(keys));
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (!json_get(doc, keys[i])) fail_msg("%s: the problem has no %s", what, keys[i]);
	assert_int_equal(json_get(doc, "status")->integer, status);
	assert_true(strncmp(json_get(doc, "type")->string.data, "/problems/", 10) == 0);
	assert_true(http_answer_get(&a, "X-Request-Id").len > 0);
	if (status == 503) assert_true(http_answer_get(&a, "Retry-After").len > 0);
}

static bool is_get(const struct route *r) { return r->method == HTTP_GET; }

/* --- Before Postgres is there ------------------------------------------------------------------------------------- */

static void what_needs_the_store_says_so(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		if (r->place == PLACE_HERE || r->body == BODY_JOB) continue;
		assert_problem(name_of(r), call(r, "", body_of(r)), 503);
	}
	assert_problem("/readyz", server_fixture_call(&arena, "GET", "/readyz", "", NULL), 503);
	assert_int_equal(server_fixture_call(&arena, "GET", "/healthz", "", NULL).status, 200);
}

static void bring_up(void **state QN_UNUSED)
{
	server_fixture_up();
	job_id = server_fixture_train(&arena, "tiny");
	assert_int_equal(server_fixture_call(&arena, "GET", "/readyz", "", NULL).status, 200);
}

/* --- What every row keeps ----------------------------------------------------------------------------------------- */

static void unknown_methods_are_refused(void **state QN_UNUSED)
{
	static const char *const methods[] = {"PATCH", "OPTIONS", "BREW", "get"};
	for (size_t i = 0; i < route_count; i++)
		for (size_t m = 0; m < ARRAY_COUNT(methods); m++) {
			struct http_answer a = server_fixture_call(&arena, methods[m], path_of(&routes[i], false), "",
								   NULL);
			const char *method = http_method_name(routes[i].method);
			assert_problem(name_of(&routes[i]), a, 405);
			struct str allow = http_answer_get(&a, "Allow");
			assert_non_null(memmem(allow.data, allow.len, method, strlen(method)));
			if (is_get(&routes[i])) assert_non_null(memmem(allow.data, allow.len, "HEAD", 4));
		}
}

static void bad_ids_are_not_found(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		char *path = path_of(r, true);
		if (path)
			assert_problem(name_of(r),
				       server_fixture_call(&arena, http_method_name(r->method), path, "", body_of(r)),
				       404);
		path = arena_printf(&arena, "%s/", path_of(r, false));
		if (r->path[1])
			assert_problem(name_of(r),
				       server_fixture_call(&arena, http_method_name(r->method), path, "", body_of(r)),
				       404);
	}
	static const char *const nowhere[] = {"/nothing", "/jobs/1/2/3/4/5/6/7/8/9", "//", "/jobs%2F", "/PREDICT"};
	for (size_t i = 0; i < ARRAY_COUNT(nowhere); i++)
		assert_problem(nowhere[i], server_fixture_call(&arena, "GET", nowhere[i], "", NULL), 404);
}

static void what_does_not_exist_is_not_found(void **state QN_UNUSED)
{
	static const char *const rows[][2] = {
		{"GET", "/jobs/00000000-0000-7000-8000-000000000000"},
		{"GET", "/jobs/00000000-0000-7000-8000-000000000000/logs"},
		{"GET", "/jobs/00000000-0000-7000-8000-000000000000/events"},
		{"POST", "/jobs/00000000-0000-7000-8000-000000000000/cancel"},
		{"POST", "/jobs/00000000-0000-7000-8000-000000000000/retry"},
		{"DELETE", "/jobs/00000000-0000-7000-8000-000000000000"},
		{"GET", "/models/nobody"},
		{"GET", "/models/nobody/versions"},
		{"GET", "/models/nobody/versions/1"},
		{"GET", "/models/tiny/versions/99"},
		{"GET", "/models/tiny/versions/99/state"},
		{"GET", "/models/tiny/versions/99/export"},
		{"POST", "/models/nobody/predict"},
		{"POST", "/models/tiny/versions/99/predict"},
		{"POST", "/models/tiny/aliases/nothing/predict"},
		{"POST", "/predict?model=nobody"},
		{"POST", "/predict?model=tiny:99"},
		{"POST", "/predict?model=tiny@nothing"},
		{"GET", "/problems/no-such"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_problem(rows[i][1],
			       server_fixture_call(&arena, rows[i][0], rows[i][1], "",
						   rows[i][0][0] == 'P' ? "{\"text\":\"a\"}" : NULL),
			       404);
}

static void head_is_get_without_a_body(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		if (!is_get(&routes[i])) continue;
		struct http_answer get = call(&routes[i], "", NULL);
		struct http_answer head = server_fixture_call(&arena, "HEAD", path_of(&routes[i], false), "", NULL);
		if (head.status != get.status || get.status != 200)
			fail_msg("%s: GET %d, HEAD %d", routes[i].path, get.status, head.status);
		assert_true(str_eq(http_answer_get(&get, "Content-Type"), http_answer_get(&head, "Content-Type")));
		assert_int_equal(head.body.len, 0);
	}
}

/* What changes by itself has no tag. */
static bool has_no_tag(const struct route *r)
{
	static const char *const live[] = {"/healthz", "/readyz", "/metrics", "/jobs/{id}/events"};
	for (size_t i = 0; i < ARRAY_COUNT(live); i++)
		if (strcmp(r->path, live[i]) == 0) return true;
	return false;
}

/* A list without rows is dated now: its date may be a second old by the next request, so there are three tries. */
static void check_date(const struct route *r)
{
	int status = 304;
	for (int tries = 0; tries < 3; tries++) {
		struct http_answer a = call(r, "", NULL);
		struct str date = http_answer_get(&a, "Last-Modified");
		if (!date.data) return;
		const char *since = arena_printf(&arena, "If-Modified-Since: %.*s\r\n", (int)date.len, date.data);
		status = call(r, since, NULL).status;
		if (status == 304) return;
	}
	fail_msg("%s: %d with its own date", r->path, status);
}

static void gets_are_conditional(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		if (!is_get(r) || has_no_tag(r)) continue;
		for (int gzip = 0; gzip < 2; gzip++) {
			const char *accept = gzip ? "Accept-Encoding: gzip\r\n" : "";
			struct http_answer a = call(r, accept, NULL);
			struct str tag = http_answer_get(&a, "ETag");
			if (a.status != 200 || tag.len < 3 || tag.data[0] != '"')
				fail_msg("%s: %d, ETag %.*s", r->path, a.status, (int)tag.len, tag.data);
			struct http_answer b = call(r,
						    arena_printf(&arena, "%sIf-None-Match: \"x\", W/%.*s\r\n", accept,
								 (int)tag.len, tag.data),
						    NULL);
			if (b.status != 304 || b.body.len) fail_msg("%s: %d with its own tag", r->path, b.status);
			assert_true(str_eq(tag, http_answer_get(&b, "ETag")));
			assert_int_equal(
				call(r, arena_printf(&arena, "%sIf-None-Match: \"other\"\r\n", accept), NULL).status,
				200);
		}
		check_date(r);
		assert_int_equal(call(r, "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", NULL).status, 200);
	}
}

static void refused_accepts(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		if (r->answer == ANSWER_JSON)
			assert_problem(name_of(r), call(r, "Accept: image/png\r\n", body_of(r)), 406);
	}
}

static void unread_media_types(void **state QN_UNUSED)
{
	static const char *const types[] = {
		"Content-Type: image/png\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
		"Content-Type: application/json; charset=latin1\r\n", "Content-Encoding: br\r\n"};
	for (size_t i = 0; i < route_count; i++) {
		if (routes[i].body == BODY_NONE) continue;
		for (size_t t = 0; t < ARRAY_COUNT(types); t++)
			assert_problem(name_of(&routes[i]), call(&routes[i], types[t], body_of(&routes[i])), 415);
	}
}

static void oversize_bodies(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		if (r->method == HTTP_GET) continue;
		struct http_client c = http_client_open(server_fixture_address());
		http_client_say(&c, arena_printf(&arena, "%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n",
						 http_method_name(r->method), path_of(r, false)));
		assert_problem(name_of(r), http_client_read(&c, &arena, false, 5000), 413);
		http_client_close(&c);
	}
}

static void pages_of_other_sites(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++)
		if (!is_get(&routes[i]))
			assert_problem(name_of(&routes[i]),
				       call(&routes[i], "Sec-Fetch-Site: cross-site\r\n", body_of(&routes[i])), 403);
}

static void ids_come_back(void **state QN_UNUSED)
{
	for (size_t i = 0; i < route_count; i++) {
		if (!is_get(&routes[i])) continue;
		struct http_answer a = call(&routes[i], "X-Request-Id: mine-1\r\n", NULL);
		assert_true(str_is(http_answer_get(&a, "X-Request-Id"), "mine-1"));
	}
}

/* --- The description ---------------------------------------------------------------------------------------------- */

static const struct route *find(const char *path, size_t len, const char *method)
{
	for (size_t i = 0; i < route_count; i++)
		if (strlen(routes[i].path) == len && strncmp(routes[i].path, path, len) == 0 &&
		    strcasecmp(http_method_name(routes[i].method), method) == 0)
			return &routes[i];
	return NULL;
}

static void openapi_lists_the_same(void **state QN_UNUSED)
{
	struct http_answer a = server_fixture_call(&arena, "GET", "/openapi.json", "", NULL);
	struct json *doc;
	struct err e;
	size_t count = 0;
	err_init(&e);
	assert_ok(json_parse(&arena, a.body.data, a.body.len, &doc, &e), &e);
	for (const struct json *p = json_get(doc, "paths")->child; p; p = p->next)
		for (const struct json *m = p->child; m; m = m->next, count++) {
			const struct route *r = find(p->key.data, p->key.len, m->key.data);
			if (!r) fail_msg("openapi.json has %s %s", m->key.data, p->key.data);
			if (!str_is(json_get(m, "summary")->string, r->summary))
				fail_msg("%s: two summaries", name_of(r));
			if (r->body != BODY_NONE && !json_get(m, "requestBody"))
				fail_msg("%s: no requestBody", name_of(r));
		}
	assert_int_equal(count, route_count);
}

/* --- Hostile JSON ------------------------------------------------------------------------------------------------- */

/* Duplicate keys are JSON to that suite and ambiguous to us. */
static bool is_json(const char *name) { return name[0] == 'y' && !strstr(name, "duplicated_key"); }

/* Each file of JSONTestSuite: an answer below 500, and 400 for what a parser must refuse. */
static void json_test_suite(void **state QN_UNUSED)
{
	static const char *const targets[] = {"/predict?model=tiny", "/models/tiny/neighbors", "/jobs?dryRun=true",
						"/jobs"};
	/* Of its own: the arena is emptied file by file. */
	char *folder = mem_strdup(support_shared(&arena, "conformance/json-test-suite/test_parsing"));
	DIR *d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d));) {
		if (!strstr(entry->d_name, ".json")) continue;
		struct str body = support_read(&arena, arena_printf(&arena, "%s/%s", folder, entry->d_name));
		for (size_t t = 0; t < ARRAY_COUNT(targets); t++) {
			struct http_answer a = http_client_call(server_fixture_address(), &arena, "POST", targets[t],
								"Content-Type: application/json\r\n", body);
			bool refuse = entry->d_name[0] == 'n';
			if (a.status < 400 || a.status >= 500 || (refuse && a.status != 400) ||
			    (is_json(entry->d_name) && a.status == 400))
				fail_msg("%s: %s answers %d %s", entry->d_name, targets[t], a.status, a.body.data);
		}
		arena_reset(&arena);
	}
	closedir(d);
	mem_free(folder);
	assert_int_equal(server_fixture_call(&arena, "GET", "/healthz", "", NULL).status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_the_store_says_so),
		cmocka_unit_test(bring_up),
		cmocka_unit_test(unknown_methods_are_refused),
		cmocka_unit_test(bad_ids_are_not_found),
		cmocka_unit_test(what_does_not_exist_is_not_found),
		cmocka_unit_test(head_is_get_without_a_body),
		cmocka_unit_test(gets_are_conditional),
		cmocka_unit_test(refused_accepts),
		cmocka_unit_test(unread_media_types),
		cmocka_unit_test(oversize_bodies),
		cmocka_unit_test(pages_of_other_sites),
		cmocka_unit_test(ids_come_back),
		cmocka_unit_test(openapi_lists_the_same),
		cmocka_unit_test(json_test_suite), /* last: it empties the arena */
	};
	return cmocka_run_group_tests_name("routes", tests, setup, teardown);
}
