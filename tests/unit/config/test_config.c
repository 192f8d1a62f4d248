#include "base/file.h"
#include "config/config.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* NULL: no file, no environment, no flags. */
static bool load(struct config *c, const char *text, const char *const *environment, const char *const *flags,
		 struct err *e)
{
	char path[64];
	int fd = memfd_create("quern.yaml", MFD_CLOEXEC);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	assert_true(fd >= 0 && (!text || file_write(fd, text, strlen(text))));
	struct config_input in = {text ? path : NULL, (char *const *)environment, (char *const *)flags};
	err_init(e);
	bool ok = config_load(c, &in, e);
	close(fd);
	return ok;
}

static bool says(const struct err *e, const char *where, const char *what)
{
	for (size_t i = 0; i < e->fault_count; i++)
		if (strstr(e->faults[i].pointer, where) && strstr(e->faults[i].detail, what)) return true;
	return false;
}

static void test_defaults(void **state)
{
	struct config c;
	struct err e;
	(void)state;
	assert_ok(load(&c, NULL, NULL, NULL, &e), &e);
	assert_string_equal(c._listen, "127.0.0.1:8080");
	assert_null(c._fileRoots[0]);
	assert_string_equal(c.database_url, "");
	assert_int_equal(c.trainer_leaseSeconds, 60);
	assert_int_equal(c.limits_bodyBytes, 64 << 20);
	assert_false(c.log_requests);
	assert_true(config_has_role(&c, "api") && config_has_role(&c, "train"));
	config_release(&c);
}

static void test_precedence(void **state)
{
	static const char *const environment[] = {"HOME=/", "QUERN_LIMITS_BODY_BYTES=3MiB", "QUERN_LISTEN=127.0.0.1:2",
						  NULL};
	static const char *const flags[] = {
		"--listen", "127.0.0.1:3", "--database=host=h", "--log.requests=true", "--config", "x", NULL};
	struct config c;
	struct err e;
	(void)state;
	assert_ok(
		load(&c, "listen: 127.0.0.1:1\nlimits:\n  bodyBytes: 2MiB\n  uriBytes: 4KiB\n", environment, flags, &e),
		&e);
	assert_string_equal(c._listen, "127.0.0.1:3");
	assert_string_equal(c.database_url, "host=h");
	assert_int_equal(c.limits_bodyBytes, 3 << 20);
	assert_int_equal(c.limits_uriBytes, 4 << 10);
	assert_true(c.log_requests);
	config_release(&c);
}

static void expect_roots(const char *text, const char *variable, const char *const *flags, const char *joined)
{
	const char *const environment[] = {variable, NULL};
	struct buf got = BUF_INIT(1000);
	struct config c;
	struct err e;
	assert_ok(load(&c, text, environment, flags, &e), &e);
	for (const char *const *root = c._fileRoots; *root; root++) buf_printf(&got, "%s ", *root);
	assert_string_equal(buf_cstr(&got), joined);
	buf_release(&got);
	config_release(&c);
}

/* A list of one layer replaces that of the layers below it. */
static void test_lists(void **state)
{
	static const char *const flags[] = {"--file-root", "/a", "--file-root=/b", NULL};
	(void)state;
	expect_roots("fileRoots: [/x, /y]\n", NULL, NULL, "/x /y ");
	expect_roots("fileRoots:\n  - /x\n", NULL, NULL, "/x ");
	expect_roots("fileRoots: /x\n", NULL, NULL, "/x ");
	expect_roots("fileRoots: []\n", NULL, NULL, "");
	expect_roots("fileRoots: [/x]\n", "QUERN_FILE_ROOTS=/e:/f", NULL, "/e /f ");
	expect_roots("fileRoots: [/x]\n", "QUERN_FILE_ROOTS=", NULL, "");
	expect_roots("fileRoots: [/x]\n", "QUERN_FILE_ROOTS=/e", flags, "/a /b ");
}

