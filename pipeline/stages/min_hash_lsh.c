/* Spark's MinHashLSH: of a set of indices (a vector's entries that are not zero), per table the least of
 * ((1 + i) a + b) mod a prime; distances are Jaccard's. */
#include "pipeline/lsh.h"

#include <math.h>

enum { PRIME = 2038074743 }; /* Spark's MinHashLSH.HASH_PRIME */

struct coefficients {
	uint32_t a, b; /* below PRIME */
};

struct min_hash_state {
	struct lsh_state lsh;
	struct coefficients *tables; /* [numHashTables] */
};

static const struct field params[] = {LSH_PARAMS, FIELD_END};

static bool draw(struct stage *s, size_t size, struct java_random *rng, struct err *e)
{
	struct min_hash_state *st = s->state;
	if (size > PRIME)
		return err_set(e, ERR_data, "MinHashLSH (stage %zu): the vectors have %zu entries, %d are the most",
			       s->index, size, PRIME);
	st->tables = arena_zalloc(&s->arena, lsh_tables(s), sizeof *st->tables);
	for (size_t t = 0; t < lsh_tables(s); t++) {
		st->tables[t].a = 1 + (uint32_t)java_next_int(rng, PRIME - 1);
		st->tables[t].b = (uint32_t)java_next_int(rng, PRIME - 1);
	}
	return true;
}

static const char *hash(const struct stage *s, struct vec v, double *out)
{
	const struct min_hash_state *st = s->state;
	size_t tables = lsh_tables(s), present = 0;
	for (size_t t = 0; t < tables; t++) out[t] = INFINITY;
	for (uint32_t k = 0; k < v.nnz; k++) {
		uint64_t element = 1 + (uint64_t)(v.idx ? v.idx[k] : k);
		if (v.val[k] == 0) continue;
		present++;
		for (size_t t = 0; t < tables; t++) {
			double h = (double)((element * st->tables[t].a + st->tables[t].b) % PRIME);
			if (h < out[t]) out[t] = h;
		}
	}
	return present ? NULL : "the vector has no entry that is not zero";
}

/* The next stored entry from k on that is not zero. */
static uint32_t next_present(struct vec v, uint32_t k)
{
	while (k < v.nnz && v.val[k] == 0) k++;
	return k;
}

static double jaccard(struct vec a, struct vec b)
{
	uint32_t i = next_present(a, 0), j = next_present(b, 0);
	size_t both = 0, either = 0;
	for (; i < a.nnz && j < b.nnz; either++) {
		uint32_t x = a.idx ? a.idx[i] : i, y = b.idx ? b.idx[j] : j;
		both += x == y;
		if (x <= y) i = next_present(a, i + 1);
		if (y <= x) j = next_present(b, j + 1);
	}
	for (; i < a.nnz; either++) i = next_present(a, i + 1);
	for (; j < b.nnz; either++) j = next_present(b, j + 1);
	return 1 - (double)both / (double)either;
}

static const struct lsh_family family = {draw, hash, jaccard};

static bool fit(struct stage *s, struct fit *f, struct err *e) { return lsh_fit(s, f, &family, e); }

static void encode(const struct stage *s, struct buf *out)
{
	const struct min_hash_state *st = s->state;
	buf_u64(out, lsh_tables(s));
	for (size_t t = 0; t < lsh_tables(s); t++) {
		buf_u32(out, st->tables[t].a);
		buf_u32(out, st->tables[t].b);
	}
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct min_hash_state *st = s->state;
	size_t count = cursor_count(in, 2 * sizeof(uint32_t));
	if (in->bad || count != lsh_tables(s)) return err_set(e, ERR_bad_model, "its tables are not numHashTables");
	st->lsh.family = &family;
	st->tables = arena_zalloc(&s->arena, count, sizeof *st->tables);
	for (size_t t = 0; t < count; t++) {
		struct coefficients *c = &st->tables[t];
		c->a = cursor_u32(in);
		c->b = cursor_u32(in);
		if (c->a >= PRIME || c->b >= PRIME) return err_set(e, ERR_bad_model, "a coefficient is out of bounds");
	}
	return !in->bad;
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct min_hash_state *st = s->state;
	json_key(w, "randCoefficients");
	json_array_begin(w);
	for (size_t t = 0; t < lsh_tables(s); t++) {
		json_array_begin(w);
		json_int(w, st->tables[t].a);
		json_int(w, st->tables[t].b);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type min_hash_lsh_stage = {
	.name = "MinHashLSH",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Hashes sets of indices so that similar ones (by Jaccard distance) often share a hash.",
	.inputs = "vector",
	.outputs = "array<vector>",
	.params = params,
	.params_size = sizeof(struct lsh_params),
	.state_size = sizeof(struct min_hash_state),
	.check = ports_check,
	.columns = lsh_columns,
	.fit = fit,
	.apply = lsh_apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
