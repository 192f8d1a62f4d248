#include "base/buf.h"
#include "tests/support/support.h"

static void test_append_and_take(void **state)
{
	struct buf b = BUF_INIT(1000);
	size_t len;
	(void)state;
	buf_str(&b, "one ");
	buf_printf(&b, "%d", 2);
	buf_char(&b, '!');
	assert_string_equal(buf_cstr(&b), "one 2!");
	char *taken = buf_take(&b, &len);
	assert_int_equal(len, 6);
	assert_null(b.data);
	buf_str(&b, "again");
	assert_int_equal(b.len, 5);
	mem_free(taken);
	buf_release(&b);
}

static void test_maximum(void **state)
{
	struct buf b = BUF_INIT(8);
	(void)state;
	buf_str(&b, "12345678");
	assert_true(buf_ok(&b));
	buf_char(&b, '9');
	assert_false(buf_ok(&b));
	buf_char(&b, '9');
	assert_int_equal(b.len, 8);
	assert_null(buf_reserve(&b, 1));
	buf_clear(&b);
	assert_true(buf_ok(&b));
	buf_release(&b);
}

static void test_binary_round_trip(void **state)
{
	struct buf b = BUF_INIT(1000);
	(void)state;
	buf_u8(&b, 7);
	buf_u32(&b, 0xdeadbeef);
	buf_u64(&b, UINT64_MAX);
	buf_f64(&b, -0.5);
	buf_block(&b, "abc", 3);
	buf_align(&b, 64);
	assert_int_equal(b.len % 64, 0);
	struct cursor c = CURSOR(b.data, b.len);
	size_t len;
	assert_int_equal(cursor_u8(&c), 7);
	assert_int_equal(cursor_u32(&c), 0xdeadbeef);
	assert_true(cursor_u64(&c) == UINT64_MAX);
	assert_true(cursor_f64(&c) == -0.5);
	assert_memory_equal(cursor_block(&c, &len), "abc", 3);
	cursor_align(&c, 64);
	assert_false(c.bad);
	assert_int_equal(cursor_left(&c), 0);
	buf_release(&b);
}

/* After a read beyond the end everything is zero and bad, whatever follows. */
static void test_hostile_cursor(void **state)
{
	unsigned char bytes[12] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4};
	size_t len = 99;
	(void)state;
	struct cursor c = CURSOR(bytes, sizeof bytes);
	assert_null(cursor_block(&c, &len));
	assert_int_equal(len, 0);
	assert_true(c.bad);
	assert_int_equal(cursor_u32(&c), 0);
	assert_int_equal(cursor_left(&c), 0);
	c = CURSOR(bytes, sizeof bytes);
	assert_int_equal(cursor_count(&c, 1), 0);
	assert_true(c.bad);
	unsigned char small[16] = {2};
	c = CURSOR(small, sizeof small);
	assert_int_equal(cursor_count(&c, 4), 2);
	c = CURSOR(small, sizeof small);
	assert_int_equal(cursor_count(&c, 5), 0);
	assert_true(c.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_take),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_binary_round_trip),
		cmocka_unit_test(test_hostile_cursor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
