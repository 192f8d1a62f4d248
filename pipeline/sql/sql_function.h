/* Functions and operators as rows of tables. A row says how many arguments, of which types, and what computes it; a
 * rule of its own binds what a signature cannot say (arithmetic, comparisons, CASE, ROUND …). */
#ifndef QUERN_PIPELINE_SQL_FUNCTION_H
#define QUERN_PIPELINE_SQL_FUNCTION_H

#include "pipeline/sql/sql_node.h"

enum { SQL_ANY_NUMBER = 255, SQL_STRICT_ARGS_MAX = 4 };

struct sql_function {
	const char *name; /* lower case; of operators their sign */
	/* One letter an argument, ':' and the result: s string, t string and nothing else that could be cast, d double,
	 * i int, l bigint, b boolean. Optional arguments behind '?'; the last one again and again where '*' follows it.
	 * NULL: see bind. */
	const char *signature;
	sql_call_fn call; /* strict: null where an argument is null */
	sql_eval_fn eval; /* else it evaluates its arguments itself */
	bool (*bind)(struct sql_binder *b,
		     struct sql_node *n); /* sets n->type, and n->call or n->eval where the row has none */
	unsigned char min, max;           /* arguments, where there is no signature */
	bool tolerant;
	const char *form; /* how Spark writes it where not name(a, b): "(% + %)" (see sql_literal.c) */
	const char *lacking; /* the last argument as Spark writes it where it is left out */
};
/* Two rows may share a name: the one that takes as many arguments as there are is meant. */

/* Ended by a row without name. */
extern const struct sql_function sql_operators[], sql_conditionals[], sql_math_functions[], sql_string_functions[],
	sql_pattern_functions[], sql_codec_functions[], sql_similarity_functions[];

/* By name, any case; where no row takes so many arguments the first of the name. NULL: there is none. */
const struct sql_function *sql_function_find(struct str name, size_t count);
/* What the parser builds: must exist. */
const struct sql_function *sql_operator(const char *name, size_t count);
/* How many arguments a row takes; SQL_NODES_MAX: any number. */
void sql_function_counts(const struct sql_function *fn, size_t *min, size_t *max);
/* Is this a function of groups of rows (COUNT, SUM, windows), of several rows (EXPLODE)? */
bool sql_function_of_many(struct str name);

#endif
