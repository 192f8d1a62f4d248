/* Models: names, versions (immutable containers in chunked rows), aliases and their append-only history. */
#ifndef QUERN_STORE_MODEL_H
#define QUERN_STORE_MODEL_H

#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

enum {
	MODEL_LIST_MAX = 1000, /* rows of one page */
	MODEL_NAME_MAX = 200,  /* bytes */
};

struct model_version {
	const char *name;
	int version;
	char job_id[UUID_TEXT_SIZE]; /* empty: imported */
	const char *manifest;        /* JSON: input, response, stages, metrics, evaluation, source … */
	int64_t size, created_at;
	char checksum[17];           /* XXH3 of the container, hex */
};
struct model_alias {
	const char *alias;
	const char *target; /* JSON: {"version":3} or {"split":…} */
	int64_t updated_at;
};
struct model {
	const char *name;
	int64_t created_at, updated_at;
	int latest;
	struct model_alias *aliases;
	size_t alias_count;
	int *versions; /* ascending */
	size_t version_count;
};

QN_MUST bool model_list(struct store *s, size_t limit, const char *cursor, struct arena *a, struct model **out,
			size_t *count, const char **next, struct err *e);
QN_MUST bool model_get(struct store *s, const char *name, struct arena *a, struct model *out,
		       struct err *e); /* ERR_no_model */
QN_MUST bool model_version_get(struct store *s, const char *name, int version, struct arena *a,
			       struct model_version *out, struct err *e);
QN_MUST bool model_version_list(struct store *s, const char *name, struct arena *a, struct model_version **out,
				size_t *count, struct err *e);
/* The container's bytes, checksum verified. */
QN_MUST bool model_load(struct store *s, const char *name, int version, struct buf *out, struct err *e);

/* Points the alias at {"version":3} or {"split":{"3":90,"4":10},"shadow":5}, whose shape the caller has checked. The
 * same target again changes nothing; anything else is appended to the history. ERR_no_model; ERR_invalid for a version
 * that is not there. */
QN_MUST bool model_alias_set(struct store *s, const char *name, const char *alias, const char *target, struct err *e);
/* ERR_not_found where there is no such alias. */
QN_MUST bool model_alias_get(struct store *s, const char *name, const char *alias, struct arena *a,
			     struct model_alias *out, struct err *e);
QN_MUST bool model_alias_delete(struct store *s, const char *name, const char *alias, struct err *e);
/* Newest first; target NULL: deleted then. Empty for what never was. */
QN_MUST bool model_alias_history(struct store *s, const char *name, const char *alias, size_t limit, struct arena *a,
				 struct model_alias **out, size_t *count, struct err *e);

/* Everything a cache needs to know what should be in memory, in one read. */
struct model_target {
	const char *name;
	int latest;
	const char *production; /* target JSON of alias `production`, NULL: none */
	struct model_alias *aliases;
	size_t alias_count;
	int *versions;
	size_t version_count;
};
QN_MUST bool model_targets(struct store *s, struct arena *a, struct model_target **out, size_t *count,
			   int64_t *revision, struct err *e);

#endif
