/* Spark's FeatureHasher: each column at its hash's place in a vector. A number stands at the hash of the column's name;
 * a string, a boolean or a listed number is a 1 at the hash of name=value. */
#include "base/hash.h"
#include "pipeline/ports.h"
#include "pipeline/text.h"

enum { SEED = 42, SLOT_KEY = 0 };

struct feature_hasher_params {
	struct ports ports; /* inputs and output */
	struct str_list categorical;
	int64_t num_features;
	/* Made by columns(), by input. */
	struct feature *features;
};

struct feature {
	struct str prefix; /* "name=" */
	uint32_t bucket;   /* of a number */
	bool categorical;
};

static const struct field params[] = {
	{.name = "inputCols",
	 .type = FIELD_STRINGS,
	 .offset = offsetof(struct ports, inputs),
	 .required = true,
	 .count_min = 1,
	 .help = "Columns to hash: numbers, booleans, strings."},
	{.name = "outputCol",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct ports, output),
	 .help = "Output column; <stage>_<index>__output where not given."},
	{.name = "numFeatures",
	 .type = FIELD_INT,
	 .offset = offsetof(struct feature_hasher_params, num_features),
	 .fallback = "262144",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Length of the vectors; a power of two spreads best."},
	{.name = "categoricalCols",
	 .type = FIELD_STRINGS,
	 .offset = offsetof(struct feature_hasher_params, categorical),
	 .help = "Numeric columns whose values are categories; strings and booleans always are."},
	FIELD_END,
};

static bool is_categorical(const struct feature_hasher_params *p, const struct column_def *def)
{
	bool found = !(COL_BIT(def->type) & COL_NUMERIC);
	for (size_t k = 0; !found && k < p->categorical.count; k++) found = str_eq(p->categorical.items[k], def->name);
	return found;
}

static struct feature feature_of(struct stage *s, const struct column_def *def)
{
	const struct feature_hasher_params *p = s->params;
	struct str name = def->name;
	const char *prefix = arena_printf(&s->arena, "%.*s=", (int)name.len, name.data);
	return (struct feature){
	    .prefix = {prefix, name.len + 1},
	    .bucket = hash_bucket(hash_murmur3(name.data, name.len, SEED), (uint32_t)p->num_features),
	    .categorical = is_categorical(p, def),
	};
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct feature_hasher_params *p = s->params;
	struct attrs attrs = ports_size_only((size_t)p->num_features);
	struct column_def def = {.name = ports_output(s, 0), .type = COL_VECTOR, .attrs = &attrs};
	bool ok = true;
	if (!p->features) p->features = arena_zalloc(&s->arena, p->ports.inputs.count, sizeof *p->features);
	for (size_t k = 0; k < p->ports.inputs.count; k++) {
		int slot = stage_input(s, schema, "inputCols", p->ports.inputs.items[k], COL_SCALAR, e);
		ok &= slot >= 0;
		if (slot >= 0) p->features[k] = feature_of(s, &schema->columns[slot]);
	}
	return (stage_output(s, schema, "outputCol", &def, e) >= 0) && ok;
}

static uint32_t category_bucket(const struct feature *f, struct str value, uint32_t n, struct scratch *sc)
{
	char *key = scratch_room(sc, SLOT_KEY, f->prefix.len + value.len);
	memcpy(key, f->prefix.data, f->prefix.len);
	if (value.len) memcpy(key + f->prefix.len, value.data, value.len);
	return hash_bucket(hash_murmur3(key, f->prefix.len + value.len, SEED), n);
}

/* The row so far, ascending by place. */
struct row {
	uint32_t *idx;
	double *val;
	size_t nnz;
};

/* Values that share a place add up in the order of the columns. */
static void put(struct row *r, uint32_t at, double v)
{
	size_t low = 0, high = r->nnz;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (r->idx[mid] < at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < r->nnz && r->idx[low] == at) {
		r->val[low] += v;
		return;
	}
	memmove(r->idx + low + 1, r->idx + low, (r->nnz - low) * sizeof *r->idx);
	memmove(r->val + low + 1, r->val + low, (r->nnz - low) * sizeof *r->val);
	r->idx[low] = at;
	r->val[low] = v;
	r->nnz++;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct feature_hasher_params *p = s->params;
	struct column *out = stage_out(s, b, 0);
	uint32_t n = (uint32_t)p->num_features;
	(void)e;
	for (size_t i = 0; i < b->rows; i++) {
		struct row r = {0};
		column_vec_room(out, s->in_count, &r.idx, &r.val);
		for (size_t k = 0; k < s->in_count; k++) {
			const struct feature *f = &p->features[k];
			const struct column *in = stage_in(s, b, k);
			char number[STR_NUMBER_MAX];
			struct str value;
			if (!column_valid(in, i)) continue;
			if (!f->categorical)
				put(&r, f->bucket, column_number_at(in, i));
			else if (text_of_cell(in, i, number, &value))
				put(&r, category_bucket(f, value, n, sc), 1);
		}
		column_vec_end(out, n, r.nnz, false);
	}
	return true;
}

const struct stage_type feature_hasher_stage = {
	.name = "FeatureHasher",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Hashes columns into one vector: numbers by name, categories by name and value.",
	.inputs = "double, int64, boolean, string",
	.outputs = "vector",
	.params = params,
	.params_size = sizeof(struct feature_hasher_params),
	.columns = columns,
	.apply = apply,
};
