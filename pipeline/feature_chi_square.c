/* Pearson's chi-square test of independence between each feature's values and the label, as Spark's ChiSquareTest.
 *
 * Cells of the contingency tables are counted where the value is not zero; what is missing to the rows of a label is
 * its count of zeros. Counts are whole numbers, so the order of shards does not matter. */
#include "pipeline/feature_test.h"
#include "pipeline/special.h"

#include <math.h>
#include <stdlib.h>

struct cell {
	double value, count; /* count 0: a free place */
	uint32_t label;
};

/* A feature's cells, by hash. */
struct cells {
	struct cell *items;
	uint32_t count, cap;
};

/* Categories are small whole numbers as a rule: those are counted in a table, not by hash. */
enum { TABLE_LABELS = 8, TABLE_VALUES = 16, TABLE_FEATURES_MAX = 1 << 12 };
typedef uint64_t value_table[TABLE_LABELS][TABLE_VALUES];

struct chi_square {
	struct feature_rows rows;
	struct cells *features; /* [size] */
	value_table *tables;    /* [size]; NULL where the features are many */
	size_t cell_count;
};

static void *chi_square_create(const struct stage *s)
{
	(void)s;
	return mem_zalloc(1, sizeof(struct chi_square));
}

static void chi_square_destroy(void *acc)
{
	struct chi_square *c = acc;
	for (size_t j = 0; c->features && j < c->rows.size; j++) mem_free(c->features[j].items);
	mem_free(c->features);
	mem_free(c->tables);
	feature_rows_release(&c->rows);
	mem_free(c);
}

/* --- Counting ------------------------------------------------------------------------------------------------ */

static struct cell *cell_at(const struct cells *t, double value, uint32_t label)
{
	uint32_t mask = t->cap - 1, at = (uint32_t)(numbering_hash(value) + label) & mask;
	while (t->items[at].count > 0 && (t->items[at].value != value || t->items[at].label != label))
		at = (at + 1) & mask;
	return &t->items[at];
}

static void cells_grow(struct cells *t)
{
	struct cells old = *t;
	t->cap = MAX(old.cap * 2, (uint32_t)8);
	t->items = mem_zalloc(t->cap, sizeof *t->items);
	for (uint32_t k = 0; k < old.cap; k++)
		if (old.items[k].count > 0) *cell_at(t, old.items[k].value, old.items[k].label) = old.items[k];
	mem_free(old.items);
}

static bool too_many_values(const struct stage *s, size_t feature, struct err *e)
{
	return err_set(e, ERR_data, "%s (stage %zu): feature %zu has more than %d different values; is it categorical?",
		       s->type->name, s->index, feature, FEATURE_CATEGORIES_MAX);
}

/* More cells than values and labels can make: caught while counting, so that memory stays in bounds. */
static bool cell_add(struct chi_square *c, const struct stage *s, size_t feature, struct cell add, struct err *e)
{
	struct cells *t = &c->features[feature];
	if ((uint64_t)t->count * 4 >= (uint64_t)t->cap * 3) {
		if (t->count > FEATURE_CATEGORIES_MAX * c->rows.labels.count) return too_many_values(s, feature, e);
		cells_grow(t);
	}
	struct cell *at = cell_at(t, add.value, add.label);
	if (at->count > 0) {
		at->count += add.count;
		return true;
	}
	*at = add;
	t->count++;
	return ++c->cell_count <= FEATURE_CELLS_MAX ||
	       err_set(e, ERR_too_large, "%s (stage %zu): the features have over %d different pairs of value and label",
		       s->type->name, s->index, FEATURE_CELLS_MAX);
}

static bool chi_square_room(struct chi_square *c, const struct stage *s, struct err *e)
{
	if (c->features || !c->rows.sized) return true;
	if (c->rows.size > FEATURE_CELLS_MAX)
		return err_set(e, ERR_too_large, "%s (stage %zu): %zu features are over %d", s->type->name, s->index,
			       c->rows.size, FEATURE_CELLS_MAX);
	c->features = mem_zalloc(MAX(c->rows.size, (size_t)1), sizeof *c->features);
	if (c->rows.size <= TABLE_FEATURES_MAX) c->tables = mem_zalloc(MAX(c->rows.size, (size_t)1), sizeof *c->tables);
	return true;
}

