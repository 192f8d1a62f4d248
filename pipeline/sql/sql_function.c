#include "pipeline/sql/sql_function.h"

#include <strings.h>

static const struct sql_function *const tables[] = {sql_operators, sql_conditionals, sql_math_functions,
						    sql_string_functions, sql_pattern_functions, sql_codec_functions,
						    sql_similarity_functions};

void sql_function_counts(const struct sql_function *fn, size_t *min, size_t *max)
{
	const char *s = fn->signature;
	*min = fn->min;
	*max = fn->max == SQL_ANY_NUMBER ? SQL_NODES_MAX : fn->max;
	if (!s) return;
	const char *colon = strchr(s, ':'), *optional = strchr(s, '?');
	bool repeats = colon > s && colon[-1] == '*';
	size_t letters = (size_t)(colon - s) - (optional != NULL) - repeats;
	*min = optional ? (size_t)(optional - s) : letters - repeats;
	*max = repeats ? SQL_NODES_MAX : letters;
}

static bool takes(const struct sql_function *fn, size_t count)
{
	size_t min, max;
	sql_function_counts(fn, &min, &max);
	return count >= min && count <= max;
}

static const struct sql_function *find(struct str name, size_t count)
{
	const struct sql_function *first = NULL;
	for (size_t t = 0; t < ARRAY_COUNT(tables); t++)
		for (const struct sql_function *f = tables[t]; f->name; f++) {
			if (strlen(f->name) != name.len || strncasecmp(f->name, name.data, name.len) != 0) continue;
			if (takes(f, count)) return f;
			if (!first) first = f;
		}
	return first;
}

/* Operators and forms have names that no word can spell, but for these four. */
const struct sql_function *sql_function_find(struct str name, size_t count)
{
	const struct sql_function *f = find(name, count);
	bool is_syntax = f && (strcmp(f->name, "in") == 0 || strcmp(f->name, "and") == 0 ||
			       strcmp(f->name, "or") == 0 || strcmp(f->name, "case") == 0);
	return is_syntax ? NULL : f;
}

const struct sql_function *sql_operator(const char *name, size_t count)
{
	const struct sql_function *f = find(STR(name), count);
	CHECK(f);
	return f;
}

bool sql_function_of_many(struct str name)
{
	static const char *const names[] = {
	    "count",
	    "count_if",
	    "sum",
	    "avg",
	    "mean",
	    "min",
	    "max",
	    "first",
	    "first_value",
	    "last",
	    "last_value",
	    "any_value",
	    "stddev",
	    "std",
	    "stddev_pop",
	    "stddev_samp",
	    "variance",
	    "var_pop",
	    "var_samp",
	    "corr",
	    "covar_pop",
	    "covar_samp",
	    "skewness",
	    "kurtosis",
	    "median",
	    "mode",
	    "percentile",
	    "percentile_approx",
	    "approx_percentile",
	    "approx_count_distinct",
	    "collect_list",
	    "collect_set",
	    "array_agg",
	    "bool_and",
	    "bool_or",
	    "every",
	    "some",
	    "any",
	    "max_by",
	    "min_by",
	    "try_sum",
	    "try_avg",
	    "row_number",
	    "rank",
	    "dense_rank",
	    "percent_rank",
	    "cume_dist",
	    "ntile",
	    "lag",
	    "lead",
	    "nth_value",
	    "explode",
	    "explode_outer",
	    "posexplode",
	    "inline",
	    "stack",
	    "grouping",
	    "grouping_id",
	    "listagg",
	    "string_agg",
	};
	for (size_t k = 0; k < ARRAY_COUNT(names); k++)
		if (strlen(names[k]) == name.len && strncasecmp(names[k], name.data, name.len) == 0) return true;
	return false;
}
