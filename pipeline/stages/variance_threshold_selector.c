/* Spark's VarianceThresholdSelector: keeps the features whose unbiased variance is over a threshold. */
#include "pipeline/moments.h"
#include "pipeline/ports.h"
#include "pipeline/selection.h"

#include <math.h>

struct variance_threshold_selector_params {
	struct ports ports;
	double threshold;
};

struct variance_threshold_selector_state {
	struct selection selection;
};

static const struct field params[] = {
	PORTS_FEATURES,
	{.name = "varianceThreshold",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct variance_threshold_selector_params, threshold),
	 .fallback = "0.0",
	 .min = 0,
	 .max = INFINITY,
	 .help = "Features whose variance is not greater are left out."},
	FIELD_END,
};

static const struct selection *selection_of(const struct stage *s)
{
	return &((const struct variance_threshold_selector_state *)s->state)->selection;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return selection_columns(s, schema, selection_of(s), ATTR_NUMERIC, e);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	const struct variance_threshold_selector_params *p = s->params;
	struct variance_threshold_selector_state *st = s->state;
	struct moments m;
	if (!moments_fit(s, f, &m, e)) return false;
	uint32_t *chosen = mem_zalloc(MAX(m.size, (size_t)1), sizeof *chosen);
	size_t count = 0;
	for (size_t j = 0; j < m.size; j++)
		if (m.variance[j] > p->threshold) chosen[count++] = (uint32_t)j;
	bool made = selection_make(s, &st->selection, m.size, chosen, count);
	CHECK(made);
	mem_free(chosen);
	moments_release(&m);
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	(void)sc;
	return selection_apply(s, b, selection_of(s), e);
}

static void encode(const struct stage *s, struct buf *out)
{
	selection_encode(selection_of(s), out);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct variance_threshold_selector_state *st = s->state;
	return selection_decode(s, &st->selection, in, e);
}

static void state(const struct stage *s, struct json_writer *w)
{
	selection_state(selection_of(s), w);
}

const struct stage_type variance_threshold_selector_stage = {
	.name = "VarianceThresholdSelector",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Keeps the features whose variance is over a threshold.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct variance_threshold_selector_params),
	.state_size = sizeof(struct variance_threshold_selector_state),
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
