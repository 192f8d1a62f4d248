/* Spark SQL's tokens. Inside pipeline/sql/ only. */
#ifndef QUERN_PIPELINE_SQL_LEXER_H
#define QUERN_PIPELINE_SQL_LEXER_H

#include "pipeline/sql/sql_node.h"

enum sql_token_kind {
	SQL_TOK_END,
	SQL_TOK_WORD,   /* identifier or keyword; text as written */
	SQL_TOK_QUOTED, /* `identifier`; text without quotes */
	SQL_TOK_NUMBER, /* with its suffix */
	SQL_TOK_TEXT,   /* '…' or "…"; text with escapes resolved */
	SQL_TOK_SIGN,
};

struct sql_token {
	enum sql_token_kind kind;
	size_t at;
	struct str raw;  /* as it stands in the statement */
	struct str text; /* what it means; of the statement or the lexer's room */
};

struct sql_lexer {
	struct str text;
	size_t at;
	char *room; /* as long as the text: what strings mean is never longer than how they are written */
};

/* false: no token, an unclosed string or comment, bytes that are no UTF-8. */
QN_MUST bool sql_lex(struct sql_lexer *l, struct sql_token *out, struct sql_error *e);

#endif
