/* One-way analysis of variance, from the sums of each feature by label, of all and of squares, as Spark's ANOVATest. */
#include "pipeline/feature_test.h"
#include "pipeline/special.h"

struct anova {
	struct feature_rows rows;
	double *sum, *squares; /* [size] */
	double **by_label;     /* [labels], each [size] */
	size_t by_label_cap, by_label_count;
};

static void *anova_create(const struct stage *s)
{
	(void)s;
	return mem_zalloc(1, sizeof(struct anova));
}

static void anova_destroy(void *acc)
{
	struct anova *a = acc;
	for (size_t k = 0; k < a->by_label_count; k++) mem_free(a->by_label[k]);
	feature_rows_release(&a->rows);
	mem_free(a->by_label);
	mem_free(a->sum);
	mem_free(a->squares);
	mem_free(a);
}

/* Sums for every label met so far. */
static bool anova_room(struct anova *a, const struct stage *s, struct err *e)
{
	size_t size = MAX(a->rows.size, (size_t)1), labels = a->rows.labels.count;
	if (size * labels > FEATURE_SUMS_MAX)
		return err_set(e, ERR_too_large, "%s (stage %zu): %zu features by %zu labels are over %d sums",
			       s->type->name, s->index, size, labels, FEATURE_SUMS_MAX);
	if (!a->sum && a->rows.sized) {
		a->sum = mem_zalloc(size, sizeof *a->sum);
		a->squares = mem_zalloc(size, sizeof *a->squares);
	}
	MEM_GROW(a->by_label, a->by_label_cap, labels);
	while (a->by_label_count < labels) a->by_label[a->by_label_count++] = mem_zalloc(size, sizeof(double));
	return true;
}

static void anova_row(struct anova *a, struct vec v, double *by_label)
{
	for (uint32_t k = 0; k < v.nnz; k++) {
		uint32_t j = v.idx ? v.idx[k] : k;
		double x = v.val[k];
		a->sum[j] += x;
		a->squares[j] += x * x;
		by_label[j] += x;
	}
}

static bool anova_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct anova *a = acc;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v;
		uint32_t label;
		if (!feature_rows_add(&a->rows, s, b, i, &v, &label, e)) return false;
		if (label >= a->by_label_count && !anova_room(a, s, e)) return false;
		anova_row(a, v, a->by_label[label]);
	}
	return true;
}

static void anova_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct anova *a = acc;
	size_t bytes = a->rows.size * sizeof(double);
	(void)s;
	feature_rows_pack(&a->rows, out);
	if (!a->rows.sized) return;
	buf_append(out, a->sum, bytes);
	buf_append(out, a->squares, bytes);
	for (size_t k = 0; k < a->by_label_count; k++) buf_append(out, a->by_label[k], bytes);
}

static void add(double *into, struct cursor *in, size_t n)
{
	for (size_t j = 0; j < n; j++) into[j] += cursor_f64(in);
}

static bool anova_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct anova *a = into;
	uint32_t *to = NULL;
	bool ok = feature_rows_merge(&a->rows, s, in, &to, e) && anova_room(a, s, e);
	if (ok && cursor_left(in) > 0) {
		add(a->sum, in, a->rows.size);
		add(a->squares, in, a->rows.size);
		for (size_t k = 0; cursor_left(in) > 0; k++) add(a->by_label[to[k]], in, a->rows.size);
	}
	mem_free(to);
	return ok;
}

static void finish(const struct anova *a, struct feature_tests *out)
{
	double rows = a->rows.rows, labels = (double)a->rows.labels.count;
	uint32_t *order = numbering_order(&a->rows.labels);
	for (size_t j = 0; j < a->rows.size; j++) {
		double square = a->sum[j] * a->sum[j], within_labels = 0;
		for (size_t k = 0; k < a->rows.labels.count; k++) {
			double sum = a->by_label[order[k]][j];
			within_labels += sum * sum / a->rows.label_rows[order[k]];
		}
		double total = a->squares[j] - square / rows, between = within_labels - square / rows;
		double within = total - between;
		out->statistic[j] = (between / (labels - 1)) / (within / (rows - labels));
		out->p[j] = special_f_tail(out->statistic[j], labels - 1, rows - labels);
		out->freedom[j] = (int64_t)rows - 1;
	}
	mem_free(order);
}

bool feature_anova(struct stage *s, struct fit *f, struct feature_tests *out, struct err *e)
{
	static const struct fit_fold fold = {anova_create, anova_each, anova_pack, anova_destroy, anova_merge};
	struct anova *all = anova_create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok && (all->rows.labels.count < 2 || all->rows.rows <= (double)all->rows.labels.count))
		ok = err_set(e, ERR_data,
			     "%s (stage %zu): analysis of variance needs two different labels and more rows than "
			     "labels; there are %.0f rows with %zu labels",
			     s->type->name, s->index, all->rows.rows, all->rows.labels.count);
	if (ok) {
		feature_tests_room(s, out, all->rows.size);
		finish(all, out);
	}
	anova_destroy(all);
	return ok;
}
