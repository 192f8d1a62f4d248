/* Migrations: safe together, refused backwards. */
#include "tests/unit/store/store_support.h"

#include "store/migrate.h"

static struct store *s;
static struct err e;
static struct arena a;

static struct store *store_here(void)
{
	return store_open(&(struct store_options){.url = pg_fixture_url(), .pool_max = 2});
}

static int setup(void **state)
{
	(void)state;
	err_init(&e);
	pg_fixture_sql("DROP SCHEMA IF EXISTS quern CASCADE");
	s = store_here();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(s);
	arena_reset(&a);
	return 0;
}

static void brings_an_empty_database_up_to_date_once(void **state)
{
	(void)state;
	unsigned first, second;
	bool current = true;
	assert_ok(migrate_current(s, &current, &e), &e);
	assert_false(current);
	assert_ok(migrate_run(s, &first, &e), &e);
	assert_ok(migrate_run(s, &second, &e), &e);
	assert_true(first >= 1);
	assert_int_equal(second, 0);
	assert_ok(migrate_current(s, &current, &e), &e);
	assert_true(current);
}

static int migrate_in_process(size_t index)
{
	(void)index;
	struct err mine;
	unsigned applied;
	err_init(&mine);
	struct store *own = store_here();
	bool ok = migrate_run(own, &applied, &mine);
	if (!ok) print_error("%s\n", mine.detail);
	store_close(own);
	return ok ? 0 : 1;
}

static void eight_processes_migrate_at_once(void **state)
{
	(void)state;
	bool current;
	run_processes(8, migrate_in_process);
	assert_ok(migrate_current(s, &current, &e), &e);
	assert_true(current);
	assert_string_equal(pg_fixture_value(&a, "SELECT count(*) = max(version) FROM quern.migration"), "t");
}

static void a_newer_database_is_refused(void **state)
{
	(void)state;
	unsigned applied;
	bool current = true;
	assert_ok(migrate_run(s, &applied, &e), &e);
	pg_fixture_sql("INSERT INTO quern.migration (version, name) VALUES (9999, 'of the future')");
	assert_ok(migrate_current(s, &current, &e), &e);
	assert_false(current);
	assert_false(migrate_run(s, &applied, &e));
	assert_int_equal(e.code, ERR_conflict);
}

static void a_schema_made_by_somebody_else_will_do(void **state)
{
	(void)state;
	unsigned applied;
	pg_fixture_sql("CREATE SCHEMA quern");
	assert_ok(migrate_run(s, &applied, &e), &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(brings_an_empty_database_up_to_date_once, setup, teardown),
		cmocka_unit_test_setup_teardown(eight_processes_migrate_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_newer_database_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_schema_made_by_somebody_else_will_do, setup, teardown),
	};
	int failed = cmocka_run_group_tests(tests, pg_fixture_setup, pg_fixture_teardown);
	arena_release(&a);
	return failed;
}
