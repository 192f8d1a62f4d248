/* Spark's Bucketizer: numbers to the index of their bucket between given splits. */
#include "pipeline/buckets.h"

#include <stdio.h>

struct bucketizer_params {
	struct buckets_params buckets; /* first */
	struct f64_list splits;
	struct f64_table splits_array;
};

static const struct field params[] = {
	BUCKETS_PARAMS,
	{.name = "splits",
	 .type = FIELD_DOUBLES,
	 .offset = offsetof(struct bucketizer_params, splits),
	 .count_min = BUCKETS_SPLITS_MIN,
	 .help = "Where buckets begin and end, strictly ascending; \"-Infinity\" and \"Infinity\" take in all "
		 "numbers."},
	{.name = "splitsArray",
	 .type = FIELD_TABLE,
	 .offset = offsetof(struct bucketizer_params, splits_array),
	 .help = "The splits of each of inputCols."},
	FIELD_END,
};

/* One list for each input column. */
static const struct f64_list *splits_of(const struct stage *s)
{
	const struct bucketizer_params *p = s->params;
	return stage_given(s, "splitsArray") ? p->splits_array.rows : &p->splits;
}

static bool check_splits(const struct stage *s, size_t k, struct err *e)
{
	char param[64] = "splits";
	if (buckets_are_splits(splits_of(s)[k])) return true;
	if (stage_given(s, "splitsArray")) snprintf(param, sizeof param, "splitsArray/%zu", k);
	return stage_fault(s, e, param, "must be at least %d numbers, strictly ascending", BUCKETS_SPLITS_MIN);
}

static bool check(const struct stage *s, struct err *e)
{
	const struct bucketizer_params *p = s->params;
	const char *param = stage_given(s, "inputCols") ? "splitsArray" : "splits";
	bool ok = true;
	if (!ports_check(s, e) || !ports_check_each(s, "splits", "splitsArray", p->splits_array.count, e)) return false;
	if (!stage_given(s, param)) return stage_fault(s, e, param, "is required");
	for (size_t k = 0; k < ports_count(s); k++) ok &= check_splits(s, k, e);
	return ok;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return buckets_bind(s, schema, splits_of(s), e);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	return buckets_apply(s, b, splits_of(s), sc, e);
}

const struct stage_type bucketizer_stage = {
	.name = "Bucketizer",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Gives the index of the bucket, between given splits, that a number falls into.",
	.inputs = "double, int64",
	.outputs = "double",
	.params = params,
	.params_size = sizeof(struct bucketizer_params),
	.check = check,
	.columns = columns,
	.apply = apply,
};
