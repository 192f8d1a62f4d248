#include "pipeline/lsh.h"

bool lsh_is(const struct stage *s) { return s->type->apply == lsh_apply; }

size_t lsh_tables(const struct stage *s)
{
	const struct lsh_params *p = s->params;
	return (size_t)p->tables;
}

double *lsh_room(struct stage *s, size_t count, size_t each, struct err *e)
{
	if (each > 0 && count > LSH_NUMBERS_MAX / each) {
		err_set(e, ERR_too_large, "%s (stage %zu): %zu hash tables of %zu numbers are over %d", s->type->name,
			s->index, count, each, LSH_NUMBERS_MAX);
		return NULL;
	}
	return arena_zalloc(&s->arena, MAX(count * each, (size_t)1), sizeof(double));
}

bool lsh_columns(struct stage *s, struct schema *schema, struct err *e)
{
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTORS, NULL, e);
}

bool lsh_fit(struct stage *s, struct fit *f, const struct lsh_family *family, struct err *e)
{
	struct lsh_state *st = s->state;
	struct java_random rng = java_random(f->seed);
	size_t size;
	if (!fit_vector_size(f, s->in[0].slot, &size, e)) return false;
	if (size == 0)
		return err_set(e, ERR_data, "%s (stage %zu): no row tells the vectors' length", s->type->name, s->index);
	st->family = family;
	return family->draw(s, size, &rng, e);
}

bool lsh_apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct lsh_state *st = s->state;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	size_t tables = lsh_tables(s);
	double *hashes = scratch_room(sc, 0, tables * sizeof *hashes);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		const char *why = st->family->hash(s, column_vec_at(in, i), hashes);
		if (why) return stage_data_error(s, b, i, e, "%s", why);
		column_vectors(out, hashes, tables, 1);
	}
	return true;
}
