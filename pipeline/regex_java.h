/* Java's dialect of regular expressions (java.util.regex of JDK 17) in PCRE2's words. A part of pipeline/regex.
 *
 * Java's flags are resolved here, character by character, so PCRE2 gets a pattern without any: (?i) covers ASCII
 * letters only unless u is given too; "." and $ know Java's line ends; blanks and comments of (?x) are dropped. Classes
 * are read as the set algebra they are ([a-z&&[^aeiou]]) and come out as one bracket where one says it, else with
 * look-aheads. \w \d \s \b and the POSIX names are ASCII, as in Java. Refused with a sentence: what Java refuses, and
 * \N{…}, \b{g}, \p{java…}, blocks (\p{In…}), look-behinds of varying length.
 */
#ifndef QUERN_PIPELINE_REGEX_JAVA_H
#define QUERN_PIPELINE_REGEX_JAVA_H

#include "base/buf.h"
#include "base/str.h"

/* A set of characters as far as single bytes of UTF-8 decide it: the ASCII members, and whether all others are in it or
 * none. known false: they do not decide. */
struct regex_set {
	uint64_t ascii[2];
	bool wide, known;
};

struct regex_translation {
	struct buf pcre;
	bool is_class, plus;  /* the whole pattern is one character class, perhaps followed by + */
	struct regex_set set; /* where is_class */
};

enum { REGEX_WHY_SIZE = 256 };

/* The pattern must be valid UTF-8. out->pcre is the caller's to release in any case; why: a sentence where it returns
 * false. */
QN_MUST bool regex_java_translate(struct str java, struct regex_translation *out, char why[REGEX_WHY_SIZE]);

#endif
