/* Private to serving/: one immutable snapshot of which models there are, which versions of them are in memory, and
 * what every reference means. The cache's thread makes tables; readers only look things up. */
#ifndef QUERN_SERVING_MODEL_TABLE_H
#define QUERN_SERVING_MODEL_TABLE_H

#include "serving/predictor.h"
#include "store/model.h"

#include <stdatomic.h>

/* A version in memory. Tables share it; only `used` changes after it was made. */
struct model_held {
	struct predictor *predictor;
	size_t bytes;        /* of its container */
	size_t slot;         /* in model_table.held, and in every reader's scratch */
	uint64_t serial;     /* never used twice */
	unsigned refs;       /* tables that have it, and the cache; the cache's thread only */
	atomic_ulong used;   /* tick of the last request */
};

struct table_version {
	int version;
	struct model_held *held; /* NULL: loaded when asked for */
};
struct table_alias {
	struct str name;
	int version; /* 0: a split over several versions */
};
struct table_model {
	struct str name;
	const struct table_version *newest, *served; /* served: without version and alias; NULL: there is none */
	struct table_version *versions;              /* ascending */
	struct table_alias *aliases;
	size_t version_count, alias_count;
};

struct model_table {
	uint64_t id;                /* never used twice */
	struct arena arena;
	struct table_model *models; /* by name */
	size_t count;
	struct model_held **held; /* [held_count], holes are NULL */
	size_t held_count;
	struct str fallback;     /* serving.defaultModel; len 0: none */
	uint64_t retired_at;     /* epoch; the cache's */
	struct model_table *next_retired;
};

struct model_ref {
	struct str name; /* data NULL: by the rules of docs/api: the default, else the only one */
	int version;     /* 0: by alias, else `production`, else the newest */
	struct str alias; /* data NULL: none */
};

/* What the store says, joined with what is in memory (held[slot], holes allowed; each is counted once more). */
struct model_table *model_table_create(const struct model_target *targets, size_t count, struct model_held *const *held,
				       size_t held_count, const char *fallback);
/* Frees the table alone: what it held has to be counted down before. */
void model_table_free(struct model_table *t);

/* ERR_no_model, ERR_not_found, ERR_ambiguous_model, ERR_conflict (a split alias). *m and *v live as long as t. */
QN_MUST bool model_table_find(const struct model_table *t, const struct model_ref *ref, const struct table_model **m,
			      const struct table_version **v, struct err *e);

/* Is it what the model serves, or what one of its aliases points to? */
bool model_table_points_to(const struct table_model *m, const struct table_version *v);
bool model_table_wants(const struct model_table *t, const struct predictor *p);

/* The version that a target's JSON names; 0: it is a split or not understood. */
int model_target_version(const char *json);

#endif
