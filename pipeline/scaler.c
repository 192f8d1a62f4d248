#include "pipeline/scaler.h"
#include "data/vec.h"

/* --- What was learned ---------------------------------------------------------------------------------------- */

void scaler_room(struct stage *s, size_t size, size_t learned)
{
	struct scaler *sc = s->state;
	sc->size = size;
	for (size_t r = 0; r < learned; r++) sc->learned[r] = arena_zalloc(&s->arena, size, sizeof(double));
	sc->scale = arena_zalloc(&s->arena, size, sizeof(double));
}

bool scaler_columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct scaler *sc = s->state;
	struct attrs attrs = ports_size_only(sc->size);
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, s->fitted ? &attrs : NULL, e);
}

void scaler_encode(const struct stage *s, struct buf *out)
{
	const struct scaler *sc = s->state;
	buf_u64(out, sc->size);
	for (size_t r = 0; r < SCALER_LEARNED_MAX && sc->learned[r]; r++)
		buf_append(out, sc->learned[r], sc->size * sizeof(double));
}

bool scaler_decode(struct stage *s, size_t learned, struct cursor *in, struct err *e)
{
	struct scaler *sc = s->state;
	size_t size = cursor_count(in, learned * sizeof(double)), bytes = size * sizeof(double);
	const void *rows[SCALER_LEARNED_MAX];
	for (size_t r = 0; r < learned; r++) rows[r] = cursor_bytes(in, bytes);
	if (in->bad || size > UINT32_MAX) return err_set(e, ERR_bad_model, "the numbers of its entries are cut");
	scaler_room(s, size, learned);
	for (size_t r = 0; r < learned && size; r++) memcpy(sc->learned[r], rows[r], bytes);
	return true;
}

void scaler_state(const struct stage *s, const char *const *names, struct json_writer *w)
{
	const struct scaler *sc = s->state;
	for (size_t r = 0; r < SCALER_LEARNED_MAX && sc->learned[r]; r++) {
		json_key(w, names[r]);
		json_row_doubles(w, sc->learned[r], sc->size);
	}
}

void scaler_reciprocals(double *to, const double *v, size_t size, double zero)
{
	for (size_t j = 0; j < size; j++) to[j] = v[j] != 0 ? 1 / v[j] : zero;
}

/* --- (x - shift) * scale -------------------------------------------------------------------------------------- */

bool scaling_check_row(const struct stage *s, const struct batch *b, size_t i, size_t size, struct err *e)
{
	const struct column *in = stage_in(s, b, 0);
	if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
	return in->size[i] == size ||
	       stage_data_error(s, b, i, e, "the vector has %u entries, the model %zu", in->size[i], size);
}

static void shift_row(const struct scaling *by, struct vec v, struct column *out)
{
	uint32_t *idx;
	double *to;
	column_vec_room(out, v.size, &idx, &to);
	if (v.idx) vec_spread(v, to);
	vec_shift(v.idx ? to : v.val, by->shift, by->scale, v.size, to);
	column_vec_end(out, v.size, v.size, true);
}

static void drop_column(void *c)
{
	column_release(c);
	mem_free(c);
}

/* A shift cannot be done in place: a sparse row grows. The input moves to a column of the scratch then. */
static const struct column *held(struct column *both, struct scratch *sc)
{
	if (!sc->slot[0]) {
		column_init(scratch_room(sc, 0, sizeof(struct column)), COL_VECTOR);
		sc->drop[0] = drop_column;
	}
	column_steal(sc->slot[0], both);
	return sc->slot[0];
}

bool scaling_apply(const struct stage *s, struct batch *b, struct scratch *sc, const struct scaling *by, struct err *e)
{
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	for (size_t i = 0; i < b->rows; i++)
		if (!scaling_check_row(s, b, i, by->size, e)) return false;
	if (in == out && by->shift) in = held(out, sc);
	for (size_t i = 0; i < b->rows; i++)
		if (by->shift) shift_row(by, column_vec_at(in, i), out);
		else if (by->scale) vec_times(out, in, i, by->scale);
		else if (in != out) column_copy_row(out, in, i);
	return true;
}
