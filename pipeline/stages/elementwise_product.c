/* Spark's ElementwiseProduct: each entry of a vector times the weight at its place. */
#include "data/vec.h"
#include "pipeline/ports.h"

struct elementwise_product_params {
	struct ports ports; /* first: inputCol, outputCol */
	struct f64_list weights;
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "scalingVec",
	 .type = FIELD_VECTOR,
	 .offset = offsetof(struct elementwise_product_params, weights),
	 .required = true,
	 .help = "The weights, one for each entry."},
	FIELD_END,
};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct elementwise_product_params *p = s->params;
	struct attrs attrs = ports_size_only(p->weights.count);
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, &attrs, e);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct elementwise_product_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in->size[i] != p->weights.count)
			return stage_data_error(s, b, i, e, "the vector has %u entries, scalingVec %zu", in->size[i],
						p->weights.count);
		vec_times(out, in, i, p->weights.items);
	}
	return true;
}

const struct stage_type elementwise_product_stage = {
	.name = "ElementwiseProduct",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Multiplies each vector by a vector of weights, entry by entry.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct elementwise_product_params),
	.check = ports_check,
	.columns = columns,
	.apply = apply,
	.in_place = true,
};
