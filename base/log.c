#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 8192 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static _Atomic enum log_level threshold = LOG_INFO;
static _Thread_local const char *scope_key, *scope_value;

struct sink {
	void (*call)(void *ctx, enum log_level level, const char *line, size_t len);
	void *ctx;
};
static struct sink sink;

void log_level_set(enum log_level level) { threshold = level; }

bool log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(level_names); i++)
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

void log_scope(const char *key, const char *value)
{
	scope_key = value ? key : NULL;
	scope_value = value;
}

/* Set once, before threads that log exist. */
void log_sink(void (*call)(void *ctx, enum log_level level, const char *line, size_t len), void *ctx)
{
	sink = (struct sink){call, ctx};
}

static void emit(enum log_level level, struct buf *line)
{
	if (sink.call) {
		sink.call(sink.ctx, level, line->data, line->len);
		return;
	}
	buf_char(line, '\n');
	ssize_t ignored = write(STDERR_FILENO, line->data, line->len);
	(void)ignored;
}

static void text_member(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	json_text(w, text);
}

static void line_begin(struct json_writer *w, enum log_level level, const char *event)
{
	char at[CLOCK_TEXT_SIZE];
	clock_text(clock_wall_ms(), at);
	json_object_begin(w);
	text_member(w, "at", at);
	text_member(w, "level", level_names[level]);
	text_member(w, "event", event);
	if (scope_value) text_member(w, scope_key, scope_value);
}

static void line_end(struct json_writer *w, enum log_level level)
{
	json_object_end(w);
	if (buf_ok(w->out)) emit(level, w->out);
	buf_release(w->out);
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char text[LOG_LINE_MAX / 4];
	if (level < threshold) return;
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	struct buf line = BUF_INIT(LOG_LINE_MAX * 2);
	struct json_writer w = JSON_WRITER(&line);
	line_begin(&w, level, event);
	text_member(&w, "message", text);
	line_end(&w, level);
}

void log_err(enum log_level level, const char *event, const struct err *e)
{
	if (level < threshold) return;
	struct buf line = BUF_INIT((size_t)1 << 18);
	struct json_writer w = JSON_WRITER(&line);
	line_begin(&w, level, event);
	json_key(&w, "problem");
	json_problem(&w, e, NULL);
	line_end(&w, level);
}
