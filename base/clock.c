#include "base/clock.h"

#include "base/rng.h"

#include <stdio.h>
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

/* Exactly `count` digits at *p, from min to max. */
static bool digits(const char **p, int count, int min, int max, int *out)
{
	int v = 0;
	for (int i = 0; i < count; i++, (*p)++) {
		if (**p < '0' || **p > '9') return false;
		v = v * 10 + (**p - '0');
	}
	*out = v;
	return v >= min && v <= max;
}

static bool sign(const char **p, char c) { return **p == c && (*p)++; }

static bool date(const char **p, struct tm *tm)
{
	bool ok = digits(p, 4, 0, 9999, &tm->tm_year) && sign(p, '-') && digits(p, 2, 1, 12, &tm->tm_mon) &&
		  sign(p, '-') && digits(p, 2, 1, 31, &tm->tm_mday);
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	struct tm mended = *tm; /* timegm turns February 30 into March */
	timegm(&mended);
	return ok && mended.tm_mday == tm->tm_mday;
}

/* The second 60 of RFC 3339 is read as the next one's 0. */
static bool time_of_day(const char **p, struct tm *tm, int *ms)
{
	if (!(digits(p, 2, 0, 23, &tm->tm_hour) && sign(p, ':') && digits(p, 2, 0, 59, &tm->tm_min) && sign(p, ':') &&
	      digits(p, 2, 0, 60, &tm->tm_sec)))
		return false;
	*ms = 0;
	if (!sign(p, '.')) return true;
	const char *from = *p;
	for (int scale = 100; **p >= '0' && **p <= '9'; (*p)++, scale /= 10) *ms += (**p - '0') * scale;
	return *p > from;
}

static bool zone(const char **p, int *seconds)
{
	int hours, minutes;
	*seconds = 0;
	if (sign(p, 'Z')) return true;
	bool west = **p == '-';
	if (!west && **p != '+') return false;
	(*p)++;
	if (!digits(p, 2, 0, 23, &hours) || !sign(p, ':') || !digits(p, 2, 0, 59, &minutes)) return false;
	*seconds = (west ? -60 : 60) * (hours * 60 + minutes);
	return true;
}

/* RFC 3339; the fraction is cut to milliseconds. */
bool clock_parse(const char *text, int64_t *wall_ms)
{
	struct tm tm = {0};
	int ms, seconds;
	const char *p = text;
	if (!date(&p, &tm) || !sign(&p, 'T') || !time_of_day(&p, &tm, &ms) || !zone(&p, &seconds) || *p) return false;
	*wall_ms = ((int64_t)timegm(&tm) - seconds) * 1000 + ms;
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
