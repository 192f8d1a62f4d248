/* THE stage contract. A stage is one file that exports one `const struct stage_type <stem>_stage` and one row in stages.def.
 *
 * Life of a stage:
 *   parameters parsed (fields_parse by the pipeline)  →  columns() with fitted == false: names and types are checked, slots
 *   bound  →  fit() (estimators only, on every rank)  →  columns() again with fitted == true: the metadata that only data could
 *   tell is filled in  →  apply() on batches, any thread  →  encode().
 *   Loading a model: parameters parsed, decode(), columns() with fitted == true, apply().
 *   ready() comes as soon as what is known of the inputs will not change any more: at submit time, or behind a fit.
 *
 * Never in a stage: MPI, SQL, HTTP, files, globals, logging.
 */
#ifndef QUERN_PIPELINE_STAGE_H
#define QUERN_PIPELINE_STAGE_H

#include "base/field.h"
#include "data/batch.h"
#include "data/vec.h"
#include "pipeline/comm.h"

enum stage_kind { STAGE_TRANSFORMER, STAGE_ESTIMATOR };
enum { STAGE_INPUTS_MAX = 1024, STAGE_SCRATCH_SLOTS = 8 };

struct stage;
struct fit;

/* Working memory of one thread for one stage: blocks kept between calls, so that a warm apply allocates nothing. */
struct scratch {
	void *slot[STAGE_SCRATCH_SLOTS];
	size_t size[STAGE_SCRATCH_SLOTS];
	void (*drop[STAGE_SCRATCH_SLOTS])(void *); /* for slots that own more than memory; NULL: mem_free */
};
/* At least size bytes in this slot; zeroed when (re)allocated, kept as left otherwise. */
void *scratch_room(struct scratch *s, unsigned slot, size_t size);
void scratch_release(struct scratch *s);

struct stage_type {
	const char *name;    /* Spark's simple class name of the stage (of the estimator, for estimators) */
	uint32_t version;    /* of the algorithm and of the state's bytes; stored with every fitted stage */
	enum stage_kind kind;
	const char *help;    /* one sentence */
	const char *inputs;  /* catalogue text: "string", "vector", … */
	const char *outputs;
	const struct field *params; /* ended by FIELD_END; offsets into a struct of params_size bytes */
	size_t params_size;
	size_t state_size; /* fitted state; 0: none. Zeroed before fit/decode */

	/* Cross-parameter rules that a field row cannot say (exclusive forms, lengths). NULL: none. Faults by stage_fault. */
	bool (*check)(const struct stage *s, struct err *e);
	/* Binds inputs and outputs through stage_input/stage_output and states types and attributes. Adds every fault, then
	 * returns false if there were any. Must not need data; runs at submit time. */
	bool (*columns)(struct stage *s, struct schema *schema, struct err *e);
	/* Is all known that apply() needs and only metadata tells (names, labels, lengths)? Asked once all that the inputs come
	 * from is fitted; faults by stage_fault. NULL: it needs nothing of the kind. */
	bool (*ready)(const struct stage *s, struct err *e);
	/* Estimators: every rank, collective. Must leave the same state on every rank and for every rank count. */
	bool (*fit)(struct stage *s, struct fit *f, struct err *e);
	/* Reads bound input slots, fills output slots for all b->rows rows; may drop rows with batch_filter. State is const;
	 * memory only from sc and the batch's columns. On failure e is ERR_data with a sentence that names the row. */
	bool (*apply)(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e);
	/* Fitted state to bytes and back; decode treats bytes as hostile. NULL when state_size is 0. */
	void (*encode)(const struct stage *s, struct buf *out);
	bool (*decode)(struct stage *s, struct cursor *in, struct err *e);
	/* Frees what the state owns beyond its own bytes and the stage's arena. NULL: nothing. */
	void (*release)(struct stage *s);
	/* What the stage learned, under Spark's accessor names, as members of an object being written. NULL: nothing. */
	void (*state)(const struct stage *s, struct json_writer *w);
	/* Predictor hint: out column may take in's buffers when in is dead afterwards (apply then sees in == out bound to the
	 * same slot). Only for stages whose apply works in place. */
	bool in_place;
};

struct stage_port {
	const char *param; /* which parameter named it */
	struct str name;
	int slot;      /* schema index */
	bool fit_only; /* needed by fit, not by apply (label, weight) */
	bool unread;   /* outputs, in a plan: nobody reads it, so apply may leave it without rows */
	size_t for_output; /* 0: apply always needs it; k + 1: only where output k is wanted, else it may lack its rows */
};

struct stage {
	const struct stage_type *type;
	void *params; /* params_size bytes */
	field_set given;
	void *state; /* state_size bytes */
	bool fitted; /* transformers: always true */
	uint32_t state_version;   /* decode: of the bytes at hand (at most type->version) */
	size_t index;             /* in the pipeline */
	struct arena arena;       /* parameters' strings and what the state allocates once */
	struct stage_port *in;
	struct stage_port *out;
	size_t in_count, in_cap, out_count, out_cap;
	bool lenient;  /* binding: an earlier stage is broken, so a missing column is no fault of this one */
	bool filters;  /* set by columns(): apply drops rows by a condition, so it runs whether or not its outputs are read */
	bool inactive; /* Spark skips this stage at transform (e.g. StringIndexerModel without its input column) */
};

