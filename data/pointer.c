#include "data/pointer.h"

static void append(struct pointer *p, size_t *len, const char *s, size_t n)
{
	size_t room = sizeof p->text - 1 - *len;
	if (n > room) n = room;
	memcpy(p->text + *len, s, n);
	*len += n;
}

struct pointer pointer_keyn(const char *base, struct str key)
{
	struct pointer p = {""};
	size_t len = 0;
	append(&p, &len, base, strlen(base));
	append(&p, &len, "/", 1);
	for (size_t i = 0; i < key.len; i++) {
		if (key.data[i] == '~') append(&p, &len, "~0", 2);
		else if (key.data[i] == '/') append(&p, &len, "~1", 2);
		else append(&p, &len, key.data + i, 1);
	}
	/* A cut must not leave half a character behind: the pointer is printed as UTF-8. */
	while (len && !str_utf8_valid(p.text, len)) len--;
	p.text[len] = 0;
	return p;
}

struct pointer pointer_key(const char *base, const char *key) { return pointer_keyn(base, STR(key)); }

struct pointer pointer_index(const char *base, size_t index)
{
	char digits[STR_NUMBER_MAX];
	return pointer_keyn(base, (struct str){digits, str_from_i64((int64_t)index, digits)});
}
