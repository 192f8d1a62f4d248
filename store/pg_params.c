#include "store/pg_params.h"

#include "store/pg_type.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

static void add(struct pg_params *p, const void *value, size_t len, bool binary)
{
	CHECK(p->count < PG_PARAMS_MAX && len <= INT_MAX);
	p->values[p->count] = value;
	p->lengths[p->count] = (int)len;
	p->formats[p->count] = binary;
	p->count++;
}

static char *number(struct pg_params *p)
{
	CHECK(p->count < PG_PARAMS_MAX);
	return p->numbers[p->count];
}

void pg_param_null(struct pg_params *p) { add(p, NULL, 0, false); }
void pg_param_text(struct pg_params *p, const char *s) { add(p, s, 0, false); }
void pg_param_bool(struct pg_params *p, bool v) { add(p, v ? "t" : "f", 0, false); }
void pg_param_bytes(struct pg_params *p, const void *data, size_t len) { add(p, data, len, true); }

void pg_param_i64(struct pg_params *p, int64_t v)
{
	char *text = number(p);
	snprintf(text, PG_NUMBER_MAX, "%" PRId64, v);
	add(p, text, 0, false);
}

void pg_param_f64(struct pg_params *p, double v)
{
	if (!isfinite(v)) {
		pg_param_null(p);
		return;
	}
	char *text = number(p);
	snprintf(text, PG_NUMBER_MAX, "%.17g", v);
	add(p, text, 0, false);
}

void pg_param_time_us(struct pg_params *p, int64_t wall_us)
{
	char *bytes = number(p);
	pg_put64(bytes, (uint64_t)(wall_us - PG_EPOCH_US));
	add(p, bytes, 8, true);
}

void pg_param_time(struct pg_params *p, int64_t wall_ms)
{
	if (wall_ms == 0)
		pg_param_null(p);
	else
		pg_param_time_us(p, wall_ms * 1000);
}

/* An array of one dimension: dimensions, has-nulls, element type, count, lower bound; then each element with its
 * length. */
enum { ARRAY_HEADER = 20 };

static char *array_begin(struct arena *a, uint32_t element, size_t count, size_t payload, char **bytes)
{
	CHECK(count <= INT_MAX && payload <= INT_MAX / 2);
	char *p = *bytes = arena_alloc(a, ARRAY_HEADER + 4 * count + payload);
	p = pg_put32(p, count > 0);
	p = pg_put32(p, 1);
	p = pg_put32(p, element);
	if (count == 0) return p;
	p = pg_put32(p, (uint32_t)count);
	return pg_put32(p, 1);
}

void pg_param_texts(struct pg_params *p, struct arena *a, const char *const *items, size_t count)
{
	size_t payload = 0;
	for (size_t i = 0; i < count; i++) payload += strlen(items[i]);
	char *bytes, *at = array_begin(a, PG_OID_TEXT, count, payload, &bytes);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(items[i]);
		at = pg_put32(at, (uint32_t)len);
		at = (char *)memcpy(at, items[i], len) + len;
	}
	add(p, bytes, (size_t)(at - bytes), true);
}

void pg_param_times(struct pg_params *p, struct arena *a, const int64_t *wall_ms, size_t count)
{
	char *bytes, *at = array_begin(a, PG_OID_TIMESTAMPTZ, count, 8 * count, &bytes);
	for (size_t i = 0; i < count; i++) {
		at = pg_put32(at, wall_ms[i] == 0 ? UINT32_MAX : 8);
		if (wall_ms[i] != 0) at = pg_put64(at, (uint64_t)(wall_ms[i] * 1000 - PG_EPOCH_US));
	}
	add(p, bytes, (size_t)(at - bytes), true);
}
