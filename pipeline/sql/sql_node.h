/* The tree that the parser makes and the binder completes. Inside pipeline/sql/ only. */
#ifndef QUERN_PIPELINE_SQL_NODE_H
#define QUERN_PIPELINE_SQL_NODE_H

#include "pipeline/sql/sql.h"

enum sql_kind { SQL_LITERAL, SQL_COLUMN, SQL_CAST, SQL_CALL };

struct sql_function;
typedef bool (*sql_eval_fn)(const struct sql_node *n, struct sql_run *r, struct sql_value *out);
/* Of a strict function: its arguments are there and none is null. */
typedef bool (*sql_call_fn)(const struct sql_node *n, struct sql_run *r, const struct sql_value *a,
			    struct sql_value *out);

struct sql_node {
	enum sql_kind kind;
	size_t at;       /* byte of the statement */
	struct str text; /* column: its name; literal: as Spark writes it */
	struct str qualifier;
	const struct sql_function *fn; /* SQL_CALL: operators are functions too */
	struct sql_node **args;
	size_t count;
	struct sql_type type;
	struct sql_value value; /* SQL_LITERAL */
	bool tolerant;          /* TRY_…: a failure of this very call is null */
	unsigned depth;
	/* Bound. */
	bool bound;
	sql_eval_fn eval;
	sql_call_fn call; /* where eval is the strict one */
	int slot;         /* SQL_COLUMN; SCHEMA_COLUMN_NONE: an earlier item */
	size_t item;
	size_t regex; /* of the select's regexes, and the run's matches */
	const struct regex *compiled;
};

struct sql_binder {
	struct sql_select *select;
	const struct schema *schema;
	size_t items_bound; /* whose aliases can be named */
	size_t slot_cap, regex_cap;
	struct sql_error *e;
};

/* A node of the tree, in the arena. Limits are the parser's business. */
struct sql_node *sql_node_make(struct arena *a, enum sql_kind kind, size_t at, struct sql_node *const *args,
			       size_t count);
bool sql_fail(struct sql_error *e, size_t at, const char *fmt, ...) QN_PRINTF(3, 4);
/* The run's failure, for evaluation. */
bool sql_bad(struct sql_run *r, const char *fmt, ...) QN_PRINTF(2, 3);
/* Room for text that an expression of this row makes; NULL (and r->why) beyond SQL_ROW_TEXT_MAX. */
char *sql_room(struct sql_run *r, size_t len);

/* Binding, for functions' own rules. */
/* Wraps argument k in a cast to a type, where it is another; false: nobody may do that unasked. */
QN_MUST bool sql_coerce(struct sql_binder *b, struct sql_node *n, size_t k, struct sql_type to);
/* The same of what only a written CAST may do. */
QN_MUST bool sql_convert(struct sql_binder *b, struct sql_node *n, size_t k, struct sql_type to);
/* The common type of the arguments that `takes` (NULL: all), and those coerced to it. */
QN_MUST bool sql_coerce_common(struct sql_binder *b, struct sql_node *n,
			       bool (*takes)(const struct sql_node *n, size_t k), struct sql_type *out);

/* Evaluators of the binder. */
bool sql_eval_literal(const struct sql_node *n, struct sql_run *r, struct sql_value *out);
bool sql_eval_column(const struct sql_node *n, struct sql_run *r, struct sql_value *out);
bool sql_eval_item_value(const struct sql_node *n, struct sql_run *r, struct sql_value *out);
bool sql_eval_cast(const struct sql_node *n, struct sql_run *r, struct sql_value *out);
bool sql_eval_strict(const struct sql_node *n, struct sql_run *r, struct sql_value *out);

/* The name of a result column without an alias, as Spark writes the expression. Before binding. */
struct str sql_name(struct arena *a, const struct sql_node *n);

#endif
