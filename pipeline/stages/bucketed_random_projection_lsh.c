/* Spark's BucketedRandomProjectionLSH: per table a random direction, cut in buckets of bucketLength; the hash is the number
 * of the bucket that the vector's projection falls in; distances are Euclid's. */
#include "pipeline/lsh.h"

#include <math.h>

struct projection_params {
	struct lsh_params lsh; /* first */
	double bucket_length;
};

struct projection_state {
	struct lsh_state lsh;
	size_t size;     /* of the vectors */
	double *entries; /* [size][numHashTables]: entry by entry, so that all tables' sums run side by side */
};

static const struct field params[] = {
	LSH_PARAMS,
	{.name = "bucketLength",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct projection_params, bucket_length),
	 .min = 0,
	 .max = INFINITY,
	 .min_open = true,
	 .required = true,
	 .help = "Width of a bucket; wider ones find more neighbours and cost more time."},
	FIELD_END,
};

/* Over its norm, as the BLAS that Spark brings along (netlib in Java) has it: eight running sums, the rest of the entries
 * after them, and a product with the inverse. */
static void scale_to_unit(double *v, size_t n)
{
	enum { LANES = 8 };
	double lanes[LANES] = {0}, sum = 0;
	size_t whole = n - n % LANES;
	for (size_t k = 0; k < whole; k++) lanes[k % LANES] += v[k] * v[k];
	for (size_t k = 0; k < LANES; k++) sum += lanes[k];
	for (size_t k = whole; k < n; k++) sum += v[k] * v[k];
	double norm = sqrt(sum);
	for (size_t k = 0; norm != 0 && k < n; k++) v[k] *= 1 / norm;
}

static bool draw(struct stage *s, size_t size, struct java_random *rng, struct err *e)
{
	struct projection_state *st = s->state;
	size_t tables = lsh_tables(s);
	st->size = size;
	st->entries = lsh_room(s, tables, size, e);
	if (!st->entries) return false;
	double *v = mem_alloc(size * sizeof *v);
	for (size_t t = 0; t < tables; t++) {
		for (size_t k = 0; k < size; k++) v[k] = java_next_gaussian(rng);
		scale_to_unit(v, size);
		for (size_t k = 0; k < size; k++) st->entries[k * tables + t] = v[k];
	}
	mem_free(v);
	return true;
}

static const char *hash(const struct stage *s, struct vec v, double *out)
{
	const struct projection_params *p = s->params;
	const struct projection_state *st = s->state;
	size_t tables = lsh_tables(s);
	if (v.size != st->size) return "the vector has another length than those the hashes were made for";
	memset(out, 0, tables * sizeof *out);
	for (uint32_t k = 0; k < v.nnz; k++) {
		const double *entry = st->entries + (size_t)(v.idx ? v.idx[k] : k) * tables;
		for (size_t t = 0; t < tables; t++) out[t] += v.val[k] * entry[t];
	}
	double per_bucket = 1 / p->bucket_length;
	/* + 0.0: bucket -0 is bucket 0. */
	for (size_t t = 0; t < tables; t++) out[t] = floor(out[t] * per_bucket) + 0.0;
	return NULL;
}

static double euclidean(struct vec a, struct vec b)
{
	double sum = 0;
	uint32_t i = 0, j = 0;
	while (i < a.nnz || j < b.nnz) {
		uint32_t x = i == a.nnz ? UINT32_MAX : a.idx ? a.idx[i] : i;
		uint32_t y = j == b.nnz ? UINT32_MAX : b.idx ? b.idx[j] : j;
		double d = (x <= y ? a.val[i++] : 0) - (y <= x ? b.val[j++] : 0);
		sum += d * d;
	}
	return sqrt(sum);
}

static const struct lsh_family family = {draw, hash, euclidean};

static bool fit(struct stage *s, struct fit *f, struct err *e) { return lsh_fit(s, f, &family, e); }

static void encode(const struct stage *s, struct buf *out)
{
	const struct projection_state *st = s->state;
	buf_u64(out, st->size);
	buf_append(out, st->entries, st->size * lsh_tables(s) * sizeof *st->entries);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct projection_state *st = s->state;
	size_t tables = lsh_tables(s);
	st->lsh.family = &family;
	st->size = cursor_count(in, tables * sizeof *st->entries);
	if (in->bad || st->size == 0 || st->size > INT32_MAX)
		return err_set(e, ERR_bad_model, "its vectors are not of a length, one a table");
	st->entries = lsh_room(s, tables, st->size, e);
	const void *entries = cursor_bytes(in, tables * st->size * sizeof *st->entries);
	if (!st->entries || !entries) return false;
	memcpy(st->entries, entries, tables * st->size * sizeof *st->entries);
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct projection_state *st = s->state;
	size_t tables = lsh_tables(s);
	json_key(w, "randUnitVectors");
	json_array_begin(w);
	for (size_t t = 0; t < tables; t++) {
		json_array_begin(w);
		for (size_t k = 0; k < st->size; k++) json_row_double(w, st->entries[k * tables + t]);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type bucketed_random_projection_lsh_stage = {
	.name = "BucketedRandomProjectionLSH",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Hashes vectors so that near ones (by Euclidean distance) often share a hash.",
	.inputs = "vector",
	.outputs = "array<vector>",
	.params = params,
	.params_size = sizeof(struct projection_params),
	.state_size = sizeof(struct projection_state),
	.check = ports_check,
	.columns = lsh_columns,
	.fit = fit,
	.apply = lsh_apply,
	.encode = encode,
	.decode = decode,
	.state = state,
};
