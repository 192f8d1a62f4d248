#include "store/model_private.h"

#include "store/keyset.h"

bool model_not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_no_model, "there is no model %.200s", name);
}

bool model_version_not_found(const char *name, int version, struct err *e)
{
	return err_set(e, ERR_not_found, "there is no version %d of model %.200s", version, name);
}

/* --- Models and what points into them: quern.model_view ----------------------------------------------------------- */

struct view {
	const char *name;
	int64_t created_at, updated_at;
	int latest;
	struct pg_ints versions;
	struct pg_texts aliases, targets;
	struct pg_times alias_times;
};

static const struct pg_field view_fields[] = {
	{"name", PG_TEXT, offsetof(struct view, name)},
	{"created_at", PG_TIME, offsetof(struct view, created_at)},
	{"updated_at", PG_TIME, offsetof(struct view, updated_at)},
	{"latest", PG_INT, offsetof(struct view, latest)},
	{"versions", PG_INTS, offsetof(struct view, versions)},
	{"aliases", PG_TEXTS, offsetof(struct view, aliases)},
	{"targets", PG_TEXTS, offsetof(struct view, targets)},
	{"alias_times", PG_TIMES, offsetof(struct view, alias_times)},
	{NULL},
};

static bool read_model(const struct pg_rows *rows, int row, struct arena *a, struct model *out, struct err *e)
{
	struct view v;
	if (!pg_row(rows, row, view_fields, a, &v, e)) return false;
	*out = (struct model){
		.name = v.name,
		.created_at = v.created_at,
		.updated_at = v.updated_at,
		.latest = v.latest,
		.aliases = arena_alloc(a, v.aliases.count * sizeof *out->aliases),
		.alias_count = v.aliases.count,
		.versions = v.versions.items,
		.version_count = v.versions.count,
	};
	for (size_t i = 0; i < v.aliases.count; i++)
		out->aliases[i] = (struct model_alias){v.aliases.items[i], v.targets.items[i], v.alias_times.items[i]};
	return true;
}

/* Rows [0, n) of a result. */
static bool read_models(const struct pg_rows *rows, size_t n, struct arena *a, struct model **out, struct err *e)
{
	*out = arena_alloc(a, n * sizeof **out);
	for (size_t i = 0; i < n; i++)
		if (!read_model(rows, (int)i, a, &(*out)[i], e)) return false;
	return true;
}

static const char list_name[] = "models";

static const char *next_cursor(const char *name, struct arena *a)
{
	struct buf key = BUF_INIT(MODEL_NAME_MAX + 1);
	buf_append(&key, name, strlen(name) + 1);
	const char *text = keyset_encode(list_name, &key, a);
	buf_release(&key);
	return text;
}

bool model_list(struct store *s, size_t limit, const char *cursor, struct arena *a, struct model **out, size_t *count,
		const char **next, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	struct cursor key = {0};
	limit = MAX(MIN(limit, (size_t)MODEL_LIST_MAX), (size_t)1);
	if (cursor && !keyset_decode(list_name, cursor, a, &key, e)) return false;
	pg_param_text(&p, (const char *)key.p);
	pg_param_i64(&p, (int64_t)limit + 1); /* one more, to know whether there is a next page */
	if (!tx_query(s, QUERY_model_list, &p, &rows, e)) return false;
	size_t n = MIN((size_t)rows.count, limit);
	bool ok = read_models(&rows, n, a, out, e);
	if (ok) {
		*count = n;
		*next = (size_t)rows.count > limit ? next_cursor((*out)[n - 1].name, a) : NULL;
	}
	pg_rows_clear(&rows);
	return ok;
}

bool model_get(struct store *s, const char *name, struct arena *a, struct model *out, struct err *e)
{
	struct pg_params p = {0};
	struct pg_rows rows;
	pg_param_text(&p, name);
	if (!tx_query(s, QUERY_model_get, &p, &rows, e)) return false;
	bool ok = rows.count ? read_model(&rows, 0, a, out, e) : model_not_found(name, e);
	pg_rows_clear(&rows);
	return ok;
}

static const char *production_target(const struct model *m)
{
	for (size_t i = 0; i < m->alias_count; i++)
		if (strcmp(m->aliases[i].alias, "production") == 0) return m->aliases[i].target;
	return NULL;
}

static bool read_targets(const struct pg_rows *rows, struct arena *a, struct model_target **out, size_t *count,
			 int64_t *revision, struct err *e)
{
	struct str first;
	struct model *models;
	if (!pg_value(rows, 0, "name", PG_STR, NULL, &first, e)) return false;
	size_t n = first.data ? (size_t)rows->count : 0;
	if (!read_models(rows, n, a, &models, e)) return false;
	if (!pg_value(rows, 0, "revision", PG_I64, NULL, revision, e)) return false;
	*out = arena_alloc(a, n * sizeof **out);
	*count = n;
	for (size_t i = 0; i < n; i++) {
		const struct model *m = &models[i];
		(*out)[i] = (struct model_target){m->name,	  m->latest,   production_target(m), m->aliases,
						  m->alias_count, m->versions, m->version_count};
	}
	return true;
}

bool model_targets(struct store *s, struct arena *a, struct model_target **out, size_t *count, int64_t *revision,
		   struct err *e)
{
	struct pg_rows rows;
	if (!tx_query(s, QUERY_model_targets, NULL, &rows, e)) return false;
	bool ok = read_targets(&rows, a, out, count, revision, e);
	pg_rows_clear(&rows);
	return ok;
}