/* False: the value has no place in the table. Zeros have one, which nobody reads. */
static bool table_add(struct chi_square *c, size_t feature, double value, uint32_t label)
{
	if (!c->tables || label >= TABLE_LABELS || !(value >= 0 && value < TABLE_VALUES)) return false;
	unsigned whole = (unsigned)value;
	if (whole != value) return false;
	c->tables[feature][label][whole]++;
	return true;
}

static bool chi_square_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct chi_square *c = acc;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v;
		uint32_t label;
		if (!feature_rows_add(&c->rows, s, b, i, &v, &label, e) || !chi_square_room(c, s, e)) return false;
		for (uint32_t k = 0; k < v.nnz; k++) {
			size_t feature = v.idx ? v.idx[k] : k;
			if (table_add(c, feature, v.val[k], label) || v.val[k] == 0) continue;
			if (isnan(v.val[k])) return stage_data_error(s, b, i, e, "a feature is NaN");
			struct cell one = {v.val[k], 1, label};
			if (!cell_add(c, s, feature, one, e)) return false;
		}
	}
	return true;
}

static void pack_cell(struct buf *out, size_t feature, struct cell cell)
{
	if (cell.count == 0) return;
	buf_u32(out, (uint32_t)feature);
	buf_u32(out, cell.label);
	buf_f64(out, cell.value);
	buf_f64(out, cell.count);
}

static void chi_square_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct chi_square *c = acc;
	(void)s;
	feature_rows_pack(&c->rows, out);
	for (size_t j = 0; c->features && j < c->rows.size; j++) {
		const struct cells *t = &c->features[j];
		for (uint32_t k = 0; k < t->cap; k++) pack_cell(out, j, t->items[k]);
		for (uint32_t l = 0; c->tables && l < TABLE_LABELS; l++)
			for (unsigned v = 1; v < TABLE_VALUES; v++)
				pack_cell(out, j, (struct cell){v, (double)c->tables[j][l][v], l});
	}
}

static bool chi_square_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct chi_square *c = into;
	uint32_t *to = NULL;
	bool ok = feature_rows_merge(&c->rows, s, in, &to, e) && chi_square_room(c, s, e);
	while (ok && cursor_left(in) > 0) {
		uint32_t feature = cursor_u32(in), label = to[cursor_u32(in)];
		double value = cursor_f64(in), count = cursor_f64(in);
		ok = cell_add(c, s, feature, (struct cell){value, count, label}, e);
	}
	mem_free(to);
	return ok;
}

/* --- The tests ----------------------------------------------------------------------------------------------- */

/* One feature's table: cells by label, then value, labels numbered ascending. */
struct table {
	const double *label_rows; /* [labels], ascending */
	size_t labels, values;
	struct cell *cells;
	size_t cell_count;
	double *value, *value_rows; /* [values], ascending */
	double rows;
};

static int by_value(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	return (x->value > y->value) - (x->value < y->value);
}

static int by_label(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	return x->label != y->label ? (x->label > y->label) - (x->label < y->label) : by_value(a, b);
}

/* The cells counted, and those of zeros. t->cells has room for them all. */
static void table_cells(struct table *t, const struct cells *counted, const uint32_t *rank)
{
	size_t n = 0;
	for (uint32_t k = 0; k < counted->cap; k++) {
		if (counted->items[k].count == 0) continue;
		t->cells[n] = counted->items[k];
		t->cells[n++].label = rank[counted->items[k].label];
	}
	double *zeros = t->value_rows; /* borrowed: it is as long as the cells are many */
	memcpy(zeros, t->label_rows, t->labels * sizeof *zeros);
	for (size_t k = 0; k < n; k++) zeros[t->cells[k].label] -= t->cells[k].count;
	for (size_t l = 0; l < t->labels; l++)
		if (zeros[l] > 0) t->cells[n++] = (struct cell){0, zeros[l], (uint32_t)l};
	t->cell_count = n;
}

