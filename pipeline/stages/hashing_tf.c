/* Spark's HashingTF: terms counted at murmur3_32(term, seed 42) mod numFeatures (Spark 3's hash).
 *
 * Terms are counted in an array (pipeline/counter.h). Very wide vectors, whose arrays would be too large, are sorted,
 * and so are short rows, which would touch much memory for little. Which bytes a term has cannot be foreseen, so where there
 * are few the processor does better with more work and no branch. */
#include "base/hash.h"
#include "pipeline/counter.h"
#include "pipeline/ports.h"

#include <math.h>
#include <stdlib.h>

enum { SEED = 42, COUNTED_FEATURES_MAX = 1 << 22, SHORT_ROW = 32 };

struct hashing_tf_params {
	struct ports ports;
	int64_t num_features;
	bool binary;
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "numFeatures",
	 .type = FIELD_INT,
	 .offset = offsetof(struct hashing_tf_params, num_features),
	 .fallback = "262144",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Length of the vectors; a power of two spreads best."},
	{.name = "binary",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct hashing_tf_params, binary),
	 .fallback = "false",
	 .help = "Every count that is not zero is 1."},
	FIELD_END,
};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct hashing_tf_params *p = s->params;
	struct attrs attrs = ports_size_only((size_t)p->num_features);
	return ports_bind(s, schema, COL_BIT(COL_STRINGS) | COL_BIT(COL_DOUBLES), COL_VECTOR, &attrs, e);
}

static uint32_t hash_double(double v)
{
	uint64_t bits = 0x7ff8000000000000u; /* Java's one NaN */
	if (!isnan(v)) memcpy(&bits, &v, sizeof bits);
	return hash_murmur3(&bits, sizeof bits, SEED);
}

static uint32_t term_hash(const struct column *in, uint64_t k)
{
	if (in->type == COL_DOUBLES) return hash_double(in->f64[k]);
	if (column_elem_is_null(in, k)) return SEED;
	return hash_murmur3(in->text + in->span[k].off, in->span[k].len, SEED);
}

/* --- Counting by array --------------------------------------------------------------------------------------- */

enum { SLOT_COUNTER, SLOT_FOUND = SLOT_COUNTER + COUNTER_SLOTS, TOGETHER = 64 };

/* The counts are more than the nearest cache holds: a term's is asked for while others are hashed. */
static size_t count_together(const struct column *in, uint64_t first, uint64_t end, uint32_t n, const struct counter *c)
{
	uint32_t found[TOGETHER];
	size_t terms = end - first, distinct = 0;
	for (size_t t = 0; t < terms; t++) {
		found[t] = hash_bucket(term_hash(in, first + t), n);
		__builtin_prefetch(&c->counts[found[t]], 1);
	}
	for (size_t t = 0; t < terms; t++) distinct += counter_add(c, found[t]);
	return distinct;
}

static void row_by_counting(const struct hashing_tf_params *p, const struct column *in, uint64_t first, uint64_t end,
			    const struct counter *c, struct column *out)
{
	uint32_t *idx, n = (uint32_t)p->num_features;
	double *val;
	size_t distinct = 0;
	for (uint64_t k = first; k < end; k += TOGETHER) distinct += count_together(in, k, MIN(k + TOGETHER, end), n, c);
	column_vec_room(out, distinct, &idx, &val);
	counter_drain(c, 1, p->binary, idx, val);
	column_vec_end(out, n, distinct, false);
}

/* --- Counting by sorting ------------------------------------------------------------------------------------- */

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

typedef int32_t lanes __attribute__((vector_size(16)));
enum { LANES = 4, HOLE = -1 };

/* Each number's place is how many are less: more comparisons than any sort has, and none of them a branch. Equal ones have
 * one place, and leave holes behind it. Numbers are below INT32_MAX; v has room for LANES - 1 more. */
static void place(uint32_t *v, size_t n, uint32_t *places)
{
	for (size_t k = n; k % LANES; k++) v[k] = INT32_MAX;
	for (size_t i = 0; i < n; i++) places[i] = (uint32_t)HOLE;
	for (size_t i = 0; i < n; i++) {
		lanes x = (lanes){0} + (int32_t)v[i], y, less = {0};
		for (size_t k = 0; k < n; k += LANES) {
			memcpy(&y, v + k, sizeof y);
			less -= y < x;
		}
		places[less[0] + less[1] + less[2] + less[3]] = v[i];
	}
}

static void row_by_sorting(const struct hashing_tf_params *p, const struct column *in, uint64_t first, uint64_t end,
			   struct scratch *sc, struct column *out)
{
	size_t terms = end - first, room = MAX(terms, (size_t)SHORT_ROW), distinct = 0;
	uint32_t *found = scratch_room(sc, SLOT_FOUND, 2 * room * sizeof *found), *sorted = found, last = (uint32_t)HOLE, *idx;
	double *val, more = p->binary ? 0 : 1;
	for (uint64_t k = first; k < end; k++) found[k - first] = hash_bucket(term_hash(in, k), (uint32_t)p->num_features);
	if (terms <= SHORT_ROW) place(found, terms, sorted = found + room);
	else qsort(found, terms, sizeof *found, compare_u32);
	column_vec_room(out, terms, &idx, &val);
	for (size_t t = 0; t < terms; t++) {
		uint32_t x = sorted[t] == (uint32_t)HOLE ? last : sorted[t];
		double before = x == last ? val[distinct - 1] + more : 1;
		distinct += x != last;
		idx[distinct - 1] = last = x;
		val[distinct - 1] = before;
	}
	column_vec_end(out, (uint32_t)p->num_features, distinct, false);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct hashing_tf_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	bool counted = p->num_features <= COUNTED_FEATURES_MAX;
	struct counter c = {0};
	if (counted) c = counter_of(sc, SLOT_COUNTER, (size_t)p->num_features);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
		uint64_t first = in->off[i], end = in->off[i + 1];
		if (counted && end - first > SHORT_ROW) row_by_counting(p, in, first, end, &c, out);
		else row_by_sorting(p, in, first, end, sc, out);
	}
	return true;
}

const struct stage_type hashing_tf_stage = {
	.name = "HashingTF",
	.version = 3, /* the hash of Spark 3; that of 2.x would be another version */
	.kind = STAGE_TRANSFORMER,
	.help = "Counts terms at their hash's place in a vector.",
	.inputs = "array<string>, array<double>",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct hashing_tf_params),
	.check = ports_check,
	.columns = columns,
	.apply = apply,
};
