/* Models: stored whole, read whole, pointed at by aliases that remember. */
#include "tests/unit/store/store_support.h"

#include <stdio.h>
#include <string.h>

static int publish_bytes(const char *name, const void *container, size_t len)
{
	return publish((struct job_result){.metrics = "{}",
					   .model_name = name,
					   .container = container,
					   .container_len = len,
					   .manifest = "{\"a\":1}"});
}

static unsigned char *noise(size_t len)
{
	unsigned char *p = arena_alloc(&fx.a, len);
	uint64_t x = 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		p[i] = (unsigned char)(x >> 56);
	}
	return p;
}

static void containers_come_back_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 12 << 20};
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct buf b = BUF_INIT(64 << 20);
		const unsigned char *bytes = noise(sizes[i]);
		int64_t start = clock_mono_ns();
		int version = publish_bytes("whole", bytes, sizes[i]);
		int64_t middle = clock_mono_ns();
		buf_str(&b, "before");
		assert_ok(model_load(fx.s, "whole", version, &b, &fx.e), &fx.e);
		assert_int_equal(b.len, sizes[i] + 6);
		assert_memory_equal(b.data + 6, bytes, sizes[i]);
		if (sizes[i] > 2 << 20)
			print_message("%zu bytes: published in %.1f ms, loaded in %.1f ms\n", sizes[i],
				      (double)(middle - start) / 1e6, (double)(clock_mono_ns() - middle) / 1e6);
		buf_release(&b);
	}
}

static void corruption_is_told(void **state)
{
	(void)state;
	static const char *const corruptions[] = {
	    "UPDATE quern.model_chunk SET data = set_byte(data, 7, get_byte(data, 7) # 1) WHERE version_id = %s AND "
	    "ordinal = 1",
	    "UPDATE quern.model_chunk SET data = substr(data, 2) WHERE version_id = %s AND ordinal = 1",
	    "DELETE FROM quern.model_chunk WHERE version_id = %s AND ordinal = 0",
	    "UPDATE quern.model_version SET checksum = '0000000000000000' WHERE id = %s",
	    "UPDATE quern.model_version SET size = size - 1 WHERE id = %s",
	};
	const unsigned char *bytes = noise(3 << 20);
	for (size_t i = 0; i < ARRAY_COUNT(corruptions); i++) {
		struct buf b = BUF_INIT(64 << 20);
		int version = publish_bytes("corrupt", bytes, 3 << 20);
		const char *id = pg_fixture_value(&fx.a, "SELECT max(id) FROM quern.model_version");
		pg_fixture_sql(arena_printf(&fx.a, corruptions[i], id));
		assert_err(model_load(fx.s, "corrupt", version, &b, &fx.e), bad_model);
		buf_release(&b);
	}
	struct buf small = BUF_INIT(1000);
	assert_err(model_load(fx.s, "corrupt", 1, &small, &fx.e), too_large);
	buf_release(&small);
}

static void what_is_not_there_is_named(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);
	struct model m;
	struct model_version v, *versions;
	size_t count;
	publish_bytes("there", "x", 1);
	assert_err(model_get(fx.s, "nowhere", &fx.a, &m, &fx.e), no_model);
	assert_err(model_version_get(fx.s, "nowhere", 1, &fx.a, &v, &fx.e), no_model);
	assert_err(model_version_list(fx.s, "nowhere", &fx.a, &versions, &count, &fx.e), no_model);
	assert_err(model_version_get(fx.s, "there", 2, &fx.a, &v, &fx.e), not_found);
	assert_err(model_version_get(fx.s, "there", 0, &fx.a, &v, &fx.e), not_found);
	assert_err(model_version_get(fx.s, "there", -1, &fx.a, &v, &fx.e), not_found);
	assert_err(model_load(fx.s, "there", 2, &b, &fx.e), not_found);
	buf_release(&b);
}

static void lists_page_by_name(void **state)
{
	(void)state;
	enum { MODELS = 25 };
	for (int i = 0; i < MODELS; i++) publish_bytes(arena_printf(&fx.a, "listed-%02d", i), "x", 1);
	const char *cursor = NULL, *last = "";
	int listed = 0, pages = 0;
	do {
		struct model *models;
		size_t count;
		assert_ok(model_list(fx.s, 10, cursor, &fx.a, &models, &count, &cursor, &fx.e), &fx.e);
		for (size_t i = 0; i < count; i++) {
			assert_true(strcmp(last, models[i].name) < 0);
			last = models[i].name;
			listed += strncmp(last, "listed-", 7) == 0;
		}
		pages++;
	} while (cursor);
	assert_int_equal(listed, MODELS);
	assert_true(pages >= 3);
	struct model *models;
	size_t count;
	assert_err(model_list(fx.s, 10, "00", &fx.a, &models, &count, &cursor, &fx.e), bad_request);
}

static void versions_are_listed_in_order(void **state)
{
	(void)state;
	struct model_version *versions;
	struct model m;
	size_t count;
	for (int i = 0; i < 3; i++) publish_bytes("versioned", "abc", 3);
	assert_ok(model_version_list(fx.s, "versioned", &fx.a, &versions, &count, &fx.e), &fx.e);
	assert_int_equal(count, 3);
	for (int i = 0; i < 3; i++) assert_int_equal(versions[i].version, i + 1);
	assert_string_equal(versions[0].checksum, versions[2].checksum);
	assert_int_equal(strlen(versions[0].checksum), 16);
	assert_ok(model_get(fx.s, "versioned", &fx.a, &m, &fx.e), &fx.e);
	assert_int_equal(m.latest, 3);
	assert_int_equal(m.version_count, 3);
	assert_int_equal(m.versions[2], 3);
	assert_int_equal(m.alias_count, 0);
}

