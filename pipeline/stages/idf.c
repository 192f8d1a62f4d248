/* Spark's IDF: idf = ln((m + 1) / (df + 1)), df counting rows whose entry is greater than 0; terms rarer than
 * minDocFreq weigh 0. */
#include "data/dataset.h"
#include "pipeline/scaler.h"

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

/* --- Weights by frequency: far fewer than terms, so each is computed and stored once ------------------------------- */

struct weight {
	uint64_t key; /* document frequency + 1; 0: an empty slot */
	double idf;
};

struct weights {
	struct weight *slots;
	size_t cap, count; /* cap: a power of two */
};

enum { WEIGHTS_CAP = 1024 };

static struct weight *weights_slot(const struct weights *w, uint64_t key)
{
	size_t at = (key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (w->cap - 1);
	while (w->slots[at].key != 0 && w->slots[at].key != key) at = (at + 1) & (w->cap - 1);
	return &w->slots[at];
}

static void weights_grow(struct weights *w)
{
	struct weights to = {.cap = w->cap ? w->cap * 2 : WEIGHTS_CAP, .count = w->count};
	to.slots = mem_zalloc(to.cap, sizeof *to.slots);
	for (size_t i = 0; i < w->cap; i++)
		if (w->slots[i].key != 0) *weights_slot(&to, w->slots[i].key) = w->slots[i];
	mem_free(w->slots);
	*w = to;
}

static const double *weights_find(const struct weights *w, uint32_t df)
{
	const struct weight *slot = w->cap ? weights_slot(w, (uint64_t)df + 1) : NULL;
	return slot && slot->key ? &slot->idf : NULL;
}

static double weights_put(struct weights *w, uint32_t df, double idf)
{
	if (w->count >= w->cap / 2) weights_grow(w);
	*weights_slot(w, (uint64_t)df + 1) = (struct weight){(uint64_t)df + 1, idf};
	w->count++;
	return idf;
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
		else if (v.idx)
			for (uint32_t k = 0; k < v.nnz; k++) acc[v.idx[k]] += v.val[k] > 0;
		else
			for (uint32_t k = 0; k < v.nnz; k++) acc[k] += v.val[k] > 0;
	}
}

static void room(struct stage *s, size_t size)
{
	struct idf_state *st = s->state;
	st->size = size;
	st->doc_freq = arena_zalloc(&s->arena, size, sizeof *st->doc_freq);
	st->idf = arena_zalloc(&s->arena, size, sizeof *st->idf);
}

static double weight_of(struct weights *w, const struct idf_state *st, uint32_t df)
{
	const double *known = weights_find(w, df);
	return known ? *known : weights_put(w, df, log(((double)st->num_docs + 1) / ((double)df + 1)));
}

static void finish(struct stage *s, const double *df)
{
	const struct idf_params *p = s->params;
	struct idf_state *st = s->state;
	struct weights weights = {0};
	uint32_t at = 0;
	double idf = weight_of(&weights, st, at);
	for (size_t j = 0; j < st->size; j++) {
		if (df[j] < (double)p->min_doc_freq) continue;
		st->doc_freq[j] = (uint32_t)df[j];
		if (st->doc_freq[j] != at) idf = weight_of(&weights, st, at = st->doc_freq[j]);
		st->idf[j] = idf;
	}
	mem_free(weights.slots);
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct idf_state *st = s->state;
	size_t size;
	if (!fit_vector_size(f, s->in[0].slot, &size, e)) return false;
	struct df_pass pass = {s, size};
	double *sums = mem_zalloc(size + 3, sizeof *sums);
	bool ok = fit_count_with(f, size + 3, count_batch, &pass, sums, e);
	double rows = sums[size], nulls = sums[size + 1], other = sums[size + 2];
	if (ok && rows == 0) ok = err_set(e, ERR_data, "IDF (stage %zu): there are no rows to fit on", s->index);
	else if (ok && nulls > 0) ok = err_set(e, ERR_data, "IDF (stage %zu): %.0f rows are null", s->index, nulls);
	else if (ok && other > 0)
		ok = err_set(e, ERR_data, "IDF (stage %zu): %.0f rows have another length than %zu", s->index, other,
			     size);
	else if (ok && size == 0)
		ok = err_set(e, ERR_data, "IDF (stage %zu): the vectors have no entries", s->index);
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
	struct scaling by = {.size = st->size, .scale = st->idf};
	return scaling_apply(s, b, sc, &by, e);
}

/* --- Bytes: the weights in rising order of their frequencies, then the terms' frequencies ------------------------ */

static int compare_weights(const void *a, const void *b)
{
	uint64_t x = ((const struct weight *)a)->key, y = ((const struct weight *)b)->key;
	return (x > y) - (x < y);
}

static void sort_slots(struct weights *w)
{
	size_t to = 0;
	for (size_t i = 0; i < w->cap; i++)
		if (w->slots[i].key != 0) w->slots[to++] = w->slots[i];
	if (to) qsort(w->slots, to, sizeof *w->slots, compare_weights);
}

static void encode(const struct stage *s, struct buf *out)
{
	const struct idf_state *st = s->state;
	struct weights w = {0};
	for (size_t j = 0; j < st->size; j++)
		if (!weights_find(&w, st->doc_freq[j])) weights_put(&w, st->doc_freq[j], st->idf[j]);
	sort_slots(&w);
	buf_u64(out, st->num_docs);
	buf_u64(out, w.count);
	for (size_t d = 0; d < w.count; d++) {
		buf_u32(out, (uint32_t)(w.slots[d].key - 1));
		buf_f64(out, w.slots[d].idf);
	}
	buf_u64(out, st->size);
	buf_append(out, st->doc_freq, st->size * sizeof *st->doc_freq);
	mem_free(w.slots);
}

/* False where frequencies do not rise. */
static bool read_weights(struct cursor *in, struct weights *w)
{
	size_t distinct = cursor_count(in, sizeof(uint32_t) + sizeof(double));
	int64_t last = -1;
	for (size_t d = 0; d < distinct; d++) {
		uint32_t df = cursor_u32(in);
		if (df <= last) return false;
		last = df;
		weights_put(w, df, cursor_f64(in));
	}
	return true;
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct idf_state *st = s->state;
	struct weights weights = {0};
	st->num_docs = cursor_u64(in);
	bool ok = read_weights(in, &weights);
	size_t size = cursor_count(in, sizeof(uint32_t));
	const void *freq = cursor_bytes(in, size * sizeof(uint32_t));
	ok = ok && !in->bad;
	if (ok) {
		room(s, size);
		if (size) memcpy(st->doc_freq, freq, size * sizeof *st->doc_freq);
	}
	for (size_t j = 0; ok && j < size; j++) {
		const double *idf = weights_find(&weights, st->doc_freq[j]);
		ok = idf != NULL;
		if (ok) st->idf[j] = *idf;
	}
	mem_free(weights.slots);
	return ok || err_set(e, ERR_bad_model, "its weights and frequencies do not agree");
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct idf_state *st = s->state;
	json_key(w, "idf");
	json_row_doubles(w, st->idf, st->size);
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
