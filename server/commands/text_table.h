/* A table for people: columns as wide as their widest cell, on standard output. */
#ifndef QUERN_SERVER_COMMANDS_TEXT_TABLE_H
#define QUERN_SERVER_COMMANDS_TEXT_TABLE_H

#include "base/json.h"

enum { TEXT_TABLE_COLUMNS_MAX = 8 };

struct text_table {
	struct arena arena;
	size_t columns;
	struct str *cells; /* row after row; the first row is the header */
	size_t count, cap;
};

/* Headers, ended by NULL. */
void text_table_begin(struct text_table *t, const char *const *headers);
/* The next cell, row by row; copied, control characters as blanks. */
void text_table_cell(struct text_table *t, struct str text);
/* A JSON value as a person reads it: strings without quotes, null as -. NULL: -. */
void text_table_json(struct text_table *t, const struct json *v);
/* Prints and releases. */
QN_MUST bool text_table_end(struct text_table *t, struct err *e);

#endif
