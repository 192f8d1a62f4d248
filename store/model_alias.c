#include "store/model_private.h"

static bool alias_not_found(const char *name, const char *alias, struct err *e)
{
	return err_set(e, ERR_not_found, "model %.200s has no alias %.200s", name, alias);
}

/* $1 name, $2 alias of every statement here. */
static struct pg_params alias_params(const char *name, const char *alias)
{
	struct pg_params p = {0};
	pg_param_text(&p, name);
	pg_param_text(&p, alias);
	return p;
}

static bool set_outcome(const struct pg_rows *rows, const char *name, const char *target, struct err *e)
{
	struct str outcome;
	if (!pg_value(rows, 0, "outcome", PG_STR, NULL, &outcome, e)) return false;
	if (str_is(outcome, "no_model")) return model_not_found(name, e);
	if (str_is(outcome, "no_version"))
		return err_fault(e, "", "the target names a version that model %.200s does not have: %.200s", name,
				 target);
	return true;
}

bool model_alias_set(struct store *s, const char *name, const char *alias, const char *target, struct err *e)
{
	struct pg_params p = alias_params(name, alias);
	struct pg_rows rows;
	pg_param_text(&p, target);
	if (!tx_query(s, QUERY_model_alias_set, &p, &rows, e)) return false;
	bool ok = set_outcome(&rows, name, target, e);
	pg_rows_clear(&rows);
	return ok;
}

static const struct pg_field fields[] = {
	{"alias", PG_TEXT, offsetof(struct model_alias, alias)},
	{"target", PG_TEXT, offsetof(struct model_alias, target)},
	{"updated_at", PG_TIME, offsetof(struct model_alias, updated_at)},
	{NULL},
};

bool model_alias_get(struct store *s, const char *name, const char *alias, struct arena *a, struct model_alias *out,
		     struct err *e)
{
	struct pg_params p = alias_params(name, alias);
	struct pg_rows rows;
	if (!tx_query(s, QUERY_model_alias_get, &p, &rows, e)) return false;
	bool ok = rows.count ? pg_row(&rows, 0, fields, a, out, e) : alias_not_found(name, alias, e);
	pg_rows_clear(&rows);
	return ok;
}

bool model_alias_delete(struct store *s, const char *name, const char *alias, struct err *e)
{
	struct pg_params p = alias_params(name, alias);
	struct pg_rows rows;
	bool deleted;
	if (!tx_query(s, QUERY_model_alias_delete, &p, &rows, e)) return false;
	bool ok = pg_value(&rows, 0, "deleted", PG_BOOL, NULL, &deleted, e);
	pg_rows_clear(&rows);
	return ok && (deleted || alias_not_found(name, alias, e));
}

bool model_alias_history(struct store *s, const char *name, const char *alias, size_t limit, struct arena *a,
			 struct model_alias **out, size_t *count, struct err *e)
{
	struct pg_params p = alias_params(name, alias);
	struct pg_rows rows;
	pg_param_i64(&p, (int64_t)MIN(limit, (size_t)MODEL_LIST_MAX));
	if (!tx_query(s, QUERY_model_alias_history, &p, &rows, e)) return false;
	struct model_alias *items = pg_row_array(&rows, fields, sizeof *items, a, e);
	if (items) {
		*out = items;
		*count = (size_t)rows.count;
	}
	pg_rows_clear(&rows);
	return items != NULL;
}
