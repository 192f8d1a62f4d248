/* Java's regular expressions over PCRE2. The only door to PCRE2; the dialect is pipeline/regex_java.h.
 *
 * A struct regex is immutable and shared by threads; each thread brings its own struct regex_match. Matching is bounded
 * (REGEX_MATCH_MAX steps from a place of the text, REGEX_HEAP_MAX memory), so a hostile pattern is an error, not a
 * stall.
 */
#ifndef QUERN_PIPELINE_REGEX_H
#define QUERN_PIPELINE_REGEX_H

#include "base/err.h"
#include "base/str.h"

enum {
	REGEX_PATTERN_MAX = 4096,
	REGEX_MATCH_MAX = 1000000,
	REGEX_HEAP_MAX = 64 << 10, /* KiB */
};

struct regex;
struct regex_match;

/* *why: a sentence when it returns false. The pattern must be valid UTF-8. */
QN_MUST bool regex_compile(struct str java_pattern, struct regex **out, char why[256]);
void regex_free(struct regex *r);
struct regex_match *regex_match_create(const struct regex *r);
void regex_match_free(struct regex_match *m);

/* The next match at or after `from` in valid UTF-8: +1 and [*begin, *end), 0 none, -1 the limits were passed. */
int regex_find(const struct regex *r, struct regex_match *m, struct str s, size_t from, size_t *begin, size_t *end);

/* How many groups the pattern has; where group k (0: all) of the last match lies, false: it took no part. */
unsigned regex_groups(const struct regex *r);
bool regex_group(const struct regex_match *m, unsigned k, size_t *begin, size_t *end);

/* Where the pattern is one character class, perhaps with +, whose answer depends on single bytes only (every byte of a
 * non-ASCII character falls on the same side): 256 flags, 1 where the byte matches. NULL otherwise. */
const uint8_t *regex_byte_class(const struct regex *r, bool *plus);

#endif
