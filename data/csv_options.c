#include "data/csv_options.h"

#include "data/pointer.h"
#include "data/utf8.h"

#include <math.h>
#include <strings.h>

static const char *const unescaped_names[] = {
	[CSV_STOP_AT_DELIMITER] = "STOP_AT_DELIMITER",
	[CSV_STOP_AT_CLOSING_QUOTE] = "STOP_AT_CLOSING_QUOTE",
	[CSV_SKIP_VALUE] = "SKIP_VALUE",
	[CSV_RAISE_ERROR] = "RAISE_ERROR",
	NULL,
};
static const char *const locales[] = {"en-US", "en", NULL};

#define AT(member) .offset = offsetof(struct csv_options, member)

const struct field csv_option_fields[] = {
	SOURCE_TEXT_OPTIONS(struct csv_options),
	SOURCE_RECORD_OPTIONS(struct csv_options),
	{"sep", FIELD_STRING, AT(sep), .help = "separator, one or more characters; default ,"},
	{"delimiter", FIELD_STRING, AT(delimiter), .help = "the same as sep"},
	{"quote", FIELD_STRING, AT(quote), "\"\\\"\"", .help = "one character, or empty: no quoting"},
	{"escape", FIELD_STRING, AT(escape), "\"\\\\\"", .help = "escapes quotes inside quotes; give \" for RFC 4180"},
	{"charToEscapeQuoteEscaping", FIELD_STRING, AT(escape_escape), .help = "default: escape, unless that is quote"},
	{"comment", FIELD_STRING, AT(comment), .help = "lines that begin with it are skipped; default none"},
	{"header", FIELD_BOOL, AT(header), "false", .help = "the first line of each file names the columns"},
	{"inferSchema", FIELD_BOOL, AT(infer_schema), "false", .help = "read all records for the columns' types"},
	{"enforceSchema", FIELD_BOOL, AT(enforce_schema), "true", .help = "false: headers must agree with the schema"},
	{"multiLine", FIELD_BOOL, AT(multi_line), "false", .help = "quoted values may hold line ends"},
	{"ignoreLeadingWhiteSpace", FIELD_BOOL, AT(ignore_leading), "false", .help = "drop blanks before values"},
	{"ignoreTrailingWhiteSpace", FIELD_BOOL, AT(ignore_trailing), "false", .help = "drop blanks behind values"},
	{"nullValue", FIELD_STRING, AT(null_value), "\"\"", .help = "text that means null"},
	{"emptyValue", FIELD_STRING, AT(empty_value), "\"\"", .help = "what \"\" stands for"},
	{"nanValue", FIELD_STRING, AT(nan_value), "\"NaN\"", .help = "text that means NaN"},
	{"positiveInf", FIELD_STRING, AT(positive_inf), "\"Inf\"", .help = "text that means infinity"},
	{"negativeInf", FIELD_STRING, AT(negative_inf), "\"-Inf\"", .help = "text that means minus infinity"},
	{"maxColumns", FIELD_INT, AT(max_columns), "20480", .min = 1, .max = INT32_MAX, .help = "values in a record, at most"},
	{"maxCharsPerColumn", FIELD_INT, AT(max_chars), "-1", .min = -1, .max = INT32_MAX,
	 .help = "bytes of a value, at most; -1: limits.recordBytes is the limit"},
	{"unescapedQuoteHandling", FIELD_ENUM, AT(unescaped), "\"STOP_AT_DELIMITER\"", .choices = unescaped_names,
	 .help = "what a quote inside quotes does that is not escaped"},
	{"locale", FIELD_ENUM, AT(locale), "\"en-US\"", .choices = locales, .help = "numbers are read as English ones"},
	{"timeZone", FIELD_STRING, AT(time_zone), .help = "no effect: dates stay strings"},
	{"dateFormat", FIELD_STRING, AT(date_format), .help = "no effect: dates stay strings"},
	{"timestampFormat", FIELD_STRING, AT(timestamp_format), .help = "no effect: dates stay strings"},
	{"timestampNTZFormat", FIELD_STRING, AT(timestamp_ntz_format), .help = "no effect: dates stay strings"},
	{"preferDate", FIELD_BOOL, AT(prefer_date), "true", .help = "no effect: dates stay strings"},
	FIELD_END,
};

/* --- Separators ------------------------------------------------------------ */

/* Spark's spelling of a separator (CSVExprUtils.toDelimiterStr): \t and its like may be written with a backslash. */
static bool unescape_sep(struct str s, char *out, size_t *len, const char **why)
{
	static const char from[] = "trbf\"'\\", to[] = "\t\r\b\f\"'\\";
	size_t n = 0;
	*why = "must not be empty, nor longer than 16 bytes";
	if (s.len == 0) return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.data[i];
		if (c == '\\') {
			const char *at = ++i < s.len && s.data[i] ? strchr(from, s.data[i]) : NULL;
			*why = "a backslash begins \\t, \\r, \\b, \\f, \\\", \\' or \\\\";
			if (!at) return false;
			c = to[at - from];
		}
		*why = "must not be empty, nor longer than 16 bytes";
		if (n == CSV_SEP_MAX) return false;
		out[n++] = c;
	}
	*len = n;
	return true;
}

static struct str sep_text(const struct csv_options *o)
{
	return o->sep.data ? o->sep : o->delimiter.data ? o->delimiter : STR(",");
}

