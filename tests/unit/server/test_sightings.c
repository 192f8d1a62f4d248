#include "tests/support/support.h"

#include "server/sightings.h"

static bool look(struct sightings *t, const char *target, uint64_t body, int64_t now, int64_t want_since)
{
	int64_t since;
	bool certain = sightings_look(t, STR(target), body, now, &since);
	assert_int_equal(since, want_since);
	return certain;
}

static void a_body_keeps_its_time_until_it_changes(void **state QN_UNUSED)
{
	struct sightings *t = sightings_create();
	assert_true(look(t, "/jobs", 1, 10, 10));
	assert_true(look(t, "/jobs", 1, 10, 10));
	assert_true(look(t, "/jobs", 1, 99, 10));
	assert_true(look(t, "/jobs", 2, 100, 100));
	assert_true(look(t, "/jobs", 1, 200, 200)); /* the old one again is a change too */
	sightings_destroy(t);
}

static void two_bodies_in_one_second_are_doubtful(void **state QN_UNUSED)
{
	struct sightings *t = sightings_create();
	assert_true(look(t, "/jobs", 1, 10, 10));
	assert_false(look(t, "/jobs", 2, 10, 10));
	assert_false(look(t, "/jobs", 2, 10, 10));
	assert_true(look(t, "/jobs", 2, 12, 12)); /* told anew: whoever has 10 may have either */
	assert_true(look(t, "/jobs", 2, 13, 12));
	assert_false(look(t, "/jobs", 3, 12, 12));
	sightings_destroy(t);
}

static void targets_are_apart(void **state QN_UNUSED)
{
	struct sightings *t = sightings_create();
	assert_true(look(t, "/jobs", 1, 10, 10));
	assert_true(look(t, "/models", 1, 20, 20));
	assert_true(look(t, "/jobs", 1, 30, 10));
	sightings_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_keeps_its_time_until_it_changes),
		cmocka_unit_test(two_bodies_in_one_second_are_doubtful),
		cmocka_unit_test(targets_are_apart),
	};
	return cmocka_run_group_tests_name("sightings", tests, NULL, NULL);
}
