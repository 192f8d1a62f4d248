#include "config/config.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

struct file {
	char path[64];
};

static struct file write_file(const char *text)
{
	struct file f = {"/tmp/quern-config.XXXXXX"};
	int fd = mkstemp(f.path);
	FILE *out = fdopen(fd, "w");
	fputs(text, out);
	fclose(out);
	return f;
}

static bool load(struct config *c, const char *text, char **environment, char **flags, struct err *e)
{
	struct file f = {""};
	if (text) f = write_file(text);
	struct config_input in = {text ? f.path : NULL, environment, flags};
	err_init(e);
	bool ok = config_load(c, &in, e);
	if (text) remove(f.path);
	return ok;
}

static void test_precedence(void **state)
{
	char *environment[] = {"QUERN_LIMITS_BODY_BYTES=3MiB", "QUERN_LISTEN=127.0.0.1:2", NULL};
	char *flags[] = {"--listen", "127.0.0.1:3", "--file-root", "/a", "--file-root=/b", NULL};
	struct config c;
	struct err e;
	(void)state;
	assert_ok(load(&c, "listen: 127.0.0.1:1\nlimits:\n  bodyBytes: 2MiB\n  uriBytes: 4KiB\nfileRoots: [/x]\n", environment, flags, &e), &e);
	assert_string_equal(c._listen, "127.0.0.1:3");
	assert_int_equal(c.limits_bodyBytes, 3 << 20);
	assert_int_equal(c.limits_uriBytes, 4 << 10);
	assert_int_equal(c.trainer_leaseSeconds, 60);
	assert_string_equal(c._fileRoots[0], "/a");
	assert_string_equal(c._fileRoots[1], "/b");
	assert_null(c._fileRoots[2]);
	assert_true(config_has_role(&c, "api") && config_has_role(&c, "train"));
	config_release(&c);
}

static bool says(const struct err *e, const char *where, const char *what)
{
	for (size_t i = 0; i < e->fault_count; i++)
		if (strstr(e->faults[i].pointer, where) && strstr(e->faults[i].detail, what)) return true;
	return false;
}

static void test_faults_say_where(void **state)
{
	char *environment[] = {"QUERN_HTTP_THREADS=-1", NULL};
	char *flags[] = {"--nothing=1", "--roles", NULL};
	struct config c;
	struct err e;
	(void)state;
	assert_false(load(&c, "listen: x\nlimits:\n  bodyByte: 1\n  uriBytes: big\n", environment, flags, &e));
	assert_true(says(&e, ":3", "did you mean limits.bodyBytes"));
	assert_true(says(&e, ":4", "limits.uriBytes must be a size"));
	assert_true(says(&e, "QUERN_HTTP_THREADS", "http.threads"));
	assert_true(says(&e, "--nothing", "no setting"));
	assert_true(says(&e, "--roles", "needs a value"));
}

static void test_yaml_is_kept_plain(void **state)
{
	static const char *const bad[] = {"listen: &a x\n",	    "listen: *a\n",	     "listen: !!str x\n",     "- a\n",
					  "limits: {a: {b: 1}}\n", "limits: [1]\n",	     "listen: [a\n",	      "x",
					  "fileRoots: [[a]]\n",	   "listen: \"\x01\"\n", "limits:\n  - bodyBytes\n"};
	struct config c;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		if (load(&c, bad[i], NULL, NULL, &e)) fail_msg("%s is accepted", bad[i]);
	assert_ok(load(&c, "", NULL, NULL, &e), &e);
	config_release(&c);
	assert_ok(load(&c, "# nothing\n", NULL, NULL, &e), &e);
	config_release(&c);
}

static void test_rules_across_settings(void **state)
{
	char *flags[] = {"--trainer.leaseSeconds=20", NULL}, *roles[] = {"--roles=api,cook", NULL};
	struct config c;
	struct err e;
	(void)state;
	assert_false(load(&c, NULL, NULL, flags, &e));
	assert_true(says(&e, "heartbeatSeconds", "third"));
	assert_false(load(&c, NULL, NULL, roles, &e));
	assert_true(says(&e, "roles", "cook"));
}

static void test_passwords_are_masked(void **state)
{
	char *url[] = {"--database=postgresql://u:secret@h/db", NULL}, *words[] = {"--database=host=h password=secret user=u", NULL};
	struct config c;
	struct err e;
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf out = BUF_INIT(1 << 16);
		assert_ok(load(&c, NULL, NULL, i ? words : url, &e), &e);
		config_print(&c, &out);
		assert_null(strstr(buf_cstr(&out), "secret"));
		assert_non_null(strstr(buf_cstr(&out), "***"));
		buf_release(&out);
		config_release(&c);
	}
}

/* The example file shows every setting, and says only what is so. */
static void test_example_is_complete(void **state)
{
	struct arena a = ARENA_INIT;
	struct config c;
	struct err e;
	(void)state;
	struct str text = support_read(&a, arena_printf(&a, "%s/config/quern.yaml", support_source()));
	assert_ok(load(&c, text.data, NULL, NULL, &e), &e);
	config_release(&c);
#define SETTING(type, section, name, fallback, min, max, help) assert_non_null(strstr(text.data, "#" #name ":"));
#include "config/settings.def"
#undef SETTING
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),	     cmocka_unit_test(test_faults_say_where),
		cmocka_unit_test(test_yaml_is_kept_plain),   cmocka_unit_test(test_rules_across_settings),
		cmocka_unit_test(test_passwords_are_masked), cmocka_unit_test(test_example_is_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
