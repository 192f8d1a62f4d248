/* Spark's Word2Vec: a vector of floats for each word that occurs minCount times, trained by skip_gram; a row's vector is
 * the mean over its terms, of which unknown ones count as zeros. Spark leaves open which of two equally frequent words
 * comes first in training; here the one whose UTF-8 bytes do. */
#include "pipeline/ports.h"
#include "pipeline/sentences.h"
#include "pipeline/skip_gram_fit.h"
#include "pipeline/term_tally.h"

#include <math.h>
#include <stdlib.h>

struct word2vec_params {
	struct ports ports;
	int64_t size, window, partitions, min_count, longest, iterations, seed;
	double step;
};

struct word2vec_state {
	struct map words; /* of keys of term.h, ascending */
	float *vectors;   /* [words.count][vectorSize] */
};

enum { PARTITIONS_MAX = 65536 };

#define AT(member) offsetof(struct word2vec_params, member)
static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "vectorSize", .type = FIELD_INT, .offset = AT(size), .fallback = "100", .min = 1, .max = INT32_MAX,
	 .help = "Length of a word's vector."},
	{.name = "windowSize", .type = FIELD_INT, .offset = AT(window), .fallback = "5", .min = 1, .max = INT32_MAX,
	 .help = "A word's context: at most so many words on either side."},
	{.name = "minCount", .type = FIELD_INT, .offset = AT(min_count), .fallback = "5", .min = 0, .max = INT32_MAX,
	 .help = "Words that occur less often have no vector."},
	{.name = "maxSentenceLength", .type = FIELD_INT, .offset = AT(longest), .fallback = "1000", .min = 1,
	 .max = INT32_MAX, .help = "Longer rows are cut in sentences of so many words."},
	{.name = "numPartitions", .type = FIELD_INT, .offset = AT(partitions), .fallback = "1", .min = 1,
	 .max = PARTITIONS_MAX, .help = "Parts of the corpus that are trained side by side and averaged."},
	{.name = "maxIter", .type = FIELD_INT, .offset = AT(iterations), .fallback = "1", .min = 0, .max = INT32_MAX,
	 .help = "Passes over the corpus."},
	{.name = "stepSize", .type = FIELD_DOUBLE, .offset = AT(step), .fallback = "0.025", .min = 0, .max = INFINITY,
	 .min_open = true, .help = "The rate of learning, which falls within each pass."},
	{.name = "seed", .type = FIELD_LONG, .offset = AT(seed), .help = "Seed of the training; drawn when missing."},
	FIELD_END,
};

static const struct word2vec_params *params_of(const struct stage *s) { return s->params; }

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct attrs attrs = ports_size_only((size_t)params_of(s)->size);
	return ports_bind(s, schema, COL_BIT(COL_STRINGS), COL_VECTOR, &attrs, e);
}

/* --- The vocabulary ---------------------------------------------------------------------------------------------- */

/* The words that stay, numbered, the most frequent first; *counts: how often each occurs. */
static bool choose(const struct stage *s, struct term_tally *t, struct map *vocabulary, uint64_t **counts, struct err *e)
{
	const struct word2vec_params *p = params_of(s);
	struct map *all = &t->totals;
	size_t n = 0;
	*counts = mem_alloc(MAX(all->count, (size_t)1) * sizeof **counts);
	if (all->count) qsort(all->entries, all->count, sizeof *all->entries, term_by_count);
	for (; n < all->count && all->entries[n].value >= (uint64_t)p->min_count; n++) {
		(*counts)[n] = all->entries[n].value;
		map_put(vocabulary, all->entries[n].key, NULL)->value = n;
	}
	if (n == 0)
		return err_set(e, ERR_data, "Word2Vec (stage %zu): no word occurs minCount (%lld) times", s->index,
			       (long long)p->min_count);
	if (n < INT32_MAX / (size_t)p->size) return true;
	return err_set(e, ERR_too_large, "Word2Vec (stage %zu): %zu words of vectorSize %lld are over %d numbers",
		       s->index, n, (long long)p->size, INT32_MAX);
}

/* --- Training ---------------------------------------------------------------------------------------------------- */

