#include "pipeline/sql/sql_text.h"

#include "pipeline/sql/sql_node.h"

int64_t sql_length(struct str s)
{
	int64_t n = 0;
	for (size_t i = 0; i < s.len; i++) n += sql_is_start(s.data[i]);
	return n;
}

size_t sql_byte_of(struct str s, int64_t k)
{
	size_t i = 0;
	if (k <= 0) return 0;
	for (; i < s.len; i++)
		if (sql_is_start(s.data[i]) && k-- == 0) break;
	return i;
}

struct str sql_slice(struct str s, int64_t from, int64_t to)
{
	if (to <= from) return (struct str){s.data, 0};
	size_t begin = sql_byte_of(s, from),
	       end = begin + sql_byte_of((struct str){s.data + begin, s.len - begin}, to - MAX(from, 0));
	return to <= 0 ? (struct str){s.data, 0} : (struct str){s.data + begin, end - begin};
}

struct str sql_substring(struct str s, int64_t at, int64_t length)
{
	int64_t from = at > 0 ? at - 1 : at < 0 ? sql_length(s) + at : 0, to;
	return sql_slice(s, from, __builtin_add_overflow(from, length, &to) ? INT64_MAX : to);
}

size_t sql_find(struct str s, struct str part, size_t from)
{
	if (part.len > s.len || from > s.len - part.len) return s.len + 1;
	if (part.len == 0) return from;
	const char *at = memmem(s.data + from, s.len - from, part.data, part.len);
	return at ? (size_t)(at - s.data) : s.len + 1;
}

size_t sql_find_last(struct str s, struct str part, size_t end)
{
	for (size_t i = end < part.len ? 0 : end - part.len + 1; i-- > 0;)
		if (memcmp(s.data + i, part.data, part.len) == 0) return i;
	return s.len + 1;
}

bool sql_put(struct sql_run *r, struct sql_value *out, const struct str *parts, size_t count)
{
	size_t len = 0;
	for (size_t k = 0; k < count; k++) len += parts[k].len;
	char *room = sql_room(r, len);
	if (!room) return false;
	out->s = (struct str){room, len};
	for (size_t k = 0; k < count; room += parts[k++].len)
		if (parts[k].len) memcpy(room, parts[k].data, parts[k].len);
	return true;
}

bool sql_worked(struct sql_run *r, struct sql_value *out)
{
	if (!buf_ok(&r->work)) return sql_bad(r, "the expressions make over %d bytes of text", SQL_ROW_TEXT_MAX);
	return sql_put(r, out, &(struct str){r->work.data, r->work.len}, 1);
}
