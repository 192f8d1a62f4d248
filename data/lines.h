/* Lines of a byte range of a file: the range [begin, end) has the lines that begin in it, so ranges that touch share no line
 * and lose none, wherever they were cut.
 *
 * Without a separator of its own a line ends at \n, \r\n or a lone \r, as Hadoop's and so Spark's readers have it: a line begins
 * at 0, after \n, and after \r that no \n follows. */
#ifndef QUERN_DATA_LINES_H
#define QUERN_DATA_LINES_H

#include "base/str.h"
#include "data/window.h"

enum { LINES_ANY_END = -1 };

struct lines {
	struct window *w; /* opened at lines_seek's offset; borrowed */
	int sep;          /* one byte, or LINES_ANY_END */
	uint64_t end;     /* lines that begin here or later belong to the next range */
	uint64_t count;   /* lines given so far */
	uint64_t at;      /* offset of the last one */
	bool first;       /* the file's first line comes next: it begins at 0 even behind a byte order mark */
};

enum lines_result { LINES_ERROR, LINES_END, LINES_LINE };

/* Where a window for the range must be opened: a byte before it, to see whether a line begins there. */
static inline uint64_t lines_seek(uint64_t begin) { return begin ? begin - 1 : 0; }
/* Moves the window (opened at lines_seek(begin)) to the first line that begins at or after begin. */
QN_MUST bool lines_open(struct lines *l, struct window *w, int sep, uint64_t begin, uint64_t end, struct err *e);
/* *line is valid until the next call. */
enum lines_result lines_next(struct lines *l, struct str *line, struct err *e);
/* Nothing but blanks and control characters, as Java's trim has it. */
static inline bool lines_blank(struct str line)
{
	size_t i = 0;
	while (i < line.len && (unsigned char)line.data[i] <= ' ') i++;
	return i == line.len;
}
/* Lines that end in [0, offset) of a file: what comes before offset, for messages. 0 where it cannot be read. */
uint64_t lines_before(int fd, const char *text, int sep, uint64_t offset);

#endif
