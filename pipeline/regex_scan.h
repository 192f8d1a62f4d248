/* What the files of the translation share: the pattern as it is read, Java's flags, pieces of the result. Private to
 * regex_java.c (the pattern), regex_class.c (classes) and regex_escape.c (escapes, properties). */
#ifndef QUERN_PIPELINE_REGEX_SCAN_H
#define QUERN_PIPELINE_REGEX_SCAN_H

#include "pipeline/regex_java.h"

enum regex_flag {
	FLAG_I = 1,  /* case-insensitive */
	FLAG_U = 2,  /* … for all of Unicode */
	FLAG_D = 4,  /* only \n ends a line */
	FLAG_S = 8,  /* . matches line ends */
	FLAG_M = 16, /* ^ and $ match at them */
	FLAG_X = 32, /* blanks and comments mean nothing */
	FLAG_W = 64, /* (?U): \w and its like are Unicode's */
};

enum { SCAN_END = -1, CODE_POINT_MAX = 0x10ffff, PATTERN_BYTES_MAX = 1 << 20 };

struct regex_scan {
	const char *p, *end;
	unsigned flags;
	char *why;
};

bool scan_refuse(struct regex_scan *s, const char *fmt, ...) QN_PRINTF(2, 3);
/* The code point ahead, or SCAN_END. */
int scan_peek(const struct regex_scan *s);
int scan_next(struct regex_scan *s);
/* Takes the text if it is ahead. */
bool scan_take(struct regex_scan *s, const char *text);
/* Under (?x) passes over blanks and comments. */
void scan_blanks(struct regex_scan *s);

/* Something that matches one character: the inside of a bracket, or a fragment that stands for itself. Flags are
 * in it. */
struct regex_piece {
	struct buf text;
	bool is_fragment;
	struct regex_set set;
};

struct regex_range {
	int from, to;
};

void piece_init(struct regex_piece *p);
void piece_release(struct regex_piece *p);
/* Adds a range of characters, and what (?i) adds to it. */
void piece_range(struct regex_piece *p, int from, int to, unsigned flags);
/* Adds sorted ranges, or all characters that are not in them. */
void piece_ranges(struct regex_piece *p, const struct regex_range *ranges, size_t count, bool negated);
/* Adds PCRE2's text for the inside of a bracket whose members are not known here. */
void piece_unknown(struct regex_piece *p, const char *pcre);
void piece_negate(struct regex_piece *p);
/* a ∪ b; b is released. */
void piece_unite(struct regex_piece *a, struct regex_piece *b);
/* Writes it so that it stands for itself. */
void piece_write(const struct regex_piece *p, struct buf *out);

/* Behind "[": up to and with "]". */
QN_MUST bool scan_class(struct regex_scan *s, struct regex_piece *out);
/* Behind "\": a character's escape gives *c; one that stands for a class adds it to *out, *c is SCAN_END then. */
QN_MUST bool scan_escape(struct regex_scan *s, struct regex_piece *out, int *c);
/* The same for \d and the like, where `letter` is one: adds the class; false: it is none. */
bool scan_class_escape(struct regex_scan *s, int letter, struct regex_piece *out);

#endif
