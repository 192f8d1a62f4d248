/* Spark's Normalizer: each vector over its p-norm; the zero vector stays. */
#include "pipeline/ports.h"

#include <math.h>

struct normalizer_params {
	struct ports ports;
	double p;
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "p",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct normalizer_params, p),
	 .fallback = "2.0",
	 .min = 1,
	 .max = INFINITY,
	 .help = "The norm; \"Infinity\" for the largest absolute value."},
	FIELD_END,
};

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct normalizer_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in != out) column_copy_row(out, in, i);
		struct vec v = column_vec_at(out, i);
		double norm = vec_norm(v, p->p), *val = out->f64 + out->off[i];
		for (uint32_t k = 0; norm != 0 && k < v.nnz; k++) val[k] /= norm;
	}
	return true;
}

const struct stage_type normalizer_stage = {
	.name = "Normalizer",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Divides each vector by its p-norm.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct normalizer_params),
	.check = ports_check,
	.columns = ports_bind_as_long,
	.apply = apply,
	.in_place = true,
};
