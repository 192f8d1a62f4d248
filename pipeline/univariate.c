#include "pipeline/univariate.h"

#include <math.h>
#include <stdlib.h>

/* --- Modes --------------------------------------------------------------------------------------------------- */

struct ranked {
	double p;
	uint32_t feature;
};

static int by_p(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (isnan(x->p) != isnan(y->p)) return isnan(x->p) ? 1 : -1;
	if (x->p < y->p || x->p > y->p) return x->p < y->p ? -1 : 1;
	return (x->feature > y->feature) - (x->feature < y->feature);
}

/* How many of the features, sorted, are chosen. */
static size_t count_top(double threshold, const struct ranked *sorted, size_t n)
{
	(void)sorted;
	return threshold < (double)n ? (size_t)threshold : n;
}

static size_t count_percentile(double threshold, const struct ranked *sorted, size_t n)
{
	return count_top((double)n * threshold, sorted, n);
}

/* Benjamini and Hochberg. */
static size_t count_fdr(double threshold, const struct ranked *sorted, size_t n)
{
	double step = threshold / (double)n;
	size_t count = n;
	while (count > 0 && !(sorted[count - 1].p <= step * (double)count)) count--;
	return count;
}

static size_t count_below(double threshold, const struct ranked *sorted, size_t n)
{
	size_t count = 0;
	while (count < n && sorted[count].p < threshold) count++;
	return count;
}

static size_t count_fwe(double threshold, const struct ranked *sorted, size_t n)
{
	return count_below(threshold / (double)n, sorted, n);
}

const char *const univariate_modes[] = {"numTopFeatures", "percentile", "fpr", "fdr", "fwe", NULL};
static const struct mode {
	size_t (*count)(double threshold, const struct ranked *sorted, size_t n);
	bool by_index;
} modes[] = {{count_top, false}, {count_percentile, false}, {count_below, true}, {count_fdr, false}, {count_fwe, true}};

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

size_t univariate_choose(struct str mode, double threshold, const double *p, size_t n, uint32_t *chosen)
{
	size_t m = 0;
	while (!str_is(mode, univariate_modes[m])) m++;
	struct ranked *sorted = mem_zalloc(MAX(n, (size_t)1), sizeof *sorted);
	for (size_t j = 0; j < n; j++) sorted[j] = (struct ranked){p[j], (uint32_t)j};
	qsort(sorted, n, sizeof *sorted, by_p);
	size_t count = modes[m].count(threshold, sorted, n);
	for (size_t k = 0; k < count; k++) chosen[k] = sorted[k].feature;
	if (modes[m].by_index) qsort(chosen, count, sizeof *chosen, ascending);
	mem_free(sorted);
	return count;
}

/* --- Parts of the stages ------------------------------------------------------------------------------------- */

static const struct univariate_state *state_of(const struct stage *s)
{
	return s->state;
}

bool univariate_columns(struct stage *s, struct schema *schema, enum attr_type unnamed, struct err *e)
{
	const struct univariate_params *p = s->params;
	bool ok = selection_columns(s, schema, &state_of(s)->selection, unnamed, e);
	int label = stage_input_fit_only(s, schema, "labelCol", p->label, COL_NUMERIC, e);
	return ok && (label >= 0 || s->fitted);
}

bool univariate_fit(struct stage *s, struct fit *f, feature_test *test, struct str mode, double threshold, bool sorted,
		    struct err *e)
{
	struct univariate_state *st = s->state;
	if (!test(s, f, &st->tests, e)) return false;
	size_t size = st->tests.size;
	uint32_t *chosen = mem_zalloc(MAX(size, (size_t)1), sizeof *chosen);
	size_t count = univariate_choose(mode, threshold, st->tests.p, size, chosen);
	if (sorted) qsort(chosen, count, sizeof *chosen, ascending);
	bool made = selection_make(s, &st->selection, size, chosen, count);
	CHECK(made);
	mem_free(chosen);
	return true;
}

bool univariate_apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	(void)sc;
	return selection_apply(s, b, &state_of(s)->selection, e);
}

void univariate_encode(const struct stage *s, struct buf *out)
{
	selection_encode(&state_of(s)->selection, out);
	feature_tests_encode(&state_of(s)->tests, out);
}

bool univariate_decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct univariate_state *st = s->state;
	if (!selection_decode(s, &st->selection, in, e) || !feature_tests_decode(s, &st->tests, in, e)) return false;
	return st->tests.size == st->selection.size || err_set(e, ERR_bad_model, "its tests are of other features");
}

void univariate_write(const struct stage *s, struct json_writer *w)
{
	selection_state(&state_of(s)->selection, w);
	feature_tests_state(&state_of(s)->tests, w);
}
