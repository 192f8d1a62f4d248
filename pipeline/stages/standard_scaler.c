/* Spark's StandardScaler: (x − mean) / std with the unbiased std; an entry whose std is 0 becomes 0. Centring makes
 * vectors dense. */
#include "data/dataset.h"
#include "pipeline/moments.h"
#include "pipeline/ports.h"

struct standard_scaler_params {
	struct ports ports;
	bool with_mean, with_std;
};

struct standard_scaler_state {
	size_t size;
	double *mean, *std; /* [size] */
	double *scale;      /* [size] 1/std, 0 where std is 0; made from std */
};

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

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct standard_scaler_state *st = s->state;
	struct attrs attrs = ports_size_only(st->size);
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, s->fitted ? &attrs : NULL, e);
}

static void room(struct stage *s, size_t size)
{
	struct standard_scaler_state *st = s->state;
	st->size = size;
	st->mean = arena_zalloc(&s->arena, size, sizeof *st->mean);
	st->std = arena_zalloc(&s->arena, size, sizeof *st->std);
	st->scale = arena_zalloc(&s->arena, size, sizeof *st->scale);
}

static void make_scale(struct standard_scaler_state *st)
{
	for (size_t j = 0; j < st->size; j++) st->scale[j] = st->std[j] != 0 ? 1 / st->std[j] : 0;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct standard_scaler_state *st = s->state;
	struct moments m;
	if (!moments_fit(s, f, &m, e)) return false;
	room(s, m.size);
	memcpy(st->mean, m.mean, m.size * sizeof *m.mean);
	memcpy(st->std, m.std, m.size * sizeof *m.std);
	moments_release(&m);
	make_scale(st);
	return true;
}

/* Dense out of any vector: val holds the row's values, spread where it was sparse. */
static void centre(const struct stage *s, struct vec v, double *to)
{
	const struct standard_scaler_params *p = s->params;
	const struct standard_scaler_state *st = s->state;
	if (v.idx) {
		memset(to, 0, st->size * sizeof *to);
		for (uint32_t k = 0; k < v.nnz; k++) to[v.idx[k]] = v.val[k];
	} else memcpy(to, v.val, st->size * sizeof *to);
	for (size_t j = 0; j < st->size; j++)
		to[j] = p->with_std ? (to[j] - st->mean[j]) * st->scale[j] : to[j] - st->mean[j];
}

static void centre_row(const struct stage *s, struct vec v, struct column *out)
{
	uint32_t *idx;
	double *val;
	column_vec_room(out, v.size, &idx, &val);
	centre(s, v, val);
	column_vec_end(out, v.size, v.size, true);
}

static void scale_row(const struct standard_scaler_state *st, struct vec v, double *val)
{
	for (uint32_t k = 0; k < v.nnz; k++) val[k] = v.val[k] * st->scale[v.idx ? v.idx[k] : k];
}

static void drop_column(void *c)
{
	column_release(c);
	mem_free(c);
}

/* Centring cannot be done in place: a sparse row grows. The input moves to a column of the scratch then. */
static const struct column *held(struct column *both, struct scratch *sc)
{
	if (!sc->slot[0]) {
		column_init(scratch_room(sc, 0, sizeof(struct column)), COL_VECTOR);
		sc->drop[0] = drop_column;
	}
	column_steal(sc->slot[0], both);
	return sc->slot[0];
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct standard_scaler_params *p = s->params;
	const struct standard_scaler_state *st = s->state;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	if (in == out && p->with_mean) in = held(out, sc);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in->size[i] != st->size)
			return stage_data_error(s, b, i, e, "the vector has %u entries, the model %zu", in->size[i],
						st->size);
		if (p->with_mean) {
			centre_row(s, column_vec_at(in, i), out);
			continue;
		}
		if (in != out) column_copy_row(out, in, i);
		if (p->with_std) scale_row(st, column_vec_at(out, i), out->f64 + out->off[i]);
	}
	return true;
}

static void encode(const struct stage *s, struct buf *out)
{
	const struct standard_scaler_state *st = s->state;
	buf_u64(out, st->size);
	buf_append(out, st->mean, st->size * sizeof *st->mean);
	buf_append(out, st->std, st->size * sizeof *st->std);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct standard_scaler_state *st = s->state;
	size_t size = cursor_count(in, 2 * sizeof(double)), bytes = size * sizeof(double);
	const void *mean = cursor_bytes(in, bytes), *std = cursor_bytes(in, bytes);
	if (in->bad || size > UINT32_MAX) return err_set(e, ERR_bad_model, "means and deviations are cut");
	room(s, size);
	if (size) {
		memcpy(st->mean, mean, bytes);
		memcpy(st->std, std, bytes);
	}
	make_scale(st);
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct standard_scaler_state *st = s->state;
	json_key(w, "mean");
	json_row_doubles(w, st->mean, st->size);
	json_key(w, "std");
	json_row_doubles(w, st->std, st->size);
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
	.state_size = sizeof(struct standard_scaler_state),
	.check = ports_check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
	.in_place = true,
};
