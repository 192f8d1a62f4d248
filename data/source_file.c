/* Files on their way in: inflated, turned to UTF-8. */
#include "data/files.h"
#include "data/inflate.h"
#include "data/source_plan.h"
#include "data/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 << 10, HEAD_BYTES = 64 << 10 };
#define INFLATED_DEFAULT ((uint64_t)64 << 30)
#define WHOLE_DEFAULT ((size_t)256 << 20)

int source_file_open(const struct source *s, const struct source_file *f, struct err *e)
{
	uint64_t size = 0;
	struct stat st;
	int fd = -1;
	if (!f->spooled) {
		fd = files_open(f->path, s->env.file_roots, &size, e);
		if (fd < 0) return -1;
	} else {
		fd = open(f->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) != 0) {
			err_errno(e, "opening the spooled input of %s", f->name);
			if (fd >= 0) close(fd);
			return -1;
		}
		size = (uint64_t)st.st_size;
	}
	if (size == f->size) return fd;
	err_set(e, ERR_source, "%s changed while it was read", f->name);
	close(fd);
	return -1;
}

/* --- A file's bytes as a stream ------------------------------------------------------------ */

struct stream {
	int fd;
	const char *name;
	uint64_t at; /* plain files */
	struct inflate *inflate;
	struct transcode *transcode;
	char *piece;
};

static void stream_open(struct stream *s, int fd, const char *name, struct str encoding)
{
	enum inflate_kind kind = inflate_kind_of(STR(name));
	*s = (struct stream){.fd = fd, .name = name, .piece = mem_alloc(PIECE_BYTES)};
	if (kind != INFLATE_NONE) s->inflate = inflate_open(kind, fd, name);
	if (!transcode_is_utf8(encoding)) s->transcode = transcode_open(encoding);
}

static void stream_close(struct stream *s)
{
	inflate_close(s->inflate);
	if (s->transcode) transcode_close(s->transcode);
	mem_free(s->piece);
}

typedef bool (*stream_put)(void *ctx, const void *p, size_t len, struct err *e);

static bool read_plain(struct stream *s, size_t *got, struct err *e)
{
	ssize_t n;
	do n = pread(s->fd, s->piece, PIECE_BYTES, (off_t)s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) return err_errno(e, "reading %s", s->name);
	s->at += (uint64_t)n;
	*got = (size_t)n;
	return true;
}

/* Hands one piece to put; *end: it was the last. */
static bool stream_piece(struct stream *s, stream_put put, void *ctx, bool *end, struct err *e)
{
	size_t got = 0;
	if (!(s->inflate ? inflate_read(s->inflate, s->piece, PIECE_BYTES, &got, e) : read_plain(s, &got, e))) return false;
	*end = s->inflate ? got < PIECE_BYTES : got == 0;
	return s->transcode ? transcode_feed(s->transcode, s->piece, got, *end, put, ctx, e) : put(ctx, s->piece, got, e);
}

/* --- Into the spool ------------------------------------------------------------ */

struct unpacking {
	const struct source_env *env;
	int fd;
	uint64_t size, max;
	const char *name;
};

static bool put_file(void *ctx, const void *p, size_t len, struct err *e)
{
	struct unpacking *u = ctx;
	if (u->env->go_on && !u->env->go_on(u->env->ctx)) return err_set(e, ERR_cancelled, "the job was stopped");
	if (len > u->max - u->size)
		return err_set(e, ERR_source, "%s: more than %llu bytes once inflated", u->name, (unsigned long long)u->max);
	if (!spool_write_at(u->fd, p, len, u->size, e)) return false;
	u->size += len;
	return true;
}

static bool unpack_stream(int fd, struct str encoding, struct unpacking *u, struct err *e)
{
	struct stream s;
	bool ok = true, end = false;
	stream_open(&s, fd, u->name, encoding);
	while (ok && !end) ok = stream_piece(&s, put_file, u, &end, e);
	stream_close(&s);
	return ok;
}

/* Inflated input up to this is kept in memory rather than in a file: it need not pass through a file system. */
#define IN_MEMORY_DEFAULT ((uint64_t)64 << 20)

