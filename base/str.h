/* Strings with a length (they may hold NUL), UTF-8 checks, numbers to text and back. */
#ifndef QUERN_BASE_STR_H
#define QUERN_BASE_STR_H

#include "base/mem.h"

#include <string.h>

struct str {
	const char *data; /* borrowed; NULL with len 0 is the empty string too */
	size_t len;
};
struct str_list {
	struct str *items;
	size_t count;
};
struct f64_list {
	double *items;
	size_t count;
};
struct i64_list {
	int64_t *items;
	size_t count;
};
/* Rows of doubles, row after row; ragged where row_off differs. */
struct f64_table {
	struct f64_list *rows;
	size_t count;
};

#define STR(s) ((struct str){(s), strlen(s)})
static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
static inline bool str_is(struct str a, const char *b) { return str_eq(a, STR(b)); }
/* Byte order, as UTF-8 sorts by code point; a prefix sorts first. */
int str_cmp(struct str a, struct str b);
bool str_utf8_valid(const char *s, size_t len);
/* Bytes of the longest well-formed beginning. */
size_t str_utf8_prefix(const char *s, size_t len);
/* Edits that make a from b (a byte added, dropped or changed, neighbours swapped; the case of ASCII letters is free),
 * for "did you mean". SIZE_MAX where one is over STR_DISTANCE_MAX bytes. */
enum { STR_DISTANCE_MAX = 96 };
size_t str_distance(struct str a, struct str b);
/* Strict: the whole text, no blanks around it, no hex; "NaN" and "Infinity" are refused. Beyond the range of double:
 * infinity. */
bool str_to_double(struct str s, double *out);
bool str_to_i64(struct str s, int64_t *out);

enum { STR_NUMBER_MAX = 32 };
/* The fewest digits that read back the same double. Finite values only. Writes no NUL; returns the length.
 * json: 0.96, 1e-7, 100000, 1e300. java: Java's Double.toString (1.0, 1.0E7, NaN, Infinity).
 * Source: Raffaello Giulietti, "The Schubfach way to render doubles" (2020). */
size_t str_from_double(double v, char out[STR_NUMBER_MAX]);
size_t str_from_double_java(double v, char out[STR_NUMBER_MAX]);
size_t str_from_i64(int64_t v, char out[STR_NUMBER_MAX]);

/* "4GiB", "512MiB", "1000", "64KB"; the unit is optional. */
bool str_to_bytes(struct str s, uint64_t *out);

#endif
