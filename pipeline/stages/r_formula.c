/* Spark's RFormula: label and features from an R formula. Texts are indexed and one-hot coded, terms interact; the
 * formula is read by pipeline/formula, rows are made by pipeline/formula_design. */
#include "base/buf.h"
#include "data/dataset.h"
#include "pipeline/formula.h"
#include "pipeline/formula_design.h"
#include "pipeline/labels.h"
#include "pipeline/text.h"

struct r_formula_params {
	struct str formula, features, label, order, handle_invalid;
	bool force_index_label;
	/* Made by check() and by columns() before the fit. */
	struct formula parsed;
	struct formula_terms terms;
};

struct r_formula_state {
	struct formula_terms terms;
	struct design design;
	bool label_indexed;
	struct map label_levels;
};

enum { OUT_FEATURES, OUT_LABEL };

static const char *const invalid_modes[] = {"error", "skip", "keep", NULL};
#define ROW(member) .offset = offsetof(struct r_formula_params, member)
static const struct field params[] = {
	{.name = "formula",
	 .type = FIELD_STRING,
	 ROW(formula),
	 .required = true,
	 .help = "label ~ terms, with the operators + - : * ^ . and brackets; - 1 or + 0: no intercept."},
	{.name = "featuresCol",
	 .type = FIELD_STRING,
	 ROW(features),
	 .fallback = "\"features\"",
	 .help = "Output: the features."},
	{.name = "labelCol", .type = FIELD_STRING, ROW(label), .fallback = "\"label\"", .help = "Output: the label."},
	{.name = "forceIndexLabel",
	 .type = FIELD_BOOL,
	 ROW(force_index_label),
	 .fallback = "false",
	 .help = "Index the label even where it is a number."},
	{.name = "handleInvalid",
	 .type = FIELD_ENUM,
	 ROW(handle_invalid),
	 .fallback = "\"error\"",
	 .choices = invalid_modes,
	 .help = "Null, NaN and unseen levels: error, skip the row, or keep them (a level more, NaN)."},
	{.name = "stringIndexerOrderType",
	 .type = FIELD_ENUM,
	 ROW(order),
	 .fallback = "\"frequencyDesc\"",
	 .choices = labels_orders,
	 .help = "Order of the levels of text features; the last one is dropped. alphabetDesc drops what R drops."},
	FIELD_END,
};

static const struct r_formula_params *params_of(const struct stage *s) { return s->params; }
static bool is_mode(const struct stage *s, const char *mode)
{
	return str_is(params_of(s)->handle_invalid, mode);
}

static bool check(const struct stage *s, struct err *e)
{
	struct r_formula_params *p = s->params;
	char why[FORMULA_WHY_SIZE];
	/* The arena belongs to the stage, which is only const to its readers. */
	return formula_parse(p->formula, (struct arena *)&s->arena, &p->parsed, why) ||
	       stage_fault(s, e, "formula", "%s", why);
}

/* --- The design -------------------------------------------------------------------------------------------------- */

static size_t column_of(struct design *d, struct map *names, struct str name)
{
	bool made;
	struct map_entry *entry = map_put(names, name, &made);
	if (!made) return entry->value;
	entry->value = d->column_count;
	d->columns[d->column_count] = (struct design_column){.name = name, .size = 1};
	return d->column_count++;
}

/* Columns and terms; types, levels and sizes are not known yet. */
static void make_design(const struct stage *s, struct arena *a, const struct formula_terms *terms, struct design *d)
{
	struct map names = MAP_INIT;
	size_t mentions = 1;
	for (size_t k = 0; k < terms->count; k++) mentions += terms->items[k].count;
	*d = (struct design){.keep = is_mode(s, "keep"),
			     .columns = arena_zalloc(a, mentions, sizeof *d->columns),
			     .terms = arena_zalloc(a, terms->count + 1, sizeof *d->terms)};
	for (; d->term_count < terms->count; d->term_count++) {
		const struct str_list *from = &terms->items[d->term_count];
		struct design_term *t = &d->terms[d->term_count];
		t->columns = arena_zalloc(a, from->count, sizeof *t->columns);
		for (; t->count < from->count; t->count++) {
			size_t at = column_of(d, &names, from->items[t->count]);
			t->columns[t->count] = (uint32_t)at;
			d->columns[at].alone |= from->count == 1;
			d->columns[at].interacts |= from->count > 1;
		}
	}
	map_release(&names);
}

