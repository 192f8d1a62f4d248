#include "tests/support/support.h"

#include "server/negotiate.h"

static struct str header(const char *text) { return text ? STR(text) : (struct str){0}; }

static void media(void **state QN_UNUSED)
{
	static const struct {
		const char *type;
		enum media media;
	} rows[] = {
		{NULL, MEDIA_NONE},
		{"application/json", MEDIA_JSON},
		{"Application/JSON; charset=UTF-8", MEDIA_JSON},
		{"application/json;charset=\"utf-8\"", MEDIA_JSON},
		{"application/json; charset=latin1", MEDIA_OTHER},
		{"application/x-ndjson", MEDIA_NDJSON},
		{"text/csv; header=present", MEDIA_CSV},
		{"text/csv ; charset=utf-16", MEDIA_OTHER},
		{"application/x-www-form-urlencoded", MEDIA_OTHER},
		{"text/plain", MEDIA_OTHER},
		{"", MEDIA_OTHER},
		{"application/json, text/csv", MEDIA_OTHER},
		{"\"", MEDIA_OTHER},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (negotiate_media(header(rows[i].type)) != rows[i].media) fail_msg("%s", rows[i].type);
}

static void codings(void **state QN_UNUSED)
{
	assert_int_equal(negotiate_coding(header(NULL)), CODING_NONE);
	assert_int_equal(negotiate_coding(header("identity")), CODING_NONE);
	assert_int_equal(negotiate_coding(header(" GZIP ")), CODING_GZIP);
	assert_int_equal(negotiate_coding(header("zstd")), CODING_ZSTD);
	assert_int_equal(negotiate_coding(header("br")), CODING_OTHER);
	assert_int_equal(negotiate_coding(header("gzip, gzip")), CODING_OTHER);
}

static void qualities(void **state QN_UNUSED)
{
	static const struct {
		const char *accept;
		double q;
	} rows[] = {
		{NULL, 1},
		{"", 1},
		{"*/*", 1},
		{"application/*;q=0.5", 0.5},
		{"application/json", 1},
		{"text/html, application/json;q=0.9, */*;q=0.8", 0.9},
		{"*/*;q=0.1, application/json;q=0", 0},
		{"application/json;q=0, */*", 0},
		{"text/html", 0},
		{"text/html;level=\"1,2\", application/json;q=0.3", 0.3},
		{"application/json;q=abc", 0},
		{"application/json;q=2", 0},
		{"application/jsonx, application/jso", 0},
		{",,;,", 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		double q = negotiate_quality(header(rows[i].accept), "application/json");
		if (q != rows[i].q) fail_msg("%s: %g", rows[i].accept, q);
	}
}

static void gzip(void **state QN_UNUSED)
{
	static const struct {
		const char *accept;
		bool yes;
	} rows[] = {{NULL, false},           {"", false},         {"gzip", true},   {"deflate, gzip;q=0.5", true},
		    {"gzip;q=0", false},     {"*", true},         {"*;q=0", false}, {"gzip;q=0, *", false},
		    {"identity", false},     {"br, zstd", false}, {"x-gzip", true}, {"GZip; Q=1.0", true},
		    {"gzip;q=0.000", false}, {"gzippy", false}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (negotiate_gzip(header(rows[i].accept)) != rows[i].yes) fail_msg("%s", rows[i].accept);
}

static void tags(void **state QN_UNUSED)
{
	static const char tag[] = "\"abc\"";
	static const struct {
		const char *list;
		bool matches;
	} rows[] = {{"\"abc\"", true},
		    {"W/\"abc\"", true},
		    {"*", true},
		    {"\"x\", \"abc\"", true},
		    {"\"x,\\\"y\", W/\"abc\"", true},
		    {"\"ab\"", false},
		    {"abc", false},
		    {"", false},
		    {NULL, false},
		    {"\"abc", false},
		    {"W/", false}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (negotiate_tag_matches(header(rows[i].list), tag) != rows[i].matches) fail_msg("%s", rows[i].list);
}

static void dates(void **state QN_UNUSED)
{
	int64_t s = 0;
	assert_true(negotiate_date(header("Thu, 01 Jan 1970 00:01:00 GMT"), &s));
	assert_int_equal(s, 60);
	assert_false(negotiate_date(header("1970-01-01"), &s));
	assert_false(negotiate_date(header("Thu, 01 Jan 1970 00:01:00 GMT, and so on and so on and so on"), &s));
	assert_false(negotiate_date(header(NULL), &s));
}

static void waits(void **state QN_UNUSED)
{
	int64_t s = -1;
	assert_true(negotiate_wait(header("respond-async, wait=10"), &s));
	assert_int_equal(s, 10);
	assert_true(negotiate_wait(header("Wait=\"5\""), &s));
	assert_int_equal(s, 5);
	assert_false(negotiate_wait(header("wait=-1"), &s));
	assert_false(negotiate_wait(header("wait=soon"), &s));
	assert_false(negotiate_wait(header("return=minimal"), &s));
	assert_false(negotiate_wait(header(NULL), &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(media), cmocka_unit_test(codings), cmocka_unit_test(qualities), cmocka_unit_test(gzip),
		cmocka_unit_test(tags),  cmocka_unit_test(dates),   cmocka_unit_test(waits),
	};
	return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}
