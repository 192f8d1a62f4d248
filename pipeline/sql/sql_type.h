/* SQL types and values, and which type two of them meet in (Spark's AnsiTypeCoercion, DecimalPrecision). */
#ifndef QUERN_PIPELINE_SQL_TYPE_H
#define QUERN_PIPELINE_SQL_TYPE_H

#include "data/schema.h"
#include "pipeline/sql/sql_decimal.h"

/* In order: of two numbers the later one is the wider. */
enum sql_base {
	SQL_NULL, /* of the literal NULL */
	SQL_BOOLEAN,
	SQL_TINYINT,
	SQL_SMALLINT,
	SQL_INT,
	SQL_BIGINT,
	SQL_DECIMAL,
	SQL_DOUBLE,
	SQL_STRING,
	SQL_OTHER, /* a vector or an array: passes through, is null or not */
	SQL_BASE_COUNT,
};

struct sql_type {
	enum sql_base base;
	int precision, scale; /* SQL_DECIMAL */
};

struct sql_value {
	bool null;
	union {
		bool b;
		int64_t i; /* the integers */
		double d;
		sql_int128 dec; /* unscaled */
		struct str s;   /* of the batch, the statement or the run: never owned */
	};
};

#define SQL_TYPE(base_) ((struct sql_type){.base = (base_)})
static inline bool sql_is_integer(struct sql_type t)
{
	return t.base >= SQL_TINYINT && t.base <= SQL_BIGINT;
}
static inline bool sql_is_number(struct sql_type t)
{
	return t.base >= SQL_TINYINT && t.base <= SQL_DOUBLE;
}
static inline bool sql_is_scalar(struct sql_type t)
{
	return t.base != SQL_OTHER;
}
bool sql_type_same(struct sql_type a, struct sql_type b);

enum { SQL_TYPE_TEXT = 32 };
/* "DECIMAL(10,2)" */
const char *sql_type_text(struct sql_type t, char out[SQL_TYPE_TEXT]);
/* A type by its name without arguments ("BIGINT", "long"); false: there is none. */
bool sql_type_named(struct str name, enum sql_base *out);
bool sql_integer_fits(enum sql_base base, int64_t v);

struct sql_type sql_type_of_column(const struct column_def *def);
/* A decimal of at most 38 digits; beyond them the scale gives way, down to 6 (Spark's adjustPrecisionScale). */
struct sql_type sql_decimal_type(int precision, int scale);
/* The decimal that holds every value of an integer type. */
struct sql_type sql_decimal_for(enum sql_base integer);
/* The type that both are cast to when they are compared or stand for one another; false: there is none. */
bool sql_type_common(struct sql_type a, struct sql_type b, struct sql_type *out);
/* May a value be cast where nobody wrote CAST? */
bool sql_type_implicit(struct sql_type from, struct sql_type to);

#endif
