#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct err_row {
	const char *slug, *title, *help;
	int status;
};

static const struct err_row rows[ERR_CODE_COUNT] = {
	[ERR_NONE] = {"none", "No error", "", 200},
#define ERR(id, slug_, status_, title_, help_) [ERR_##id] = {slug_, title_, help_, status_},
#include "base/err.def"
#undef ERR
};

int err_status(enum err_code code) { return rows[code].status; }
const char *err_slug(enum err_code code) { return rows[code].slug; }
const char *err_title(enum err_code code) { return rows[code].title; }
const char *err_help(enum err_code code) { return rows[code].help; }
bool err_retryable(enum err_code code) { return rows[code].status >= 500; }

enum err_code err_by_slug(const char *slug)
{
	for (int i = ERR_NONE + 1; i < ERR_CODE_COUNT; i++)
		if (strcmp(rows[i].slug, slug) == 0) return (enum err_code)i;
	return ERR_NONE;
}

bool err_setv(struct err *e, enum err_code code, const char *fmt, va_list args)
{
	e->code = code;
	vsnprintf(e->detail, sizeof e->detail, fmt, args);
	return false;
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	err_setv(e, code, fmt, args);
	va_end(args);
	return false;
}

bool err_fault(struct err *e, const char *pointer, const char *fmt, ...)
{
	va_list args;
	if (e->code == ERR_NONE) err_set(e, ERR_invalid, "%s", err_title(ERR_invalid));
	if (e->fault_count++ >= ERR_FAULTS_MAX) return false;
	struct err_fault *f = &e->faults[e->fault_count - 1];
	snprintf(f->pointer, sizeof f->pointer, "%s", pointer);
	va_start(args, fmt);
	vsnprintf(f->detail, sizeof f->detail, fmt, args);
	va_end(args);
	return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
	char what[ERR_DETAIL_MAX], old[ERR_DETAIL_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	memcpy(old, e->detail, sizeof old);
	int n = snprintf(e->detail, sizeof e->detail, "%s: ", what);
	if (n > 0 && (size_t)n < sizeof e->detail) snprintf(e->detail + n, sizeof e->detail - (size_t)n, "%s", old);
	return false;
}

bool err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	char text[128];
	va_list args;
	va_start(args, fmt);
	err_setv(e, ERR_io, fmt, args);
	va_end(args);
	size_t len = strlen(e->detail);
	snprintf(e->detail + len, sizeof e->detail - len, ": %s", strerror_r(saved, text, sizeof text));
	return false;
}
