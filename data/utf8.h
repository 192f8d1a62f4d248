/* Text that may not be UTF-8: each ill-formed stretch becomes one U+FFFD, as Java's decoder and so Spark has it ("maximal
 * subparts", Unicode 15 §3.9). */
#ifndef QUERN_DATA_UTF8_H
#define QUERN_DATA_UTF8_H

#include "data/column.h"

/* Appends a string cell. */
void utf8_column_str(struct column *c, const char *s, size_t len);
/* s itself where it is well-formed, else a mended copy in the arena. */
struct str utf8_mend(struct arena *a, struct str s);

#endif
