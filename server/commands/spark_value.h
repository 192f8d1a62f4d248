/* A parameter's value as Spark's Param.jsonEncode writes it, in the form that a field of ours takes. */
#ifndef QUERN_SERVER_COMMANDS_SPARK_VALUE_H
#define QUERN_SERVER_COMMANDS_SPARK_VALUE_H

#include "base/field.h"

enum {
	SPARK_CELLS_MAX = 1 << 20, /* of a vector or matrix, the zeros of a sparse one among them */
	SPARK_NESTING_MAX = 8,     /* levels below a value */
};

/* Appends JSON text to out. Vectors (JsonVectorConverter) become arrays and matrices (JsonMatrixConverter) arrays of
 * rows, zeros spelled out; the numbers "Inf" and "-Inf" become "Infinity" and "-Infinity"; a choice gets the case that
 * the field has, since Spark takes some in any case. All else stays as it is. ERR_invalid where a vector or matrix is
 * broken, or the value nested deeper than any parameter is; a value
 * of the wrong type is left to the field's own checks. */
QN_MUST bool spark_value(const struct field *f, const struct json *v, struct arena *a, struct buf *out, struct err *e);

#endif
