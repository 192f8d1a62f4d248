/* Java's regular expressions. regex_java.json: ["split" or "find", pattern, text, the tokens that JDK 17 gives] for
 * random patterns and texts, and ["refuse", pattern] for what it refuses. */
#include "base/json.h"
#include "base/rng.h"
#include "pipeline/regex.h"
#include "tests/unit/pipeline/stage_support.h"

#include <stdio.h>

static void tokenize(const char *options, struct str pattern, struct str text, struct buf *out)
{
	struct stage_table t;
	struct pipeline p;
	struct batch b;
	struct err e;
	struct buf stages = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&stages);
	buf_str(&stages, "[{\"stage\":\"RegexTokenizer\",\"inputCol\":\"t\",\"outputCol\":\"w\",");
	buf_str(&stages, options);
	buf_str(&stages, ",\"pattern\":");
	json_str(&w, pattern);
	buf_str(&stages, "}]");
	err_init(&e);
	stage_table_init(&t, "[{\"name\":\"t\",\"type\":\"string\"}]");
	column_str(&t.rows.columns[0], text.data, text.len);
	t.rows.rows = 1;
	stage_pipeline(&p, buf_cstr(&stages), &t);
	assert_ok(stage_apply(&p, &t, true, &b, &e), &e);
	buf_clear(out);
	stage_elements(stage_result(&p, &b), 0, out);
	batch_release(&b);
	pipeline_release(&p);
	stage_table_release(&t);
	buf_release(&stages);
}

static void check_tokens(const struct json *row)
{
	bool split = str_is(json_at(row, 0)->string, "split");
	struct buf got = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
	tokenize(split ? "\"gaps\":true,\"toLowercase\":false,\"minTokenLength\":0" :
			 "\"gaps\":false,\"toLowercase\":false,\"minTokenLength\":0",
		 json_at(row, 1)->string, json_at(row, 2)->string, &got);
	for (const struct json *t = json_at(row, 3)->child; t; t = t->next) {
		buf_append(&want, t->string.data, t->string.len);
		if (t->next) buf_char(&want, '|');
	}
	if (got.len != want.len || (got.len && memcmp(got.data, want.data, got.len) != 0))
		fail_msg("%.*s /%.*s/ of \"%.*s\" gives \"%s\", not \"%s\"", (int)json_at(row, 0)->string.len,
			 json_at(row, 0)->string.data, (int)json_at(row, 1)->string.len, json_at(row, 1)->string.data,
			 (int)json_at(row, 2)->string.len, json_at(row, 2)->string.data, buf_cstr(&got),
			 buf_cstr(&want));
	buf_release(&got);
	buf_release(&want);
}

static void check_refused(struct str pattern)
{
	struct regex *r;
	char why[256];
	if (regex_compile(pattern, &r, why))
		fail_msg("/%.*s/ is accepted; Java refuses it", (int)pattern.len, pattern.data);
	assert_true(why[0]);
}

static void test_as_java(void **state)
{
	struct arena a = ARENA_INIT;
	const struct json *rows = stage_goldens(&a, "regex_java.json");
	(void)state;
	for (const struct json *r = rows->child; r; r = r->next)
		if (str_is(json_at(r, 0)->string, "refuse")) check_refused(json_at(r, 1)->string);
		else check_tokens(r);
	assert_true(rows->count > 900);
	arena_release(&a);
}

static void test_what_is_not_available(void **state)
{
	static const char *const patterns[] = {
		"\\p{javaLowerCase}", "\\p{InGreek}", "\\N{BULLET}", "\\b{g}", "(?<=a+)b", "(*LIMIT_MATCH=9)a",
		"(?R)", "(?|a|b)", "(?P<n>a)", "\\K", "\\C", "a{", "a**", "[a", "(a", "a)", "\\p{NoSuch}",
		"\\p{IsNoSuch}", "\\x{110000}", "\\ud800", "[z-a]",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) check_refused(STR(patterns[i]));
	char *longest = mem_alloc(REGEX_PATTERN_MAX + 1);
	memset(longest, 'a', REGEX_PATTERN_MAX + 1);
	check_refused((struct str){longest, REGEX_PATTERN_MAX + 1});
	memset(longest, '(', REGEX_PATTERN_MAX);
	check_refused((struct str){longest, REGEX_PATTERN_MAX});
	memset(longest, '[', REGEX_PATTERN_MAX);
	check_refused((struct str){longest, REGEX_PATTERN_MAX});
	mem_free(longest);
}

