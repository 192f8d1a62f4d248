/* Numbers to the buckets that splits make of the number line: what Bucketizer and the fitted QuantileDiscretizer do.
 *
 * n + 1 splits make n buckets, each with its lower split and without its upper one but for the last, which has both.
 * Numbers compare as Java's Double.compare has them: -0.0 is below a split at 0.0. Null gives null; NaN is refused,
 * dropped with its row (so is null then) or put in a bucket of its own behind the last; a number beyond the splits is
 * refused always.
 */
#ifndef QUERN_PIPELINE_BUCKETS_H
#define QUERN_PIPELINE_BUCKETS_H

#include "pipeline/ports.h"

enum { BUCKETS_SPLITS_MIN = 3 };

/* The parameter struct of both stages starts with this. */
struct buckets_params {
	struct ports ports;
	struct str handle_invalid;
};

extern const char *const buckets_invalid_modes[];
#define BUCKETS_PARAMS                                                                                       \
	PORTS_SINGLE, PORTS_SEVERAL,                                                                         \
	{                                                                                                    \
		.name = "handleInvalid", .type = FIELD_ENUM,                                                 \
		.offset = offsetof(struct buckets_params, handle_invalid), .fallback = "\"error\"",          \
		.choices = buckets_invalid_modes,                                                            \
		.help = "NaN: error, skip the row (null is skipped too), or keep it in a bucket of its own." \
	}

/* At least three, strictly ascending, none NaN. */
bool buckets_are_splits(struct f64_list splits);
/* columns(): numeric inputs to indices of buckets. splits: one list for each input column, or NULL before they are
 * known; the outputs' attributes name the buckets "lower, upper". */
QN_MUST bool buckets_bind(struct stage *s, struct schema *schema, const struct f64_list *splits, struct err *e);
QN_MUST bool buckets_apply(const struct stage *s, struct batch *b, const struct f64_list *splits, struct scratch *sc,
			   struct err *e);

#endif
