#include "store/keyset.h"

#include "base/hash.h"

#include <stdio.h>

enum { KEYSET_CHECK = 8, KEYSET_MAX = 1024 };

/* Binds the key to its list and shows accidents. No secret: a forged cursor reads nothing that a filter could not. */
static uint64_t check_of(const char *list, const void *key, size_t len)
{
	return hash_xxh3(key, len) ^ hash_xxh3(list, strlen(list));
}

static char *put_hex(char *at, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) at += sprintf(at, "%02x", bytes[i]);
	return at;
}

const char *keyset_encode(const char *list, const struct buf *key, struct arena *a)
{
	CHECK(buf_ok(key) && key->len <= KEYSET_MAX);
	uint64_t check = check_of(list, key->data, key->len);
	char *text = arena_alloc(a, 2 * (sizeof check + key->len) + 1);
	put_hex(put_hex(text, (unsigned char *)&check, sizeof check), (unsigned char *)key->data, key->len);
	return text;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -1: not hex. */
static ssize_t get_hex(const char *text, unsigned char *out, size_t max)
{
	size_t len = strlen(text);
	if (len % 2 || len / 2 > max) return -1;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
		if (high < 0 || low < 0) return -1;
		out[i / 2] = (unsigned char)(high << 4 | low);
	}
	return (ssize_t)(len / 2);
}

bool keyset_decode(const char *list, const char *cursor, struct arena *a, struct cursor *key, struct err *e)
{
	unsigned char bytes[KEYSET_CHECK + KEYSET_MAX];
	ssize_t len = get_hex(cursor, bytes, sizeof bytes);
	uint64_t check = 0;
	if (len >= KEYSET_CHECK) memcpy(&check, bytes, sizeof check);
	if (len < KEYSET_CHECK || check != check_of(list, bytes + KEYSET_CHECK, (size_t)len - KEYSET_CHECK))
		return err_set(e, ERR_bad_request, "the cursor is not one that this list has given out");
	size_t key_len = (size_t)len - KEYSET_CHECK;
	const void *copy = arena_copy(a, bytes + KEYSET_CHECK, key_len);
	*key = CURSOR(copy, key_len);
	return true;
}
