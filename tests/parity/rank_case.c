/* Class R: from 500 rows on Spark's quantile summary is off by a rank or so; ours are exact, as sorting here finds
 * them. */
#include "data/vec.h"
#include "tests/parity/parity.h"

#include <math.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct sorted {
	double *values;
	size_t count;
};

/* The numbers of the first column, of entry k where it holds vectors. */
static struct sorted sort_column(const struct fixture_table *t, uint32_t k)
{
	const struct column *c = &t->rows.columns[0];
	struct sorted s = {mem_alloc((t->rows.rows + 1) * sizeof *s.values), 0};
	for (size_t i = 0; i < t->rows.rows; i++) {
		if (!column_valid(c, i)) continue;
		double v = c->type == COL_VECTOR ? vec_at(column_vec_at(c, i), k) : column_number_at(c, i);
		if (!isnan(v)) s.values[s.count++] = v;
	}
	qsort(s.values, s.count, sizeof *s.values, compare_doubles);
	return s;
}

static double param(const struct json *c, const char *name, double fallback)
{
	const struct json *v = json_get(json_get(c, "params"), name);
	return v ? v->number : fallback;
}

static double quantile(const struct json *c, struct sorted s, double q)
{
	double error = param(c, "relativeError", 0.001), n = (double)s.count;
	double rank = q <= error ? 1 : q >= 1 - error ? n : fmax(ceil(q * n), 1);
	return s.values[(size_t)rank - 1];
}

static enum outcome same(struct run *r, const char *what, const struct json *mine, double exact)
{
	double x = mine ? fixture_number(mine) : NAN;
	return x == exact ? PASSED : failed(r, "%s %.17g, sorting gives %.17g", what, x, exact);
}

static enum outcome imputer(struct run *r, const struct json *c, const struct fixture_table *t,
			    const struct json *state)
{
	struct sorted s = sort_column(t, 0);
	enum outcome o = same(r, "median", json_at(json_at(json_get(state, "surrogates"), 0), 1), quantile(c, s, 0.5));
	mem_free(s.values);
	return o;
}

static enum outcome robust_scaler(struct run *r, const struct json *c, const struct fixture_table *t,
				  const struct json *state)
{
	const struct json *median = json_get(state, "median"), *range = json_get(state, "range");
	double lower = param(c, "lower", 0.25), upper = param(c, "upper", 0.75);
	enum outcome o = PASSED;
	for (uint32_t k = 0; k < median->count && o == PASSED; k++) {
		struct sorted s = sort_column(t, k);
		o = same(r, "median", json_at(median, k), quantile(c, s, 0.5));
		if (o == PASSED) o = same(r, "range", json_at(range, k), quantile(c, s, upper) - quantile(c, s, lower));
		mem_free(s.values);
	}
	return o;
}

static enum outcome quantile_discretizer(struct run *r, const struct json *c, const struct fixture_table *t,
					 const struct json *state)
{
	const struct json *splits = json_get(state, "splits");
	double buckets = param(c, "numBuckets", 2), last = -INFINITY;
	struct sorted s = sort_column(t, 0);
	size_t k = 1;
	enum outcome o = same(r, "split", json_at(splits, 0), -INFINITY);
	for (double i = 1; i < buckets && o == PASSED; i++) {
		double exact = quantile(c, s, i / buckets);
		if (exact > last) o = same(r, "split", json_at(splits, k++), exact);
		last = exact;
	}
	mem_free(s.values);
	return o == PASSED ? same(r, "split", json_at(splits, k), INFINITY) : o;
}

static const struct {
	const char *stage;
	enum outcome (*check)(struct run *r, const struct json *c, const struct fixture_table *t,
			      const struct json *state);
} checks[] = {
	{"Imputer", imputer},
	{"RobustScaler", robust_scaler},
	{"QuantileDiscretizer", quantile_discretizer},
};

bool rank_case_is(const struct run *r, const struct json *fixture_case)
{
	for (size_t i = 0; i < ARRAY_COUNT(checks); i++)
		if (str_is(r->stage, checks[i].stage)) return str_is(json_get(fixture_case, "class")->string, "R");
	return false;
}

enum outcome rank_case(struct run *r, const struct json *fixture_case, const struct fixture_table *t,
		       const struct json *state)
{
	size_t i = 0;
	while (!str_is(r->stage, checks[i].stage)) i++;
	return checks[i].check(r, fixture_case, t, state);
}
