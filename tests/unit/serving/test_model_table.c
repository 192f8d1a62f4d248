/* What a reference to a model means. */
#include "serving/model_table.h"
#include "tests/support/support.h"

static int reviews_versions[] = {1, 2, 3, 7}, topics_versions[] = {1};
static struct model_alias reviews_aliases[] = {{"production", "{\"version\":2}", 0},
					       {"canary", "{\"split\":{\"3\":90,\"7\":10}}", 0},
					       {"gone", "{\"version\":9}", 0},
					       {"odd", "nonsense", 0}};
static const struct model_target targets[] = {
	{.name = "topics", .latest = 1, .versions = topics_versions, .version_count = 1},
	{.name = "reviews",
	 .latest = 7,
	 .aliases = reviews_aliases,
	 .alias_count = 4,
	 .versions = reviews_versions,
	 .version_count = 4},
	{.name = "empty"},
};

struct reference {
	const char *name;
	int version;
	const char *alias;
	int found;            /* version; 0: refused with code */
	enum err_code code;
};

static void check(const struct model_table *t, const struct reference *r)
{
	const struct table_model *m = NULL;
	const struct table_version *v = NULL;
	struct err e;
	err_init(&e);
	struct model_ref ref = {.version = r->version};
	if (r->name) ref.name = STR(r->name);
	if (r->alias) ref.alias = STR(r->alias);
	bool ok = model_table_find(t, &ref, &m, &v, &e);
	if (ok != (r->found > 0))
		fail_msg("%s:%d@%s: %s", r->name ? r->name : "-", r->version, r->alias ? r->alias : "-", e.detail);
	if (ok) assert_int_equal(v->version, r->found);
	else assert_int_equal(e.code, r->code);
}

static void test_references(void **state)
{
	(void)state;
	static const struct reference list[] = {
		{"reviews", 0, NULL, 2, 0},
		{"reviews", 7, NULL, 7, 0},
		{"reviews", 3, NULL, 3, 0},
		{"reviews", 4, NULL, 0, ERR_not_found},
		{"reviews", 8, NULL, 0, ERR_not_found},
		{"reviews", 0, "production", 2, 0},
		{"reviews", 0, "canary", 0, ERR_conflict},
		{"reviews", 0, "odd", 0, ERR_conflict},
		{"reviews", 0, "gone", 0, ERR_not_found},
		{"reviews", 0, "nothing", 0, ERR_not_found},
		{"topics", 0, NULL, 1, 0},
		{"empty", 0, NULL, 0, ERR_not_found},
		{"nobody", 0, NULL, 0, ERR_no_model},
		{"review", 0, NULL, 0, ERR_no_model},
		{"", 0, NULL, 0, ERR_no_model},
		{NULL, 0, NULL, 0, ERR_ambiguous_model},
	};
	struct model_table *t = model_table_create(targets, ARRAY_COUNT(targets), NULL, 0, "");
	for (size_t i = 0; i < ARRAY_COUNT(list); i++) check(t, &list[i]);
	model_table_free(t);
}

static void test_without_a_name(void **state)
{
	(void)state;
	struct model_table *none = model_table_create(NULL, 0, NULL, 0, NULL),
			   *one = model_table_create(targets, 1, NULL, 0, NULL);
	struct model_table *named = model_table_create(targets, ARRAY_COUNT(targets), NULL, 0, "reviews");
	struct model_table *wrong = model_table_create(targets, 1, NULL, 0, "reviews");
	check(none, &(struct reference){NULL, 0, NULL, 0, ERR_no_model});
	check(one, &(struct reference){NULL, 0, NULL, 1, 0});
	check(named, &(struct reference){NULL, 0, NULL, 2, 0});
	check(named, &(struct reference){NULL, 7, NULL, 7, 0});
	check(wrong, &(struct reference){NULL, 0, NULL, 0, ERR_no_model});
	model_table_free(none);
	model_table_free(one);
	model_table_free(named);
	model_table_free(wrong);
}

static void test_ambiguity_names_the_candidates(void **state)
{
	(void)state;
	struct model_table *t = model_table_create(targets, ARRAY_COUNT(targets), NULL, 0, NULL);
	const struct table_model *m;
	const struct table_version *v;
	struct err e;
	err_init(&e);
	assert_false(model_table_find(t, &(struct model_ref){0}, &m, &v, &e));
	assert_string_equal(e.detail, "no model is named and there are 3: empty, reviews, topics");
	model_table_free(t);
}

/* An alias that is not understood is not passed over in silence. */
static void test_a_split_production_is_said(void **state)
{
	(void)state;
	struct model_alias split = {"production", "{\"split\":{\"1\":100}}", 0};
	struct model_target target = {.name = "topics",
				      .latest = 1,
				      .versions = topics_versions,
				      .version_count = 1,
				      .aliases = &split,
				      .alias_count = 1};
	struct model_table *t = model_table_create(&target, 1, NULL, 0, NULL);
	check(t, &(struct reference){"topics", 0, NULL, 0, ERR_conflict});
	check(t, &(struct reference){"topics", 1, NULL, 1, 0});
	model_table_free(t);
}

static void test_targets(void **state)
{
	(void)state;
	assert_int_equal(model_target_version("{\"version\":3}"), 3);
	assert_int_equal(model_target_version("{\"version\":0}"), 0);
	assert_int_equal(model_target_version("{\"version\":1.5}"), 0);
	assert_int_equal(model_target_version("{\"version\":99999999999}"), 0);
	assert_int_equal(model_target_version("{\"split\":{}}"), 0);
	assert_int_equal(model_target_version("[]"), 0);
	assert_int_equal(model_target_version("{"), 0);
	assert_int_equal(model_target_version(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_without_a_name),
		cmocka_unit_test(test_ambiguity_names_the_candidates),
		cmocka_unit_test(test_a_split_production_is_said),
		cmocka_unit_test(test_targets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
