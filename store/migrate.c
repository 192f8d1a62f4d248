#include "store/migrate.h"

#include "schemas/schemas.h"
#include "store/store_private.h"
#include "store/tx.h"

#include <stdlib.h>

/* A migration may rewrite tables, and may wait for another process that does. */
enum { MIGRATE_TIMEOUT_MS = 300000 };

/* Files are numbered 1, 2, 3 … without a gap, so the count is the newest version. */
static int newest(void)
{
	int n = 0;
	for (const struct embed_file *f = schemas_sql_migrations; f->name; f++) CHECK(atoi(f->name) == ++n);
	return n;
}

static bool read_version(struct pg *c, int *version, struct err *e)
{
	struct pg_rows rows;
	bool known;
	if (!pg_exec(c, QUERY_migrate_known, NULL, &rows, e)) return false;
	bool ok = pg_value(&rows, 0, "known", PG_BOOL, NULL, &known, e);
	pg_rows_clear(&rows);
	*version = 0;
	if (!ok || !known) return ok;
	if (!pg_exec(c, QUERY_migrate_version, NULL, &rows, e)) return false;
	ok = pg_value(&rows, 0, "version", PG_INT, NULL, version, e);
	pg_rows_clear(&rows);
	return ok;
}

static bool check_version(struct pg *c, int version, struct err *e)
{
	if (pg_version(c) < PG_VERSION_MIN)
		return err_set(e, ERR_conflict, "Postgres is version %d; at least %d is needed", pg_version(c) / 10000,
			       PG_VERSION_MIN / 10000);
	if (version > newest())
		return err_set(e, ERR_conflict,
			       "the database's schema is at %d, newer than this program's %d: install a newer Quern",
			       version, newest());
	return true;
}

static bool apply(struct pg *c, const struct embed_file *file, int version, struct err *e)
{
	struct pg_params p = {0};
	pg_param_i64(&p, version);
	pg_param_text(&p, file->name);
	if (pg_script(c, (const char *)file->data, e) && pg_exec(c, QUERY_migrate_applied, &p, NULL, e)) return true;
	return err_wrap(e, "migration %s", file->name);
}

/* In a transaction: under the lock, looks again and applies the next migration there is. *version is what it was
 * before. */
static bool step(struct pg *c, int *version, struct err *e)
{
	return pg_exec(c, QUERY_migrate_lock, NULL, NULL, e) && pg_exec(c, QUERY_migrate_bootstrap, NULL, NULL, e) &&
	       read_version(c, version, e) && check_version(c, *version, e) &&
	       (*version == newest() || apply(c, &schemas_sql_migrations[*version], *version + 1, e));
}

bool migrate_run(struct store *s, unsigned *applied, struct err *e)
{
	struct pg *c;
	int version;
	*applied = 0;
	if (!pg_open(s->url, MIGRATE_TIMEOUT_MS, &c, e)) return false;
	bool ok = read_version(c, &version, e) && check_version(c, version, e);
	while (ok && version < newest()) {
		ok = pg_script(c, "BEGIN", e) && step(c, &version, e) && pg_commit(c, e);
		if (ok && version < newest()) {
			version++;
			(*applied)++;
		}
	}
	pg_close(c);
	return ok;
}

static bool current_body(const struct tx *tx, void *version, struct err *e) { return read_version(tx->pg, version, e); }

bool migrate_current(struct store *s, bool *current, struct err *e)
{
	int version;
	if (!tx_single(s, current_body, &version, e)) return false;
	*current = version == newest();
	return true;
}
