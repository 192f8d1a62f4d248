#include "base/rng.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void expect_text(double v, const char *json, const char *java)
{
	char text[STR_NUMBER_MAX + 1];
	text[isfinite(v) ? str_from_double(v, text) : 0] = 0;
	if (isfinite(v)) assert_string_equal(text, json);
	text[str_from_double_java(v, text)] = 0;
	assert_string_equal(text, java);
}

static void test_doubles_to_text(void **state)
{
	(void)state;
	expect_text(0.96, "0.96", "0.96");
	expect_text(1, "1", "1.0");
	expect_text(-0.0, "-0", "-0.0");
	expect_text(1e7, "10000000", "1.0E7");
	expect_text(9999999, "9999999", "9999999.0");
	expect_text(1e-4, "0.0001", "1.0E-4");
	expect_text(0.001, "0.001", "0.001");
	expect_text(5e-324, "5e-324", "4.9E-324");
	expect_text(-1e-323, "-1e-323", "-9.9E-324");
	expect_text(1.5e-323, "1.5e-323", "1.5E-323");
	expect_text(2e-323, "2e-323", "2.0E-323");
	expect_text(2.2250738585072014e-308, "2.2250738585072014e-308", "2.2250738585072014E-308");
	expect_text(2e23, "2e23", "2.0E23");
	expect_text(100, "100", "100.0");
	expect_text(0.000001, "0.000001", "1.0E-6");
	expect_text(1e-7, "1e-7", "1.0E-7");
	expect_text(9007199254740992, "9007199254740992", "9.007199254740992E15");
	expect_text(123456789012345680000.0, "123456789012345680000", "1.2345678901234568E20");
	expect_text(1.7976931348623157e308, "1.7976931348623157e308", "1.7976931348623157E308");
	expect_text(123456789.125, "123456789.125", "1.23456789125E8");
	expect_text(1e21, "1e21", "1.0E21");
	expect_text(NAN, "", "NaN");
	expect_text(-INFINITY, "", "-Infinity");
}

static int digits(const char *text)
{
	int n = 0;
	bool lead = true;
	for (; *text && *text != 'e' && *text != 'E'; text++) {
		if (*text < '0' || *text > '9' || (lead && *text == '0')) continue;
		lead = false;
		n++;
	}
	return n;
}

/* Reads back the same, and printf needs at least as many digits to do so. Trailing zeros of whole numbers do not count.
 */
static void test_random_doubles_are_shortest(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1000000; i++) {
		uint64_t bits = rng_at(1, i);
		double v;
		char text[STR_NUMBER_MAX + 1], other[64];
		memcpy(&v, &bits, sizeof v);
		if (!isfinite(v)) continue;
		text[str_from_double(v, text)] = 0;
		if (strtod(text, NULL) != v) fail_msg("%s is not %.17g", text, v);
		if (i % 16 || fabs(v) < 1e-300 || (fabs(v) >= 1 && fabs(v) < 1e21)) continue;
		for (int p = 0; p < 17; p++) {
			snprintf(other, sizeof other, "%.*e", p, v);
			if (strtod(other, NULL) != v) continue;
			assert_true(digits(text) <= p + 1);
			break;
		}
	}
}

static void test_text_to_numbers(void **state)
{
	static const char *const bad[] = {"",    "-",        "1x", " 1",  "1 ",    "0x1",
					  "nan", "Infinity", "1e", "--1", "1.2.3", "e5"};
	double v;
	int64_t n;
	uint64_t size;
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) assert_false(str_to_double(STR(bad[i]), &v));
	assert_true(str_to_double(STR("-12.5e-3"), &v) && v == -12.5e-3);
	assert_true(str_to_double(STR("0.1"), &v) && v == 0.1);
	assert_true(str_to_double(STR("123456789012345678901234567890"), &v) && v == 123456789012345678901234567890.0);
	assert_true(str_to_double(STR("1e999"), &v) && isinf(v));
	for (uint64_t i = 0; i < 200000; i++) {
		char text[64];
		snprintf(text, sizeof text, "%.*f", (int)(i % 17), (double)(int64_t)rng_at(2, i) / 0x1p40);
		assert_true(str_to_double(STR(text), &v));
		assert_true(v == strtod(text, NULL));
	}
	assert_true(str_to_i64(STR("-9223372036854775808"), &n) && n == INT64_MIN);
	assert_false(str_to_i64(STR("9223372036854775808"), &n));
	assert_true(str_to_bytes(STR("4GiB"), &size) && size == (uint64_t)4 << 30);
	assert_false(str_to_bytes(STR("4 GiB"), &size));
	assert_false(str_to_bytes(STR("99999999999999TiB"), &size));
}

