/* The files of this folder that are compiled into the program. Each table ends with a row whose name is NULL. */
#ifndef QUERN_SCHEMAS_H
#define QUERN_SCHEMAS_H

#include "base/embed.h"

extern const struct embed_file schemas_sql_migrations[]; /* in the order of their numbers */
extern const struct embed_file schemas_sql_queries[];

#endif
