#include "trainer/checkpoint.h"

#include "base/file.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char checkpoint_magic[8] = {'Q', 'U', 'E', 'R', 'N', 'C', 'K', 'P'};
enum { CHECKPOINT_VERSION = 1, CHECKPOINT_NAME_SIZE = 32, CHECKPOINTS_SEEN_MAX = 64 };

void checkpoint_encode(const struct checkpoint *c, struct buf *out)
{
	unsigned char digest[HASH_SHA256_SIZE];
	CHECK(out->len == 0);
	buf_append(out, checkpoint_magic, sizeof checkpoint_magic);
	buf_u32(out, CHECKPOINT_VERSION);
	buf_u64(out, c->fingerprint);
	buf_u32(out, c->stage);
	buf_block(out, c->fitted.data, c->fitted.len);
	buf_block(out, c->solver.data, c->solver.len);
	if (!buf_ok(out)) return;
	hash_sha256(out->data, out->len, digest);
	buf_append(out, digest, sizeof digest);
}

bool checkpoint_decode(const void *bytes, size_t len, struct checkpoint *out)
{
	unsigned char digest[HASH_SHA256_SIZE];
	if (len < sizeof checkpoint_magic + sizeof digest) return false;
	size_t body = len - sizeof digest;
	hash_sha256(bytes, body, digest);
	if (memcmp((const char *)bytes + body, digest, sizeof digest) != 0) return false;
	struct cursor in = CURSOR(bytes, body);
	struct checkpoint c = {0};
	const void *magic = cursor_bytes(&in, sizeof checkpoint_magic);
	if (!magic || memcmp(magic, checkpoint_magic, sizeof checkpoint_magic) != 0) return false;
	if (cursor_u32(&in) != CHECKPOINT_VERSION) return false;
	c.fingerprint = cursor_u64(&in);
	c.stage = cursor_u32(&in);
	c.fitted.data = cursor_block(&in, &c.fitted.len);
	c.solver.data = cursor_block(&in, &c.solver.len);
	if (in.bad || cursor_left(&in)) return false;
	*out = c;
	return true;
}

/* --- Files: N.ckpt, the largest N is the newest ------------------------------------------------------------------ */

static int newest_first(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
	return (x < y) - (x > y);
}

/* The numbers of the files in dir, newest first. */
static size_t list_numbers(int dir, unsigned long numbers[CHECKPOINTS_SEEN_MAX])
{
	size_t count = 0;
	int fd = dup(dir);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		if (fd >= 0) close(fd);
		return 0;
	}
	rewinddir(d);
	for (struct dirent *ent; count < CHECKPOINTS_SEEN_MAX && (ent = readdir(d));) {
		char *end;
		unsigned long n = strtoul(ent->d_name, &end, 10);
		if (end != ent->d_name && strcmp(end, ".ckpt") == 0) numbers[count++] = n;
	}
	closedir(d);
	qsort(numbers, count, sizeof *numbers, newest_first);
	return count;
}

static void name_of(unsigned long number, char out[CHECKPOINT_NAME_SIZE])
{
	snprintf(out, CHECKPOINT_NAME_SIZE, "%lu.ckpt", number);
}

static bool write_file(int dir, const char *name, const void *bytes, size_t len, struct err *e)
{
	int fd = openat(dir, "next.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) return err_errno(e, "making a checkpoint");
	bool ok = file_write(fd, bytes, len) && fsync(fd) == 0;
	if (!ok) err_errno(e, "writing checkpoint %s", name);
	close(fd);
	if (ok && (renameat(dir, "next.tmp", dir, name) != 0 || fsync(dir) != 0))
		ok = err_errno(e, "naming checkpoint %s", name);
	if (!ok) unlinkat(dir, "next.tmp", 0);
	return ok;
}

bool checkpoint_write(const char *dir, const void *bytes, size_t len, struct err *e)
{
	unsigned long numbers[CHECKPOINTS_SEEN_MAX];
	char name[CHECKPOINT_NAME_SIZE];
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) return err_errno(e, "making %s", dir);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return err_errno(e, "opening %s", dir);
	size_t count = list_numbers(fd, numbers);
	name_of(count ? numbers[0] + 1 : 1, name);
	bool ok = write_file(fd, name, bytes, len, e);
	for (size_t i = CHECKPOINTS_KEPT - 1; ok && i < count; i++) {
		name_of(numbers[i], name);
		unlinkat(fd, name, 0);
	}
	close(fd);
	return ok;
}

static bool is_intact(int fd)
{
	struct stat st;
	struct checkpoint c;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) return false;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) return false;
	bool ok = checkpoint_decode(p, (size_t)st.st_size, &c);
	munmap(p, (size_t)st.st_size);
	return ok;
}

int checkpoint_newest(const char *dir)
{
	unsigned long numbers[CHECKPOINTS_SEEN_MAX];
	int found = -1, fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return -1;
	size_t count = list_numbers(fd, numbers);
	for (size_t i = 0; found < 0 && i < count; i++) {
		char name[CHECKPOINT_NAME_SIZE];
		name_of(numbers[i], name);
		found = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (found >= 0 && !is_intact(found)) {
			close(found);
			found = -1;
		}
	}
	close(fd);
	return found;
}
