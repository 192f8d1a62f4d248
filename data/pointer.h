/* JSON pointers (RFC 6901) one step deeper, as values: err_fault(e, pointer_key(base, "name").text, …). Too long ones are cut. */
#ifndef QUERN_DATA_POINTER_H
#define QUERN_DATA_POINTER_H

#include "base/err.h"
#include "base/str.h"

struct pointer {
	char text[ERR_POINTER_MAX];
};

struct pointer pointer_key(const char *base, const char *key);
struct pointer pointer_keyn(const char *base, struct str key); /* ~ and / are escaped */
struct pointer pointer_index(const char *base, size_t index);

#endif
