/* The F statistic of each feature's correlation with a continuous label, as Spark's FValueTest: means and deviations in
 * one pass, covariances about the means in another. */
#include "pipeline/feature_test.h"
#include "pipeline/moments.h"
#include "pipeline/ports.h"
#include "pipeline/special.h"

#include <math.h>

enum { ROWS, NULLS, LABEL_SUM, LABEL_SUMS };

static void add_label(const struct stage *s, const struct batch *b, double *acc)
{
	const struct column *labels = stage_in(s, b, 1);
	for (size_t i = 0; i < b->rows; i++) {
		acc[ROWS]++;
		if (column_valid(labels, i))
			acc[LABEL_SUM] += column_number_at(labels, i);
		else
			acc[NULLS]++;
	}
}

struct covariance {
	const struct stage *stage;
	const struct moments *features;
	double label_mean;
};

/* acc: by feature; then the label's squares, then its deviations in sparse rows, whose zeros are not visited. */
static void add_products(void *ctx, const struct batch *b, double *acc)
{
	const struct covariance *c = ctx;
	const struct column *features = stage_in(c->stage, b, 0), *labels = stage_in(c->stage, b, 1);
	const double *mean = c->features->mean;
	double *squares = acc + c->features->size, *sparse = squares + 1;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(features, i);
		double d = column_number_at(labels, i) - c->label_mean;
		*squares += d * d;
		if (v.idx) {
			*sparse += d;
			for (uint32_t k = 0; k < v.nnz; k++) acc[v.idx[k]] += d * v.val[k];
		} else
			for (uint32_t k = 0; k < v.nnz; k++) acc[k] += d * (v.val[k] - mean[k]);
	}
}

static void finish(const struct covariance *c, const double *sums, double rows, struct feature_tests *out)
{
	const struct moments *m = c->features;
	double label_std = sqrt(sums[m->size] / (rows - 1)), freedom = rows - 2;
	for (size_t j = 0; j < m->size; j++) {
		double covariance = (sums[j] - m->mean[j] * sums[m->size + 1]) / (rows - 1);
		double r = covariance / (label_std * m->std[j]);
		out->statistic[j] = r * r / (1 - r * r) * freedom;
		out->p[j] = special_f_tail(out->statistic[j], 1, freedom);
		out->freedom[j] = (int64_t)freedom;
	}
}

static bool label_sums(struct stage *s, struct fit *f, double *sums, struct err *e)
{
	if (!fit_sum(f, LABEL_SUMS, add_label, s, sums, e)) return false;
	if (sums[NULLS] > 0)
		return err_set(e, ERR_data, "%s (stage %zu): the label is null in %.0f rows", s->type->name, s->index,
			       sums[NULLS]);
	return sums[ROWS] >= 3 || err_set(e, ERR_data, "%s (stage %zu): the F test needs three rows, there are %.0f",
					  s->type->name, s->index, sums[ROWS]);
}

bool feature_f_value(struct stage *s, struct fit *f, struct feature_tests *out, struct err *e)
{
	struct moments features;
	double label[LABEL_SUMS];
	if (!label_sums(s, f, label, e) || !moments_fit(s, f, &features, e)) return false;
	struct covariance c = {s, &features, label[LABEL_SUM] / label[ROWS]};
	double *sums = mem_zalloc(features.size + 2, sizeof *sums);
	bool ok = fit_sum_with(f, features.size + 2, add_products, &c, sums, e);
	if (ok) {
		feature_tests_room(s, out, features.size);
		finish(&c, sums, label[ROWS], out);
	}
	mem_free(sums);
	moments_release(&features);
	return ok;
}
