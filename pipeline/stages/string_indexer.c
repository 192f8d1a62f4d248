/* Spark's StringIndexer: labels of a column, ordered by frequency or alphabet, to indices 0, 1, … Numbers are labels in
 * Java's notation. Ties and alphabet are by UTF-8 bytes, ascending for both frequency orders. */
#include "data/dataset.h"
#include "pipeline/labels.h"
#include "pipeline/ports.h"
#include "pipeline/text.h"

struct string_indexer_params {
	struct ports ports;
	struct str order;
	struct str handle_invalid;
};

struct string_indexer_state {
	struct map *labels; /* [column]: entries in index order */
	size_t count;
};

static const char *const invalid_modes[] = {"error", "skip", "keep", NULL};
static const struct field params[] = {
    PORTS_SINGLE,
    PORTS_SEVERAL,
    {.name = "stringOrderType",
     .type = FIELD_ENUM,
     .offset = offsetof(struct string_indexer_params, order),
     .fallback = "\"frequencyDesc\"",
     .choices = labels_orders,
     .help = "Order of the labels; the first gets index 0."},
    {.name = "handleInvalid",
     .type = FIELD_ENUM,
     .offset = offsetof(struct string_indexer_params, handle_invalid),
     .fallback = "\"error\"",
     .choices = invalid_modes,
     .help = "Unseen labels and nulls: error, skip the row, or keep them under one more index."},
    FIELD_END,
};

static const struct string_indexer_params *params_of(const struct stage *s)
{
	return s->params;
}
static bool keeps(const struct stage *s)
{
	return str_is(params_of(s)->handle_invalid, "keep");
}

/* --- Columns ------------------------------------------------------------------------------------------------- */

/* A fitted indexer passes over columns that are not there, as Spark does; slot -1 then. */
static bool bind_one(struct stage *s, struct schema *schema, size_t k, struct err *e)
{
	const struct string_indexer_state *st = s->state;
	struct arena a = ARENA_INIT;
	struct str name = ports_output(s, k);
	bool there = schema_find(schema, ports_input(s, k)) >= 0;
	if (s->fitted && !there) return true;
	int in = stage_input(s, schema, ports_input_param(s), ports_input(s, k), COL_NUMERIC | COL_BIT(COL_STRING), e);
	struct column_def def = {.name = name, .type = COL_DOUBLE};
	if (s->fitted) def.attrs = labels_attrs(&a, &st->labels[k], keeps(s), name);
	int out = stage_output(s, schema, ports_output_param(s), &def, e);
	arena_release(&a);
	return in >= 0 && out >= 0;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	bool ok = true;
	for (size_t k = 0; k < ports_count(s); k++) ok &= bind_one(s, schema, k, e);
	s->inactive = ok && s->in_count == 0;
	return ok;
}

/* Which of the stage's columns bound port m is: ports that were passed over are not among them. */
static size_t column_of(const struct stage *s, size_t m)
{
	size_t k = m;
	while (!str_eq(ports_input(s, k), s->in[m].name)) k++;
	return k;
}

/* --- Fit: counts by label, a map for each column ------------------------------------------------------------- */

static void *counts_create(const struct stage *s) { return labels_counts_create(ports_count(s)); }

static bool counts_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct labels_counts *c = acc;
	(void)e;
	for (size_t k = 0; k < c->count; k++) {
		const struct column *in = stage_in(s, b, k);
		for (size_t i = 0; i < b->rows; i++) labels_count(&c->maps[k], in, i);
	}
	return true;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	static const struct fit_fold fold = {counts_create, counts_each, labels_counts_pack, labels_counts_destroy,
					     labels_counts_merge};
	struct string_indexer_state *st = s->state;
	struct labels_counts *all = counts_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok) {
		st->count = all->count;
		st->labels = arena_zalloc(&s->arena, st->count, sizeof *st->labels);
		for (size_t k = 0; k < st->count; k++) labels_order(&all->maps[k], params_of(s)->order, &st->labels[k]);
	}
	labels_counts_destroy(all);
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

static bool index_column(const struct stage *s, const struct batch *b, size_t m, uint8_t *drop, struct err *e)
{
	const struct string_indexer_state *st = s->state;
	const struct map *labels = &st->labels[column_of(s, m)];
	const struct column *in = stage_in(s, b, m);
	struct column *out = &b->columns[s->out[m].slot];
	bool keep = keeps(s);
	for (size_t i = 0; i < b->rows; i++) {
		char text[STR_NUMBER_MAX];
		struct str label = {0};
		bool known = text_of_cell(in, i, text, &label);
		const struct map_entry *x = known ? map_find(labels, label) : NULL;
		if (!x && !keep && !drop)
			return stage_data_error(s, b, i, e,
						known ? "column \"%.*s\" holds the unseen label \"%.*s\""
						      : "column \"%.*s\" is null%.*s",
						(int)s->in[m].name.len, s->in[m].name.data,
						(int)MIN(label.len, (size_t)128), label.data ? label.data : "");
		if (!x && drop) drop[i] = 0;
		column_double(out, x ? (double)x->value : (double)labels->count);
	}
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	bool skip = str_is(params_of(s)->handle_invalid, "skip"), any = false;
	uint8_t *keep = skip ? scratch_room(sc, 0, b->rows) : NULL;
	if (skip) memset(keep, 1, b->rows);
	for (size_t m = 0; m < s->in_count; m++)
		if (!index_column(s, b, m, keep, e)) return false;
	for (size_t i = 0; skip && i < b->rows; i++) any |= !keep[i];
	if (any) batch_filter(b, keep);
	return true;
}

/* --- Bytes --------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct string_indexer_state *st = s->state;
	buf_u64(out, st->count);
	for (size_t k = 0; k < st->count; k++) labels_encode(&st->labels[k], out);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct string_indexer_state *st = s->state;
	size_t count = cursor_count(in, sizeof(uint64_t));
	if (in->bad || count != ports_count(s)) return err_set(e, ERR_bad_model, "labels of another number of columns");
	st->labels = arena_zalloc(&s->arena, count, sizeof *st->labels);
	st->count = count;
	for (size_t k = 0; k < count; k++)
		if (!labels_decode(&st->labels[k], in, e)) return false;
	return true;
}

static void release(struct stage *s)
{
	struct string_indexer_state *st = s->state;
	for (size_t k = 0; k < st->count; k++) map_release(&st->labels[k]);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct string_indexer_state *st = s->state;
	json_key(w, "labelsArray");
	json_array_begin(w);
	for (size_t k = 0; k < st->count; k++) {
		json_array_begin(w);
		for (size_t i = 0; i < st->labels[k].count; i++) json_str(w, st->labels[k].entries[i].key);
		json_array_end(w);
	}
	json_array_end(w);
}

const struct stage_type string_indexer_stage = {
    .name = "StringIndexer",
    .version = 1,
    .kind = STAGE_ESTIMATOR,
    .help = "Gives each label of a column an index, by frequency or alphabet.",
    .inputs = "string, double, int64",
    .outputs = "double",
    .params = params,
    .params_size = sizeof(struct string_indexer_params),
    .state_size = sizeof(struct string_indexer_state),
    .check = ports_check,
    .columns = columns,
    .fit = fit,
    .apply = apply,
    .encode = encode,
    .decode = decode,
    .release = release,
    .state = state,
};
