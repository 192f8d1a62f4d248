/* Margins, probabilities and predictions of a fitted LogisticRegression. */
#include "pipeline/models/logistic_regression.h"

#include <math.h>

size_t logistic_regression_outputs(const struct logistic_regression_state *st)
{
	return st->multinomial ? st->classes : 2;
}

double logistic_regression_threshold(const struct f64_list *t) { return 1 / (1 + t->items[0] / t->items[1]); }

struct logistic_decision logistic_regression_decision(const struct stage *s)
{
	const struct logistic_regression_params *p = s->params;
	double t = p->thresholds.count == 2 ? logistic_regression_threshold(&p->thresholds) : p->threshold;
	return (struct logistic_decision){t, t == 0 ? -INFINITY : t == 1 ? INFINITY : log(t / (1 - t))};
}

void logistic_regression_margins(const struct logistic_regression_state *st, struct vec v, double *margins)
{
	for (size_t k = 0; k < st->sets; k++)
		margins[k] = vec_dot(v, st->coefficients + k * st->features) + st->intercepts[k];
}

static void softmax(const double *margins, size_t n, double *out)
{
	double highest = -INFINITY, sum = 0;
	for (size_t k = 0; k < n; k++) {
		if (margins[k] == INFINITY) { /* the only class that training saw */
			memset(out, 0, n * sizeof *out);
			out[k] = 1;
			return;
		}
		highest = fmax(highest, margins[k]);
	}
	for (size_t k = 0; k < n; k++) sum += out[k] = exp(margins[k] - highest);
	for (size_t k = 0; k < n; k++) out[k] *= 1 / sum;
}

void logistic_regression_probability(const struct logistic_regression_state *st, const double *margins, double *out)
{
	if (st->multinomial) {
		softmax(margins, st->classes, out);
		return;
	}
	out[0] = 1 / (1 + exp(margins[0]));
	out[1] = 1 - out[0];
}

static size_t first_highest(const double *v, size_t n)
{
	size_t best = 0;
	for (size_t k = 1; k < n; k++)
		if (v[k] > v[best]) best = k;
	return best;
}

static double by_threshold(const struct logistic_regression_params *p, const double *probability, size_t k)
{
	return p->thresholds.items[k] == 0 ? INFINITY : probability[k] / p->thresholds.items[k];
}

double logistic_regression_predict(const struct stage *s, const struct logistic_decision *d, const double *margins,
				   const double *probability)
{
	const struct logistic_regression_params *p = s->params;
	const struct logistic_regression_state *st = s->state;
	if (!st->multinomial) {
		if (p->raw_prediction.len) return margins[0] > d->raw;
		return (p->probability.len ? probability[1] : 1 / (1 + exp(-margins[0]))) > d->probability;
	}
	if (p->thresholds.count == 0)
		return (double)first_highest(p->probability.len && !p->raw_prediction.len ? probability : margins,
					     st->classes);
	size_t best = 0;
	for (size_t k = 1; k < st->classes; k++)
		if (by_threshold(p, probability, k) > by_threshold(p, probability, best)) best = k;
	return (double)best;
}