static bool fits_memory(const struct source_env *env, uint64_t len)
{
	return len <= (env->memory_max ? env->memory_max / 8 : IN_MEMORY_DEFAULT);
}

/* A file of our own for len bytes: in memory, where the other ranks of this machine find it below /proc while its maker holds
 * it open, or in spool_dir. */
static bool spooled_open(struct source *s, bool in_memory, struct source_file *f, int *fd, struct err *e)
{
	*fd = in_memory ? memfd_create("quern-source", MFD_CLOEXEC) : -1;
	if (*fd >= 0) {
		f->memory = *fd + 1;
		f->path = arena_printf(&s->arena, "/proc/%d/fd/%d", (int)getpid(), *fd);
		return true;
	}
	char *path = arena_printf(&s->arena, "%s/source-XXXXXX", s->env.spool_dir ? s->env.spool_dir : "/tmp");
	*fd = mkostemp(path, O_CLOEXEC);
	f->path = path;
	return *fd >= 0 || err_errno(e, "making a file for the inflated input");
}

void source_file_remove(const struct source_file *f)
{
	if (f->memory) close(f->memory - 1);
	else if (f->spooled) unlink(f->path);
}

/* The whole file at once where it is one small gzip member; *whole NULL: read it as a stream. */
static void inflate_small(const struct source *s, int fd, uint64_t size, const struct unpacking *u, struct str encoding,
			  char **whole, size_t *len)
{
	size_t max = s->env.memory_max ? (size_t)MIN(s->env.memory_max, u->max) : WHOLE_DEFAULT;
	bool gzip = inflate_kind_of(STR(u->name)) == INFLATE_GZIP && transcode_is_utf8(encoding);
	if (!gzip || !inflate_whole(fd, size, max, whole, len)) *whole = NULL;
}

static bool unpack(struct source *s, struct source_file *f, int fd, struct unpacking *u, struct err *e)
{
	struct str encoding = source_encoding(s->spec.config.options);
	struct source_file spooled = {.name = f->name, .spooled = true};
	char *whole;
	size_t len = 0;
	inflate_small(s, fd, f->size, u, encoding, &whole, &len);
	bool ok = spooled_open(s, whole && fits_memory(&s->env, len), &spooled, &u->fd, e);
	if (ok) {
		ok = whole ? put_file(u, whole, len, e) : unpack_stream(fd, encoding, u, e);
		spooled.size = u->size;
		if (!spooled.memory) close(u->fd);
		if (ok) *f = spooled;
		else source_file_remove(&spooled);
	}
	mem_free(whole);
	return ok;
}

bool source_file_unpack(struct source *s, struct source_file *f, struct err *e)
{
	struct str encoding = source_encoding(s->spec.config.options);
	uint64_t max = s->env.inflated_bytes_max ? s->env.inflated_bytes_max : INFLATED_DEFAULT;
	if (inflate_kind_of(STR(f->name)) == INFLATE_NONE && transcode_is_utf8(encoding)) return true;
	int fd = source_file_open(s, f, e);
	if (fd < 0) return false;
	struct unpacking u = {.env = &s->env, .max = max, .name = f->name};
	bool ok = unpack(s, f, fd, &u, e);
	close(fd);
	return ok;
}

/* --- Heads ------------------------------------------------------------ */

static bool put_head(void *ctx, const void *p, size_t len, struct err *e)
{
	(void)e;
	buf_append(ctx, p, len);
	return true;
}

bool source_file_head(const struct source_config *c, const struct source_env *env, const char *path, struct buf *out,
		      bool *whole, struct err *e)
{
	struct stream s;
	uint64_t size;
	int fd = files_open(path, env->file_roots, &size, e);
	if (fd < 0) return false;
	bool ok = true, end = false;
	stream_open(&s, fd, files_name(path), source_encoding(c->options));
	while (ok && !end && out->len < HEAD_BYTES) ok = stream_piece(&s, put_head, out, &end, e);
	stream_close(&s);
	close(fd);
	*whole = end;
	/* A line that is not whole tells nothing. */
	int sep = source_line_sep(c->options);
	while (ok && !end && out->len > 0 && out->data[out->len - 1] != (sep == LINES_ANY_END ? '\n' : (char)sep)) out->len--;
	return ok;
}
