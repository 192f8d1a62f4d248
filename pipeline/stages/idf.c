/* Spark's IDF: idf = ln((m + 1) / (df + 1)), df counting rows whose entry is greater than 0; terms rarer than
 * minDocFreq weigh 0. */
#include "data/dataset.h"
#include "pipeline/ports.h"

#include <math.h>
#include <stdlib.h>

struct idf_params {
	struct ports ports;
	int64_t min_doc_freq;
};

struct idf_state {
	size_t size;
	uint64_t num_docs;
	uint32_t *doc_freq; /* [size] */
	double *idf;        /* [size] */
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "minDocFreq",
	 .type = FIELD_INT,
	 .offset = offsetof(struct idf_params, min_doc_freq),
	 .fallback = "0",
	 .min = 0,
	 .max = INT32_MAX,
	 .help = "Terms in fewer rows get weight 0."},
	FIELD_END,
};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct idf_state *st = s->state;
	int in = schema_find(schema, ports_input(s, 0));
	const struct attrs *known = in >= 0 ? schema->columns[in].attrs : NULL;
	bool sized = s->fitted || (known && known->is_group);
	struct attrs attrs = ports_size_only(s->fitted ? st->size : known ? known->size : 0);
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, sized ? &attrs : NULL, e);
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

struct df_pass {
	const struct stage *stage;
	size_t size;
};

/* acc: df by term; then rows, null rows, rows of another length. */
static void count_batch(void *ctx, const struct batch *b, double *acc)
{
	const struct df_pass *pass = ctx;
	const struct column *in = stage_in(pass->stage, b, 0);
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(in, i);
		acc[pass->size]++;
		if (!column_valid(in, i)) acc[pass->size + 1]++;
		else if (v.size != pass->size) acc[pass->size + 2]++;
		else
			for (uint32_t k = 0; k < v.nnz; k++) acc[v.idx ? v.idx[k] : k] += v.val[k] > 0;
	}
}

static void room(struct stage *s, size_t size)
{
	struct idf_state *st = s->state;
	st->size = size;
	st->doc_freq = arena_zalloc(&s->arena, size, sizeof *st->doc_freq);
	st->idf = arena_zalloc(&s->arena, size, sizeof *st->idf);
}

static void finish(struct stage *s, const double *df)
{
	const struct idf_params *p = s->params;
	struct idf_state *st = s->state;
	for (size_t j = 0; j < st->size; j++) {
		if (df[j] < (double)p->min_doc_freq) continue;
		st->doc_freq[j] = (uint32_t)df[j];
		st->idf[j] = log(((double)st->num_docs + 1) / (df[j] + 1));
	}
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct idf_state *st = s->state;
	size_t size;
	if (!fit_vector_size(f, s->in[0].slot, &size, e)) return false;
	struct df_pass pass = {s, size};
	double *sums = mem_zalloc(size + 3, sizeof *sums);
	bool ok = fit_sum_with(f, size + 3, count_batch, &pass, sums, e);
	double rows = sums[size], nulls = sums[size + 1], other = sums[size + 2];
	if (ok && rows == 0) ok = err_set(e, ERR_data, "IDF (stage %zu): there are no rows to fit on", s->index);
	else if (ok && nulls > 0) ok = err_set(e, ERR_data, "IDF (stage %zu): %.0f rows are null", s->index, nulls);
	else if (ok && other > 0)
		ok = err_set(e, ERR_data, "IDF (stage %zu): %.0f rows have another length than %zu", s->index, other,
			     size);
	else if (ok && rows > UINT32_MAX)
		ok = err_set(e, ERR_too_large, "IDF (stage %zu): more than %u rows", s->index, UINT32_MAX);
	if (ok) {
		room(s, size);
		st->num_docs = (uint64_t)rows;
		finish(s, sums);
	}
	mem_free(sums);
	return ok;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct idf_state *st = s->state;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		if (in->size[i] != st->size)
			return stage_data_error(s, b, i, e, "the vector has %u entries, the model %zu", in->size[i],
						st->size);
		if (in != out) column_copy_row(out, in, i);
		struct vec v = column_vec_at(out, i);
		double *val = out->f64 + out->off[i];
		if (v.idx)
			for (uint32_t k = 0; k < v.nnz; k++) val[k] *= st->idf[v.idx[k]];
		else
			for (uint32_t k = 0; k < v.nnz; k++) val[k] *= st->idf[k];
	}
	return true;
}

