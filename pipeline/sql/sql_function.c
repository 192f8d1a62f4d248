#include "pipeline/sql/sql_function.h"

#include <strings.h>

static const struct sql_function *const tables[] = {sql_operators, sql_conditionals, sql_math_functions,
						    sql_string_functions, sql_pattern_functions};

static const struct sql_function *find(struct str name)
{
	for (size_t t = 0; t < ARRAY_COUNT(tables); t++)
		for (const struct sql_function *f = tables[t]; f->name; f++)
			if (strlen(f->name) == name.len && strncasecmp(f->name, name.data, name.len) == 0) return f;
	return NULL;
}

/* Operators and forms have names that no word can spell, but for these three. */
const struct sql_function *sql_function_find(struct str name)
{
	const struct sql_function *f = find(name);
	bool is_syntax = f && (strcmp(f->name, "in") == 0 || strcmp(f->name, "and") == 0 ||
			       strcmp(f->name, "or") == 0 || strcmp(f->name, "case") == 0);
	return is_syntax ? NULL : f;
}

const struct sql_function *sql_operator(const char *name)
{
	const struct sql_function *f = find(STR(name));
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
