#include "trainer/worker_job.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORKER_ROOTS_MAX = 256 };

/* With its NUL, so that the decoded text is a C string as it lies. */
static void put_cstr(struct buf *out, const char *s) { buf_block(out, s, strlen(s) + 1); }

static const char *get_cstr(struct cursor *in)
{
	size_t len;
	const char *s = cursor_block(in, &len);
	if (!in->bad && (len == 0 || s[len - 1] != 0)) in->bad = true;
	return in->bad ? NULL : s;
}

void worker_job_encode(const struct worker_job *j, struct buf *out)
{
	uint32_t roots = 0;
	while (j->file_roots && j->file_roots[roots]) roots++;
	buf_block(out, j->spec.data, j->spec.len);
	put_cstr(out, j->spool_dir);
	buf_u8(out, j->file_roots != NULL);
	buf_u32(out, roots);
	for (uint32_t i = 0; i < roots; i++) put_cstr(out, j->file_roots[i]);
	buf_u64(out, j->record_bytes_max);
	buf_u64(out, j->columns_max);
	buf_u64(out, j->inline_rows_max);
	buf_u64(out, j->memory_max);
	buf_u32(out, j->checkpoint_s);
}

bool worker_job_decode(const void *bytes, size_t len, struct arena *a, struct worker_job *out)
{
	struct cursor in = CURSOR(bytes, len);
	struct worker_job j = {0};
	j.spec.data = cursor_block(&in, &j.spec.len);
	j.spool_dir = get_cstr(&in);
	bool confined = cursor_u8(&in) != 0;
	uint32_t roots = cursor_u32(&in);
	if (in.bad || roots > WORKER_ROOTS_MAX) return false;
	if (confined) j.file_roots = arena_zalloc(a, roots + 1, sizeof *j.file_roots);
	for (uint32_t i = 0; confined && i < roots; i++) j.file_roots[i] = get_cstr(&in);
	j.record_bytes_max = cursor_u64(&in);
	j.columns_max = cursor_u64(&in);
	j.inline_rows_max = cursor_u64(&in);
	j.memory_max = cursor_u64(&in);
	j.checkpoint_s = cursor_u32(&in);
	if (in.bad || cursor_left(&in)) return false;
	*out = j;
	return true;
}

/* --- Shared files ------------------------------------------------------------------------------------------------ */

const void *worker_map(int fd, size_t len, struct err *e)
{
	const void *p = len ? mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0) : "";
	if (p != MAP_FAILED) return p;
	err_errno(e, "mapping what a worker shares");
	return NULL;
}

void worker_unmap(const void *p, size_t len)
{
	if (p && len) munmap((void *)p, len);
}

bool worker_file_size(int fd, size_t *size, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0) return err_errno(e, "looking at what a worker shares");
	*size = (size_t)st.st_size;
	return true;
}

bool worker_file_fill(int fd, const void *bytes, size_t len, struct err *e)
{
	const char *p = bytes;
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, p + done, len - done, (off_t)done);
		if (n < 0 && errno != EINTR) return err_errno(e, "filling a shared file");
		if (n > 0) done += (size_t)n;
	}
	return true;
}