/* --- Bytes: the weight is a function of the frequency, so each distinct frequency is stored with its weight once  */

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

struct weight {
	uint32_t df;
	double idf;
};

static void encode(const struct stage *s, struct buf *out)
{
	const struct idf_state *st = s->state;
	uint32_t *sorted = mem_alloc(st->size * sizeof *sorted);
	memcpy(sorted, st->doc_freq, st->size * sizeof *sorted);
	qsort(sorted, st->size, sizeof *sorted, compare_u32);
	size_t distinct = 0;
	for (size_t j = 0; j < st->size; j++)
		if (j == 0 || sorted[j] != sorted[j - 1]) sorted[distinct++] = sorted[j];
	double *weights = mem_zalloc(distinct, sizeof *weights);
	for (size_t j = 0; j < st->size; j++) {
		const uint32_t *at = bsearch(&st->doc_freq[j], sorted, distinct, sizeof *sorted, compare_u32);
		weights[at - sorted] = st->idf[j];
	}
	buf_u64(out, st->num_docs);
	buf_u64(out, distinct);
	for (size_t d = 0; d < distinct; d++) {
		buf_u32(out, sorted[d]);
		buf_f64(out, weights[d]);
	}
	buf_u64(out, st->size);
	buf_append(out, st->doc_freq, st->size * sizeof *st->doc_freq);
	mem_free(weights);
	mem_free(sorted);
}

static int compare_weight(const void *key, const void *w)
{
	uint32_t x = *(const uint32_t *)key, y = ((const struct weight *)w)->df;
	return (x > y) - (x < y);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct idf_state *st = s->state;
	st->num_docs = cursor_u64(in);
	size_t distinct = cursor_count(in, sizeof(uint32_t) + sizeof(double));
	struct weight *weights = mem_zalloc(distinct, sizeof *weights);
	bool ascending = true;
	for (size_t d = 0; d < distinct; d++) {
		weights[d].df = cursor_u32(in);
		weights[d].idf = cursor_f64(in);
		ascending &= d == 0 || weights[d].df > weights[d - 1].df;
	}
	size_t size = cursor_count(in, sizeof(uint32_t));
	const void *freq = cursor_bytes(in, size * sizeof(uint32_t));
	bool ok = !in->bad && ascending;
	if (ok) {
		room(s, size);
		if (size) memcpy(st->doc_freq, freq, size * sizeof *st->doc_freq);
	}
	for (size_t j = 0; ok && j < size; j++) {
		const struct weight *w = bsearch(&st->doc_freq[j], weights, distinct, sizeof *weights, compare_weight);
		ok = w != NULL;
		if (ok) st->idf[j] = w->idf;
	}
	mem_free(weights);
	return ok || err_set(e, ERR_bad_model, "its weights and frequencies do not agree");
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct idf_state *st = s->state;
	json_key(w, "idf");
	json_array_begin(w);
	for (size_t j = 0; j < st->size; j++) json_row_double(w, st->idf[j]);
	json_array_end(w);
	json_key(w, "docFreq");
	json_array_begin(w);
	for (size_t j = 0; j < st->size; j++) json_int(w, st->doc_freq[j]);
	json_array_end(w);
	json_key(w, "numDocs");
	json_int(w, (int64_t)st->num_docs);
}

const struct stage_type idf_stage = {
	.name = "IDF",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Weighs each term by how few rows have it.",
	.inputs = "vector",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct idf_params),
	.state_size = sizeof(struct idf_state),
	.check = ports_check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.state = state,
	.in_place = true,
};
