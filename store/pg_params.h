/* Parameters of one statement, in order $1, $2, … Start with {0}. Text and bytes are borrowed until the statement has
 * been sent; arrays are encoded into the arena given. */
#ifndef QUERN_STORE_PG_PARAMS_H
#define QUERN_STORE_PG_PARAMS_H

#include "base/mem.h"

enum { PG_PARAMS_MAX = 16, PG_NUMBER_MAX = 32 };

struct pg_params {
	int count;
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX]; /* 0 text, 1 binary */
	char numbers[PG_PARAMS_MAX][PG_NUMBER_MAX];
};

void pg_param_null(struct pg_params *p);
void pg_param_text(struct pg_params *p, const char *s); /* NULL: null */
void pg_param_i64(struct pg_params *p, int64_t v);
void pg_param_f64(struct pg_params *p, double v); /* not finite: null */
void pg_param_bool(struct pg_params *p, bool v);
void pg_param_bytes(struct pg_params *p, const void *data, size_t len); /* bytea; NULL: null */
void pg_param_time(struct pg_params *p, int64_t wall_ms);               /* timestamptz; 0: null */
void pg_param_time_us(struct pg_params *p, int64_t wall_us);
void pg_param_texts(struct pg_params *p, struct arena *a, const char *const *items, size_t count); /* text[] */
void pg_param_times(struct pg_params *p, struct arena *a, const int64_t *wall_ms,
		    size_t count); /* timestamptz[]; 0: null */

#endif
