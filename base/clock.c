#include "base/clock.h"

#include "base/rng.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_mono_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	int64_t ms = wall_ms % 1000;
	time_t s = (time_t)(wall_ms / 1000);
	if (ms < 0) {
		ms += 1000;
		s--;
	}
	struct tm tm;
	gmtime_r(&s, &tm);
	size_t n = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, CLOCK_TEXT_SIZE - n, ".%03dZ", (int)ms);
}

/* RFC 3339 with a time zone; the fraction is optional and cut to milliseconds. */
bool clock_parse(const char *text, int64_t *wall_ms)
{
	struct tm tm = {0};
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!p) return false;
	int64_t ms = 0, zone = 0;
	if (*p == '.') {
		int scale = 100, digits = 0;
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10, digits++) ms += (*p - '0') * scale;
		if (digits == 0) return false;
	}
	if (*p == 'Z') p++;
	else {
		int h, m, n = 0;
		char sign;
		if (sscanf(p, "%c%2d:%2d%n", &sign, &h, &m, &n) != 3 || n != 6 || (sign != '+' && sign != '-')) return false;
		zone = (sign == '+' ? 1 : -1) * (h * 60 + m) * 60;
		p += n;
	}
	if (*p) return false;
	*wall_ms = ((int64_t)timegm(&tm) - zone) * 1000 + ms;
	return true;
}

void uuid_v7(char out[UUID_TEXT_SIZE])
{
	unsigned char b[16];
	uint64_t ms = (uint64_t)clock_wall_ms();
	rng_system(b, sizeof b);
	for (int i = 0; i < 6; i++) b[i] = (unsigned char)(ms >> (40 - 8 * i));
	b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
	char *p = out;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
		p += sprintf(p, "%02x", b[i]);
	}
}

bool uuid_valid(const char *text)
{
	for (int i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = text[i];
		if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
	}
	return text[UUID_TEXT_SIZE - 1] == 0;
}