/* Life of a struct stage; the pipeline's business (and the parity and conformance suites'). stage_parse reads the object
 * {"stage":name, parameters…} at /pipeline/<index>, adding every fault. */
QN_MUST bool stage_parse(struct stage *s, size_t index, const struct json *obj, const char *pointer, struct err *e);
void stage_release(struct stage *s);
/* Calls columns() anew. */
QN_MUST bool stage_bind(struct stage *s, struct schema *schema, struct err *e);
/* May apply() drop rows? (A filter, or handleInvalid "skip": then no stage is moved across this one.) */
bool stage_drops_rows(const struct stage *s);

/* Binding, inside columns(). Each returns the slot, or -1 after adding a fault at
 * /pipeline/<index>/<param>. */
int stage_input(struct stage *s, const struct schema *schema, const char *param, struct str column, unsigned types,
		struct err *e);
/* The same for a column that only fit reads; once fitted it may be missing (-1, no fault). */
int stage_input_fit_only(struct stage *s, const struct schema *schema, const char *param, struct str column, unsigned types,
			 struct err *e);
int stage_output(struct stage *s, struct schema *schema, const char *param, const struct column_def *def, struct err *e);
/* The output is the input column itself, of which the stage says more: it takes over the name. Returns the slot. */
int stage_output_again(struct stage *s, struct schema *schema, const char *param, const struct column_def *def);
/* A fault at a parameter of this stage. Returns false. */
bool stage_fault(const struct stage *s, struct err *e, const char *param, const char *fmt, ...) QN_PRINTF(4, 5);
/* ERR_data: "StringIndexer (stage 0), row 17: …". Row is the row's number in the batch (b knows its place). Returns false. */
bool stage_data_error(const struct stage *s, const struct batch *b, size_t row, struct err *e, const char *fmt, ...)
	QN_PRINTF(5, 6);
/* Was this parameter given? */
bool stage_given(const struct stage *s, const char *param);

/* --- What fit() works with ------------------------------------------------------------------------------------------- */

struct dataset;

/* Hooks are set by whoever drives the fit; any may be NULL. */
struct fit {
	struct comm *comm;
	struct dataset *rows; /* this rank's shards, with the columns the stage reads */
	uint64_t seed;        /* of this stage: the parameter's, or drawn once and recorded in the job */
	uint64_t memory_max;  /* bytes this rank may use for working copies */
	void *ctx;
	/* Progress: iteration from 0, objective NaN where there is none. Cheap. */
	void (*progress)(void *ctx, size_t iteration, double objective);
	/* True when enough time has passed that a checkpoint should be taken now. Same answer on every rank (collective). */
	bool (*checkpoint_due)(void *ctx);
	/* Rank 0's bytes are stored durably (others' are ignored). */
	bool (*checkpoint_save)(void *ctx, const void *bytes, size_t len, struct err *e);
	/* The bytes a previous attempt saved for this stage, or NULL. The same on every rank. */
	const void *resume;
	size_t resume_len;
};

/* Scans this rank's rows of logical shard `shard`. */
bool fit_scan(struct fit *f, size_t shard, bool (*each)(void *ctx, const struct batch *b, struct err *e), void *ctx,
	      struct err *e);

/* One pass: for each of this rank's shards, `each` adds batches into an accumulator of n doubles (zeroed first); out (n
 * doubles, caller's) becomes the fixed-tree sum over all shards, on every rank. */
QN_MUST bool fit_sum(struct fit *f, size_t n, void (*each)(const struct stage *s, const struct batch *b, double *acc),
		     const struct stage *s, double *out, struct err *e);
/* The same where `each` needs more than the stage. */
QN_MUST bool fit_sum_with(struct fit *f, size_t n, void (*each)(void *ctx, const struct batch *b, double *acc), void *ctx,
			  double *out, struct err *e);
/* The same for counts: whole numbers below 2^53 add up to the same in any order, so a rank has one accumulator, whatever the
 * number of its shards. */
QN_MUST bool fit_count_with(struct fit *f, size_t n, void (*each)(void *ctx, const struct batch *b, double *acc), void *ctx,
			    double *out, struct err *e);
/* The length of the vectors in a column: from its attributes, else of the first row (in shard order) that has one; 0 where no
 * row has. Collective. */
QN_MUST bool fit_vector_size(struct fit *f, int slot, size_t *size, struct err *e);
/* One pass with an accumulator that is not a sum: `each` builds a private accumulator per shard, `pack` turns it to bytes;
 * all shards' bytes are then handed in shard order, on every rank, to `merge`. */
struct fit_fold {
	void *(*create)(const struct stage *s);
	bool (*each)(const struct stage *s, void *acc, const struct batch *b, struct err *e);
	void (*pack)(const struct stage *s, void *acc, struct buf *out);
	void (*destroy)(void *acc);
	bool (*merge)(struct stage *s, void *into, struct cursor *in, struct err *e); /* bytes come from our own ranks */
};
QN_MUST bool fit_fold(struct fit *f, struct stage *s, const struct fit_fold *fold, void *into, struct err *e);

/* --- Registry ---------------------------------------------------------------------------------------------------------- */

extern const struct stage_type *const stage_types[]; /* NULL-terminated, in stages.def order */
const struct stage_type *stage_type_find(struct str name);

#endif
