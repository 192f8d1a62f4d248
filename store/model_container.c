/* Containers in pieces of MODEL_CHUNK bytes, so that neither a statement nor a field nears a limit of Postgres, and
 * neither side holds more than a piece or a few beside the container itself. */
#include "store/model_private.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	MODEL_CHUNK = 1 << 20,
	MODEL_CHUNKS_AT_ONCE = 8,
	MODEL_CHECKSUM_SIZE = sizeof((struct model_version *)0)->checksum
};

static void checksum_text(const void *p, size_t len, char out[MODEL_CHECKSUM_SIZE])
{
	snprintf(out, MODEL_CHECKSUM_SIZE, "%016" PRIx64, hash_xxh3(p, len));
}

static bool version_add(struct pg *pg, const struct model_new *m, int64_t *id, int *version, struct err *e)
{
	char checksum[MODEL_CHECKSUM_SIZE];
	struct pg_params p = {0};
	struct pg_rows rows;
	checksum_text(m->container, m->len, checksum);
	pg_param_text(&p, m->name);
	pg_param_text(&p, m->job_id);
	pg_param_text(&p, m->manifest ? m->manifest : "{}");
	pg_param_text(&p, m->metrics);
	pg_param_i64(&p, (int64_t)m->len);
	pg_param_text(&p, checksum);
	if (!pg_exec(pg, QUERY_model_version_add, &p, &rows, e)) return false;
	bool ok = pg_value(&rows, 0, "version_id", PG_I64, NULL, id, e) &&
		  pg_value(&rows, 0, "version", PG_INT, NULL, version, e);
	pg_rows_clear(&rows);
	return ok;
}

bool model_container_add(struct pg *pg, const struct model_new *m, int *version, struct err *e)
{
	int64_t id;
	if (!version_add(pg, m, &id, version, e)) return false;
	for (size_t at = 0; at < m->len; at += MODEL_CHUNK) {
		struct pg_params p = {0};
		pg_param_i64(&p, id);
		pg_param_i64(&p, (int64_t)(at / MODEL_CHUNK));
		pg_param_bytes(&p, (const char *)m->container + at, MIN(m->len - at, (size_t)MODEL_CHUNK));
		if (!pg_exec(pg, QUERY_model_chunk_add, &p, NULL, e)) return false;
	}
	return true;
}

struct container {
	int64_t id, size;
	struct str checksum;
};

/* Appends the chunks of one page; *more is false behind the last. */
static bool read_chunks(struct store *s, int64_t id, int64_t first, struct buf *out, bool *more, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	pg_param_i64(&p, id);
	pg_param_i64(&p, first);
	pg_param_i64(&p, MODEL_CHUNKS_AT_ONCE);
	if (!tx_query(s, QUERY_model_chunks, &p, &rows, e)) return false;
	bool ok = true;
	for (int i = 0; ok && i < rows.count; i++) {
		struct str data;
		ok = pg_value(&rows, i, "data", PG_STR, NULL, &data, e);
		if (ok) buf_append(out, data.data, data.len);
	}
	*more = rows.count == MODEL_CHUNKS_AT_ONCE;
	pg_rows_clear(&rows);
	return ok;
}

static bool read_container(struct store *s, const struct container *c, struct buf *out, struct err *e)
{
	char checksum[MODEL_CHECKSUM_SIZE];
	size_t start = out->len;
	if (c->size < 0 || (uint64_t)c->size > out->max - out->len)
		return err_set(e, ERR_too_large, "the container has %" PRId64 " bytes", c->size);
	bool more = true;
	for (int64_t at = 0; more; at += MODEL_CHUNKS_AT_ONCE)
		if (!read_chunks(s, c->id, at, out, &more, e)) return false;
	size_t len = out->len - start;
	if (!buf_ok(out) || len != (size_t)c->size)
		return err_set(e, ERR_bad_model, "the stored container has %zu bytes instead of %" PRId64, len,
			       c->size);
	checksum_text(out->data + start, len, checksum);
	if (!str_is(c->checksum, checksum))
		return err_set(e, ERR_bad_model, "the stored container's checksum is %s instead of %.*s", checksum,
			       (int)c->checksum.len, c->checksum.data);
	return true;
}

bool model_load(struct store *s, const char *name, int version, struct buf *out, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	struct container c;
	pg_param_text(&p, name);
	pg_param_i64(&p, version);
	if (!tx_query(s, QUERY_model_container, &p, &rows, e)) return false;
	bool ok = rows.count ? pg_value(&rows, 0, "id", PG_I64, NULL, &c.id, e) &&
				       pg_value(&rows, 0, "size", PG_I64, NULL, &c.size, e) &&
				       pg_value(&rows, 0, "checksum", PG_STR, NULL, &c.checksum, e) &&
				       read_container(s, &c, out, e)
			     : model_version_not_found(name, version, e);
	pg_rows_clear(&rows);
	return ok;
}