static void make_room(struct stage *s, size_t words)
{
	struct word2vec_state *st = s->state;
	st->vectors = arena_zalloc(&s->arena, MAX(words * (size_t)params_of(s)->size, (size_t)1), sizeof *st->vectors);
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

/* The words in ascending order, whatever order they were trained in. */
static void take_model(struct stage *s, struct map *trained, const float *vectors)
{
	struct word2vec_state *st = s->state;
	size_t size = (size_t)params_of(s)->size;
	make_room(s, trained->count);
	qsort(trained->entries, trained->count, sizeof *trained->entries, by_key);
	for (size_t i = 0; i < trained->count; i++) {
		const struct map_entry *word = &trained->entries[i];
		map_put(&st->words, word->key, NULL)->value = i;
		memcpy(st->vectors + i * size, vectors + word->value * size, size * sizeof *vectors);
	}
}

static bool train(struct stage *s, struct fit *f, struct map *vocabulary, const uint64_t *counts, struct err *e)
{
	const struct word2vec_params *p = params_of(s);
	struct sentences sentences;
	struct skip_gram g = {
		.words = vocabulary->count,
		.size = (size_t)p->size,
		.window = (int32_t)p->window,
		.iterations = p->iterations,
		.partitions = p->partitions,
		.step = p->step,
		.seed = f->seed,
	};
	for (size_t w = 0; w < g.words; w++) g.occurrences += counts[w];
	bool ok = sentences_gather(f, s, vocabulary, (size_t)p->longest, &sentences, e);
	if (ok) {
		struct skip_gram_corpus corpus = sentences_corpus(&sentences);
		float *vectors = mem_alloc(g.words * g.size * sizeof *vectors);
		skip_gram_prepare(&g, counts);
		ok = skip_gram_fit(f, &g, &corpus, vectors, e);
		if (ok) take_model(s, vocabulary, vectors);
		mem_free(vectors);
	}
	skip_gram_release(&g);
	sentences_release(&sentences);
	return ok;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct term_tally tally;
	struct map vocabulary = MAP_INIT;
	uint64_t *counts = NULL;
	bool ok = term_tally_fit(&tally, s, f, e) && choose(s, &tally, &vocabulary, &counts, e);
	term_tally_release(&tally);
	ok = ok && train(s, f, &vocabulary, counts, e);
	mem_free(counts);
	map_release(&vocabulary);
	return ok;
}

/* --- Apply ------------------------------------------------------------------------------------------------------- */

enum { SLOT_KEY, SLOT_SUM };

static void add_vector(const float *vector, double *sum, size_t size)
{
	for (size_t k = 0; k < size; k++) sum[k] += (double)vector[k];
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct word2vec_state *st = s->state;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	size_t size = (size_t)params_of(s)->size;
	struct buf *key = term_room(sc, SLOT_KEY);
	double *sum = scratch_room(sc, SLOT_SUM, size * sizeof *sum);
	for (size_t i = 0; i < b->rows; i++) {
		uint64_t first = in->off[i], end = in->off[i + 1];
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
		if (first == end) {
			column_sparse(out, (uint32_t)size, NULL, NULL, 0);
			continue;
		}
		memset(sum, 0, size * sizeof *sum);
		for (uint64_t k = first; k < end; k++) {
			const struct map_entry *word = map_find(&st->words, term_key(in, k, key));
			if (word) add_vector(st->vectors + word->value * size, sum, size);
		}
		double share = 1.0 / (double)(end - first);
		for (size_t k = 0; k < size; k++) sum[k] *= share;
		column_dense(out, sum, size);
	}
	return true;
}

/* --- Bytes ------------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct word2vec_state *st = s->state;
	buf_u64(out, st->words.count);
	for (size_t i = 0; i < st->words.count; i++)
		buf_block(out, st->words.entries[i].key.data, st->words.entries[i].key.len);
	buf_append(out, st->vectors, st->words.count * (size_t)params_of(s)->size * sizeof *st->vectors);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct word2vec_state *st = s->state;
	size_t size = (size_t)params_of(s)->size, count = cursor_count(in, sizeof(uint64_t) + 1 + size * sizeof(float));
	for (size_t i = 0; i < count; i++) {
		struct str key;
		key.data = cursor_block(in, &key.len);
		if (!key.data || !term_is_key(key)) return err_set(e, ERR_bad_model, "a word is malformed");
		if (i > 0 && str_cmp(st->words.entries[i - 1].key, key) >= 0)
			return err_set(e, ERR_bad_model, "its words are not in order");
		map_put(&st->words, key, NULL)->value = i;
	}
	const void *vectors = cursor_bytes(in, count * size * sizeof *st->vectors);
	if (in->bad) return err_set(e, ERR_bad_model, "its vectors are cut");
	make_room(s, count);
	if (count) memcpy(st->vectors, vectors, count * size * sizeof *st->vectors);
	return true;
}

static void release(struct stage *s)
{
	struct word2vec_state *st = s->state;
	map_release(&st->words);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct word2vec_state *st = s->state;
	size_t size = (size_t)params_of(s)->size;
	json_key(w, "vectors");
	json_array_begin(w);
	for (size_t i = 0; i < st->words.count; i++) {
		json_array_begin(w);
		term_write(st->words.entries[i].key, w);
		json_array_begin(w);
		for (size_t k = 0; k < size; k++) json_row_double(w, (double)st->vectors[i * size + k]);
		json_array_end(w);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type word2vec_stage = {
	.name = "Word2Vec",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Learns a vector for each word from the words around it; a row is the mean of its words' vectors.",
	.inputs = "array<string>",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct word2vec_params),
	.state_size = sizeof(struct word2vec_state),
	.check = ports_check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.release = release,
	.state = state,
};