static bool check_sep(const struct csv_options *o, const char *pointer, struct err *e)
{
	char sep[CSV_SEP_MAX];
	size_t len = 0;
	const char *why;
	struct pointer at = pointer_key(pointer, o->sep.data || !o->delimiter.data ? "sep" : "delimiter");
	if (!unescape_sep(sep_text(o), sep, &len, &why)) return err_fault(e, at.text, "%s", why);
	if (memchr(sep, '\n', len) || memchr(sep, '\r', len)) return err_fault(e, at.text, "must not hold line ends");
	if (o->quote.len && sep[0] == o->quote.data[0]) return err_fault(e, at.text, "must not begin with the quote");
	if (o->sep.data && o->delimiter.data && !str_eq(o->sep, o->delimiter))
		return err_fault(e, at.text, "sep and delimiter are the same option and must agree");
	return true;
}

static bool check_char(struct str value, const char *name, const char *pointer, struct err *e)
{
	const char *why = NULL;
	if (value.len > 1) why = (unsigned char)value.data[0] < 0x80 ? "must be one character" : "must be an ASCII character";
	else if (value.len == 1 && (value.data[0] == '\n' || value.data[0] == '\r')) why = "must not be a line end";
	return !why || err_fault(e, pointer_key(pointer, name).text, "%s", why);
}

bool csv_options_check(const struct csv_options *o, const char *pointer, struct err *e)
{
	bool ok = source_options_check(&o->common, pointer, e);
	ok &= check_sep(o, pointer, e);
	ok &= check_char(o->quote, "quote", pointer, e);
	ok &= check_char(o->escape, "escape", pointer, e);
	ok &= check_char(o->escape_escape, "charToEscapeQuoteEscaping", pointer, e);
	ok &= check_char(o->comment, "comment", pointer, e);
	return ok;
}

static int char_of(struct str s) { return s.len ? (unsigned char)s.data[0] : CSV_NO_CHAR; }

int csv_options_comment(const struct csv_options *o) { return char_of(o->comment); }

void csv_options_format(const struct csv_options *o, size_t columns_max, struct csv_format *out)
{
	const char *why;
	int sep = source_line_sep(&o->common);
	struct csv_format f = {
		.quote = char_of(o->quote),
		.escape = char_of(o->escape),
		.escape_escape = char_of(o->escape_escape),
		.newline = {sep == LINES_ANY_END ? '\n' : (char)sep, sep == LINES_ANY_END ? '\r' : (char)sep},
		.trim_leading = o->ignore_leading,
		.trim_trailing = o->ignore_trailing,
		.fields_max = MIN((size_t)o->max_columns, columns_max),
		.chars_max = o->max_chars > 0 ? (size_t)o->max_chars : 0,
	};
	CHECK(unescape_sep(sep_text(o), f.sep, &f.sep_len, &why));
	if (f.escape_escape == CSV_NO_CHAR && f.escape != f.quote) f.escape_escape = f.escape;
	for (size_t i = 0; unescaped_names[i]; i++)
		if (str_is(o->unescaped, unescaped_names[i])) f.unescaped = (enum csv_unescaped)i;
	*out = f;
}

/* --- Values ------------------------------------------------------------ */

static bool java_special(struct str s, double *out)
{
	bool negative = s.len > 0 && s.data[0] == '-';
	if (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+')) s = (struct str){s.data + 1, s.len - 1};
	if (str_is(s, "NaN")) *out = NAN;
	else if (str_is(s, "Infinity")) *out = negative ? -INFINITY : INFINITY;
	else return false;
	return true;
}

bool csv_double(const struct csv_options *o, struct str s, double *out)
{
	if (str_to_double(s, out)) return true;
	if (str_eq(s, o->nan_value)) *out = NAN;
	else if (str_eq(s, o->positive_inf)) *out = INFINITY;
	else if (str_eq(s, o->negative_inf)) *out = -INFINITY;
	else {
		while (s.len && (unsigned char)s.data[0] <= ' ') s = (struct str){s.data + 1, s.len - 1};
		while (s.len && (unsigned char)s.data[s.len - 1] <= ' ') s.len--;
		if (java_special(s, out)) return true;
		if (s.len && memchr("dDfF", s.data[s.len - 1], 4)) s.len--;
		return s.len && str_to_double(s, out);
	}
	return true;
}

bool csv_boolean(struct str s, bool *out)
{
	bool yes = s.len == 4 && strncasecmp(s.data, "true", 4) == 0, no = s.len == 5 && strncasecmp(s.data, "false", 5) == 0;
	*out = yes;
	return yes || no;
}

bool csv_cell(const struct csv_options *o, const struct column_def *def, struct column *c, struct str s)
{
	int64_t i;
	double d;
	bool b;
	switch (def->type) {
	case COL_STRING: utf8_column_str(c, s.data, s.len); return true;
	case COL_DOUBLE:
		if (!csv_double(o, s, &d)) return false;
		column_double(c, d);
		return true;
	case COL_INT64:
		if (!str_to_i64(s, &i) || (def->is_int32 && (i < INT32_MIN || i > INT32_MAX))) return false;
		column_i64(c, i);
		return true;
	default:
		if (!csv_boolean(s, &b)) return false;
		column_bool(c, b);
		return true;
	}
}
