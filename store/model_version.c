#include "store/model_private.h"

static const struct pg_field fields[] = {
	{"name", PG_TEXT, offsetof(struct model_version, name)},
	{"version", PG_INT, offsetof(struct model_version, version)},
	{"job_id", PG_UUID, offsetof(struct model_version, job_id)},
	{"manifest", PG_TEXT, offsetof(struct model_version, manifest)},
	{"size", PG_I64, offsetof(struct model_version, size)},
	{"created_at", PG_TIME, offsetof(struct model_version, created_at)},
	{NULL},
};

static bool read_version(const struct pg_rows *rows, int row, struct arena *a, struct model_version *out, struct err *e)
{
	struct str checksum;
	if (!pg_row(rows, row, fields, a, out, e) || !pg_value(rows, row, "checksum", PG_STR, NULL, &checksum, e))
		return false;
	size_t len = MIN(checksum.len, sizeof out->checksum - 1);
	memcpy(out->checksum, checksum.data, len);
	out->checksum[len] = 0;
	return true;
}

/* version 0: all. A model without such versions gives one row whose version is null: *count 0. */
static bool query_versions(struct store *s, const char *name, int version, struct pg_rows *rows, size_t *count,
			   struct err *e)
{
	struct pg_params p = {0};
	pg_param_text(&p, name);
	if (version)
		pg_param_i64(&p, version);
	else
		pg_param_null(&p);
	if (!tx_query(s, QUERY_model_versions, &p, rows, e)) return false;
	int first = 0;
	bool ok = rows->count ? pg_value(rows, 0, "version", PG_INT, NULL, &first, e) : model_not_found(name, e);
	*count = first ? (size_t)rows->count : 0;
	if (!ok) pg_rows_clear(rows);
	return ok;
}

bool model_version_get(struct store *s, const char *name, int version, struct arena *a, struct model_version *out,
		       struct err *e)
{
	struct pg_rows rows;
	size_t count;
	if (version < 1) return model_version_not_found(name, version, e);
	if (!query_versions(s, name, version, &rows, &count, e)) return false;
	bool ok = count ? read_version(&rows, 0, a, out, e) : model_version_not_found(name, version, e);
	pg_rows_clear(&rows);
	return ok;
}

bool model_version_list(struct store *s, const char *name, struct arena *a, struct model_version **out, size_t *count,
			struct err *e)
{
	struct pg_rows rows;
	size_t n;
	if (!query_versions(s, name, 0, &rows, &n, e)) return false;
	struct model_version *versions = arena_alloc(a, n * sizeof *versions);
	bool ok = true;
	for (size_t i = 0; ok && i < n; i++) ok = read_version(&rows, (int)i, a, &versions[i], e);
	pg_rows_clear(&rows);
	if (ok) {
		*out = versions;
		*count = n;
	}
	return ok;
}
