/* What Postgres' binary formats have in common: type ids (fixed by its catalogue, pg_type.dat), byte order, epoch. */
#ifndef QUERN_STORE_PG_TYPE_H
#define QUERN_STORE_PG_TYPE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum pg_oid {
	PG_OID_BOOL = 16,
	PG_OID_BYTEA = 17,
	PG_OID_INT8 = 20,
	PG_OID_INT2 = 21,
	PG_OID_INT4 = 23,
	PG_OID_TEXT = 25,
	PG_OID_JSON = 114,
	PG_OID_FLOAT8 = 701,
	PG_OID_INT4_ARRAY = 1007,
	PG_OID_TEXT_ARRAY = 1009,
	PG_OID_TIMESTAMPTZ = 1184,
	PG_OID_TIMESTAMPTZ_ARRAY = 1185,
	PG_OID_UUID = 2950,
	PG_OID_JSONB = 3802,
};

/* Microseconds from 1970 to 2000, where Postgres' time begins. */
#define PG_EPOCH_US INT64_C(946684800000000)

static inline uint16_t pg_get16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return be16toh(v);
}
static inline uint32_t pg_get32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return be32toh(v);
}
static inline uint64_t pg_get64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return be64toh(v);
}
static inline void *pg_put32(void *p, uint32_t v)
{
	v = htobe32(v);
	return (char *)memcpy(p, &v, sizeof v) + sizeof v;
}
static inline void *pg_put64(void *p, uint64_t v)
{
	v = htobe64(v);
	return (char *)memcpy(p, &v, sizeof v) + sizeof v;
}

#endif
