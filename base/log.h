/* JSON lines on stderr. Libraries return errors; only programs' main loops and thread bodies log. Thread-safe: one
 * write(2) per line. A scope (request id, job id) set on the thread is added to each line. */
#ifndef QUERN_BASE_LOG_H
#define QUERN_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_level_set(enum log_level level);
bool log_level_parse(const char *text, enum log_level *out);
void log_scope(const char *key, const char *value); /* thread-local; NULL value clears; both are borrowed */
void log_line(enum log_level level, const char *event, const char *fmt, ...) QN_PRINTF(3, 4);
void log_err(enum log_level level, const char *event, const struct err *e);
/* A second sink for workers, which relay their log to the launcher; NULL: none. */
void log_sink(void (*sink)(void *ctx, enum log_level level, const char *line, size_t len), void *ctx);

#define log_debug(event, ...) log_line(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_ERROR, event, __VA_ARGS__)

#endif
