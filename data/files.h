/* `file:` URIs to files that may be read.
 *
 * file:/abs/path and file:///abs/path must lie below one of the roots; file:rel/path is looked for below each root in turn (first
 * that has it). Symbolic links are resolved first and must end below a root too. A path may be a glob (* ? [..] {a,b}) or a
 * folder, whose files are taken without those that begin with . or _ (as Spark does). Only regular files are ever opened.
 * Results are sorted by bytes. roots NULL: any path; relative ones from the working directory. */
#ifndef QUERN_DATA_FILES_H
#define QUERN_DATA_FILES_H

#include "base/err.h"
#include "base/str.h"

enum { FILES_MAX = 10000 };

struct files {
	char **paths; /* absolute, no symbolic link in them; in the arena */
	size_t count;
};

/* Faults at pointer. *out has count 0, without a fault, when nothing is there. */
QN_MUST bool files_find(struct str uri, const char *const *roots, struct arena *a, const char *pointer, struct files *out,
			struct err *e);
/* Opens a path that files_find gave, checking all of it again. -1 with ERR_source. */
int files_open(const char *path, const char *const *roots, uint64_t *size, struct err *e);

/* The last part of a path: what messages say (where the roots are is nobody's business). Borrowed. */
const char *files_name(const char *path);

#endif
