#include "data/lines.h"

#include "data/scan.h"

#include <unistd.h>

static const char *find_end(const struct lines *l, const char *from)
{
	const struct window *w = l->w;
	size_t left = (size_t)(w->stop - from);
	if (l->sep != LINES_ANY_END || !w->has_cr) return memchr(from, l->sep == LINES_ANY_END ? '\n' : l->sep, left);
	const char *at = scan_any(from, w->stop, w->stop, (struct scan_set){{'\n', '\r', '\n', '\r'}});
	return at == w->stop ? NULL : at;
}

enum lines_result lines_next(struct lines *l, struct str *line, struct err *e)
{
	struct window *w = l->w;
	size_t searched = 0;
	if (!l->first && window_offset(w) >= l->end) return LINES_END;
	l->first = false;
	for (;;) {
		const char *at = find_end(l, w->p + searched);
		/* Whether \n follows a \r must be seen before the line is given. */
		bool seen = at && (*at != '\r' || at + 1 < w->stop || w->at_end);
		if (seen || (!at && w->at_end)) {
			if (w->p == w->stop) return LINES_END;
			l->at = window_offset(w);
			*line = (struct str){w->p, (size_t)((at ? at : w->stop) - w->p)};
			w->p = !at ? w->stop : at + 1;
			if (at && l->sep == LINES_ANY_END && *at == '\r' && w->p < w->stop && *w->p == '\n') w->p++;
			l->count++;
			return LINES_LINE;
		}
		searched = (size_t)((at ? at : w->stop) - w->p);
		if (!window_more(w, e)) return LINES_ERROR;
	}
}

bool lines_open(struct lines *l, struct window *w, int sep, uint64_t begin, uint64_t end, struct err *e)
{
	struct str tail;
	*l = (struct lines){.w = w, .sep = sep, .end = UINT64_MAX};
	/* The rest of the line that the byte before `begin` belongs to, empty when that byte ends it: not ours. A lone \r just
	 * before the range with \n as its first byte swallows that \n, which no line begins with. */
	if (begin > 0 && lines_next(l, &tail, e) == LINES_ERROR) return false;
	l->end = end;
	l->count = 0;
	l->first = begin == 0 && end > 0;
	return true;
}

uint64_t lines_before(int fd, const char *text, int sep, uint64_t offset)
{
	uint64_t lines = 0;
	char chunk[16 << 10], last = 0;
	for (uint64_t at = 0; at < offset;) {
		size_t n = offset - at < sizeof chunk ? (size_t)(offset - at) : sizeof chunk;
		if (text) memcpy(chunk, text + at, n);
		else if (pread(fd, chunk, n, (off_t)at) != (ssize_t)n) return 0;
		for (size_t i = 0; i < n; i++) {
			bool ends = sep == LINES_ANY_END ? chunk[i] == '\r' || (chunk[i] == '\n' && last != '\r')
							 : chunk[i] == (char)sep;
			lines += ends;
			last = chunk[i];
		}
		at += n;
	}
	return lines;
}
