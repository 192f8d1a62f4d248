/* Order and equality of values, shared by operators and conditionals. */
#ifndef QUERN_PIPELINE_SQL_COMPARE_H
#define QUERN_PIPELINE_SQL_COMPARE_H

#include "pipeline/sql/sql_node.h"

/* Two values of one type, neither null. NaN equals itself and is above every number; -0.0 equals 0.0; text by bytes. */
int sql_compare(struct sql_type t, const struct sql_value *a, const struct sql_value *b);
/* Brings all arguments to one type that has an order; the result is a BOOLEAN. */
QN_MUST bool sql_bind_compared(struct sql_binder *b, struct sql_node *n);

#endif
