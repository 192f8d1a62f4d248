#include "base/json.h"
#include "base/log.h"
#include "tests/support/support.h"

#include <unistd.h>

enum { LINES_MAX = 8 };
struct lines {
	struct arena arena;
	size_t count;
	const struct json *line[LINES_MAX];
	enum log_level level[LINES_MAX];
};

/* Every line must be JSON: what reads logs fails on the first that is not. */
static void keep(void *ctx, enum log_level level, const char *text, size_t len)
{
	struct lines *l = ctx;
	struct json *j;
	struct err e;
	err_init(&e);
	assert_ok(json_parse(&l->arena, arena_strndup(&l->arena, text, len), len, &j, &e), &e);
	assert_true(l->count < LINES_MAX);
	l->level[l->count] = level;
	l->line[l->count++] = j;
}

static int set_up(void **state)
{
	*state = mem_zalloc(1, sizeof(struct lines));
	log_sink(keep, *state);
	return 0;
}

static int tear_down(void **state)
{
	struct lines *l = *state;
	log_sink(NULL, NULL);
	log_scope(NULL, NULL);
	log_level_set(LOG_INFO);
	arena_release(&l->arena);
	mem_free(l);
	return 0;
}

static bool has(const struct lines *l, size_t line, const char *key, const char *value)
{
	const struct json *member = json_get(l->line[line], key);
	return member && str_is(member->string, value);
}

static void test_line(void **state)
{
	struct lines *l = *state;
	log_info("job.claimed", "attempt %d", 2);
	assert_int_equal(l->count, 1);
	assert_int_equal(l->level[0], LOG_INFO);
	assert_true(has(l, 0, "level", "info") && has(l, 0, "event", "job.claimed") &&
		    has(l, 0, "message", "attempt 2"));
	assert_int_equal(json_get(l->line[0], "at")->string.len, strlen("2026-11-23T04:18:00.123Z"));
}

static void test_threshold(void **state)
{
	struct lines *l = *state;
	enum log_level level;
	log_debug("x", "hidden");
	assert_int_equal(l->count, 0);
	assert_true(log_level_parse("debug", &level));
	log_level_set(level);
	log_debug("x", "shown");
	assert_int_equal(l->count, 1);
	assert_false(log_level_parse("DEBUG", &level));
}

static void test_scope(void **state)
{
	struct lines *l = *state;
	log_scope("request", "r-1");
	log_warn("x", "inside");
	log_scope("request", NULL);
	log_warn("x", "outside");
	assert_true(has(l, 0, "request", "r-1"));
	assert_null(json_get(l->line[1], "request"));
}

static void test_hostile_text(void **state)
{
	struct lines *l = *state;
	char text[20000];
	memset(text, '\x01', sizeof text - 1);
	text[sizeof text - 1] = 0;
	log_info("x", "%s", "quote \" line\nbreak \xff");
	log_info("x", "%s", text);
	assert_true(has(l, 0, "message", "quote \" line\nbreak \xef\xbf\xbd"));
	assert_true(json_get(l->line[1], "message")->string.len > 1000);
}

static void test_problem(void **state)
{
	struct lines *l = *state;
	struct err e;
	err_init(&e);
	err_fault(&e, "/a", "wrong");
	log_err(LOG_ERROR, "job.failed", &e);
	const struct json *problem = json_get(l->line[0], "problem");
	assert_int_equal(json_get(problem, "status")->integer, 422);
	assert_true(str_is(json_get(json_at(json_get(problem, "errors"), 0), "pointer")->string, "/a"));
}

/* Without a sink a line is one write to stderr, so that lines of threads and processes never mix. */
static void test_stderr_gets_whole_lines(void **state)
{
	int pipe_ends[2], saved = dup(STDERR_FILENO);
	char text[1000];
	log_sink(NULL, NULL);
	assert_int_equal(pipe(pipe_ends), 0);
	dup2(pipe_ends[1], STDERR_FILENO);
	log_info("x", "one");
	dup2(saved, STDERR_FILENO);
	ssize_t n = read(pipe_ends[0], text, sizeof text);
	assert_true(n > 0 && text[n - 1] == '\n');
	keep(*state, LOG_INFO, text, (size_t)n - 1);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(saved);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_line),	     LOG_TEST(test_threshold), LOG_TEST(test_scope),
		LOG_TEST(test_hostile_text), LOG_TEST(test_problem),   LOG_TEST(test_stderr_gets_whole_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
