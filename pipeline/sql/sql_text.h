/* Text by code points, and the text that functions make. Inside pipeline/sql/ only. */
#ifndef QUERN_PIPELINE_SQL_TEXT_H
#define QUERN_PIPELINE_SQL_TEXT_H

#include "pipeline/sql/sql.h"

/* Does a code point begin here? */
static inline bool sql_is_start(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}
/* Code points. */
int64_t sql_length(struct str s);
/* The byte where code point k begins; s.len behind the last. */
size_t sql_byte_of(struct str s, int64_t k);
/* Code points [from, to); either may lie outside. */
struct str sql_slice(struct str s, int64_t from, int64_t to);
/* SQL's SUBSTRING: from 1; below 0 from the end; 0 is 1. */
struct str sql_substring(struct str s, int64_t at, int64_t length);
/* The first place of part at or behind `from`; s.len + 1: nowhere. */
size_t sql_find(struct str s, struct str part, size_t from);
/* The last place of part that ends at or before `end`; s.len + 1: nowhere. */
size_t sql_find_last(struct str s, struct str part, size_t end);

/* The parts side by side in the run's room; false (and r->why) beyond SQL_ROW_TEXT_MAX. */
QN_MUST bool sql_put(struct sql_run *r, struct sql_value *out, const struct str *parts, size_t count);
/* The same of what stands in r->work. */
QN_MUST bool sql_worked(struct sql_run *r, struct sql_value *out);

#endif