static void test_every_fault_says_where(void **state)
{
	static const char *const environment[] = {"QUERN_HTTP_THREADS=-1", "QUERN_HTTP_THREDS=1",
						  "QUERN_SOURCE=/not/a/setting", NULL};
	static const char *const flags[] = {"--nothing=1", "serve",   "--trainer.workers=0",
					    "--log.level", "--roles", NULL};
	struct config c;
	struct err e;
	(void)state;
	assert_false(load(&c, "listen: [1]\nlimits:\n  bodyByte: 1\n  uriBytes: big\nwaitSeconds: 1\n", environment,
			  flags, &e));
	assert_true(says(&e, ":1", "listen takes one value"));
	assert_true(says(&e, ":3", "no setting limits.bodyByte; did you mean limits.bodyBytes?"));
	assert_true(says(&e, ":4", "limits.uriBytes must be a size"));
	assert_true(says(&e, ":5", "did you mean limits.waitSeconds?"));
	assert_true(says(&e, "QUERN_HTTP_THREADS", "http.threads must be a whole number"));
	assert_true(says(&e, "QUERN_HTTP_THREDS", "no setting"));
	assert_true(says(&e, "--nothing", "there is no setting nothing"));
	assert_true(says(&e, "serve", "is not a flag"));
	assert_true(says(&e, "--trainer.workers", "must be from 1 to 256"));
	assert_true(says(&e, "--log.level", "needs a value"));
	assert_true(says(&e, "--roles", "needs a value"));
	assert_int_equal(e.fault_count, 11);
}

static void test_yaml_is_kept_plain(void **state)
{
	static const struct {
		const char *text, *line, *why;
	} bad[] = {
		{"listen: &a x\n", ":1", "anchors"},
		{"listen: *a\n", ":1", "aliases"},
		{"listen: !!str x\n", ":1", "tags"},
		{"limits: &a {bodyBytes: 1MiB}\n", ":1", "anchors"},
		{"- a\n", ":1", "mapping of settings"},
		{"x", ":1", "mapping of settings"},
		{"limits:\n  a: {b: 1}\n", ":2", "two levels"},
		{"limits: [1]\n", ":1", "no setting limits"},
		{"listen: [a\n", "", ""},
		{"fileRoots: [[a]]\n", ":1", "texts only"},
		{"listen: \"\\x01\"\n", ":1", "printable"},
		{"listen: \"a\\0b\"\n", ":1", "holds NUL"},
		{"listen: \x01\n", "", ""},
		{"listen: a\ndataDir: b\nlisten: c\n", ":3", "given twice, first in line 1"},
		{"limits: {uriBytes: 1KiB}\nlimits: {bodyBytes: 1MiB}\n", ":2", "given twice"},
		{"listen: a\n---\nlisten: b\n", ":2", "one document"},
		{"? [a]\n: b\n", ":1", "name of a setting"},
		{"limits:\n\tbodyBytes: 1\n", ":2", ""},
	};
	struct config c;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		if (load(&c, bad[i].text, NULL, NULL, &e)) fail_msg("%s is accepted", bad[i].text);
		if (!says(&e, bad[i].line, bad[i].why))
			fail_msg("%s: %s %s", bad[i].text, e.faults[0].pointer, e.faults[0].detail);
	}
}

static void test_null_is_not_given(void **state)
{
	static const char *const empty[] = {
		"", "# nothing\n", "---\n...\n", "~\n", "{}", "listen:\n", "listen: ~\nlimits: {bodyBytes: null}\n"};
	struct config c;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(empty); i++) {
		assert_ok(load(&c, empty[i], NULL, NULL, &e), &e);
		assert_string_equal(c._listen, "127.0.0.1:8080");
		config_release(&c);
	}
	assert_ok(load(&c, "listen: 'null'\n", NULL, NULL, &e), &e);
	assert_string_equal(c._listen, "null");
	config_release(&c);
}

static void test_files_that_cannot_be_read(void **state)
{
	static const char *const paths[] = {"/nonexistent/quern.yaml", "/tmp"};
	struct config c;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		err_init(&e);
		assert_false(config_load(&c, &(struct config_input){.file = paths[i]}, &e));
		assert_true(says(&e, paths[i], paths[i]));
	}
	char *large = mem_alloc(CONFIG_FILE_BYTES_MAX + 2);
	memset(large, '#', CONFIG_FILE_BYTES_MAX + 1);
	large[CONFIG_FILE_BYTES_MAX + 1] = 0;
	assert_false(load(&c, large, NULL, NULL, &e));
	mem_free(large);
}

