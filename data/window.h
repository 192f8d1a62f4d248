/* A window that slides over a file or lies over a text in memory: records are parsed where they lie, and what a record needs
 * beyond the window is read in. A record may be as long as record_max; a longer one is an error, not more memory. */
#ifndef QUERN_DATA_WINDOW_H
#define QUERN_DATA_WINDOW_H

#include "base/err.h"

struct window {
	const char *p;    /* next byte to be parsed */
	const char *stop; /* end of the bytes that are here */
	bool at_end;      /* nothing comes after stop */
	bool has_cr;      /* some byte that came in was \r */
	int fd;           /* -1: a text in memory */
	uint64_t next;    /* offset in the file of the byte at stop */
	uint64_t size;    /* of the file */
	char *data;       /* owned; NULL in memory */
	size_t cap, record_max;
	const char *name; /* of the file, for messages; borrowed */
};

/* Opens at offset `begin` of a file of `size` bytes. A byte order mark at offset 0 is skipped. fd is borrowed. */
QN_MUST bool window_open_file(struct window *w, int fd, uint64_t begin, uint64_t size, size_t record_max, const char *name,
			      struct err *e);
/* text is borrowed and must stay; begin as above. */
void window_open_text(struct window *w, const char *text, size_t begin, size_t len, const char *name);
void window_close(struct window *w);
/* Keeps [p, stop) and adds bytes behind, moving what is kept: pointers into the window are stale afterwards. Not at the end. */
QN_MUST bool window_more(struct window *w, struct err *e);
/* Offset in the file of p. */
uint64_t window_offset(const struct window *w);

#endif
