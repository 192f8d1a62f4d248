/* Column names, types and attributes (Spark's ML metadata) of a table of rows.
 *
 * A schema grows as stages add columns; a column's index never changes, so it is also the column's slot in every batch.
 * Everything in it is immutable once added and lives in the schema's arena. Readers on many threads are fine.
 */
#ifndef QUERN_DATA_SCHEMA_H
#define QUERN_DATA_SCHEMA_H

#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum col_type {
	COL_DOUBLE,
	COL_INT64,
	COL_BOOLEAN,
	COL_STRING,
	COL_STRINGS, /* array<string> */
	COL_DOUBLES, /* array<double> */
	COL_VECTOR,
	COL_VECTORS, /* array<vector>: dense ones of one length within a row, as LSH's hashes are */
	COL_TYPE_COUNT,
};
/* Sets of types, for checks. */
#define COL_BIT(type) (1u << (type))
#define COL_NUMERIC (COL_BIT(COL_DOUBLE) | COL_BIT(COL_INT64))
#define COL_ANY (COL_BIT(COL_TYPE_COUNT) - 1)
#define COL_ARRAYS (COL_BIT(COL_STRINGS) | COL_BIT(COL_DOUBLES) | COL_BIT(COL_VECTOR) | COL_BIT(COL_VECTORS))
#define COL_SCALAR (COL_NUMERIC | COL_BIT(COL_BOOLEAN) | COL_BIT(COL_STRING))

const char *col_type_name(enum col_type type); /* "array<string>" … as API.md spells them */
bool col_type_parse(struct str name, enum col_type *out);
/* "double or vector", for error texts; writes to buf. */
void col_types_text(unsigned set, char out[128]);

enum attr_type { ATTR_NUMERIC, ATTR_NOMINAL, ATTR_BINARY };

/* One attribute: of a scalar column, or of one element of a vector. */
struct attr {
	enum attr_type type;
	struct str name;        /* len 0: unnamed */
	struct str_list values; /* nominal, binary; count 0: unknown */
	uint64_t num_values;    /* nominal without values: how many; 0 unknown */
	bool ordinal, ordinal_given; /* Spark's `ord`: absent unless given or true */
	double min, max, std, sparsity; /* numeric; NaN: not given */
};

/* An attribute of which only the type and the name (may be empty) are known. */
struct attr attr_of(enum attr_type type, struct str name);

/* What is known of a column beyond its type. */
struct attrs {
	bool is_group;     /* vector: a group of attributes; scalar: list[0] */
	size_t size;       /* vector: length */
	struct attr *list; /* size entries (scalar: one), or NULL when only the length is known (Spark's num_attrs) */
};

struct column_def {
	struct str name;
	enum col_type type;
	bool is_int32;             /* COL_INT64 that Spark calls int */
	const struct attrs *attrs; /* NULL: nothing known */
	uint32_t earlier;          /* of schema_add_again: 1 + the column of this name before it; else 0 */
};

struct schema {
	struct arena arena;
	struct column_def *columns;
	size_t count, cap;
	struct map names; /* column name → index */
};

enum {
	SCHEMA_COLUMN_NONE = -1,
	SCHEMA_ATTRS_MAX = 1 << 21, /* attributes of one column that are held one by one */
};

#define SCHEMA_INIT ((struct schema){0})
void schema_release(struct schema *s);
/* A deep copy. */
void schema_copy(struct schema *to, const struct schema *from);
/* Index of the column, or SCHEMA_COLUMN_NONE. */
int schema_find(const struct schema *s, struct str name);
/* The same before any stage said more of it (schema_add_again): where a reader of rows puts its values. */
int schema_find_first(const struct schema *s, struct str name);
/* Adds a column (name and attrs are copied deeply) and returns its index; -1 when the name exists already. */
int schema_add(struct schema *s, const struct column_def *def);
/* Adds a column of the same values as the one of this name, of which more is known; from here on the name means this one. */
int schema_add_again(struct schema *s, const struct column_def *def);

/* [{"name","type","attributes"?}] both ways; attributes as the inside of Spark's ml_attr (or wrapped in it). Read, the types
 * may be Spark's names too: int, integer, long, bigint, float. parse adds to s and lists every fault. */
QN_MUST bool schema_parse(struct schema *s, const struct json *array, const char *pointer, struct err *e);
void schema_write(const struct schema *s, struct json_writer *w);
/* The same with Spark's int told from its long, for what is read back. */
void schema_store(const struct schema *s, struct json_writer *w);
QN_MUST bool attrs_parse(struct arena *a, const struct json *ml_attr, bool is_vector, const char *pointer,
			 struct attrs **out, struct err *e);
/* The inside of ml_attr: {"vals":[…],"type":"nominal","name":…} or {"attrs":{"numeric":[…],"nominal":[…]},"num_attrs":n}. */
void attrs_write(const struct attrs *attrs, struct json_writer *w);

#endif