/* Without intercept the first text that is a term alone keeps all its levels. */
static void keep_levels(const struct stage *s, struct design *d)
{
	for (size_t k = 0; k < d->term_count && !params_of(s)->parsed.intercept; k++) {
		struct design_term *t = &d->terms[k];
		if (t->count > 1 || !d->columns[t->columns[0]].is_text) continue;
		t->all_levels = true;
		return;
	}
}

/* --- Columns ----------------------------------------------------------------------------------------------------- */

static bool resolve(struct stage *s, const struct schema *schema, struct err *e)
{
	struct r_formula_params *p = s->params;
	struct r_formula_state *st = s->state;
	char why[FORMULA_WHY_SIZE];
	if (!formula_resolve(&p->parsed, schema, &s->arena, &p->terms, why))
		return !s->lenient && stage_fault(s, e, "formula", "%s", why);
	st->terms = p->terms;
	make_design(s, &s->arena, &st->terms, &st->design);
	return true;
}

static bool bind_features(struct stage *s, struct schema *schema, struct err *e)
{
	struct r_formula_state *st = s->state;
	struct design *d = &st->design;
	bool ok = true;
	if (d->column_count > STAGE_INPUTS_MAX - 1)
		return stage_fault(s, e, "formula", "names %zu columns; the limit is %d", d->column_count,
				   STAGE_INPUTS_MAX - 1);
	for (size_t k = 0; k < d->column_count; k++) {
		struct design_column *c = &d->columns[k];
		int slot = stage_input(s, schema, "formula", c->name, COL_SCALAR | COL_BIT(COL_VECTOR), e);
		ok &= slot >= 0;
		enum col_type type = slot >= 0 ? schema->columns[slot].type : COL_DOUBLE;
		if (s->fitted && slot >= 0 &&
		    (c->is_text != (type == COL_STRING) || c->is_vector != (type == COL_VECTOR)))
			ok = stage_fault(s, e, "formula", "column \"%.*s\" is of another type than it was fitted on",
					 (int)MIN(c->name.len, (size_t)128), c->name.data);
		c->type = type;
		c->is_text = type == COL_STRING;
		c->is_vector = type == COL_VECTOR;
		c->attrs = slot >= 0 ? schema->columns[slot].attrs : NULL;
	}
	if (!s->fitted) keep_levels(s, d);
	return ok;
}

static bool bind_features_out(struct stage *s, struct schema *schema, struct err *e)
{
	struct r_formula_state *st = s->state;
	struct arena a = ARENA_INIT;
	struct column_def def = {.name = params_of(s)->features, .type = COL_VECTOR};
	char why[DESIGN_WHY_SIZE];
	bool ok = true;
	if (s->fitted) {
		ok = design_measure(&st->design, &s->arena, why) || stage_fault(s, e, "formula", "%s", why);
		if (ok) def.attrs = design_attrs(&st->design, &a);
	}
	ok &= stage_output(s, schema, "featuresCol", &def, e) >= 0;
	arena_release(&a);
	return ok;
}

