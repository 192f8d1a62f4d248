/* Literals, and names of expressions, as Spark reads and writes them. Inside pipeline/sql/ only. */
#ifndef QUERN_PIPELINE_SQL_LITERAL_H
#define QUERN_PIPELINE_SQL_LITERAL_H

#include "pipeline/sql/sql_node.h"

/* Fills a literal's type, value and text from a number as written: 1, 2L, 1.5 (a decimal), 1.5D, 1e3 (a double), 1BD.
 */
QN_MUST bool sql_literal_number(struct arena *a, struct str written, bool negative, struct sql_node *n,
				struct sql_error *e);
void sql_literal_text(struct str text, struct sql_node *n);
void sql_literal_bool(bool v, struct sql_node *n);
void sql_literal_null(struct sql_node *n);

#endif
