/* Spark's MaxAbsScaler: each entry times 1 / its largest absolute value; an entry that was always 0 is left alone. */
#include "pipeline/extremes.h"
#include "pipeline/scaler.h"

#include <math.h>

struct max_abs_scaler_params {
	struct ports ports;
};

enum { MAX_ABS, LEARNED };
static const char *const accessors[LEARNED] = {"maxAbs"};

static const struct field params[] = {
	PORTS_SINGLE,
	FIELD_END,
};

static void make_scale(struct scaler *sc)
{
	scaler_reciprocals(sc->scale, sc->learned[MAX_ABS], sc->size, 1);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct scaler *sc = s->state;
	struct extremes x;
	if (!extremes_fit(s, f, &x, e)) return false;
	scaler_room(s, x.size, LEARNED);
	for (size_t j = 0; j < x.size; j++) sc->learned[MAX_ABS][j] = fmax(fabs(x.min[j]), fabs(x.max[j]));
	extremes_release(&x);
	make_scale(sc);
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *scratch, struct err *e)
{
	const struct scaler *sc = s->state;
	struct scaling by = {.size = sc->size, .scale = sc->scale};
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

const struct stage_type max_abs_scaler_stage = {
	.name = "MaxAbsScaler",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Scales each entry by its largest absolute value, into [-1, 1]; zeros stay zeros.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct max_abs_scaler_params),
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