/* All digits of a long number count, though most change nothing. */
static void test_long_numbers(void **state)
{
	char text[3000];
	double v;
	(void)state;
	memset(text, '3', sizeof text);
	memcpy(text, "0.", 2);
	assert_true(str_to_double((struct str){text, sizeof text}, &v) && v == 1 / 3.0);
	memset(text, '0', sizeof text);
	text[0] = '1';
	assert_true(str_to_double((struct str){text, sizeof text}, &v) && isinf(v));
	memcpy(text + sizeof text - 6, "e-2994", 6);
	assert_true(str_to_double((struct str){text, sizeof text}, &v) && v == 0.1);
}

static void test_order_is_by_bytes(void **state)
{
	(void)state;
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("Z"), STR("a")) < 0);
	assert_true(str_cmp(STR("\xf0\x9f\x98\x80"), STR("\xee\x80\x80")) > 0);
	assert_int_equal(str_cmp(STR(""), STR("")), 0);
}

/* Lines of the shared data: name, bytes in hex, 1 for valid. */
static void test_utf8_prefix(void **state)
{
	(void)state;
	assert_int_equal(str_utf8_prefix("a\xc3\xa9", 3), 3);
	assert_int_equal(str_utf8_prefix("a\xc3\xa9", 2), 1);
	assert_int_equal(str_utf8_prefix("0123456789\xff", 11), 10);
	assert_int_equal(str_utf8_prefix(NULL, 0), 0);
}

static void test_distance(void **state)
{
	char long_name[STR_DISTANCE_MAX + 2] = "";
	(void)state;
	assert_int_equal(str_distance(STR(""), STR("abc")), 3);
	assert_int_equal(str_distance(STR("regParam"), STR("regparam")), 0);
	assert_int_equal(str_distance(STR("regParm"), STR("regParam")), 1);
	assert_int_equal(str_distance(STR("maxItre"), STR("maxIter")), 1);
	assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
	memset(long_name, 'x', sizeof long_name - 1);
	assert_true(str_distance(STR(long_name), STR("x")) == SIZE_MAX);
}

static void test_utf8_cases(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	const char *path = support_shared(&a, "conformance/utf8/cases.tsv");
	struct str text = support_read(&a, path);
	size_t checked = 0;
	char *rest = (char *)(uintptr_t)text.data, *line = strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) && *line) {
		char *name = strsep(&line, "\t"), *hex = strsep(&line, "\t"), *valid = strsep(&line, "\t");
		size_t len = strlen(hex) / 2;
		unsigned char *bytes = mem_alloc(len);
		for (size_t i = 0; i < len; i++) assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
		if (str_utf8_valid((const char *)bytes, len) != (*valid == '1')) fail_msg("case %s: %s", name, hex);
		mem_free(bytes);
		checked++;
	}
	assert_true(checked > 400);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_to_text), cmocka_unit_test(test_random_doubles_are_shortest),
		cmocka_unit_test(test_text_to_numbers), cmocka_unit_test(test_long_numbers),
		cmocka_unit_test(test_order_is_by_bytes),
		cmocka_unit_test(test_utf8_prefix),	cmocka_unit_test(test_distance),
		cmocka_unit_test(test_utf8_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
