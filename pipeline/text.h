/* Text as Java sees it: String.toLowerCase, UTF-16 lengths. The only door to utf8proc. Thread-safe; no locale state. */
#ifndef QUERN_PIPELINE_TEXT_H
#define QUERN_PIPELINE_TEXT_H

#include "base/buf.h"
#include "base/str.h"

enum text_locale { TEXT_ROOT, TEXT_TURKIC };

/* The locale that Java's `new Locale(string)` gives for lower-casing: "tr" and "az" are Turkic; "tr_TR" is one unknown word and
 * so is not. *known: is it a locale that the JDK lists? */
enum text_locale text_locale_find(struct str name, bool *known);
/* Appends the lower-cased text (valid UTF-8) to out. */
void text_lower(struct str s, enum text_locale locale, struct buf *out);
static inline unsigned char text_lower_ascii(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
bool text_is_ascii(struct str s);
/* Length in UTF-16 units, as Java's String.length(). */
size_t text_utf16_length(struct str s);

#endif
