/* Spark's StandardScaler: (x − mean) / std with the unbiased std; an entry whose std is 0 becomes 0. Centring makes
 * vectors dense. */
#include "pipeline/moments.h"
#include "pipeline/scaler.h"

struct standard_scaler_params {
	struct ports ports;
	bool with_mean, with_std;
};

enum { MEAN, STD, LEARNED };
static const char *const accessors[LEARNED] = {"mean", "std"};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "withMean",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct standard_scaler_params, with_mean),
	 .fallback = "false",
	 .help = "Subtract the mean; makes dense vectors."},
	{.name = "withStd",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct standard_scaler_params, with_std),
	 .fallback = "true",
	 .help = "Divide by the standard deviation."},
	FIELD_END,
};

static void make_scale(struct scaler *sc)
{
	scaler_reciprocals(sc->scale, sc->learned[STD], sc->size, 0);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct scaler *sc = s->state;
	struct moments m;
	if (!moments_fit(s, f, &m, e)) return false;
	scaler_room(s, m.size, LEARNED);
	memcpy(sc->learned[MEAN], m.mean, m.size * sizeof *m.mean);
	memcpy(sc->learned[STD], m.std, m.size * sizeof *m.std);
	moments_release(&m);
	make_scale(sc);
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *scratch, struct err *e)
{
	const struct standard_scaler_params *p = s->params;
	const struct scaler *sc = s->state;
	struct scaling by = {sc->size, p->with_mean ? sc->learned[MEAN] : NULL, p->with_std ? sc->scale : NULL};
	return scaling_apply(s, b, scratch, &by, e);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	if (!scaler_decode(s, LEARNED, in, e)) return false;
	make_scale(s->state);
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	scaler_state(s, accessors, w);
}

const struct stage_type standard_scaler_stage = {
	.name = "StandardScaler",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Scales each entry to unit standard deviation, and centres it where asked.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct standard_scaler_params),
	.state_size = sizeof(struct scaler),
	.check = ports_check,
	.columns = scaler_columns,
	.fit = fit,
	.apply = apply,
	.encode = scaler_encode,
	.decode = decode,
	.state = state,
	.in_place = true,
};
