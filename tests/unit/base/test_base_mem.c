#include "base/hash.h"
#include "tests/support/support.h"

static void test_arena(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	char *first = arena_strdup(&a, "hello");
	for (int i = 1; i < 2000; i++) {
		char *p = arena_alloc(&a, (size_t)i);
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, i, (size_t)i);
	}
	assert_string_equal(first, "hello");
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 5), "x-5");
	arena_reset(&a);
	size_t held = a.bytes;
	assert_true(held > 0);
	arena_alloc(&a, 16);
	assert_int_equal(a.bytes, held);
	arena_release(&a);
	assert_int_equal(a.bytes, 0);
}

static void test_grow(void **state)
{
	int *p = NULL;
	size_t cap = 0;
	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		MEM_GROW(p, cap, i + 1);
		p[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++) assert_int_equal(p[i], (int)i);
	mem_free(p);
}

/* Spark's known answers (seed 42) and SHA-256's of FIPS 180-4. */
static void test_hashes(void **state)
{
	static const struct {
		const char *term;
		int32_t hash;
	} murmur[] = {{"a", -1293573533}, {"b", 861554165},	   {"c", 1701913768},	   {"", 142593372},
		      {"spark", -226056714}, {"hello", -488910111}, {"good", -1829913832}, {"terrible", 1847043932},
		      {"\xc3\xa9", 1023967903}, {"\xe6\x97\xa5\xe6\x9c\xac", 685738085}};
	char hex[HASH_SHA256_HEX];
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(murmur); i++)
		assert_int_equal((int32_t)hash_murmur3(murmur[i].term, strlen(murmur[i].term), 42), murmur[i].hash);
	hash_sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(hash_xxh3("", 0) == 0x2d06800538d394c2u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_arena), cmocka_unit_test(test_grow),
					   cmocka_unit_test(test_hashes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
