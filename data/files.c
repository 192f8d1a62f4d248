#include "data/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *files_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_inside(const char *path, const char *root)
{
	size_t n = strlen(root);
	while (n > 1 && root[n - 1] == '/') n--;
	return strncmp(path, root, n) == 0 && (path[n] == '/' || n == 1);
}

/* Is the path below a root, once links in the root's own name are resolved? */
static bool is_below(const char *path, const char *const *roots)
{
	bool below = !roots;
	for (; roots && *roots && !below; roots++) {
		char *root = realpath(*roots, NULL);
		below = root && is_inside(path, root);
		free(root);
	}
	return below;
}

static bool climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == 0)) return true;
	return false;
}

/* The path behind "file:", NUL-terminated in the arena. */
static const char *uri_path(struct str uri, struct arena *a, const char *pointer, struct err *e)
{
	const char *why = NULL;
	char *path = arena_strndup(a, uri.data, uri.len);
	if (strlen(path) != uri.len) why = "must not contain NUL";
	else if (!strchr(path, ':')) why = "must be a URI with a scheme, such as file:folder/rows.csv";
	else if (strncmp(path, "file:", 5) != 0) why = "this version reads file: URIs only";
	else if (strncmp(path += 5, "//", 2) == 0 && path[2] != '/') why = "a file: URI names no host: file:/path or file:///path";
	else if (*path == 0) why = "the path is empty";
	else if (strlen(path) >= PATH_MAX) why = "the path is too long";
	if (why) return err_fault(e, pointer, "%s", why), NULL;
	return strncmp(path, "//", 2) == 0 ? path + 2 : path;
}

struct finding {
	const char *const *roots;
	struct arena *arena;
	const char *pointer;
	struct files *out;
	size_t cap;
	struct err *e;
};

static bool add(struct finding *f, const char *path)
{
	struct stat st;
	char *real = realpath(path, NULL);
	if (!real) return true; /* gone, or a link to nowhere: as if it were not there */
	bool ok = true;
	if (!is_below(real, f->roots)) ok = err_fault(f->e, f->pointer, "leads out of the file roots");
	else if (stat(real, &st) != 0 || !S_ISREG(st.st_mode))
		ok = err_fault(f->e, f->pointer, "%s is not a regular file", files_name(path));
	else if (f->out->count == FILES_MAX) ok = err_fault(f->e, f->pointer, "more than %d files", FILES_MAX);
	if (ok) {
		if (f->out->count == f->cap) {
			size_t cap = f->cap ? f->cap * 2 : 16;
			char **paths = arena_alloc(f->arena, cap * sizeof *paths);
			if (f->cap) memcpy(paths, f->out->paths, f->cap * sizeof *paths);
			f->out->paths = paths;
			f->cap = cap;
		}
		f->out->paths[f->out->count++] = arena_strdup(f->arena, real);
	}
	free(real);
	return ok;
}

static bool is_hidden(const char *path) { return *files_name(path) == '.' || *files_name(path) == '_'; }

/* Adds what the pattern matches; folders among it are gone into once when `folders`. */
static bool expand(struct finding *f, const char *pattern, bool folders)
{
	glob_t g;
	struct stat st;
	bool ok = true;
	int rc = glob(pattern, GLOB_BRACE | GLOB_NOSORT, NULL, &g);
	for (size_t i = 0; rc == 0 && ok && i < g.gl_pathc; i++) {
		const char *path = g.gl_pathv[i];
		bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		if (is_folder && folders) {
			/* The folder's own name is taken as it stands. */
			char *inside = arena_alloc(f->arena, strlen(path) * 2 + 3), *to = inside;
			for (const char *p = path; *p; p++) {
				if (strchr("*?[]{}\\~", *p)) *to++ = '\\';
				*to++ = *p;
			}
			memcpy(to, "/*", 3);
			ok = expand(f, inside, false);
		} else if (!is_folder && (folders || !is_hidden(path))) {
			ok = add(f, path);
		}
	}
	if (rc == 0) globfree(&g);
	return ok;
}

static bool find_at(struct finding *f, const char *path)
{
	struct stat st;
	bool plain = stat(path, &st) == 0 && S_ISREG(st.st_mode);
	return plain ? add(f, path) : expand(f, path, true);
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Absolute paths: something may only be asked about when it lies below a root as it is written. */
static bool find_absolute(struct finding *f, const char *path)
{
	bool named = is_below(path, f->roots);
	for (const char *const *root = f->roots; root && *root && !named; root++) named = is_inside(path, *root);
	if (!named) return err_fault(f->e, f->pointer, "not below a file root");
	return find_at(f, path);
}

static bool find_relative(struct finding *f, const char *path)
{
	if (!f->roots) return find_at(f, path);
	for (const char *const *root = f->roots; *root && f->out->count == 0; root++)
		if (!find_at(f, arena_printf(f->arena, "%s/%s", *root, path))) return false;
	return true;
}

bool files_find(struct str uri, const char *const *roots, struct arena *a, const char *pointer, struct files *out, struct err *e)
{
	struct files found = {0};
	struct finding f = {roots, a, pointer, &found, 0, e};
	const char *path = uri_path(uri, a, pointer, e);
	if (!path) return false;
	if (roots && climbs(path)) return err_fault(e, pointer, "must not climb with ..");
	if (!(*path == '/' ? find_absolute(&f, path) : find_relative(&f, path))) return false;
	if (found.count) qsort(found.paths, found.count, sizeof *found.paths, by_bytes);
	*out = found;
	return true;
}

int files_open(const char *path, const char *const *roots, uint64_t *size, struct err *e)
{
	struct stat st;
	char link[64], real[PATH_MAX + 1];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		err_set(e, ERR_source, "%s: %s", files_name(path), strerror(errno));
		return -1;
	}
	/* What was opened counts, not what the path meant a moment ago. */
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, real, sizeof real - 1);
	real[n > 0 ? n : 0] = 0;
	if (n <= 0 || !is_below(real, roots) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(e, ERR_source, "%s: not a regular file below a file root", files_name(path));
		close(fd);
		return -1;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}
