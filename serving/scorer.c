#include "serving/scorer.h"

#include "data/pointer.h"

void scorer_open(struct scorer *sc)
{
	struct predictor_scratch *s = sc->scratch;
	if (!s->rows) s->rows = mem_alloc(BATCH_ROWS * sizeof *s->rows);
	sc->rows = sc->pending = sc->bytes = 0;
	predictor_clear(s);
}

static void point_at(struct scorer *sc, size_t row)
{
	sc->at = row;
	sc->scratch->reader.prefix = sc->prefix;
	sc->scratch->reader.index = sc->numbered ? row : SIZE_MAX;
}

bool scorer_begin(struct scorer *sc, struct err *e)
{
	if (sc->rows == sc->rows_max)
		return err_set(e, ERR_too_large, "there are more than %zu rows (limits.instances)", sc->rows_max);
	point_at(sc, sc->rows++);
	return true;
}

bool scorer_took(struct scorer *sc, struct str text, struct err *e)
{
	sc->scratch->rows[sc->pending++] = text;
	sc->bytes += text.len;
	return (sc->pending < BATCH_ROWS && sc->bytes < BATCH_BYTES_TARGET) || scorer_flush(sc, e);
}

static const struct view *view_of(struct scorer *sc)
{
	if (sc->rules.output == PREDICT_RESPONSE) return &sc->predictor->response;
	return predictor_full(sc->predictor, sc->scratch, sc->came, sc->keep_input);
}

/* Rows of the batch that were kept carry their places as row ids, in order. */
static bool answer_all(struct scorer *sc, const struct view *v, struct err *e)
{
	const struct batch *b = &sc->scratch->batch;
	size_t kept = 0;
	for (size_t i = 0; i < sc->pending; i++) {
		bool there = kept < b->rows && (b->row_ids ? b->row_ids[kept] : kept) == i;
		if (!sc->ops->answer(sc->ctx, v, there ? kept : SCORER_DROPPED, sc->scratch->rows[i], e)) return false;
		kept += there;
	}
	return true;
}

static bool alone(struct scorer *sc, const struct view *v, struct str text, struct err *e)
{
	struct err why;
	err_init(&why);
	predictor_clear(sc->scratch);
	if (sc->ops->read(sc->ctx, text, &why) == JSON_ROW_OK && predictor_apply(v, sc->scratch, &why))
		return sc->ops->answer(sc->ctx, v, sc->scratch->batch.rows ? 0 : SCORER_DROPPED, text, e);
	if (why.fault_count == 0) predictor_blame(sc->predictor, sc->scratch, &why);
	return sc->ops->refuse(sc->ctx, &why, e);
}

static bool one_by_one(struct scorer *sc, const struct view *v, struct err *e)
{
	size_t first = sc->rows - sc->pending;
	for (size_t i = 0; i < sc->pending; i++) {
		point_at(sc, first + i);
		if (!alone(sc, v, sc->scratch->rows[i], e)) return false;
	}
	return true;
}

bool scorer_flush(struct scorer *sc, struct err *e)
{
	struct err why;
	bool ok = true;
	if (sc->pending > 0) {
		const struct view *v = view_of(sc);
		err_init(&why);
		ok = predictor_apply(v, sc->scratch, &why) ? answer_all(sc, v, e) : one_by_one(sc, v, e);
	}
	predictor_clear(sc->scratch);
	sc->pending = sc->bytes = 0;
	return ok;
}

bool scorer_refuse(struct scorer *sc, const struct err *why, struct err *e)
{
	size_t row = --sc->rows; /* those pending end before it */
	bool ok = scorer_flush(sc, e);
	sc->rows++;
	point_at(sc, row);
	return ok && sc->ops->refuse(sc->ctx, why, e);
}

void scorer_collect(const struct scorer *sc, const struct err *why, struct err *faults)
{
	if (!err_is(faults)) err_set(faults, why->code, "%s", why->detail);
	for (size_t i = 0; i < MIN(why->fault_count, (size_t)ERR_FAULTS_MAX); i++)
		err_fault(faults, why->faults[i].pointer, "%s", why->faults[i].detail);
	if (why->fault_count == 0) err_fault(faults, pointer_index(sc->prefix, sc->at).text, "%s", why->detail);
}
