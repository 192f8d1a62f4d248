/* The named statements of schemas/sql/queries, compiled in. A statement begins with a line "-- name: x"; comment lines
 * after it name its parameters. Rows of query.def and statements must match, which is checked when the first one is
 * asked for. */
#ifndef QUERN_STORE_QUERY_H
#define QUERN_STORE_QUERY_H

enum query {
#define QUERY(name) QUERY_##name,
#include "store/query.def"
#undef QUERY
	QUERY_COUNT,
};

const char *query_name(enum query q);
const char *query_text(enum query q);

#endif