static void test_rules_across_settings(void **state)
{
	static const char *const lease[] = {"--trainer.leaseSeconds=20", NULL};
	static const char *const roles[] = {"--roles=api,cook", NULL};
	static const char *const none[] = {"--roles=", NULL}, *const level[] = {"--log.level=loud", NULL};
	static const char *const one[] = {"--roles=train", NULL};
	struct config c;
	struct err e;
	(void)state;
	assert_false(load(&c, NULL, NULL, lease, &e));
	assert_true(says(&e, "--trainer.leaseSeconds", "at least three times trainer.heartbeatSeconds"));
	assert_false(load(&c, "trainer:\n  heartbeatSeconds: 21\n", NULL, NULL, &e));
	assert_true(says(&e, ":2", "trainer.heartbeatSeconds must be at most a third"));
	assert_false(load(&c, NULL, NULL, roles, &e));
	assert_true(says(&e, "--roles", "must be api, train, or api,train"));
	assert_false(load(&c, NULL, NULL, none, &e));
	assert_false(load(&c, NULL, NULL, level, &e));
	assert_true(says(&e, "--log.level", "debug, info, warn or error"));
	assert_ok(load(&c, NULL, NULL, one, &e), &e);
	assert_false(config_has_role(&c, "api"));
	config_release(&c);
}

static void test_passwords_are_masked(void **state)
{
	static const char *const urls[] = {"postgresql://u:secret@h/db",
					   "postgresql://u:secret@secret@h/db?sslmode=require",
					   "postgresql://h/db?user=u&password=secret&x=1",
					   "host=h password=secret user=u",
					   "host=h password = 'sec\\'secret' user=u",
					   "PASSWORD='secret",
					   "sslpassword=secret password=secret"};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
		const char *const flags[] = {"--database", urls[i], NULL};
		struct buf out = BUF_INIT(1 << 16);
		struct config c;
		struct err e;
		assert_ok(load(&c, NULL, NULL, flags, &e), &e);
		assert_string_equal(c.database_url, urls[i]);
		config_print(&c, &out);
		assert_null(strstr(buf_cstr(&out), "secret"));
		assert_non_null(strstr(buf_cstr(&out), "***"));
		buf_release(&out);
		config_release(&c);
	}
}

static void test_what_is_printed_loads(void **state)
{
	struct buf out = BUF_INIT(1 << 16), again = BUF_INIT(1 << 16);
	struct config c;
	struct err e;
	(void)state;
	assert_ok(load(&c, "dataDir: 'a \"b\" \\c'\nfileRoots: [/a, '/b: #c']\nhttp: {threads: 3}\n", NULL, NULL, &e),
		  &e);
	config_print(&c, &out);
	config_release(&c);
	assert_ok(load(&c, buf_cstr(&out), NULL, NULL, &e), &e);
	assert_string_equal(c._dataDir, "a \"b\" \\c");
	assert_string_equal(c._fileRoots[1], "/b: #c");
	config_print(&c, &again);
	assert_string_equal(buf_cstr(&out), buf_cstr(&again));
	config_release(&c);
	buf_release(&out);
	buf_release(&again);
}

/* The example shows every setting in comments; without the signs it is a file of all the defaults. */
static void test_example(void **state)
{
	struct arena a = ARENA_INIT;
	struct buf file = BUF_INIT(1 << 16), defaults = BUF_INIT(1 << 16), shown = BUF_INIT(1 << 16);
	struct config c;
	struct err e;
	(void)state;
	char *text =
		(char *)(uintptr_t)support_read(&a, arena_printf(&a, "%s/config/quern.yaml", support_source())).data;
	assert_ok(load(&c, text, NULL, NULL, &e), &e);
	config_print(&c, &defaults);
	config_release(&c);
	for (char *line; (line = strsep(&text, "\n"));) {
		char *sign = strchr(line, '#');
		if (sign && sign[1] != ' ') memmove(sign, sign + 1, strlen(sign));
		buf_printf(&file, "%s\n", line);
	}
	assert_ok(load(&c, buf_cstr(&file), NULL, NULL, &e), &e);
	config_print(&c, &shown);
	config_release(&c);
	assert_string_equal(buf_cstr(&shown), buf_cstr(&defaults));
#define SETTING(type, section, name, fallback, min, max, help) assert_non_null(strstr(file.data, #name ":"));
#include "config/settings.def"
#undef SETTING
	buf_release(&file);
	buf_release(&defaults);
	buf_release(&shown);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_every_fault_says_where),
		cmocka_unit_test(test_yaml_is_kept_plain),
		cmocka_unit_test(test_null_is_not_given),
		cmocka_unit_test(test_files_that_cannot_be_read),
		cmocka_unit_test(test_rules_across_settings),
		cmocka_unit_test(test_passwords_are_masked),
		cmocka_unit_test(test_what_is_printed_loads),
		cmocka_unit_test(test_example),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
