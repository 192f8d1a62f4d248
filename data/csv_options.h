/* Spark's CSV options (DataFrameReader.csv, Spark 4.0: CSVOptions.scala) and what follows from them. */
#ifndef QUERN_DATA_CSV_OPTIONS_H
#define QUERN_DATA_CSV_OPTIONS_H

#include "data/csv_parse.h"
#include "data/source_format.h"

struct csv_options {
	struct source_options common;
	struct str sep, delimiter; /* the same by Spark's two names */
	struct str quote, escape, escape_escape, comment;
	bool header, infer_schema, enforce_schema, multi_line;
	bool ignore_leading, ignore_trailing;
	struct str null_value, empty_value, nan_value, positive_inf, negative_inf;
	int64_t max_columns, max_chars;
	struct str unescaped;
	/* Of dates and numbers in other languages: dates stay strings, numbers are English. Read so that specifications port. */
	struct str locale, time_zone, date_format, timestamp_format, timestamp_ntz_format;
	bool prefer_date;
};

extern const struct field csv_option_fields[];

bool csv_options_check(const struct csv_options *o, const char *pointer, struct err *e);
/* Of options that passed the check. */
void csv_options_format(const struct csv_options *o, size_t columns_max, struct csv_format *out);
/* The byte that begins a comment, or CSV_NO_CHAR. */
int csv_options_comment(const struct csv_options *o);

/* What a field says: *out, or false for null. */
static inline bool csv_token(const struct csv_options *o, const struct csv_field *f, struct str *out)
{
	if (!f->data) return false;
	*out = f->len == 0 && f->quoted ? o->empty_value : (struct str){f->data, f->len};
	return !str_eq(*out, o->null_value);
}
/* Numbers as Java reads them: blanks around, a sign, a point without digits on one side, a suffix d or f; NaN and infinities by
 * their names here and by the options'. */
bool csv_double(const struct csv_options *o, struct str s, double *out);
bool csv_boolean(struct str s, bool *out); /* true and false, whatever the case */
/* Appends a token to a column of def's scalar type; false, and nothing appended, where it is no such value. */
bool csv_cell(const struct csv_options *o, const struct column_def *def, struct column *c, struct str s);

#endif
