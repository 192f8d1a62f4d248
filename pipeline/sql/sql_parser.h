/* The parser's inner side: tokens at hand, and expressions. sql_select.c reads the statement around them. */
#ifndef QUERN_PIPELINE_SQL_PARSER_H
#define QUERN_PIPELINE_SQL_PARSER_H

#include "pipeline/sql/sql_lexer.h"

struct sql_parser {
	struct sql_lexer lexer;
	struct arena *arena;
	struct sql_token token, next; /* at hand, and the one behind it */
	unsigned depth;
	size_t nodes;
	struct sql_error *e;
};

QN_MUST bool sql_advance(struct sql_parser *p);
/* Is the token at hand (the next one) this keyword, this sign? Quoted words are no keywords. */
bool sql_at_word(const struct sql_parser *p, const char *word);
bool sql_at_sign(const struct sql_parser *p, const char *sign);
bool sql_next_is_word(const struct sql_parser *p, const char *word);
bool sql_next_is_sign(const struct sql_parser *p, const char *sign);
/* Steps over it where it is there. *e is set where the text behind it is no token; ask with sql_failed. */
bool sql_take_word(struct sql_parser *p, const char *word);
bool sql_take_sign(struct sql_parser *p, const char *sign);
QN_MUST bool sql_expect_word(struct sql_parser *p, const char *word);
QN_MUST bool sql_expect_sign(struct sql_parser *p, const char *sign);
/* "syntax error at or near …". Returns false. */
bool sql_unexpected(struct sql_parser *p);
/* What only whole tables can answer. Returns false. */
bool sql_refuse(struct sql_parser *p, size_t at, const char *what);
bool sql_word_in(struct str word, const char *const *words);

QN_MUST bool sql_parse_expression(struct sql_parser *p, struct sql_node **out);
/* What may stand where a value does: not an operator, not a bracket's inside. In sql_primary.c. */
QN_MUST bool sql_parse_primary(struct sql_parser *p, struct sql_node **out);
/* An operand of predicates: no AND, OR, IN, BETWEEN outside brackets. */
QN_MUST bool sql_parse_operand(struct sql_parser *p, struct sql_node **out);
QN_MUST bool sql_parse_type(struct sql_parser *p, struct sql_type *out);
/* A node over arguments, counted against the limits. */
QN_MUST bool sql_node_add(struct sql_parser *p, enum sql_kind kind, size_t at, struct sql_node *const *args,
			  size_t count, struct sql_node **out);
QN_MUST bool sql_call_add(struct sql_parser *p, const char *function, size_t at, struct sql_node *const *args,
			  size_t count, struct sql_node **out);

/* Arguments being read; in the arena. */
struct sql_args {
	struct sql_node **items;
	size_t count, cap;
};
void sql_args_push(struct sql_parser *p, struct sql_args *args, struct sql_node *n);

#endif
