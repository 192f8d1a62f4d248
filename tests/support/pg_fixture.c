#include "tests/support/pg_fixture.h"

#include "store/migrate.h"

#include <libpq-fe.h>
#include <stdio.h>

static struct {
	struct arena arena;
	char *dir;
	struct embedded *embedded;
	PGconn *held;
} fixture;

int pg_fixture_setup(void **state)
{
	(void)state;
	struct err e;
	err_init(&e);
	fixture.dir = support_tmp(&fixture.arena);
	if (embedded_start(fixture.dir, &fixture.embedded, &e)) return 0;
	fprintf(stderr, "these tests need Postgres: %s\n", e.detail);
	support_tmp_remove(fixture.dir);
	return -1;
}

int pg_fixture_teardown(void **state)
{
	(void)state;
	embedded_stop(fixture.embedded);
	support_tmp_remove(fixture.dir);
	arena_release(&fixture.arena);
	return 0;
}

struct embedded *pg_fixture_embedded(void) { return fixture.embedded; }
const char *pg_fixture_url(void) { return embedded_url(fixture.embedded); }

struct store *pg_fixture_store(unsigned pool_max)
{
	struct err e;
	unsigned applied;
	err_init(&e);
	struct store *s = store_open(&(struct store_options){.url = pg_fixture_url(), .pool_max = pool_max});
	assert_ok(migrate_run(s, &applied, &e), &e);
	return s;
}

static void no_notice(void *ctx, const PGresult *r) { (void)ctx, (void)r; }

static PGresult *run(PGconn **conn, const char *sql)
{
	*conn = PQconnectdb(pg_fixture_url());
	PQsetNoticeReceiver(*conn, no_notice, NULL);
	PGresult *r = PQexec(*conn, sql);
	ExecStatusType status = PQresultStatus(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail_msg("%s: %s", sql, PQerrorMessage(*conn));
	return r;
}

void pg_fixture_sql(const char *sql)
{
	PGconn *conn;
	PQclear(run(&conn, sql));
	PQfinish(conn);
}

char *pg_fixture_value(struct arena *a, const char *sql)
{
	PGconn *conn;
	PGresult *r = run(&conn, sql);
	char *value = PQntuples(r) && !PQgetisnull(r, 0, 0) ? arena_strdup(a, PQgetvalue(r, 0, 0)) : NULL;
	PQclear(r);
	PQfinish(conn);
	return value;
}

void pg_fixture_hold(const char *sql) { PQclear(run(&fixture.held, sql)); }

void pg_fixture_release(const char *sql)
{
	PQclear(PQexec(fixture.held, sql));
	PQfinish(fixture.held);
	fixture.held = NULL;
}
