/* A pipeline: stages in order over one schema. The same code applies it in training, in `quern apply` and in serving.
 *
 * A fitted pipeline is immutable and may be applied by many threads, each with its own batch and struct pipeline_scratch.
 * Its container (schemas/pipeline/FORMAT.md) is the same bytes in Postgres, in an exported file and in golden tests.
 */
#ifndef QUERN_PIPELINE_PIPELINE_H
#define QUERN_PIPELINE_PIPELINE_H

#include "data/dataset.h"
#include "pipeline/stage.h"

enum { PIPELINE_STAGES_MAX = 256 };

struct response_field {
	struct str name;   /* member of the answer */
	struct str column; /* output column */
	int slot;
	bool has_index;
	struct str element; /* text inside [ ]: an index, or a label's name */
	uint32_t index;
};

struct pipeline {
	struct arena arena;
	struct stage *stages;
	size_t count;
	struct schema schema;   /* input columns first, then each stage's outputs */
	size_t input_count;     /* how many of them come from the source */
	bool bound;
	struct response_field *response;
	size_t response_count;
	bool response_given; /* else the default, made anew whenever the pipeline is bound */
	struct str manifest_extra; /* JSON object kept in the container: spec, metrics, seeds, name … ; may be empty */
};

void pipeline_release(struct pipeline *p);

/* Reads the `pipeline` array of a job specification: known stages, parameters, bounds. Every fault is added with a pointer
 * below `pointer` ("/pipeline"). */
QN_MUST bool pipeline_parse(struct pipeline *p, const struct json *array, const char *pointer, struct err *e);
/* Binds the stages to an input schema (names, types, order); adds every fault. May be called again after fit or decode. */
QN_MUST bool pipeline_bind(struct pipeline *p, const struct schema *input, struct err *e);
/* Sets the answer's fields from a job's `response` object (NULL: the default for the last stage). After bind. */
QN_MUST bool pipeline_response(struct pipeline *p, const struct json *response, const char *pointer, struct err *e);

/* Drives the fit of all stages over a dataset, on every rank. Hooks as in struct fit, by stage. */
struct pipeline_fit {
	struct comm *comm;
	uint64_t memory_max;
	const uint64_t *seeds; /* one a stage, for those without one of their own; NULL: 0 */
	enum storage_level level;
	const char *spool_dir;
	/* Called for every batch of this rank's shards, in order: how rows get in (a source_read of shard). */
	bool (*read)(void *ctx, size_t shard, const uint8_t *wanted, struct batch *b,
		     bool (*sink)(void *sink_ctx, struct batch *b, struct err *e), void *sink_ctx, struct err *e);
	void *ctx;
	void (*stage_begin)(void *ctx, size_t stage);
	void (*stage_end)(void *ctx, size_t stage);
	void (*progress)(void *ctx, size_t stage, size_t iteration, double objective);
	bool (*checkpoint_due)(void *ctx);
	/* The stage that is being fitted and its solver's bytes; what is fitted already comes from pipeline_encode_fitted. */
	bool (*checkpoint_save)(void *ctx, size_t stage, const void *bytes, size_t len, struct err *e);
	/* After pipeline_decode_fitted: the stage whose solver's bytes these are. */
	size_t resume_stage;
	const void *resume;
	size_t resume_len;
	/* Columns to keep to the end beside what stages need (for evaluators); NULL-terminated names. */
	const char *const *keep;
};
/* On success the stages are fitted and p is bound anew. Where keep is given, *rows holds the transformed rows (the caller
 * destroys it). */
QN_MUST bool pipeline_fit(struct pipeline *p, const struct pipeline_fit *f, struct dataset **rows, struct err *e);

/* Which stages run and which columns stay. Made once per use (all outputs, or only the response's), then immutable.
 * Stages whose outputs nobody needs are pruned, and of the others' outputs those that nobody reads are marked. A stage whose
 * input column is read by nobody after it may take that column's buffers (in place): then in[0].slot == out[0].slot. */
struct plan_step {
	struct stage stage; /* a shallow copy of the pipeline's with ports of its own, slots as they are in this plan */
	int steal;          /* slot whose buffers the first output takes, or SCHEMA_COLUMN_NONE */
};

struct pipeline_plan {
	const struct pipeline *pipeline;
	struct plan_step *steps; /* [count]: the stages that run */
	size_t count;
	uint8_t *input_needed; /* [schema.count]: columns that must come in */
	uint8_t *live;         /* [schema.count]: columns the caller reads at the end */
};
/* wanted: schema.count flags of the columns to be read at the end. among: count flags of the stages that may run (NULL: all). */
void pipeline_plan_make(struct pipeline_plan *plan, const struct pipeline *p, const uint8_t *wanted, const uint8_t *among);
void pipeline_plan_release(struct pipeline_plan *plan);

struct pipeline_scratch {
	struct scratch *stages;
	size_t count;
	size_t failed; /* after pipeline_apply failed: the stage that did */
};
void pipeline_scratch_init(struct pipeline_scratch *s, const struct pipeline *p);
void pipeline_scratch_release(struct pipeline_scratch *s);

/* Runs the plan's stages on a batch over p->schema whose needed inputs are filled. */
QN_MUST bool pipeline_apply(const struct pipeline_plan *plan, struct batch *b, struct pipeline_scratch *s, struct err *e);

/* Container. Encoding the same pipeline gives the same bytes. pipeline_decode copies what it keeps and leaves a bound
 * pipeline. p is released by the caller in any case. */
QN_MUST bool pipeline_encode(const struct pipeline *p, struct buf *out, struct err *e);
QN_MUST bool pipeline_decode(struct pipeline *p, const void *bytes, size_t len, struct err *e);
/* The fitted state of those stages that have one, for checkpoints; decode marks them fitted. Same specification on both sides. */
void pipeline_encode_fitted(const struct pipeline *p, struct buf *out);
QN_MUST bool pipeline_decode_fitted(struct pipeline *p, const void *bytes, size_t len, struct err *e);
/* The columns that a prediction request must carry for the response: labels and what only they need are not among them.
 * *out is the caller's to release. */
void pipeline_request_schema(const struct pipeline *p, struct schema *out);
/* The stages with the parameters that were given, as in a job specification. */
void pipeline_write_stages(const struct pipeline *p, struct json_writer *w, bool with_version);
/* {"input":…,"response":…,"stages":[…],"training":…} for `quern inspect` and GET …/versions/{v}. */
void pipeline_manifest(const struct pipeline *p, struct json_writer *w);
/* [{"index","stage",…what it learned}] */
void pipeline_state(const struct pipeline *p, struct json_writer *w);

#endif