/* Needed only where somebody reads the label that is made of it; a fitted formula does without. */
static bool bind_label(struct stage *s, struct schema *schema, struct err *e)
{
	const struct r_formula_params *p = params_of(s);
	struct r_formula_state *st = s->state;
	struct str from = p->parsed.label;
	int slot = schema_find(schema, from), made = schema_find(schema, p->label);
	unsigned types = COL_NUMERIC | COL_BIT(p->force_index_label ? COL_STRING : COL_BOOLEAN) | COL_BIT(COL_STRING);
	struct arena a = ARENA_INIT;
	struct column_def def = {.name = p->label, .type = COL_DOUBLE};
	if (from.len == 0)
		return !p->force_index_label ||
		       stage_fault(s, e, "forceIndexLabel", "the formula has no label to index");
	if (slot < 0 && s->fitted) return true;
	if (!s->fitted)
		st->label_indexed = p->force_index_label || (slot >= 0 && schema->columns[slot].type == COL_STRING);
	if (made >= 0 && !st->label_indexed && (COL_BIT(schema->columns[made].type) & COL_NUMERIC)) return true;
	if (stage_input(s, schema, "formula", from, types, e) < 0) return false;
	s->in[s->in_count - 1].for_output = OUT_LABEL + 1;
	if (s->fitted && st->label_indexed)
		def.attrs = labels_attrs(&a, &st->label_levels, is_mode(s, "keep"), p->label);
	bool ok = stage_output(s, schema, "labelCol", &def, e) >= 0;
	arena_release(&a);
	return ok;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	if (!s->fitted && !resolve(s, schema, e)) return false;
	bool ok = bind_features(s, schema, e);
	ok = bind_features_out(s, schema, e) && ok;
	return bind_label(s, schema, e) && ok;
}

static size_t inputs_of(const struct stage *s)
{
	return ((const struct r_formula_state *)s->state)->design.column_count;
}

static const struct column *column_in(const struct stage *s, const struct batch *b, size_t k)
{
	return &b->columns[s->in[k].slot];
}

/* NULL: no label is made. */
static const struct column *label_in(const struct stage *s, const struct batch *b)
{
	return s->in_count > inputs_of(s) ? &b->columns[s->in[inputs_of(s)].slot] : NULL;
}

/* --- Fit: levels of texts and of the label ----------------------------------------------------------------------- */

/* [columns of the design + 1]: the last is the label's. */
static void *counts_create(const struct stage *s) { return labels_counts_create(inputs_of(s) + 1); }

/* Under "skip" a row that an earlier column drops does not count for later ones. */
static void count_row(const struct stage *s, struct map *maps, const struct batch *b, size_t i)
{
	const struct r_formula_state *st = s->state;
	const struct design *d = &st->design;
	bool skip = is_mode(s, "skip");
	for (size_t k = 0; k < d->column_count; k++) {
		if (!d->columns[k].is_text) continue;
		if (skip && !column_valid(column_in(s, b, k), i)) return;
		labels_count(&maps[k], column_in(s, b, k), i);
	}
	if (!st->label_indexed) return;
	for (size_t k = 0; skip && k < d->column_count; k++)
		if (d->columns[k].alone && assembly_is_invalid(column_in(s, b, k), i)) return;
	labels_count(&maps[d->column_count], label_in(s, b), i);
}

static bool counts_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	const struct labels_counts *c = acc;
	(void)e;
	for (size_t i = 0; i < b->rows; i++) count_row(s, c->maps, b, i);
	return true;
}

static bool fit_sizes(struct stage *s, struct fit *f, struct err *e)
{
	struct r_formula_state *st = s->state;
	for (size_t k = 0; k < st->design.column_count; k++) {
		struct design_column *c = &st->design.columns[k];
		if (!c->is_vector) continue;
		if (c->attrs && c->attrs->is_group)
			c->size = c->attrs->size;
		else if (!fit_vector_size(f, s->in[k].slot, &c->size, e))
			return false;
	}
	return true;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	static const struct fit_fold fold = {counts_create, counts_each, labels_counts_pack, labels_counts_destroy,
					     labels_counts_merge};
	struct r_formula_state *st = s->state;
	struct design *d = &st->design;
	struct labels_counts *all = counts_create(s);
	char why[DESIGN_WHY_SIZE];
	bool ok = fit_sizes(s, f, e) && fit_fold(f, s, &fold, all, e);
	for (size_t k = 0; ok && k < d->column_count; k++)
		if (d->columns[k].is_text) labels_order(&all->maps[k], params_of(s)->order, &d->columns[k].levels);
	/* The order is for features only. */
	if (ok && st->label_indexed) labels_order(&all->maps[d->column_count], STR("frequencyDesc"), &st->label_levels);
	labels_counts_destroy(all);
	return ok &&
	       (design_measure(d, &s->arena, why) || err_set(e, ERR_data, "RFormula (stage %zu): %s", s->index, why));
}

/* --- Apply ------------------------------------------------------------------------------------------------------- */

