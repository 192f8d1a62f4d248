/* Expressions of Spark SQL over the columns of a row: what SQLTransformer runs.
 *
 *   text  →  sql_parse (lexer, parser: a tree)  →  sql_bind (columns, types, functions)  →  sql_eval, row by row.
 *
 * Rules are those of Spark 4.0 in ANSI mode: a bad cast, an overflow or a division by zero is an error of the row; AND,
 * OR and comparisons are three-valued; NaN equals NaN and is above every number; 1.5 is a decimal.
 *
 * A bound select is immutable and shared by threads; each brings a struct sql_run. Warm, evaluation allocates nothing.
 */
#ifndef QUERN_PIPELINE_SQL_H
#define QUERN_PIPELINE_SQL_H

#include "data/batch.h"
#include "pipeline/sql/sql_type.h"

enum {
	SQL_STATEMENT_MAX = 64 << 10, /* bytes */
	SQL_DEPTH_MAX = 256,   /* of nested expressions, and of the tree: a OR b OR c … is one level an operator */
	SQL_NODES_MAX = 16384, /* of all expressions of a statement */
	SQL_ITEMS_MAX = 1024,  /* expressions between SELECT and FROM */
	SQL_ROW_TEXT_MAX = 16 << 20, /* bytes of text that the expressions of one row make */
	SQL_EDIT_STEPS_MAX = 1 << 24, /* of one LEVENSHTEIN: the product of the texts' lengths */
	SQL_WHY_SIZE = 256,
};

/* Where in the statement, and what is wrong. */
struct sql_error {
	size_t at; /* byte */
	char text[SQL_WHY_SIZE];
};

struct sql_node;

struct sql_item {
	struct str name; /* alias, else the column's name, else the expression as Spark writes it */
	bool is_star;    /* * : every column of the input */
	bool is_kept;    /* bound: a column under its own name; there is nothing to do */
	struct sql_node *expr;
};

struct sql_select {
	struct arena *arena; /* of the tree; the caller's */
	struct str text;
	struct str table; /* alias of __THIS__, or empty */
	struct sql_item *items;
	size_t count;
	struct sql_node *where; /* NULL: none */
	/* Bound. */
	int *slots; /* columns that the expressions read, each once */
	size_t slot_count;
	struct regex **regexes; /* of REGEXP_REPLACE and its like */
	size_t regex_count;
};

/* text must outlive the select. Checks the form only: names and types come with sql_bind. */
QN_MUST bool sql_parse(struct str text, struct arena *a, struct sql_select *out, struct sql_error *e);
/* Once per parsed select. */
QN_MUST bool sql_bind(struct sql_select *s, const struct schema *schema, struct sql_error *e);
/* What the arena does not own. */
void sql_release(struct sql_select *s);

/* What an evaluation works with, one a thread. Zeroed at first. */
struct sql_run {
	const struct batch *b;
	size_t row;
	struct sql_value *items; /* of this row, computed so far */
	struct arena text;       /* what expressions of this row made */
	size_t text_used;
	struct buf work;
	struct regex_match **matches; /* [regex_count], made when first needed */
	size_t match_count;
	char why[SQL_WHY_SIZE]; /* of the last failure */
};
void sql_run_begin(struct sql_run *r, const struct sql_select *s, const struct batch *b);
void sql_run_row(struct sql_run *r, size_t row);
void sql_run_release(struct sql_run *r);

/* The value of an expression for the run's row. false: r->why says what is wrong with the row. */
QN_MUST bool sql_eval(const struct sql_node *n, struct sql_run *r, struct sql_value *out);
/* Item k, whose value later items may name by its alias. */
QN_MUST bool sql_eval_item(const struct sql_select *s, size_t k, struct sql_run *r);
struct sql_type sql_type_of(const struct sql_node *n);
/* The slot, where the expression is a column and nothing else; else SCHEMA_COLUMN_NONE. */
int sql_column_of(const struct sql_node *n);

#endif
