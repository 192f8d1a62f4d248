#include "tests/support/support.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void support_assert_ok(bool ok, const struct err *e, const char *what, const char *file, int line)
{
	if (ok) return;
	print_error("%s failed: %s\n", what, e->detail);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		print_error("  %s %s\n", e->faults[i].pointer, e->faults[i].detail);
	_fail(file, line);
}

static const char *from_environment(const char *name, const char *fallback)
{
	const char *v = getenv(name);
	return v && *v ? v : fallback;
}

const char *support_build(void) { return from_environment("QUERN_BUILD", "build"); }
const char *support_source(void) { return from_environment("QUERN_SOURCE", "."); }

const char *support_shared(struct arena *a, const char *relative)
{
	char *beside = arena_printf(a, "%s/../shared/data", support_source());
	char *path = arena_printf(a, "%s/%s", from_environment("QUERN_SHARED", beside), relative);
	if (access(path, R_OK) == 0) return path;
	print_message("skipped: no ../shared/data (%s)\n", relative);
	skip();
	return NULL;
}

struct str support_read(struct arena *a, const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	if (!f || fstat(fileno(f), &st) != 0) fail_msg("cannot read %s", path);
	char *data = arena_alloc(a, (size_t)st.st_size + 1);
	size_t n = fread(data, 1, (size_t)st.st_size, f);
	fclose(f);
	assert_int_equal(n, st.st_size);
	data[n] = 0;
	return (struct str){data, n};
}

char *support_tmp(struct arena *a)
{
	char *path = arena_printf(a, "%s/quern-test.XXXXXX", from_environment("TMPDIR", "/tmp"));
	assert_non_null(mkdtemp(path));
	return path;
}

void support_tmp_remove(const char *dir)
{
	if (!dir) return;
	/* Only what support_tmp made: a test that mixes up its names must not delete somebody's data. */
	const char *name = strrchr(dir, '/');
	if (strncmp(name ? name + 1 : dir, "quern-test.", 11) != 0) fail_msg("%s was not made by support_tmp", dir);
	file_remove_tree(dir);
}
