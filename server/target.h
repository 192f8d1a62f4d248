/* A request target taken apart: path segments and query parameters, percent-decoded (RFC 3986). */
#ifndef QUERN_SERVER_TARGET_H
#define QUERN_SERVER_TARGET_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { TARGET_SEGMENTS_MAX = 8, TARGET_PARAMS_MAX = 64 };

struct target_param {
	struct str key, value;
};

/* Texts point into the target where nothing had to be decoded, else into the arena; all are UTF-8 without NUL. */
struct target {
	struct str path; /* undecoded */
	struct str query;
	struct str segments[TARGET_SEGMENTS_MAX];
	size_t segment_count; /* past the maximum: too many to be anything */
	struct target_param *params;
	size_t param_count;
};

/* "/a/b?c=d" to two segments and one parameter; "/" has no segments, "/a/" has an empty last one. ERR_bad_request. */
QN_MUST bool target_parse(struct str text, struct arena *a, struct target *out, struct err *e);

/* The parameter's (first) value; data NULL: not given. */
struct str target_param(const struct target *t, const char *key);

/* Typed readers: *out keeps its value when the parameter is not given; bad values are ERR_bad_request naming the
 * parameter. */
QN_MUST bool target_int(const struct target *t, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e);
QN_MUST bool target_bool(const struct target *t, const char *key, bool *out, struct err *e);
/* RFC 3339, or a date alone (midnight UTC), to wall milliseconds. */
QN_MUST bool target_time(const struct target *t, const char *key, int64_t *out, struct err *e);

#endif
