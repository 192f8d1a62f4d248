/* Classes of bytes and sets of words against the plain way to ask: a table, a map. */
#include "pipeline/byte_class.h"
#include "pipeline/text.h"
#include "pipeline/word_set.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned next(unsigned *seed) { return *seed = *seed * 1664525u + 1013904223u, *seed >> 8; }

static void check_class(struct byte_class *c, const unsigned char *block)
{
	byte_class_prepare(c);
	uint64_t mask = byte_class_mask(c, block);
	for (unsigned i = 0; i < BYTE_CLASS_BLOCK; i++) assert_int_equal(mask >> i & 1, c->member[block[i]]);
}

static void a_mask_says_what_the_table_says(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int round = 0; round < 2000; round++) {
		struct byte_class c = {0};
		unsigned char block[BYTE_CLASS_BLOCK];
		for (unsigned i = 0; i < BYTE_CLASS_BLOCK; i++) block[i] = (unsigned char)next(&seed);
		/* Some ranges, of which some touch or overlap, or more of them than are kept as ranges. */
		for (unsigned k = next(&seed) % 14; k > 0; k--)
			for (unsigned at = next(&seed) % 256, more = next(&seed) % 40; more > 0 && at < 256; at++, more--)
				c.member[at] = 1;
		check_class(&c, block);
	}
	struct byte_class all = {0}, none = {0};
	unsigned char ends[BYTE_CLASS_BLOCK] = {0, 255, 128, 127};
	memset(all.member, 1, sizeof all.member);
	check_class(&all, ends);
	check_class(&none, ends);
	assert_int_equal(all.range_count, 1);
}

static void words_are_members_and_no_others(void **state)
{
	static const size_t sizes[] = {0, 1, 3, 181, 5000, 70000};
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
		struct word_set s = {0};
		char word[40];
		unsigned seed = 7;
		for (size_t i = 0; i < sizes[k]; i++) {
			int len = snprintf(word, sizeof word, "%.*s%x", (int)(next(&seed) % 14), "abababababababab",
					   next(&seed) % 500);
			word_set_add(&s, (struct str){word, (size_t)len});
		}
		word_set_prepare(&s);
		if (sizes[k] <= 181) assert_non_null(s.places);
		if (sizes[k] >= 70000) assert_null(s.places);
		for (size_t i = 0; i < s.words.count; i++) assert_true(word_set_has(&s, s.words.entries[i].key));
		for (int i = 0; i < 50000; i++) {
			int len = snprintf(word, sizeof word, "%.*s%x", (int)(next(&seed) % 18), "abababababababababab",
					   next(&seed) % 600);
			struct str asked = {word, (size_t)len};
			assert_int_equal(word_set_has(&s, asked), map_find(&s.words, asked) != NULL);
		}
		word_set_release(&s);
	}
}

static void odd_words_are_told_apart(void **state)
{
	static const struct str members[] = {
	    {"a", 1}, {"b\0", 2}, {"", 0}, {"abcd", 4}, {"0123456789abcdef", 16}, {"0123456789abcdefg", 17}};
	static const struct str others[] = {
	    {"a\0", 2}, {"b", 1}, {"\0", 1}, {"abcdabcd", 8}, {"aa", 2}, {"0123456789abcdeg", 16}, {"0123456789abcde", 15}};
	struct word_set s = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(members); i++) word_set_add(&s, members[i]);
	word_set_prepare(&s);
	for (size_t i = 0; i < ARRAY_COUNT(members); i++) assert_true(word_set_has(&s, members[i]));
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) assert_false(word_set_has(&s, others[i]));
	word_set_release(&s);
}

static void ascii_is_lower_cased_and_the_rest_refused(void **state)
{
	unsigned char from[70], to[70];
	(void)state;
	for (size_t len = 0; len <= sizeof from; len++) {
		for (size_t i = 0; i < len; i++) from[i] = (unsigned char)((i * 37 + len) % 128);
		assert_true(text_copy_lower_ascii((struct str){(const char *)from, len}, to));
		for (size_t i = 0; i < len; i++) assert_int_equal(to[i], text_lower_ascii(from[i]));
		for (size_t i = 0; i < len; i++) {
			unsigned char was = from[i];
			from[i] = 0xc3;
			assert_false(text_copy_lower_ascii((struct str){(const char *)from, len}, to));
			from[i] = was;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mask_says_what_the_table_says),
		cmocka_unit_test(words_are_members_and_no_others),
		cmocka_unit_test(odd_words_are_told_apart),
		cmocka_unit_test(ascii_is_lower_cased_and_the_rest_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
