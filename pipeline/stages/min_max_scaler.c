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

/* 0 where the entry never changed. */
static void make_scale(const struct stage *s)
{
	const struct min_max_scaler_params *p = s->params;
	struct scaler *sc = s->state;
	for (size_t j = 0; j < sc->size; j++) {
		double range = sc->learned[ORIGINAL_MAX][j] - sc->learned[ORIGINAL_MIN][j];
		sc->scale[j] = range != 0 ? (p->max - p->min) / range : 0;
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

static void rescale(const struct min_max_scaler_params *p, const struct scaler *sc, double *x)
{
	const double *least = sc->learned[ORIGINAL_MIN], middle = (p->min + p->max) / 2;
	for (size_t j = 0; j < sc->size; j++)
		if (sc->scale[j] != 0)
			x[j] = (x[j] - least[j]) * sc->scale[j] + p->min;
		else if (!isnan(x[j]))
			x[j] = middle;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *scratch, struct err *e)
{
	const struct scaler *sc = s->state;
	double *row = scratch_room(scratch, 0, sc->size * sizeof *row);
	for (size_t i = 0; i < b->rows; i++) {
		if (!scaling_check_row(s, b, i, sc->size, e)) return false;
		vec_spread(column_vec_at(stage_in(s, b, 0), i), row);
		rescale(s->params, sc, row);
		column_compressed(stage_out(s, b, 0), (struct vec){(uint32_t)sc->size, (uint32_t)sc->size, NULL, row});
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
	.state_size = sizeof(struct scaler),
	.check = check,
	.columns = scaler_columns,
	.fit = fit,
	.apply = apply,
	.encode = scaler_encode,
	.decode = decode,
	.state = state,
};
