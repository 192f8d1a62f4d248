/* Text as Java sees it: String.toLowerCase, UTF-16 lengths, names of locales, toString. The only door to utf8proc. Thread-safe.
 */
#ifndef QUERN_PIPELINE_TEXT_H
#define QUERN_PIPELINE_TEXT_H

#include "base/buf.h"
#include "base/str.h"
#include "data/column.h"

enum text_locale { TEXT_ROOT, TEXT_TURKIC, TEXT_LITHUANIAN };

/* Does the JDK list a locale of this name ("en_US", "tr")? */
bool text_locale_known(struct str name);
/* How Java's `new Locale(name)` lower-cases: it takes the whole name for a language, so "tr" and "az" are Turkic and
 * "tr_TR" is not. */
enum text_locale text_locale_find(struct str name);

/* Appends the lower-cased text (valid UTF-8) to out. */
void text_lower(struct str s, enum text_locale locale, struct buf *out);
/* Appends the text in capitals, Java's toUpperCase(Locale.ROOT): ß is SS. */
void text_upper(struct str s, struct buf *out);
/* The same with only the first letter of each word (what a blank ends) as a capital; the rest stays as it is. */
void text_capitalize(struct str s, struct buf *out);
/* The first code point; 0 of an empty text. */
int32_t text_first_code(struct str s);
static inline unsigned char text_lower_ascii(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
bool text_is_ascii(struct str s);
bool text_is_lower_ascii(struct str s); /* and no letter of it is a capital one */
/* Lower-cased to `to` where all of it is ASCII; else false, and `to` is of no use. */
QN_MUST bool text_copy_lower_ascii(struct str s, unsigned char *to);
/* Length in UTF-16 units, as Java's String.length(). */
size_t text_utf16_length(struct str s);
/* A cell's toString: numbers in Java's notation, true, false. It lies in the column or in `number`. False: the cell is
 * null. */
bool text_of_cell(const struct column *c, size_t i, char number[STR_NUMBER_MAX], struct str *out);

#endif