static void table_values(struct table *t)
{
	qsort(t->cells, t->cell_count, sizeof *t->cells, by_value);
	t->values = 0;
	for (size_t k = 0; k < t->cell_count; k++) {
		if (k == 0 || t->cells[k].value != t->cells[k - 1].value) {
			t->value[t->values] = t->cells[k].value;
			t->value_rows[t->values++] = 0;
		}
		t->value_rows[t->values - 1] += t->cells[k].count;
	}
	qsort(t->cells, t->cell_count, sizeof *t->cells, by_label);
}

/* Spark's order: label by label, values ascending, empty cells too. */
static double table_statistic(const struct table *t)
{
	const struct cell *at = t->cells, *end = t->cells + t->cell_count;
	double statistic = 0;
	for (size_t l = 0; l < t->labels; l++)
		for (size_t v = 0; v < t->values; v++) {
			bool here = at < end && at->label == l && at->value == t->value[v];
			double expected = t->label_rows[l] * t->value_rows[v] / t->rows;
			double difference = (here ? (at++)->count : 0) - expected;
			statistic += difference * difference / expected;
		}
	return statistic;
}

static bool test_feature(struct table *t, const struct cells *counted, const uint32_t *rank, size_t j,
			 struct feature_tests *out)
{
	table_cells(t, counted, rank);
	table_values(t);
	if (t->values > FEATURE_CATEGORIES_MAX) return false;
	out->freedom[j] = (int64_t)(t->labels - 1) * (int64_t)(t->values - 1);
	out->statistic[j] = out->freedom[j] ? table_statistic(t) : 0;
	out->p[j] = out->freedom[j] ? special_chi_squared_tail(out->statistic[j], (double)out->freedom[j]) : 1;
	return true;
}

static bool finish(const struct chi_square *c, const struct stage *s, struct feature_tests *out, struct err *e)
{
	const struct numbering *labels = &c->rows.labels;
	uint32_t *order = numbering_order(labels), *rank = mem_zalloc(labels->count, sizeof *rank);
	double *label_rows = mem_zalloc(labels->count, sizeof *label_rows);
	size_t room = 0;
	for (size_t j = 0; j < c->rows.size; j++) room = MAX(room, (size_t)c->features[j].count);
	room += labels->count;
	struct table t = {.label_rows = label_rows,
			  .labels = labels->count,
			  .cells = mem_zalloc(room, sizeof *t.cells),
			  .value = mem_zalloc(room, sizeof *t.value),
			  .value_rows = mem_zalloc(room, sizeof *t.value_rows),
			  .rows = c->rows.rows};
	for (size_t k = 0; k < labels->count; k++) {
		rank[order[k]] = (uint32_t)k;
		label_rows[k] = c->rows.label_rows[order[k]];
	}
	bool ok = true;
	for (size_t j = 0; ok && j < c->rows.size; j++)
		ok = test_feature(&t, &c->features[j], rank, j, out) || too_many_values(s, j, e);
	mem_free(t.cells);
	mem_free(t.value);
	mem_free(t.value_rows);
	mem_free(label_rows);
	mem_free(rank);
	mem_free(order);
	return ok;
}

bool feature_chi_square(struct stage *s, struct fit *f, struct feature_tests *out, struct err *e)
{
	static const struct fit_fold fold = {chi_square_create, chi_square_each, chi_square_pack, chi_square_destroy,
					     chi_square_merge};
	struct chi_square *all = chi_square_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok && all->rows.rows == 0)
		ok = err_set(e, ERR_data, "%s (stage %zu): there are no rows to fit on", s->type->name, s->index);
	if (ok) {
		feature_tests_room(s, out, all->rows.size);
		ok = finish(all, s, out, e);
	}
	chi_square_destroy(all);
	return ok;
}
