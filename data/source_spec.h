/* Private to data/: a `source` object of a specification, parsed and checked. */
#ifndef QUERN_DATA_SOURCE_SPEC_H
#define QUERN_DATA_SOURCE_SPEC_H

#include "data/source_format.h"

enum {
	SOURCE_RECORD_BYTES_DEFAULT = 16 << 20,
	SOURCE_RECORD_BYTES_MOST = 256 << 20, /* a column's text has room for some of these (data/column.h) */
	SOURCE_COLUMNS_DEFAULT = 20480,
	SOURCE_INLINE_ROWS_DEFAULT = 10000,
};

struct source_spec {
	struct source_config config;
	struct str uri;      /* empty: in place */
	struct schema given; /* count 0: none */
};

/* Everything lives in the arena but `given`, which source_spec_release frees. Adds every fault. */
QN_MUST bool source_spec_parse(struct source_spec *sp, const struct json *spec, const char *pointer, const struct source_env *env,
			       struct arena *a, struct err *e);
void source_spec_release(struct source_spec *sp);
/* A format's options alone; NULL: all defaults. */
QN_MUST bool source_config_parse(struct source_config *c, struct str format, const struct json *options, const char *pointer,
				 const struct source_env *env, struct arena *a, struct err *e);

#endif
