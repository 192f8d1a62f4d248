#include "store/pg_row.h"

#include "base/clock.h"
#include "store/pg_type.h"

#include <math.h>
#include <stdio.h>

/* --- Single values: bytes of a known length, as the type's send function of Postgres wrote them ------------------- */

static int64_t read_int(const void *p, size_t len)
{
	return len == 8 ? (int64_t)pg_get64(p) : len == 4 ? (int32_t)pg_get32(p) : (int16_t)pg_get16(p);
}

static int64_t read_us(const void *p) { return (int64_t)pg_get64(p) + PG_EPOCH_US; }

static void get_int(const void *p, size_t len, struct arena *a QN_UNUSED, void *out)
{
	*(int *)out = p ? (int)read_int(p, len) : 0;
}

static void get_i64(const void *p, size_t len, struct arena *a QN_UNUSED, void *out)
{
	*(int64_t *)out = p ? read_int(p, len) : 0;
}

static void get_f64(const void *p, size_t len QN_UNUSED, struct arena *a QN_UNUSED, void *out)
{
	uint64_t bits = p ? pg_get64(p) : 0;
	memcpy(out, &bits, sizeof bits);
	if (!p) *(double *)out = NAN;
}

static void get_bool(const void *p, size_t len QN_UNUSED, struct arena *a QN_UNUSED, void *out)
{
	*(bool *)out = p && *(const char *)p;
}

static void get_text(const void *p, size_t len, struct arena *a, void *out)
{
	*(const char **)out = p ? arena_strndup(a, p, len) : NULL;
}

static void get_str(const void *p, size_t len, struct arena *a QN_UNUSED, void *out)
{
	*(struct str *)out = (struct str){p, len};
}

/* jsonb is sent with its version in the first byte. */
static void get_jsonb(const void *p, size_t len, struct arena *a, void *out)
{
	get_text(p ? (const char *)p + 1 : NULL, len - 1, a, out);
}

static void get_uuid(const void *p, size_t len QN_UNUSED, struct arena *a QN_UNUSED, void *out)
{
	char *text = out;
	*text = 0;
	for (int i = 0; p && i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) *text++ = '-';
		text += sprintf(text, "%02x", ((const unsigned char *)p)[i]);
	}
}

static void get_time(const void *p, size_t len QN_UNUSED, struct arena *a QN_UNUSED, void *out)
{
	*(int64_t *)out = p ? read_us(p) / 1000 : 0;
}

static void get_time_us(const void *p, size_t len QN_UNUSED, struct arena *a QN_UNUSED, void *out)
{
	*(int64_t *)out = p ? read_us(p) : 0;
}

/* --- Arrays ------------------------------------------------------------------------------------------------------- */

typedef void (*getter)(const void *p, size_t len, struct arena *a, void *out);

/* Dimensions, has-nulls, element type, count, lower bound; then each element with its length, -1 for null. Two
 * dimensions or more are not ours and read as empty. */
enum { ARRAY_HEADER = 20 };
struct any_array {
	char *items;
	size_t count;
};

static void get_array(const void *p, size_t len, struct arena *a, void *out, getter get, size_t size)
{
	struct any_array array = {0};
	const char *at = p, *end = at + len;
	size_t count = p && len >= ARRAY_HEADER && pg_get32(at) == 1 ? pg_get32(at + 12) : 0;
	if (count > 0 && count <= len / 4) array.items = arena_alloc(a, count * size);
	at += ARRAY_HEADER;
	while (array.items && array.count < count && end - at >= 4) {
		int32_t bytes = (int32_t)pg_get32(at);
		at += 4;
		if (bytes > end - at) break;
		get(bytes < 0 ? NULL : at, (size_t)MAX(bytes, 0), a, array.items + size * array.count++);
		at += MAX(bytes, 0);
	}
	memcpy(out, &array, sizeof array);
}

static void get_texts(const void *p, size_t len, struct arena *a, void *out)
{
	get_array(p, len, a, out, get_text, sizeof(char *));
}

static void get_ints(const void *p, size_t len, struct arena *a, void *out)
{
	get_array(p, len, a, out, get_int, sizeof(int));
}

static void get_times(const void *p, size_t len, struct arena *a, void *out)
{
	get_array(p, len, a, out, get_time, sizeof(int64_t));
}

/* --- Which column type may be read as what ------------------------------------------------------------------------ */

static const struct reader {
	enum pg_field_type type;
	unsigned oid;
	size_t len; /* of a value; 0: any */
	getter get;
} readers[] = {
	{PG_INT, PG_OID_INT2, 2, get_int},
	{PG_INT, PG_OID_INT4, 4, get_int},
	{PG_I64, PG_OID_INT4, 4, get_i64},
	{PG_I64, PG_OID_INT8, 8, get_i64},
	{PG_F64, PG_OID_FLOAT8, 8, get_f64},
	{PG_BOOL, PG_OID_BOOL, 1, get_bool},
	{PG_TEXT, PG_OID_TEXT, 0, get_text},
	{PG_TEXT, PG_OID_JSON, 0, get_text},
	{PG_TEXT, PG_OID_JSONB, 0, get_jsonb},
	{PG_STR, PG_OID_TEXT, 0, get_str},
	{PG_STR, PG_OID_JSON, 0, get_str},
	{PG_STR, PG_OID_BYTEA, 0, get_str},
	{PG_UUID, PG_OID_UUID, 16, get_uuid},
	{PG_TIME, PG_OID_TIMESTAMPTZ, 8, get_time},
	{PG_TIME_US, PG_OID_TIMESTAMPTZ, 8, get_time_us},
	{PG_TEXTS, PG_OID_TEXT_ARRAY, 0, get_texts},
	{PG_INTS, PG_OID_INT4_ARRAY, 0, get_ints},
	{PG_TIMES, PG_OID_TIMESTAMPTZ_ARRAY, 0, get_times},
};

static const struct reader *reader_find(enum pg_field_type type, unsigned oid)
{
	for (size_t i = 0; i < ARRAY_COUNT(readers); i++)
		if (readers[i].type == type && readers[i].oid == oid) return &readers[i];
	return NULL;
}

bool pg_value(const struct pg_rows *rows, int row, const char *column, enum pg_field_type type, struct arena *a,
	      void *out, struct err *e)
{
	int i = pg_rows_column(rows, column);
	const struct reader *r = i < 0 ? NULL : reader_find(type, pg_rows_type(rows, i));
	if (!r) return err_set(e, ERR_internal, "Postgres: column %s is missing or has another type", column);
	size_t len = 0;
	const void *p = pg_rows_value(rows, row, i, &len);
	if (p && r->len && len != r->len)
		return err_set(e, ERR_internal, "Postgres: column %s is %zu bytes", column, len);
	r->get(p, len, a, out);
	return true;
}

bool pg_row(const struct pg_rows *rows, int row, const struct pg_field *fields, struct arena *a, void *out,
	    struct err *e)
{
	for (const struct pg_field *f = fields; f->column; f++)
		if (!pg_value(rows, row, f->column, f->type, a, (char *)out + f->offset, e)) return false;
	return true;
}

void *pg_row_array(const struct pg_rows *rows, const struct pg_field *fields, size_t size, struct arena *a,
		   struct err *e)
{
	char *items = arena_alloc(a, (size_t)rows->count * size);
	for (int i = 0; i < rows->count; i++)
		if (!pg_row(rows, i, fields, a, items + (size_t)i * size, e)) return NULL;
	return items;
}