/* The level's number; levels->count where it is none of them, or null. */
static uint32_t code_of(const struct map *levels, const struct column *in, size_t i)
{
	char text[STR_NUMBER_MAX];
	struct str label;
	const struct map_entry *x = text_of_cell(in, i, text, &label) ? map_find(levels, label) : NULL;
	return (uint32_t)(x ? x->value : levels->count);
}

static bool label_is_made(const struct stage *s, const struct batch *b)
{
	return label_in(s, b) && label_in(s, b)->rows == b->rows;
}

/* The first column that makes row i invalid; their number where none does, and one more for the label. */
static size_t first_invalid(const struct stage *s, const struct batch *b, size_t i, bool label)
{
	const struct r_formula_state *st = s->state;
	const struct design *d = &st->design;
	size_t k = 0;
	for (; k < d->column_count; k++) {
		const struct design_column *c = &d->columns[k];
		const struct column *in = column_in(s, b, k);
		if (c->is_text ? code_of(&c->levels, in, i) == c->levels.count : c->alone && assembly_is_invalid(in, i))
			return k;
	}
	bool bad =
	    label && st->label_indexed && code_of(&st->label_levels, label_in(s, b), i) == st->label_levels.count;
	return k + !bad;
}

static void drop_invalid(const struct stage *s, struct batch *b, struct scratch *sc, bool label)
{
	uint8_t *keep = scratch_room(sc, 0, b->rows);
	bool any = false;
	for (size_t i = 0; i < b->rows; i++) {
		keep[i] = first_invalid(s, b, i, label) > inputs_of(s);
		any |= !keep[i];
	}
	if (any) batch_filter(b, keep);
}

static bool check_row(const struct stage *s, const struct batch *b, size_t i, bool label, struct err *e)
{
	size_t k = first_invalid(s, b, i, label);
	if (k > inputs_of(s)) return true;
	const struct column *in = column_in(s, b, k);
	const char *what = !column_valid(in, i)     ? "is null"
			   : in->type == COL_DOUBLE ? "is NaN or was not seen"
						    : "holds a level that was not seen";
	return stage_data_error(s, b, i, e, "column \"%.*s\" %s; handleInvalid \"skip\" or \"keep\" allows it",
				(int)s->in[k].name.len, s->in[k].name.data, what);
}

static void put_label(const struct stage *s, struct batch *b, size_t i)
{
	const struct r_formula_state *st = s->state;
	const struct column *in = label_in(s, b);
	struct column *out = &b->columns[s->out[OUT_LABEL].slot];
	if (st->label_indexed)
		column_double(out, code_of(&st->label_levels, in, i));
	else if (column_valid(in, i))
		column_double(out, column_number_at(in, i));
	else
		column_null(out);
}

static void drop_work(void *work)
{
	product_work_release(work);
	mem_free(work);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct r_formula_state *st = s->state;
	const struct design *d = &st->design;
	const struct column **columns_in = scratch_room(sc, 1, (d->column_count + 1) * sizeof *columns_in);
	uint32_t *codes = scratch_room(sc, 2, (d->column_count + 1) * sizeof *codes);
	struct product_work *work = scratch_room(sc, 3, sizeof *work);
	char why[DESIGN_WHY_SIZE];
	bool label = label_is_made(s, b), keep = is_mode(s, "keep");
	sc->drop[3] = drop_work;
	if (is_mode(s, "skip")) drop_invalid(s, b, sc, label);
	for (size_t k = 0; k < d->column_count; k++) columns_in[k] = column_in(s, b, k);
	for (size_t i = 0; i < b->rows; i++) {
		if (!keep && !check_row(s, b, i, label, e)) return false;
		for (size_t k = 0; k < d->column_count; k++)
			if (d->columns[k].is_text) codes[k] = code_of(&d->columns[k].levels, columns_in[k], i);
		if (!design_row(d, columns_in, codes, i, work, &b->columns[s->out[OUT_FEATURES].slot], why))
			return stage_data_error(s, b, i, e, "%s", why);
		if (label) put_label(s, b, i);
	}
	return true;
}

/* --- Bytes ------------------------------------------------------------------------------------------------------- */

