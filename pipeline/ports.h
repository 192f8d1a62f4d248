/* Input and output columns of stages that come in a single- and a multi-column form (Spark's HasInputCols,
 * HasOutputCols): inputCol/outputCol or inputCols/outputCols, never both. A stage's parameter struct starts with struct
 * ports. */
#ifndef QUERN_PIPELINE_PORTS_H
#define QUERN_PIPELINE_PORTS_H

#include "pipeline/stage.h"

/* Attributes of so many elements of a vector at most are spelled out; of wider ones only the length is kept
 * (docs/spark-differences.md). */
enum { PORTS_NAMED_MAX = 65536 };

struct ports {
	struct str input, output;
	struct str_list inputs, outputs;
};

/* The rows of a stage's table; offsets are those of struct ports at the start. */
#define PORTS_SINGLE                                                                                                   \
	{.name = "inputCol", .type = FIELD_STRING, .offset = offsetof(struct ports, input), .help = "Input column."},  \
	{.name = "outputCol", .type = FIELD_STRING, .offset = offsetof(struct ports, output),                          \
	 .help = "Output column; <stage>_<index>__output where not given."}
#define PORTS_SEVERAL                                                                                                  \
	{.name = "inputCols", .type = FIELD_STRINGS, .offset = offsetof(struct ports, inputs),                         \
	 .help = "Input columns."},                                                                                    \
	{.name = "outputCols", .type = FIELD_STRINGS, .offset = offsetof(struct ports, outputs),                       \
	 .help = "Output columns, one for each input column."}
/* For stages that call their input featuresCol. */
#define PORTS_FEATURES                                                                                                 \
	{.name = "featuresCol", .type = FIELD_STRING, .offset = offsetof(struct ports, input),                         \
	 .fallback = "\"features\"", .help = "Column of vectors."},                                                    \
	{.name = "outputCol", .type = FIELD_STRING, .offset = offsetof(struct ports, output),                          \
	 .help = "Output column; <stage>_<index>__output where not given."}

/* Exactly one form, complete, equal counts. For stage_type.check; single-only stages have no inputCols in their
 * table. */
QN_MUST bool ports_check(const struct stage *s, struct err *e);
/* Of the inputs only, for stages that name outputs by themselves where none are given. */
QN_MUST bool ports_check_inputs(const struct stage *s, struct err *e);
/* A parameter that is one value for all columns or, in a list, one for each of inputCols: the list goes with inputCols only,
 * has their count (count: the list's) and excludes the one value. */
QN_MUST bool ports_check_each(const struct stage *s, const char *one, const char *each, size_t count, struct err *e);
size_t ports_count(const struct stage *s);
struct str ports_input(const struct stage *s, size_t k);
struct str ports_output(const struct stage *s, size_t k);
/* Parameter names, for stage_input and stage_output. */
const char *ports_input_param(const struct stage *s);
const char *ports_output_param(const struct stage *s);
/* The one-in, one-out columns() of most stages: input of `types`, output of `type` with what is known of it. Slots are
 * s->in[0].slot and s->out[0].slot. */
QN_MUST bool ports_bind(struct stage *s, struct schema *schema, unsigned types, enum col_type type,
			const struct attrs *attrs, struct err *e);
/* The same from vectors to vectors as long, whose length is all that is known of them. */
QN_MUST bool ports_bind_as_long(struct stage *s, struct schema *schema, struct err *e);
/* Attributes that say only a vector's length. */
struct attrs ports_size_only(size_t size);

static inline const struct column *stage_in(const struct stage *s, const struct batch *b, size_t k)
{
	return &b->columns[s->in[k].slot];
}
static inline struct column *stage_out(const struct stage *s, const struct batch *b, size_t k)
{
	return &b->columns[s->out[k].slot];
}

#endif
