/* Errors as values: one code, a sentence, and a list of faults with JSON pointers (RFC 9457 / RFC 6901).
 *
 * Fallible functions return bool and take a `struct err *` last. They return true on success and leave the err as it
 * was; they return false and fill it on failure. Output parameters are untouched on failure. A struct err lives on the
 * stack, owns nothing and needs no release; start with err_init.
 *
 *     struct err e;
 *     err_init(&e);
 *     if (!thing_open(&t, path, &e)) return err_wrap(&e, "opening %s", path);
 *
 * Thread-safety: values, no globals.
 */
#ifndef QUERN_BASE_ERR_H
#define QUERN_BASE_ERR_H

#include "base/check.h"

#include <stdarg.h>

enum err_code {
	ERR_NONE = 0,
#define ERR(id, slug, status, title, help) ERR_##id,
#include "base/err.def"
#undef ERR
	ERR_CODE_COUNT,
};

enum {
	ERR_FAULTS_MAX = 32,   /* faults listed in one problem; more are counted, not kept */
	ERR_POINTER_MAX = 160, /* bytes of a JSON pointer kept */
	ERR_DETAIL_MAX = 512,  /* bytes of a sentence kept */
};

struct err_fault {
	char pointer[ERR_POINTER_MAX];
	char detail[ERR_DETAIL_MAX];
};

struct err {
	enum err_code code;
	unsigned retry_after_s; /* 0: none */
	size_t fault_count;     /* may pass ERR_FAULTS_MAX: then only the first ones are kept */
	char detail[ERR_DETAIL_MAX];
	struct err_fault faults[ERR_FAULTS_MAX];
};

/* Leaves the arrays alone on purpose: an err costs nothing until it is used. */
#define err_init(e) ((void)((e)->code = ERR_NONE, (e)->retry_after_s = 0, (e)->fault_count = 0, (e)->detail[0] = 0))

/* Each returns false, so that `return err_set(e, ...)` reads well. The text is cut, never overrun. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...) QN_PRINTF(3, 4);
bool err_setv(struct err *e, enum err_code code, const char *fmt, va_list args) QN_PRINTF(3, 0);
/* Adds a fault; the first one makes the code ERR_invalid where none was set. */
bool err_fault(struct err *e, const char *pointer, const char *fmt, ...) QN_PRINTF(3, 4);
/* Puts "what: " before the detail. */
bool err_wrap(struct err *e, const char *fmt, ...) QN_PRINTF(2, 3);
/* ERR_io with strerror(errno) of the moment of the call. */
bool err_errno(struct err *e, const char *fmt, ...) QN_PRINTF(2, 3);

static inline bool err_is(const struct err *e) { return e->code != ERR_NONE; }

int err_status(enum err_code code);
const char *err_slug(enum err_code code);
const char *err_title(enum err_code code);
const char *err_help(enum err_code code);
/* ERR_NONE where no row has this slug. */
enum err_code err_by_slug(const char *slug);
/* False for faults of the request, the data or the specification: retrying cannot mend those. */
bool err_retryable(enum err_code code);

#endif
