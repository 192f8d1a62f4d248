/* Typed field tables: one row says a parameter's name, type, default, bounds and help; from it follow parsing with
 * pointers, the catalogue (GET /stages), the docs and the settings.
 *
 * The struct that receives the values is plain C; the row's offset says where. Strings and lists live in the arena
 * passed to fields_parse. Which fields were given (not defaulted) comes back as a bit set, as Spark's isSet.
 */
#ifndef QUERN_BASE_FIELD_H
#define QUERN_BASE_FIELD_H

#include "base/json.h"

enum field_type {
	FIELD_BOOL,    /* bool */
	FIELD_INT,     /* int64_t within int32 bounds unless min/max say otherwise */
	FIELD_LONG,    /* int64_t */
	FIELD_DOUBLE,  /* double; the strings "NaN", "Infinity", "-Infinity" are accepted */
	FIELD_STRING,  /* struct str */
	FIELD_ENUM,    /* struct str, one of choices */
	FIELD_STRINGS, /* struct str_list */
	FIELD_DOUBLES, /* struct f64_list */
	FIELD_VECTOR,  /* struct f64_list; rows' forms are accepted: […], {"size","indices","values"}, Spark's with "type" */
	FIELD_INTS,    /* struct i64_list */
	FIELD_TABLE,   /* struct f64_table (array of arrays; Spark's matrices and splitsArray) */
	FIELD_JSON,    /* const struct json *, checked by its owner */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	const char *fallback;       /* JSON text of the default; NULL: unset (zero bytes) */
	const char *help;
	const char *const *choices; /* FIELD_ENUM: NULL-terminated */
	double min, max;            /* numbers and list elements; both 0: unbounded */
	bool min_open, max_open;    /* bound itself excluded */
	bool required;
	unsigned count_min;         /* lists: least elements */
};

#define FIELD_END {.name = NULL}
enum { FIELDS_MAX = 64 };

typedef uint64_t field_set; /* bit i: row i was given */

/* Reads obj into *out. Every fault found is added to e with pointer base + "/" + name; unknown keys are faults unless
 * listed in `ignore` (NULL-terminated, may be NULL). Defaults fill what was not given. Returns false if any fault was
 * added. A JSON null counts as not given. */
bool fields_parse(const struct field *table, const struct json *obj, const char *base, const char *const *ignore,
		  struct arena *a, void *out, field_set *given, struct err *e);
bool field_given(const struct field *table, field_set given, const char *name);
/* The values that were given, as members of the object being written. */
void fields_write(const struct field *table, const void *values, field_set given, struct json_writer *w);
/* Appends what a value must be beside its type ("in [1, 10]", "at least 2 elements", "one of a, b"); nothing where
 * anything goes. */
void field_bounds(const struct field *f, struct buf *out);
/* [{"name","type","default","bounds","required","help"}]; bounds are the choices, a text or null. */
void fields_describe(const struct field *table, struct json_writer *w);
const char *field_type_name(enum field_type type);

#endif
