/* A job specification (DESIGN §5), parsed and checked whole: every fault at once, each with its pointer. */
#ifndef QUERN_TRAINER_SPEC_H
#define QUERN_TRAINER_SPEC_H

#include "data/source.h"
#include "pipeline/eval/evaluator.h"
#include "pipeline/pipeline.h"

enum {
	SPEC_EVALUATORS_MAX = 16,
	SPEC_NAME_MAX = 128, /* [A-Za-z0-9][A-Za-z0-9._-]* */
	SPEC_TAGS_MAX = 64,
	SPEC_TAG_KEY_MAX = 128,
	SPEC_TAG_VALUE_MAX = 1024,
	SPEC_ATTEMPTS_MAX = 20,
	SPEC_TIMEOUT_MAX_S = 365 * 86400,
};
#define SPEC_MEMORY_MIN ((uint64_t)16 << 20)
#define SPEC_MEMORY_MAX ((uint64_t)16 << 40)
/* Seeds that Quern draws are below 2^53, so that JSON readers without integers keep them. */
#define SPEC_SEED_DRAWN_BITS 53

struct spec {
	struct arena arena;
	const struct json *root;   /* the whole document */
	struct str name, kind;
	const struct json *source; /* checked by source_check */
	const struct json *pipeline, *evaluate, *response, *split, *promote, *tune, *resources, *retry, *tags;
	double split_test;         /* 0: none */
	int64_t split_seed;
	int64_t seed; /* of the job: stages without a seed of their own derive theirs from it and their index */
	struct str promote_alias, promote_when; /* alias empty: none; when "always" or "better" */
	int64_t workers;
	struct str executor;       /* "local" */
	const struct json *memory;
	uint64_t memory_max;       /* resources.memory, bytes over all workers */
	struct str storage_level;
	enum storage_level level;
	int64_t max_attempts, timeout_s, priority;
};

struct spec_defaults {
	int64_t workers;
	uint64_t memory_max;
};

/* text is borrowed until release. Unset seeds are drawn here. With env: the source is looked at (it must exist) and the
 * pipeline, response and evaluators are bound to its schema. env NULL: shapes only. On failure there is nothing to
 * release. */
QN_MUST bool spec_parse(struct spec *sp, const char *text, size_t len, const struct spec_defaults *d,
			const struct source_env *env, struct err *e);
void spec_release(struct spec *sp);
/* The document with defaults and drawn seeds filled in: what the job stores and shows, and what repeats it exactly.
 * Parsing it and writing it again gives the same bytes. */
void spec_write(const struct spec *sp, struct json_writer *w);
/* The member "split", where there is one. */
void spec_write_split(const struct spec *sp, struct json_writer *w);
/* `plan` of ?dryRun=true: {"input":schema,"stages":[{"index","stage","outputs":schema}],"shards":null,"response":…}.
 * The source is looked at once more; what cannot be known now is null. */
void spec_plan(const struct spec *sp, const struct source_env *env, struct json_writer *w);

/* May this text name a job, a model or an alias? */
bool spec_name_valid(struct str name);

#endif
