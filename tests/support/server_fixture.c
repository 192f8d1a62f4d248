#include "tests/support/server_fixture.h"

#include <stdio.h>
#include <unistd.h>

enum { READY_SECONDS = 90, FLAGS_MAX = 16 };

static struct {
	struct arena arena;
	struct config config;
	struct server *server;
	char *dir;
} fixture;

static char *flag(const char *name, const char *value) { return arena_printf(&fixture.arena, "--%s=%s", name, value); }

void server_fixture_start(const char *const *flags)
{
	char *all[FLAGS_MAX + 4];
	size_t n = 0;
	struct err e;
	err_init(&e);
	fixture.dir = support_tmp(&fixture.arena);
	all[n++] = flag("listen", "127.0.0.1:0");
	all[n++] = flag("data-dir", arena_printf(&fixture.arena, "%s/data", fixture.dir));
	all[n++] = flag("log.level", "error");
	for (; flags && *flags && n < FLAGS_MAX; flags++) all[n++] = arena_strdup(&fixture.arena, *flags);
	all[n] = NULL;
	struct config_input in = {.flags = all};
	assert_ok(config_load(&fixture.config, &in, &e), &e);
	assert_ok(server_start(&fixture.config, &fixture.server, &e), &e);
	fixture.server->worker_path = arena_printf(&fixture.arena, "%s/quern-worker", support_build());
}

void server_fixture_up(void)
{
	bool again, ready = false;
	struct err e;
	err_init(&e);
	assert_ok(server_bring_up(fixture.server, &again, &e), &e);
	for (int i = 0; i < READY_SECONDS * 100 && !ready; i++) {
		err_init(&e);
		ready = server_ready(fixture.server, &e);
		if (!ready) usleep(10000);
	}
	assert_ok(ready, &e);
}

void server_fixture_stop(void)
{
	server_stop(fixture.server);
	config_release(&fixture.config);
	support_tmp_remove(fixture.dir);
	arena_release(&fixture.arena);
}

struct server *server_fixture(void) { return fixture.server; }
const char *server_fixture_address(void) { return http_address(fixture.server->http); }

struct http_answer server_fixture_call(struct arena *a, const char *method, const char *target, const char *headers,
				       const char *body)
{
	struct str bytes = body ? STR(body) : (struct str){0};
	return http_client_call(server_fixture_address(), a, method, target, headers, bytes);
}

static const char spec[] =
	"{\"name\":\"%s\",\"source\":{\"format\":\"inline\",\"rows\":["
	"{\"text\":\"good fine nice\",\"label\":1},{\"text\":\"bad poor awful\",\"label\":0},"
	"{\"text\":\"nice good\",\"label\":1},{\"text\":\"awful bad\",\"label\":0}]},"
	"\"pipeline\":[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"},"
	"{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"features\",\"numFeatures\":1024},"
	"{\"stage\":\"LogisticRegression\",\"regParam\":0.01}],"
	"\"response\":{\"sentiment\":\"probability[1]\"},\"tags\":{\"team\":\"growth\"},\"resources\":{\"workers\":2}}";

const char *server_fixture_train(struct arena *a, const char *name)
{
	struct http_answer answer = server_fixture_call(a, "POST", "/jobs",
							"Prefer: wait=60\r\nContent-Type: application/json\r\n",
							arena_printf(a, spec, name));
	if (answer.status != 202 || !strstr(answer.body.data, "\"state\":\"succeeded\""))
		fail_msg("%d %s", answer.status, answer.body.data);
	char *path = arena_printf(a, "/models/%s/predict", name);
	for (int i = 0; i < 500; i++) {
		if (server_fixture_call(a, "POST", path, "", "{\"text\":\"good\"}").status == 200) break;
		usleep(10000);
	}
	struct str at = http_answer_get(&answer, "Location");
	return arena_strndup(a, at.data + strlen("/jobs/"), at.len - strlen("/jobs/"));
}
