/* Whole files and folders. Errors are ERR_io naming the path. */
#ifndef QUERN_BASE_FILE_H
#define QUERN_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends what can be read from fd to out; more than out takes is ERR_too_large. name is for messages. */
QN_MUST bool file_read_fd(int fd, const char *name, struct buf *out, struct err *e);
QN_MUST bool file_read(const char *path, struct buf *out, struct err *e);
/* Writes all of it, whatever the kernel takes at once. False with errno. */
QN_MUST bool file_write(int fd, const void *p, size_t len);
/* Puts a file of these bytes in path's place at once: readers see the old one or the whole new one. Durable when it
 * returns. */
QN_MUST bool file_replace(const char *path, const void *p, size_t len, struct err *e);
/* Removes a folder with everything in it, following no links; what cannot be removed stays. */
void file_remove_tree(const char *path);

#endif
