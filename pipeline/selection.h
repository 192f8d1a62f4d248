/* Some features of a vector: what Spark's selectors learn and apply. Dense rows stay dense, sparse ones sparse, stored
 * zeros stay stored; the features kept are in ascending order, whatever the order they were chosen in. */
#ifndef QUERN_PIPELINE_SELECTION_H
#define QUERN_PIPELINE_SELECTION_H

#include "pipeline/stage.h"

struct selection {
	size_t size, count;
	uint32_t *chosen; /* [count] as selectedFeatures shows them */
	uint32_t *kept;   /* [count] ascending */
	uint64_t *mask;   /* a bit for each of size features: is it kept? */
	uint32_t *before; /* for each word of the mask: how many are kept before it */
};

/* chosen is copied. False: one is size or more, or occurs twice. Memory is the stage's arena. */
QN_MUST bool selection_make(struct stage *s, struct selection *sel, size_t size, const uint32_t *chosen, size_t count);
/* columns(): the vectors of the stage's input (pipeline/ports.h) to the stage's output, once fitted with the attributes
 * of the features kept; unnamed ones of type plain where the input has none. */
QN_MUST bool selection_columns(struct stage *s, struct schema *schema, const struct selection *sel,
			       enum attr_type plain, struct err *e);
QN_MUST bool selection_apply(const struct stage *s, struct batch *b, const struct selection *sel, struct err *e);
void selection_encode(const struct selection *sel, struct buf *out);
/* ERR_bad_model. */
QN_MUST bool selection_decode(struct stage *s, struct selection *sel, struct cursor *in, struct err *e);
/* The member selectedFeatures. */
void selection_state(const struct selection *sel, struct json_writer *w);

#endif
