#include "data/spool.h"

#include "base/mem.h"

#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int spool_file(const char *dir, struct err *e)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0) return fd;
	/* Not every file system knows O_TMPFILE. */
	char *path = mem_alloc(strlen(dir) + sizeof "/spool-XXXXXX");
	sprintf(path, "%s/spool-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0) unlink(path);
	else err_errno(e, "making a spool file in %s", dir);
	mem_free(path);
	return fd;
}

bool spool_write_at(int fd, const void *p, size_t len, uint64_t at, struct err *e)
{
	const char *from = p;
	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, (off_t)at);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return err_errno(e, "writing %zu bytes to the spool", len);
		from += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

bool spool_read_at(int fd, void *p, size_t len, uint64_t at, struct err *e)
{
	char *to = p;
	while (len > 0) {
		ssize_t n = pread(fd, to, len, (off_t)at);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return err_errno(e, "reading %zu bytes at %llu", len, (unsigned long long)at);
		if (n == 0) return err_set(e, ERR_io, "the file ends before byte %llu", (unsigned long long)(at + len));
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

void spool_release(struct spool *s)
{
	if (s->fd >= 0) close(s->fd);
	*s = SPOOL_INIT;
}

bool spool_write(struct spool *s, const char *dir, const void *p, size_t len, uint64_t *at, struct err *e)
{
	if (s->fd < 0) {
		if (!dir) return err_set(e, ERR_io, "the rows need a spool file and there is no folder for it");
		s->fd = spool_file(dir, e);
		if (s->fd < 0) return false;
	}
	if (!spool_write_at(s->fd, p, len, s->end, e)) return false;
	*at = s->end;
	s->end += len;
	s->used += len;
	return true;
}

bool spool_read(const struct spool *s, uint64_t at, void *p, size_t len, struct err *e)
{
	return spool_read_at(s->fd, p, len, at, e);
}

void spool_free(struct spool *s, uint64_t at, size_t len)
{
	s->used -= len;
	/* Only saves space: a file system that cannot do it keeps the bytes until the end. */
	(void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len);
}