static void test_byte_classes(void **state)
{
	static const struct {
		const char *pattern;
		bool by_bytes, plus;
	} rows[] = {
		{"\\W+", true, true},
		{"\\s+", true, true},
		{"[^a-zA-Z0-9]+", true, true},
		{"[^\\w]", true, false},
		{",", true, false},
		{"[,;\\s]+", true, true},
		{"(?i)[a-k]+", true, true},
		{"\\p{Punct}", true, false},
		{"[a-z&&[^aeiou]]+", true, true},
		{"[\\W_]+", true, true},
		{"[^\\x00-\\x7f]", true, false},
		{"\\p{L}+", false, false},
		{"\\h+", false, false},
		{"[\\s\\u00a0]+", false, false},
		{"a+?", false, false},
		{"ab", false, false},
		{"a|b", false, false},
		{"(?i)(?u)k+", false, false},
		{"\\s*", false, false},
		{"\xc3\xa9", false, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct regex *r;
		char why[256];
		bool plus;
		assert_true(regex_compile(STR(rows[i].pattern), &r, why));
		bool by_bytes = regex_byte_class(r, &plus) != NULL;
		if (by_bytes != rows[i].by_bytes || (by_bytes && plus != rows[i].plus)) fail_msg("%s", rows[i].pattern);
		regex_free(r);
	}
}

/* Bytes of all kinds: ASCII, controls, Latin, CJK, emoji, NUL. */
static void random_text(uint64_t seed, struct buf *out)
{
	static const char *const words[] = {
		"a", "Z", "9", "_", " ", "\t", "\n", ".", "-", "\xc3\xa9", "\xc4\xb0", "\xe6\x97\xa5",
		"\xf0\x9f\x98\x80", "\xc2\xa0", "\xe2\x84\xaa", "the", "\x01", "\x7f", "\xc2\x85", "'",
		"pneumonoultramicroscopic",
	};
	buf_clear(out);
	size_t n = (size_t)(rng_at(seed, 0) % (seed % 2 ? 30 : 300));
	for (size_t i = 1; i <= n; i++) {
		uint64_t k = rng_at(seed, i) % (ARRAY_COUNT(words) + 1);
		if (k == ARRAY_COUNT(words)) buf_char(out, 0);
		else buf_str(out, words[k]);
	}
}

/* The class of bytes and PCRE2 give the same tokens, within a block and across: a group around the class leaves it to PCRE2. */
static void test_bytes_as_pcre(void **state)
{
	static const char *const patterns[] = {"\\W+", "\\s+", "[^a-z0-9]+",  "\\S+",           "\\w+",     "[,;\\s]+",
					       "[^ ]", "\\d+", "(?i)[^x-z]+", "[\\x00-\\x20]+", "[^\\x00]+"};
	static const char *const options[] = {"\"gaps\":true", "\"gaps\":false", "\"gaps\":true,\"toLowercase\":false"};
	struct buf text = BUF_INIT(1 << 16), fast = BUF_INIT(1 << 16), slow = BUF_INIT(1 << 16);
	(void)state;
	for (uint64_t seed = 0; seed < 800; seed++) {
		const char *pattern = patterns[seed % ARRAY_COUNT(patterns)],
			   *option = options[seed / 11 % ARRAY_COUNT(options)];
		char grouped[64];
		snprintf(grouped, sizeof grouped, "(?:%s)", pattern);
		random_text(seed, &text);
		struct str s = {text.data ? text.data : "", text.len};
		tokenize(option, STR(pattern), s, &fast);
		tokenize(option, STR(grouped), s, &slow);
		if (fast.len != slow.len || (fast.len && memcmp(fast.data, slow.data, fast.len) != 0))
			fail_msg("%s %s, text %llu: \"%s\" and \"%s\"", option, pattern, (unsigned long long)seed,
				 buf_cstr(&fast), buf_cstr(&slow));
	}
	buf_release(&text);
	buf_release(&fast);
	buf_release(&slow);
}

static void test_limits(void **state)
{
	struct regex *r;
	struct buf text = BUF_INIT(1 << 20);
	char why[256];
	size_t begin, end;
	(void)state;
	assert_true(regex_compile(STR("(a+)+$"), &r, why));
	struct regex_match *m = regex_match_create(r);
	for (int i = 0; i < 40; i++) buf_char(&text, 'a');
	buf_char(&text, '!');
	assert_int_equal(regex_find(r, m, (struct str){text.data, text.len}, 0, &begin, &end), -1);
	regex_match_free(m);
	regex_free(r);
	/* Deep recursion that the compiled code's own stack cannot hold. */
	assert_true(regex_compile(STR("(?:(a)|b)*c"), &r, why));
	m = regex_match_create(r);
	buf_clear(&text);
	for (int i = 0; i < 20000; i++) buf_char(&text, "ab"[i % 2]);
	buf_char(&text, 'c');
	assert_int_equal(regex_find(r, m, (struct str){text.data, text.len}, 0, &begin, &end), 1);
	assert_int_equal(end, text.len);
	regex_match_free(m);
	regex_free(r);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_java),      cmocka_unit_test(test_what_is_not_available),
		cmocka_unit_test(test_byte_classes), cmocka_unit_test(test_bytes_as_pcre),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