static void aliases_are_set_read_deleted_remembered(void **state)
{
	(void)state;
	struct model_alias alias, *history;
	struct model m;
	size_t count;
	publish_bytes("aliased", "x", 1);
	publish_bytes("aliased", "x", 1);
	assert_err(model_alias_set(fx.s, "nowhere", "a", "{\"version\":1}", &fx.e), no_model);
	assert_err(model_alias_set(fx.s, "aliased", "a", "{\"version\":3}", &fx.e), invalid);
	assert_err(model_alias_set(fx.s, "aliased", "a", "{\"split\":{\"1\":90,\"7\":10}}", &fx.e), invalid);
	assert_err(model_alias_set(fx.s, "aliased", "a", "{\"version\":1,\"shadow\":9}", &fx.e), invalid);
	assert_err(model_alias_get(fx.s, "aliased", "a", &fx.a, &alias, &fx.e), not_found);
	assert_err(model_alias_delete(fx.s, "aliased", "a", &fx.e), not_found);

	assert_ok(model_alias_set(fx.s, "aliased", "a", "{\"version\":1}", &fx.e), &fx.e);
	assert_ok(model_alias_set(fx.s, "aliased", "a", "{\"version\": 1}", &fx.e), &fx.e); /* the same */
	assert_ok(model_alias_set(fx.s, "aliased", "a", "{\"split\":{\"1\":90,\"2\":10},\"shadow\":2}", &fx.e), &fx.e);
	assert_ok(model_alias_set(fx.s, "aliased", "b", "{\"version\":2}", &fx.e), &fx.e);
	assert_ok(model_get(fx.s, "aliased", &fx.a, &m, &fx.e), &fx.e);
	assert_int_equal(m.alias_count, 2);
	assert_string_equal(m.aliases[0].alias, "a");
	assert_string_equal(m.aliases[1].target, "{\"version\": 2}");
	assert_true(m.aliases[1].updated_at > 0);
	assert_ok(model_alias_delete(fx.s, "aliased", "a", &fx.e), &fx.e);
	assert_ok(model_alias_history(fx.s, "aliased", "a", 10, &fx.a, &history, &count, &fx.e), &fx.e);
	assert_int_equal(count, 3);
	assert_null(history[0].target);
	assert_string_equal(history[2].target, "{\"version\": 1}");
	/* Not even by hand. */
	pg_fixture_sql(
	    "DO $$ BEGIN DELETE FROM quern.model_alias_history; EXCEPTION WHEN check_violation THEN NULL; END $$");
	assert_ok(model_alias_history(fx.s, "aliased", "a", 10, &fx.a, &history, &count, &fx.e), &fx.e);
	assert_int_equal(count, 3);
}

static int64_t read_targets(struct model_target **targets, size_t *count)
{
	int64_t revision;
	assert_ok(model_targets(fx.s, &fx.a, targets, count, &revision, &fx.e), &fx.e);
	return revision;
}

static void the_revision_moves_with_every_change(void **state)
{
	(void)state;
	struct model_target *targets;
	size_t count;
	int64_t first = read_targets(&targets, &count);
	assert_true(read_targets(&targets, &count) == first);
	publish_bytes("targeted", "x", 1);
	int64_t second = read_targets(&targets, &count);
	assert_true(second > first);
	assert_ok(model_alias_set(fx.s, "targeted", "production", "{\"version\":1}", &fx.e), &fx.e);
	int64_t third = read_targets(&targets, &count);
	assert_true(third > second);
	assert_ok(model_alias_set(fx.s, "targeted", "production", "{\"version\":1}", &fx.e), &fx.e);
	assert_true(read_targets(&targets, &count) == third);
	const struct model_target *t = targets;
	while (t < targets + count && strcmp(t->name, "targeted") != 0) t++;
	assert_true(t < targets + count);
	assert_string_equal(t->production, "{\"version\": 1}");
	assert_int_equal(t->latest, 1);
	assert_int_equal(t->alias_count, 1);
	assert_int_equal(t->version_count, 1);
}

static void no_models_is_an_empty_answer(void **state)
{
	(void)state;
	struct model_target *targets;
	size_t count = 1;
	assert_true(read_targets(&targets, &count) == 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(no_models_is_an_empty_answer, fixture_reset),
		cmocka_unit_test_teardown(containers_come_back_whole, fixture_reset),
		cmocka_unit_test_teardown(corruption_is_told, fixture_reset),
		cmocka_unit_test_teardown(what_is_not_there_is_named, fixture_reset),
		cmocka_unit_test_teardown(lists_page_by_name, fixture_reset),
		cmocka_unit_test_teardown(versions_are_listed_in_order, fixture_reset),
		cmocka_unit_test_teardown(aliases_are_set_read_deleted_remembered, fixture_reset),
		cmocka_unit_test_teardown(the_revision_moves_with_every_change, fixture_reset),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
