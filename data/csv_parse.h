/* One CSV record into fields, as univocity-parsers 2.9 does it for Spark (com.univocity.parsers.csv.CsvParser).
 *
 * Rules that surprise: quotes count only at a field's beginning; the escape character counts only inside quotes; with an escape
 * that is not the quote a doubled quote is *not* one quote; blanks between a closing quote and the separator are dropped;
 * when more than blanks follow a closing quote, STOP_AT_DELIMITER takes the field's text with its quotes up to the separator.
 * Unlike there, no byte is lost or doubled: an escape that ends the line, or that follows a closing quote, stays as it is.
 */
#ifndef QUERN_DATA_CSV_PARSE_H
#define QUERN_DATA_CSV_PARSE_H

#include "base/buf.h"
#include "base/str.h"

enum { CSV_SEP_MAX = 16, CSV_NO_CHAR = -1 };

enum csv_unescaped { CSV_STOP_AT_DELIMITER, CSV_STOP_AT_CLOSING_QUOTE, CSV_SKIP_VALUE, CSV_RAISE_ERROR };

struct csv_format {
	char sep[CSV_SEP_MAX];
	size_t sep_len;
	int quote, escape; /* a byte, or CSV_NO_CHAR */
	int escape_escape; /* charToEscapeQuoteEscaping */
	char newline[2];   /* bytes that end a record outside quotes */
	enum csv_unescaped unescaped;
	bool trim_leading, trim_trailing;
	size_t fields_max, chars_max; /* chars_max 0: no limit */
};

struct csv_field {
	const char *data; /* NULL: nothing stood there, not even quotes */
	size_t len;
	bool quoted;
};

struct csv_record {
	struct csv_field *fields;
	size_t count, cap;
	struct buf text;   /* unescaped fields */
	const char *fault; /* why the record is malformed, NULL: it is not */
};

void csv_record_release(struct csv_record *r);
/* Parses the record at p and returns where it ends: at a newline byte or at end. Bytes in [end, limit) may be looked at but are
 * not part of it. Fields point into the input or into r->text; both stay until the next call. Never fails: faults are noted. */
const char *csv_parse(const struct csv_format *f, const char *p, const char *end, const char *limit, struct csv_record *r);

#endif
