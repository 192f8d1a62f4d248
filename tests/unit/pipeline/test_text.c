/* Text as Java sees it. lower_java.json: [locale, text, what JDK 17's toLowerCase(new Locale(locale)) gives], made of
 * random texts over sigmas, marks, dots and letters that languages treat in their own way. */
#include "base/json.h"
#include "pipeline/text.h"
#include "tests/unit/pipeline/stage_support.h"

static void assert_lower(struct str text, enum text_locale locale, struct str want)
{
	struct buf got = BUF_INIT(1 << 20);
	text_lower(text, locale, &got);
	if (got.len != want.len || (want.len && memcmp(got.data, want.data, want.len) != 0))
		fail_msg("\"%.*s\" becomes \"%.*s\", not \"%.*s\"", (int)text.len, text.data, (int)got.len, got.data,
			 (int)want.len, want.data);
	buf_release(&got);
}

static void test_lower_as_java(void **state)
{
	struct arena a = ARENA_INIT;
	const struct json *rows = stage_goldens(&a, "lower_java.json");
	(void)state;
	for (const struct json *r = rows->child; r; r = r->next)
		assert_lower(json_at(r, 1)->string, text_locale_find(json_at(r, 0)->string), json_at(r, 2)->string);
	assert_true(rows->count > 500);
	arena_release(&a);
}

static void test_lower_long_text(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
	for (int i = 0; i < 5000; i++) {
		buf_str(&text, "ABC\xc3\x89 d");
		buf_str(&want, "abc\xc3\xa9 d");
	}
	assert_lower((struct str){text.data, text.len}, TEXT_ROOT, (struct str){want.data, want.len});
	assert_lower((struct str){"", 0}, TEXT_ROOT, (struct str){"", 0});
	buf_release(&text);
	buf_release(&want);
}

static void test_ascii_and_lengths(void **state)
{
	(void)state;
	assert_true(text_is_ascii(STR("")));
	assert_true(text_is_ascii(STR("0123456789abcdef")));
	assert_false(text_is_ascii(STR("0123456789abcd\xc3\xa9")));
	assert_false(text_is_ascii(STR("\xc3\xa9""0123456")));
	assert_int_equal(text_utf16_length(STR("")), 0);
	assert_int_equal(text_utf16_length(STR("a\xc3\xa9\xe6\x97\xa5")), 3);
	assert_int_equal(text_utf16_length(STR("\xf0\x9f\x98\x80")), 2);
}

/* Each byte at each place of words and what is left of them. */
static void test_lower_ascii(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < 19; at++) {
			char text[20] = "abc[@`{ ~012xyz_.-!";
			text[at] = (char)c;
			bool want = c < 0x80 && !(c >= 'A' && c <= 'Z');
			assert_true(text_is_lower_ascii((struct str){text, 19}) == want);
		}
	assert_true(text_is_lower_ascii(STR("")));
}

static void test_locales(void **state)
{
	(void)state;
	static const char *const known[] = {"", "en", "en_US", "tr", "tr_TR", "zh_CN_#Hans", "ca_ES_VALENCIA"};
	static const char *const unknown[] = {"xx_NOPE", "en-US", "EN", "english", "tr_TR ", "#", "# Names"};
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) assert_true(text_locale_known(STR(known[i])));
	for (size_t i = 0; i < ARRAY_COUNT(unknown); i++) assert_false(text_locale_known(STR(unknown[i])));
	assert_int_equal(text_locale_find(STR("tr")), TEXT_TURKIC);
	assert_int_equal(text_locale_find(STR("tr_TR")), TEXT_ROOT);
	assert_int_equal(text_locale_find(STR("lt")), TEXT_LITHUANIAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lower_as_java),
		cmocka_unit_test(test_lower_long_text),
		cmocka_unit_test(test_ascii_and_lengths),
		cmocka_unit_test(test_lower_ascii),
		cmocka_unit_test(test_locales),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
