#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>

static void test_set_wrap_fault(void **state)
{
	struct err e;
	(void)state;
	err_init(&e);
	assert_false(err_is(&e));
	assert_false(err_set(&e, ERR_not_found, "no %s", "thing"));
	assert_false(err_wrap(&e, "opening %d", 7));
	assert_string_equal(e.detail, "opening 7: no thing");
	assert_int_equal(err_status(e.code), 404);
	err_init(&e);
	for (int i = 0; i < ERR_FAULTS_MAX + 5; i++) {
		char pointer[16];
		snprintf(pointer, sizeof pointer, "/%d", i);
		err_fault(&e, pointer, "wrong");
	}
	assert_int_equal(e.code, ERR_invalid);
	assert_int_equal(e.fault_count, ERR_FAULTS_MAX + 5);
	assert_string_equal(e.faults[ERR_FAULTS_MAX - 1].pointer, "/31");
}

static void test_long_texts_are_cut(void **state)
{
	struct err e;
	char text[4 * ERR_DETAIL_MAX];
	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	err_init(&e);
	err_set(&e, ERR_io, "%s", text);
	err_wrap(&e, "%s", text);
	err_fault(&e, text, "%s", text);
	assert_int_equal(strlen(e.detail), ERR_DETAIL_MAX - 1);
	assert_int_equal(strlen(e.faults[0].pointer), ERR_POINTER_MAX - 1);
}

static void test_errno(void **state)
{
	struct err e;
	(void)state;
	err_init(&e);
	errno = ENOENT;
	err_errno(&e, "file %s", "f");
	assert_string_equal(e.detail, "file f: No such file or directory");
}

static void test_every_code_has_a_slug_of_its_own(void **state)
{
	(void)state;
	for (int i = ERR_NONE + 1; i < ERR_CODE_COUNT; i++) {
		enum err_code code = (enum err_code)i;
		assert_int_equal(err_by_slug(err_slug(code)), code);
		assert_in_range(err_status(code), 400, 599);
		assert_true(strlen(err_help(code)) > 20);
		assert_int_equal(err_retryable(code), err_status(code) >= 500);
	}
	assert_int_equal(err_by_slug("nothing"), ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_wrap_fault),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_every_code_has_a_slug_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
