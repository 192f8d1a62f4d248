/* Private to data/: a planned source. */
#ifndef QUERN_DATA_SOURCE_PLAN_H
#define QUERN_DATA_SOURCE_PLAN_H

#include "data/source_spec.h"

struct source_file {
	const char *path, *name; /* name: for messages */
	uint64_t size;
	bool spooled; /* inflated or transcoded to a file of our own */
	int memory;   /* spooled by this process to memory: its descriptor + 1, which path names; 0: to a file */
};

/* Shard i has the records that begin in [cuts[i], cuts[i + 1]) of all files' bytes one after the other (in place: of the rows). */
struct source {
	struct arena arena;
	struct source_spec spec;
	struct source_env env; /* strings in the arena */
	struct str text;       /* the specification's, for the others */
	struct schema schema;
	struct source_file *files;
	size_t file_count;
	uint64_t *cuts;
	size_t shard_count;
	uint64_t bytes;
	bool owner; /* removes spooled files */
};

/* Opens a file of the plan and checks that it is still as long as it was. -1 with e filled. */
int source_file_open(const struct source *s, const struct source_file *f, struct err *e);
/* The file as plain UTF-8 in the spool, where it is not that already: path and size change. */
QN_MUST bool source_file_unpack(struct source *s, struct source_file *f, struct err *e);
/* What its maker spooled. */
void source_file_remove(const struct source_file *f);
/* The first bytes of a file as plain UTF-8, up to a line's end; *whole: that is all of it. */
QN_MUST bool source_file_head(const struct source_config *c, const struct source_env *env, const char *path, struct buf *out,
			      bool *whole, struct err *e);

#endif
