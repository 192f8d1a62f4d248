/* Page cursors come back as they were, or not at all. */
#include "tests/support/support.h"

#include "store/keyset.h"

static void a_key_comes_back(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct buf key = BUF_INIT(100);
	struct cursor c;
	struct err e;
	err_init(&e);
	buf_u64(&key, UINT64_MAX);
	buf_str(&key, "name");
	const char *text = keyset_encode("list", &key, &a);
	assert_ok(keyset_decode("list", text, &a, &c, &e), &e);
	assert_int_equal(cursor_u64(&c), UINT64_MAX);
	assert_int_equal(cursor_left(&c), 4);
	buf_release(&key);
	arena_release(&a);
}

static void every_changed_digit_shows(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct buf key = BUF_INIT(100);
	struct cursor c;
	struct err e;
	buf_str(&key, "some key");
	const char *text = keyset_encode("list", &key, &a);
	for (size_t i = 0; i < strlen(text); i++) {
		char *changed = arena_strdup(&a, text);
		changed[i] = changed[i] == '0' ? '1' : '0';
		err_init(&e);
		assert_false(keyset_decode("list", changed, &a, &c, &e));
		assert_int_equal(e.code, ERR_bad_request);
		changed[i] = 0;
		assert_false(keyset_decode("list", changed, &a, &c, &e));
	}
	buf_release(&key);
	arena_release(&a);
}

static void foreign_text_is_refused(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct buf key = BUF_INIT(100);
	struct cursor c;
	struct err e;
	char *long_one = arena_alloc(&a, 10001);
	memset(long_one, 'a', 10000);
	long_one[10000] = 0;
	buf_str(&key, "key");
	const char *const texts[] = {
	    "", "0", "zz", "0011223344556677", long_one, "\xff\xff", keyset_encode("other", &key, &a)};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		err_init(&e);
		assert_false(keyset_decode("list", texts[i], &a, &c, &e));
		assert_int_equal(e.code, ERR_bad_request);
	}
	buf_release(&key);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_comes_back),
		cmocka_unit_test(every_changed_digit_shows),
		cmocka_unit_test(foreign_text_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
