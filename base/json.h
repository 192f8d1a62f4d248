/* The strict JSON door (RFC 8259): everything JSON that comes in or goes out passes here.
 *
 * Refused: invalid UTF-8, duplicate keys, lone surrogates in \u escapes, NaN/Infinity literals, trailing bytes, depth
 * over the limit. \u0000 is kept (strings carry a length). Integers that fit int64 are kept exactly.
 *
 * Two readers share one grammar: json_parse builds a tree in an arena, for documents; json_scan pulls tokens without
 * allocating, for rows on the hot path. Why no cJSON: ARCHITECTURE.md.
 */
#ifndef QUERN_BASE_JSON_H
#define QUERN_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	bool is_int;        /* JSON_NUMBER written without fraction or exponent and within int64 */
	int64_t integer;    /* where is_int */
	double number;      /* JSON_NUMBER */
	struct str string;  /* JSON_STRING, decoded; JSON_NUMBER: its text */
	struct str key;     /* in an object */
	struct str raw;     /* the bytes of this value in the text that was parsed (borrowed from it) */
	size_t count;       /* members or elements */
	struct json *child; /* first */
	struct json *next;  /* sibling */
};

enum { JSON_DEPTH_MAX = 64, JSON_OUTLINE_MEMBERS_MAX = 64 };

/* *out lives in the arena; `raw` points into text. Error: ERR_invalid_json with line and column. */
QN_MUST bool json_parse(struct arena *a, const char *text, size_t len, struct json **out, struct err *e);
/* As json_parse, for objects with big members: an array or object below the top, and an array at the top, keeps only its
 * type and raw. So a large text costs no tree; its members' own duplicate keys are for who reads raw to find. */
QN_MUST bool json_outline(struct arena *a, const char *text, size_t len, struct json **out, struct err *e);
/* NULL where there is no such member or obj is no object. */
const struct json *json_get(const struct json *obj, const char *key);
const struct json *json_at(const struct json *array, size_t index);
const char *json_type_name(enum json_type type);

/* Pull scanner. Grammar faults set s->err to a static sentence and end the scan (JSON_TOK_ERROR for ever after). */
enum json_tok {
	JSON_TOK_ERROR,
	JSON_TOK_END,
	JSON_TOK_NULL,
	JSON_TOK_TRUE,
	JSON_TOK_FALSE,
	JSON_TOK_NUMBER, /* text in s->text */
	JSON_TOK_STRING, /* decoded in s->text: points into the input when it has no escapes, else into s->scratch */
	JSON_TOK_KEY,    /* as STRING; the colon is consumed */
	JSON_TOK_ARRAY_BEGIN,
	JSON_TOK_ARRAY_END,
	JSON_TOK_OBJECT_BEGIN,
	JSON_TOK_OBJECT_END,
};
struct json_scan {
	const char *start, *p, *end;
	const char *token;  /* where the last value token began */
	struct str text; /* valid until the next token */
	struct buf *scratch;
	const char *err;
	uint64_t in_object; /* bit d: container at depth d is an object */
	unsigned depth;
	uint8_t state;
};
void json_scan_init(struct json_scan *s, const char *text, size_t len, struct buf *scratch);
enum json_tok json_scan_next(struct json_scan *s);
/* Skips the value whose first token was just read (a scalar: nothing to do). False on a grammar fault. */
bool json_scan_skip(struct json_scan *s, enum json_tok first);
/* Fills e with ERR_invalid_json, the sentence, line and column. Returns false. */
bool json_scan_error(const struct json_scan *s, struct err *e);
/* The number of a NUMBER token. Beyond the range of double: infinity, which callers refuse. */
double json_scan_double(const struct json_scan *s);

/* Writer: commas and quotes are its business. Strings must be UTF-8. */
struct json_writer {
	struct buf *out;
	bool comma;
};
#define JSON_WRITER(buf_) ((struct json_writer){.out = (buf_)})
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_keyn(struct json_writer *w, struct str key);
void json_str(struct json_writer *w, struct str s);
void json_cstr(struct json_writer *w, const char *s); /* NULL writes null */
/* For texts that may quote what came from outside, or were cut: each byte that is no UTF-8 becomes U+FFFD. */
void json_text(struct json_writer *w, const char *text);
void json_fmt(struct json_writer *w, const char *fmt, ...) QN_PRINTF(2, 3);
void json_double(struct json_writer *w, double v);      /* not finite: null */
void json_row_double(struct json_writer *w, double v);  /* not finite: "NaN", "Infinity", "-Infinity" */
void json_row_doubles(struct json_writer *w, const double *v, size_t n); /* an array of such */
void json_int(struct json_writer *w, int64_t v);
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, const char *text, size_t len); /* one whole value */
void json_value(struct json_writer *w, const struct json *v); /* re-serialised, key order kept, numbers by their text */

/* {"type","title","status","detail","instance","errors":[{"pointer","detail"}]}; instance may be NULL. */
void json_problem(struct json_writer *w, const struct err *e, const char *instance);

#endif
