/* A throw-away Postgres for a test program: a cluster of its own below a temporary folder, started as `quern serve`
 * starts its private one. Group set-up and tear-down for cmocka; fails with a clear line where no Postgres is
 * installed. */
#ifndef QUERN_TESTS_PG_FIXTURE_H
#define QUERN_TESTS_PG_FIXTURE_H

#include "tests/support/support.h"

#include "store/embedded.h"
#include "store/store.h"

int pg_fixture_setup(void **state);
int pg_fixture_teardown(void **state);

struct embedded *pg_fixture_embedded(void);
const char *pg_fixture_url(void);
/* A store on the fixture's cluster, migrated; store_close it. pool_max 0: the default. */
struct store *pg_fixture_store(unsigned pool_max);
/* Runs SQL on a connection of its own; the test fails when it does. */
void pg_fixture_sql(const char *sql);
/* The first column of the first row as text, in the arena; NULL: null or no row. */
char *pg_fixture_value(struct arena *a, const char *sql);
/* Opens a connection that keeps what the SQL leaves open (a transaction, a lock) until it is ended with the SQL given:
 * COMMIT or ROLLBACK. One at a time. */
void pg_fixture_hold(const char *sql);
void pg_fixture_release(const char *sql);

#endif