static void encode(const struct stage *s, struct buf *out)
{
	const struct r_formula_state *st = s->state;
	buf_u64(out, st->terms.count);
	for (size_t k = 0; k < st->terms.count; k++) {
		const struct str_list *names = &st->terms.items[k];
		buf_u64(out, names->count);
		for (size_t m = 0; m < names->count; m++) buf_block(out, names->items[m].data, names->items[m].len);
	}
	for (size_t k = 0; k < st->design.column_count; k++) {
		const struct design_column *c = &st->design.columns[k];
		buf_u8(out, c->is_text);
		buf_u8(out, c->is_vector);
		buf_u64(out, c->size);
		if (c->is_text) labels_encode(&c->levels, out);
	}
	buf_u8(out, st->label_indexed);
	if (st->label_indexed) labels_encode(&st->label_levels, out);
}

static bool decode_terms(struct arena *a, struct formula_terms *t, struct cursor *in, struct err *e)
{
	size_t count = cursor_count(in, sizeof(uint64_t));
	if (count > FORMULA_TERMS_MAX) return err_set(e, ERR_bad_model, "a formula of too many terms");
	/* Before a fit the formula was resolved here already. */
	*t = (struct formula_terms){.items = arena_zalloc(a, count + 1, sizeof *t->items)};
	for (; t->count < count && !in->bad; t->count++) {
		struct str_list *names = &t->items[t->count];
		size_t n = cursor_count(in, sizeof(uint64_t));
		if (n == 0) return err_set(e, ERR_bad_model, "a term without columns");
		names->items = arena_zalloc(a, n, sizeof *names->items);
		for (; names->count < n; names->count++) {
			size_t len;
			const char *name = cursor_block(in, &len);
			if (in->bad || !str_utf8_valid(name, len))
				return err_set(e, ERR_bad_model, "a column's name is malformed");
			names->items[names->count] = (struct str){arena_strndup(a, name, len), len};
		}
	}
	return !in->bad;
}

static bool decode_column(struct design_column *c, struct cursor *in, struct err *e)
{
	c->is_text = cursor_u8(in) == 1;
	c->is_vector = cursor_u8(in) == 1;
	uint64_t size = cursor_u64(in);
	if (in->bad || size > INT32_MAX || (c->is_text && c->is_vector) || (!c->is_vector && size != 1))
		return err_set(e, ERR_bad_model, "a column of an impossible kind");
	c->size = (size_t)size;
	return !c->is_text || labels_decode(&c->levels, in, e);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct r_formula_state *st = s->state;
	struct design *d = &st->design;
	if (!decode_terms(&s->arena, &st->terms, in, e)) return false;
	make_design(s, &s->arena, &st->terms, d);
	for (size_t k = 0; k < d->column_count; k++)
		if (!decode_column(&d->columns[k], in, e)) return false;
	keep_levels(s, d);
	st->label_indexed = cursor_u8(in) == 1;
	return !st->label_indexed || labels_decode(&st->label_levels, in, e);
}

static void release(struct stage *s)
{
	struct r_formula_state *st = s->state;
	for (size_t k = 0; k < st->design.column_count; k++) map_release(&st->design.columns[k].levels);
	map_release(&st->label_levels);
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct r_formula_state *st = s->state;
	struct buf text = BUF_INIT((size_t)1 << 28);
	formula_write(params_of(s)->parsed.label, &st->terms, params_of(s)->parsed.intercept, &text);
	json_key(w, "resolvedFormula");
	json_str(w, (struct str){text.data, text.len});
	buf_release(&text);
}

const struct stage_type r_formula_stage = {
	.name = "RFormula",
	.version = 1,
	.kind = STAGE_ESTIMATOR,
	.help = "Makes features and a label by an R formula.",
	.inputs = "string, double, int64, boolean, vector",
	.outputs = "vector, double",
	.params = params,
	.params_size = sizeof(struct r_formula_params),
	.state_size = sizeof(struct r_formula_state),
	.check = check,
	.columns = columns,
	.fit = fit,
	.apply = apply,
	.encode = encode,
	.decode = decode,
	.release = release,
	.state = state,
};
