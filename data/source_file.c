/* Files on their way in: inflated, turned to UTF-8. */
#include "data/files.h"
#include "data/inflate.h"
#include "data/source_plan.h"
#include "data/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
		fd = open(f->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
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

static bool unpack(const struct source *s, int fd, uint64_t size, struct unpacking *u, struct err *e)
{
	struct str encoding = source_encoding(s->spec.config.options);
	size_t max = s->env.memory_max ? (size_t)MIN(s->env.memory_max, u->max) : WHOLE_DEFAULT, len;
	char *whole;
	bool gzip = inflate_kind_of(STR(u->name)) == INFLATE_GZIP && transcode_is_utf8(encoding);
	if (!gzip || !inflate_whole(fd, size, max, &whole, &len)) return unpack_stream(fd, encoding, u, e);
	bool ok = put_file(u, whole, len, e);
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
	char *path = arena_printf(&s->arena, "%s/source-XXXXXX", s->env.spool_dir ? s->env.spool_dir : "/tmp");
	struct unpacking u = {&s->env, .fd = mkostemp(path, O_CLOEXEC), .max = max, .name = f->name};
	bool ok = u.fd >= 0 || err_errno(e, "making a file for the inflated input");
	if (ok) {
		struct source_file spooled = {path, f->name, 0, true};
		ok = unpack(s, fd, f->size, &u, e);
		spooled.size = u.size;
		close(u.fd);
		if (ok) *f = spooled;
		else unlink(path);
	}
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
