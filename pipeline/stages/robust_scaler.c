/* Spark's RobustScaler: (x − median) / range, the range being that of two quantiles; an entry whose range is 0 becomes
 * 0. NaN does not count, zeros do. Centring makes vectors dense. */
#include "pipeline/quantile.h"
#include "pipeline/scaler.h"

#include <math.h>

struct robust_scaler_params {
	struct ports ports;
	double lower, upper, relative_error;
	bool with_centering, with_scaling;
};

enum { MEDIAN, RANGE, LEARNED };
static const char *const accessors[LEARNED] = {"median", "range"};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "lower",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct robust_scaler_params, lower),
	 .fallback = "0.25",
	 .max = 1,
	 .min_open = true,
	 .max_open = true,
	 .help = "The quantile where the range begins."},
	{.name = "upper",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct robust_scaler_params, upper),
	 .fallback = "0.75",
	 .max = 1,
	 .min_open = true,
	 .max_open = true,
	 .help = "The quantile where the range ends; above lower."},
	{.name = "withCentering",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct robust_scaler_params, with_centering),
	 .fallback = "false",
	 .help = "Subtract the median; makes dense vectors."},
	{.name = "withScaling",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct robust_scaler_params, with_scaling),
	 .fallback = "true",
	 .help = "Divide by the range."},
	QUANTILE_RELATIVE_ERROR(offsetof(struct robust_scaler_params, relative_error)),
	FIELD_END,
};

static bool check(const struct stage *s, struct err *e)
{
	const struct robust_scaler_params *p = s->params;
	return ports_check(s, e) && (p->lower < p->upper || stage_fault(s, e, "lower", "must be below upper"));
}

static void make_scale(struct scaler *sc)
{
	scaler_reciprocals(sc->scale, sc->learned[RANGE], sc->size, 0);
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

struct pass {
	const struct stage *stage;
	size_t size;
	double *stored; /* [size] of a batch's sparse rows, how many store the entry */
	bool bad;       /* a row that cannot be taken came: err says which */
	struct err err;
};

static void add_row(struct pass *pass, struct vec v, struct quantile_sink *to)
{
	for (uint32_t k = 0; k < v.nnz; k++) {
		if (v.idx) pass->stored[v.idx[k]]++;
		quantile_add(to, v.idx ? v.idx[k] : k, v.val[k], 1);
	}
}

/* Rows that cannot be taken are passed over in every pass alike; the first one is what the fit fails with. */
static bool takes_row(struct pass *pass, const struct batch *b, size_t i)
{
	const struct column *in = stage_in(pass->stage, b, 0);
	if (column_valid(in, i) && in->size[i] == pass->size) return true;
	if (!pass->bad) pass->bad = !scaling_check_row(pass->stage, b, i, pass->size, &pass->err);
	return false;
}

/* What sparse rows leave out is added at the end, all zeros of an entry at once. */
static void add_batch(void *ctx, const struct batch *b, struct quantile_sink *to)
{
	struct pass *pass = ctx;
	double sparse = 0;
	memset(pass->stored, 0, pass->size * sizeof *pass->stored);
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(stage_in(pass->stage, b, 0), i);
		if (!takes_row(pass, b, i)) continue;
		sparse += v.idx != NULL;
		add_row(pass, v, to);
	}
	for (size_t j = 0; sparse > 0 && j < pass->size; j++) quantile_add(to, j, 0, sparse - pass->stored[j]);
}

enum { LOWER, MIDDLE, UPPER, QUANTILES };

/* out: the quantiles of each entry, side by side. */
static bool fit_quantiles(struct fit *f, struct pass *pass, double *out, struct err *e)
{
	const struct robust_scaler_params *p = pass->stage->params;
	double probabilities[QUANTILES] = {p->lower, 0.5, p->upper};
	struct quantiles q = {.columns = pass->size,
			      .probabilities = {probabilities, QUANTILES},
			      .relative_error = p->relative_error,
			      .each = add_batch,
			      .ctx = pass};
	if (!quantiles_fit(f, &q, out, e)) return false;
	if (comm_agree(f->comm, !pass->bad, &pass->err)) return true;
	*e = pass->err;
	return false;
}

static bool learn(struct stage *s, const double *quantiles, size_t size, struct err *e)
{
	struct scaler *sc = s->state;
	scaler_room(s, size, LEARNED);
	for (size_t j = 0; j < size; j++, quantiles += QUANTILES) {
		if (isnan(quantiles[MIDDLE]))
			return err_set(e, ERR_data, "RobustScaler (stage %zu): entry %zu has no number in any row",
				       s->index, j);
		sc->learned[MEDIAN][j] = quantiles[MIDDLE];
		sc->learned[RANGE][j] = quantiles[UPPER] - quantiles[LOWER];
	}
	make_scale(sc);
	return true;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct pass pass = {.stage = s};
	err_init(&pass.err);
	if (!fit_vector_size(f, s->in[0].slot, &pass.size, e)) return false;
	if (pass.size == 0)
		return err_set(e, ERR_data, "RobustScaler (stage %zu): there are no rows to fit on", s->index);
	double *quantiles = mem_zalloc(pass.size, QUANTILES * sizeof *quantiles);
	pass.stored = mem_zalloc(pass.size, sizeof *pass.stored);
	bool ok = fit_quantiles(f, &pass, quantiles, e) && learn(s, quantiles, pass.size, e);
	mem_free(pass.stored);
	mem_free(quantiles);
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

static bool apply(const struct stage *s, struct batch *b, struct scratch *scratch, struct err *e)
{
	const struct robust_scaler_params *p = s->params;
	const struct scaler *sc = s->state;
	struct scaling by = {sc->size, p->with_centering ? sc->learned[MEDIAN] : NULL,
			     p->with_scaling ? sc->scale : NULL};
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

const struct stage_type robust_scaler_stage = {
	.name = "RobustScaler",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Scales each entry by the range between two quantiles, and centres it on the median where asked.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct robust_scaler_params),
	.state_size = sizeof(struct scaler),
	.check = check,
	.columns = scaler_columns,
	.fit = fit,
	.apply = apply,
	.encode = scaler_encode,
	.decode = decode,
	.state = state,
	.in_place = true,
};
