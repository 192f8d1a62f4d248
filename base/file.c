#include "base/file.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PIECE = 1 << 16, FILE_TREE_FDS = 16 };

bool file_read_fd(int fd, const char *name, struct buf *out, struct err *e)
{
	for (;;) {
		char beyond;
		size_t want = MIN((size_t)FILE_PIECE, out->max - out->len);
		ssize_t n = want ? read(fd, buf_reserve(out, want), want) : read(fd, &beyond, 1);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return err_errno(e, "reading %s", name);
		if (n == 0) return true;
		if (!want) return err_set(e, ERR_too_large, "%s is longer than %zu bytes", name, out->max);
		buf_commit(out, (size_t)n);
	}
}

bool file_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return err_errno(e, "opening %s", path);
	bool ok = file_read_fd(fd, path, out, e);
	close(fd);
	return ok;
}

bool file_write(int fd, const void *p, size_t len)
{
	for (const char *at = p; len > 0;) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool sync_folder(const char *path)
{
	char *copy = mem_strdup(path), *slash = strrchr(copy, '/');
	if (slash) slash[slash == copy] = 0;
	int fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0) close(fd);
	mem_free(copy);
	return ok;
}

bool file_replace(const char *path, const void *p, size_t len, struct err *e)
{
	size_t room = strlen(path) + STR_NUMBER_MAX + sizeof ".tmp";
	char *fresh = mem_alloc(room);
	snprintf(fresh, room, "%s.%ld.tmp", path, (long)getpid());
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool ok = fd >= 0 && file_write(fd, p, len) && fsync(fd) == 0;
	if (fd >= 0) ok = close(fd) == 0 && ok;
	ok = ok && rename(fresh, path) == 0 && sync_folder(path);
	if (!ok) err_errno(e, "writing %s", path);
	if (!ok && fd >= 0) unlink(fresh);
	mem_free(fresh);
	return ok;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path) != 0 && errno != ENOENT;
}

void file_remove_tree(const char *path) { nftw(path, remove_entry, FILE_TREE_FDS, FTW_DEPTH | FTW_PHYS); }
