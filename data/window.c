#include "data/window.h"

#include "base/mem.h"
#include "data/spool.h"

#include <string.h>

/* Small enough to stay in a core's own cache, large enough that a system call a window does not count. */
enum { WINDOW_BYTES = 256 << 10 };

static void skip_bom(struct window *w, uint64_t begin)
{
	if (begin == 0 && w->stop - w->p >= 3 && memcmp(w->p, "\xef\xbb\xbf", 3) == 0) w->p += 3;
}

bool window_open_file(struct window *w, int fd, uint64_t begin, uint64_t size, size_t record_max, const char *name,
		      struct err *e)
{
	*w = (struct window){.fd = fd, .next = begin, .size = size, .record_max = record_max, .name = name};
	w->cap = WINDOW_BYTES;
	w->data = mem_alloc(w->cap);
	w->p = w->stop = w->data;
	w->at_end = begin >= size;
	if (!w->at_end && !window_more(w, e)) {
		window_close(w);
		return false;
	}
	skip_bom(w, begin);
	return true;
}

void window_open_text(struct window *w, const char *text, size_t begin, size_t len, const char *name)
{
	*w = (struct window){.fd = -1, .p = text + begin, .stop = text + len, .at_end = true, .next = len, .size = len,
			     .name = name};
	w->has_cr = len > begin && memchr(w->p, '\r', len - begin) != NULL;
	skip_bom(w, begin);
}

void window_close(struct window *w)
{
	mem_free(w->data);
	w->data = NULL;
}

bool window_more(struct window *w, struct err *e)
{
	size_t kept = (size_t)(w->stop - w->p);
	CHECK(w->fd >= 0 && !w->at_end);
	if (kept > w->record_max)
		return err_set(e, ERR_source, "%s: the record at byte %llu is longer than limits.recordBytes (%zu)", w->name,
			       (unsigned long long)window_offset(w), w->record_max);
	memmove(w->data, w->p, kept);
	if (kept > w->cap / 2) {
		w->cap *= 2;
		w->data = mem_realloc(w->data, w->cap, 1);
	}
	size_t n = w->cap - kept;
	if (n > w->size - w->next) n = (size_t)(w->size - w->next);
	w->p = w->data;
	w->stop = w->data + kept;
	if (!spool_read_at(w->fd, w->data + kept, n, w->next, e)) return err_wrap(e, "reading %s", w->name);
	w->has_cr = w->has_cr || memchr(w->stop, '\r', n) != NULL;
	w->stop += n;
	w->next += n;
	w->at_end = w->next == w->size;
	return true;
}

uint64_t window_offset(const struct window *w) { return w->next - (uint64_t)(w->stop - w->p); }
