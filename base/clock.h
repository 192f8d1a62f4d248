/* Time: monotonic for durations, wall for what people read; RFC 3339 text; UUIDv7 (RFC 9562). */
#ifndef QUERN_BASE_CLOCK_H
#define QUERN_BASE_CLOCK_H

#include "base/check.h"

enum { CLOCK_TEXT_SIZE = 32, UUID_TEXT_SIZE = 37 };

int64_t clock_mono_ns(void);
int64_t clock_wall_ms(void);
/* "2026-11-23T04:18:00.123Z" */
void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
/* RFC 3339 with a zone; its fraction is cut to milliseconds. */
bool clock_parse(const char *text, int64_t *wall_ms);
void uuid_v7(char out[UUID_TEXT_SIZE]);
bool uuid_valid(const char *text);

#endif
