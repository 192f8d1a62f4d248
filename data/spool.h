/* An unlinked file for what does not fit in memory. Regions are written whole, read whole, and given back (the hole is punched,
 * so the disk space returns at once). The file dies with the process. One thread at a time. */
#ifndef QUERN_DATA_SPOOL_H
#define QUERN_DATA_SPOOL_H

#include "base/err.h"

struct spool {
	int fd;        /* -1: not made yet */
	uint64_t end;  /* where the next region goes */
	uint64_t used; /* bytes of regions that are not given back */
};

#define SPOOL_INIT ((struct spool){.fd = -1})
void spool_release(struct spool *s);
/* The first write makes the file in dir. Errors: ERR_io (no space left among them). */
QN_MUST bool spool_write(struct spool *s, const char *dir, const void *p, size_t len, uint64_t *at, struct err *e);
QN_MUST bool spool_read(const struct spool *s, uint64_t at, void *p, size_t len, struct err *e);
void spool_free(struct spool *s, uint64_t at, size_t len);

/* An empty file in dir that has no name any more; -1 with e filled. */
int spool_file(const char *dir, struct err *e);
/* The whole of p at this offset. */
QN_MUST bool spool_write_at(int fd, const void *p, size_t len, uint64_t at, struct err *e);
QN_MUST bool spool_read_at(int fd, void *p, size_t len, uint64_t at, struct err *e);

#endif
