/* A job specification (DESIGN §5), parsed and checked whole: every fault at once, each with its pointer. */
#ifndef QUERN_TRAINER_SPEC_H
#define QUERN_TRAINER_SPEC_H

#include "data/source.h"
#include "pipeline/eval/evaluator.h"
#include "pipeline/pipeline.h"

enum { SPEC_EVALUATORS_MAX = 16, SPEC_SHARED_MEMORY_DEFAULT_GIB = 4 };

struct spec {
	struct arena arena;
	const struct json *root;   /* the whole document */
	struct str name, kind;
	const struct json *source; /* checked by source_check */
	const struct json *pipeline, *evaluate, *response, *split, *promote, *tune;
	double split_test;         /* 0: none */
	uint64_t split_seed;
	uint64_t seed;             /* of the job: stages without a seed of their own derive theirs from it and their index */
	struct str promote_alias, promote_when;
	int64_t workers;
	struct str executor;       /* "local" */
	uint64_t memory_max;       /* resources.memory, bytes over all workers */
	enum storage_level level;
	int64_t max_attempts, timeout_s, priority;
	const struct json *tags;
};

struct spec_defaults {
	int64_t workers;
	uint64_t memory_max;
};

/* text is borrowed until release. Unset seeds are drawn here. With env: the source is looked at (its schema, when reachable) and
 * the pipeline, response and evaluators are bound to it. env NULL: shapes only. */
QN_MUST bool spec_parse(struct spec *sp, const char *text, size_t len, const struct spec_defaults *d,
			const struct source_env *env, struct err *e);
void spec_release(struct spec *sp);
/* The document with defaults and drawn seeds filled in: what the job stores and shows, and what repeats it exactly. */
void spec_write(const struct spec *sp, struct json_writer *w);
/* `plan` of ?dryRun=true: input schema, stages with their outputs, shards where known, response. */
void spec_plan(const struct spec *sp, const struct source_env *env, struct json_writer *w);

#endif
