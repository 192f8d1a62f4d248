/* Spark's MinMaxScaler: each entry from the range it had to [min, max]; an entry that never changed goes to the middle.
 * NaN stays. Zeros move too; rows come out in their compressed form. */
#include "data/vec.h"
#include "pipeline/extremes.h"
#include "pipeline/scaler.h"

#include <math.h>

struct min_max_scaler_params {
	struct ports ports;
	double min, max;
};

struct min_max_scaler_state {
	struct scaler scaler; /* first */
	uint32_t *constant;   /* [constants] entries that never changed: their scale is 0 */
	size_t constants;
};

enum { ORIGINAL_MIN, ORIGINAL_MAX, LEARNED };
static const char *const accessors[LEARNED] = {"originalMin", "originalMax"};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "min",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct min_max_scaler_params, min),
	 .fallback = "0.0",
	 .help = "Where the least value goes."},
	{.name = "max",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct min_max_scaler_params, max),
	 .fallback = "1.0",
	 .help = "Where the largest value goes; above min."},
	FIELD_END,
};

static bool check(const struct stage *s, struct err *e)
{
	const struct min_max_scaler_params *p = s->params;
	return ports_check(s, e) && (p->min < p->max || stage_fault(s, e, "min", "must be below max"));
}

static void make_scale(struct stage *s)
{
	const struct min_max_scaler_params *p = s->params;
	struct min_max_scaler_state *st = s->state;
	struct scaler *sc = &st->scaler;
	st->constant = arena_zalloc(&s->arena, sc->size, sizeof *st->constant);
	for (size_t j = 0; j < sc->size; j++) {
		double range = sc->learned[ORIGINAL_MAX][j] - sc->learned[ORIGINAL_MIN][j];
		sc->scale[j] = range != 0 ? (p->max - p->min) / range : 0;
		if (sc->scale[j] == 0) st->constant[st->constants++] = (uint32_t)j;
	}
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct scaler *sc = s->state;
	struct extremes x;
	if (!extremes_fit(s, f, &x, e)) return false;
	scaler_room(s, x.size, LEARNED);
	memcpy(sc->learned[ORIGINAL_MIN], x.min, x.size * sizeof *x.min);
	memcpy(sc->learned[ORIGINAL_MAX], x.max, x.size * sizeof *x.max);
	extremes_release(&x);
	make_scale(s);
	return true;
}

static void rescale(const struct stage *s, const double *x, double *to)
{
	const struct min_max_scaler_params *p = s->params;
	const struct min_max_scaler_state *st = s->state;
	const struct scaler *sc = &st->scaler;
	vec_rescale(x, sc->learned[ORIGINAL_MIN], sc->scale, p->min, sc->size, to);
	for (size_t c = 0; c < st->constants; c++) {
		uint32_t j = st->constant[c];
		to[j] = isnan(x[j]) ? x[j] : (p->min + p->max) / 2;
	}
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *scratch, struct err *e)
{
	const struct scaler *sc = s->state;
	struct column *out = stage_out(s, b, 0);
	double *spread = scratch_room(scratch, 0, sc->size * sizeof *spread);
	for (size_t i = 0; i < b->rows; i++) {
		uint32_t *idx;
		double *to;
		if (!scaling_check_row(s, b, i, sc->size, e)) return false;
		struct vec v = column_vec_at(stage_in(s, b, 0), i);
		column_vec_room(out, v.size, &idx, &to);
		if (v.idx) vec_spread(v, spread);
		rescale(s, v.idx ? spread : v.val, to);
		column_vec_end_compressed(out, v.size);
	}
	return true;
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	if (!scaler_decode(s, LEARNED, in, e)) return false;
	make_scale(s);
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	scaler_state(s, accessors, w);
}

const struct stage_type min_max_scaler_stage = {
	.name = "MinMaxScaler",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Moves each entry from the range it had to a range that all share.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct min_max_scaler_params),
	.state_size = sizeof(struct min_max_scaler_state),
	.check = check,
	.columns = scaler_columns,
	.fit = fit,
	.apply = apply,
	.encode = scaler_encode,
	.decode = decode,
	.state = state,
};
