/* Spark's CountVectorizer: a vocabulary of the terms with the largest total counts, and counts over it. Spark leaves
 * ties open; here the term whose UTF-8 bytes come first wins, a null term before all others. */
#include "data/dataset.h"
#include "pipeline/counter.h"
#include "pipeline/ports.h"
#include "pipeline/term_tally.h"

#include <math.h>
#include <stdlib.h>

struct count_vectorizer_params {
	struct ports ports;
	int64_t vocab_size;
	double min_df, max_df, min_tf;
	bool binary;
};

struct count_vectorizer_state {
	struct map vocabulary; /* of keys of term.h, entries in index order */
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "vocabSize",
	 .type = FIELD_INT,
	 .offset = offsetof(struct count_vectorizer_params, vocab_size),
	 .fallback = "262144",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Terms in the vocabulary, at most."},
	{.name = "minDF",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct count_vectorizer_params, min_df),
	 .fallback = "1.0",
	 .min = 0,
	 .max = INFINITY,
	 .help = "Rows a term must be in: a number from 1 on, below 1 a fraction of the rows."},
	{.name = "maxDF",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct count_vectorizer_params, max_df),
	 .fallback = "9223372036854775807",
	 .min = 0,
	 .max = INFINITY,
	 .help = "Rows a term may be in, as minDF."},
	{.name = "minTF",
	 .type = FIELD_DOUBLE,
	 .offset = offsetof(struct count_vectorizer_params, min_tf),
	 .fallback = "1.0",
	 .min = 0,
	 .max = INFINITY,
	 .help = "Counts below it are left out of a row; below 1 a fraction of the row's tokens."},
	{.name = "binary",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct count_vectorizer_params, binary),
	 .fallback = "false",
	 .help = "Every count that is not zero is 1."},
	FIELD_END,
};

static const struct count_vectorizer_params *params_of(const struct stage *s) { return s->params; }

/* Two thresholds of one kind can be compared before there are rows. */
static bool check(const struct stage *s, struct err *e)
{
	const struct count_vectorizer_params *p = params_of(s);
	if (!ports_check(s, e)) return false;
	bool one_kind = (p->min_df >= 1) == (p->max_df >= 1);
	return !one_kind || p->max_df >= p->min_df || stage_fault(s, e, "maxDF", "must not be below minDF");
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct count_vectorizer_state *st = s->state;
	struct arena a = ARENA_INIT;
	struct attrs attrs = ports_size_only(st->vocabulary.count);
	if (attrs.size <= PORTS_NAMED_MAX) {
		attrs.list = arena_zalloc(&a, MAX(attrs.size, (size_t)1), sizeof *attrs.list);
		for (size_t i = 0; i < attrs.size; i++) attrs.list[i] = attr_of(ATTR_NUMERIC, (struct str){0});
	}
	bool ok = ports_bind(s, schema, COL_BIT(COL_STRINGS), COL_VECTOR, s->fitted ? &attrs : NULL, e);
	arena_release(&a);
	return ok;
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

/* A threshold from 1 on is a number of rows, below 1 a fraction of them. */
static double row_limit(double v, double rows) { return v >= 1 ? v : v * rows; }

static bool choose(struct stage *s, const struct term_tally *t, struct err *e)
{
	struct count_vectorizer_state *st = s->state;
	bool filters = stage_given(s, "minDF") || stage_given(s, "maxDF");
	double low = row_limit(params_of(s)->min_df, (double)t->row_count),
	       high = row_limit(params_of(s)->max_df, (double)t->row_count);
	if (filters && high < low)
		return err_set(e, ERR_data, "CountVectorizer (stage %zu): maxDF is below minDF", s->index);
	struct map_entry *kept = mem_alloc(t->totals.count * sizeof *kept);
	size_t n = 0;
	for (size_t i = 0; i < t->totals.count; i++)
		if (!filters || ((double)t->rows[i] >= low && (double)t->rows[i] <= high))
			kept[n++] = t->totals.entries[i];
	qsort(kept, n, sizeof *kept, term_by_count);
	n = MIN(n, (size_t)params_of(s)->vocab_size);
	for (size_t i = 0; i < n; i++) map_put(&st->vocabulary, kept[i].key, NULL)->value = i;
	mem_free(kept);
	return true;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct term_tally all;
	bool ok = term_tally_fit(&all, s, f, e) && choose(s, &all, e);
	term_tally_release(&all);
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

enum { SLOT_COUNTER, SLOT_KEY = SLOT_COUNTER + COUNTER_SLOTS };

static void count_row(const struct stage *s, const struct column *in, size_t i, struct scratch *sc,
		      const struct counter *c, struct column *out)
{
	const struct count_vectorizer_state *st = s->state;
	const struct count_vectorizer_params *p = s->params;
	uint64_t first = in->off[i], end = in->off[i + 1];
	uint32_t *idx;
	double *val, least = p->min_tf >= 1 ? p->min_tf : p->min_tf * (double)(end - first);
	struct buf *key = term_room(sc, SLOT_KEY);
	size_t distinct = 0;
	for (uint64_t k = first; k < end; k++) {
		const struct map_entry *x = map_find(&st->vocabulary, term_key(in, k, key));
		if (x) distinct += counter_add(c, (uint32_t)x->value);
	}
	column_vec_room(out, distinct, &idx, &val);
	column_vec_end(out, (uint32_t)st->vocabulary.count, counter_drain(c, least, p->binary, idx, val), false);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	struct counter c =
		counter_of(sc, SLOT_COUNTER, ((const struct count_vectorizer_state *)s->state)->vocabulary.count);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
		count_row(s, in, i, sc, &c, out);
	}
	return true;
}

/* --- Bytes --------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct count_vectorizer_state *st = s->state;
	buf_u64(out, st->vocabulary.count);
	for (size_t i = 0; i < st->vocabulary.count; i++)
		buf_block(out, st->vocabulary.entries[i].key.data, st->vocabulary.entries[i].key.len);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct count_vectorizer_state *st = s->state;
	size_t count = cursor_count(in, sizeof(uint64_t) + 1);
	for (size_t i = 0; i < count && !in->bad; i++) {
		size_t len;
		bool made = false;
		const char *key = cursor_block(in, &len);
		if (!key || !term_is_key((struct str){key, len}))
			return err_set(e, ERR_bad_model, "a term is malformed");
		map_put(&st->vocabulary, (struct str){key, len}, &made)->value = i;
		if (!made) return err_set(e, ERR_bad_model, "a term occurs twice");
	}
	return !in->bad || err_set(e, ERR_bad_model, "the vocabulary is cut");
}

static void release(struct stage *s)
{
	struct count_vectorizer_state *st = s->state;
	map_release(&st->vocabulary);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct count_vectorizer_state *st = s->state;
	json_key(w, "vocabulary");
	json_array_begin(w);
	for (size_t i = 0; i < st->vocabulary.count; i++) term_write(st->vocabulary.entries[i].key, w);
	json_array_end(w);
}

const struct stage_type count_vectorizer_stage = {
	.name = "CountVectorizer",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Learns a vocabulary and counts its terms.",
	.inputs = "array<string>",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct count_vectorizer_params),
	.state_size = sizeof(struct count_vectorizer_state),
	.check = check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.release = release,
	.state = state,
};
