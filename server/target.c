#include "server/target.h"

#include "base/clock.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

static bool has_escapes(struct str s, bool plus)
{
	return s.len > 0 && (memchr(s.data, '%', s.len) || (plus && memchr(s.data, '+', s.len)));
}

/* The byte of the escape at in[i], or -1. */
static int escaped(struct str in, size_t i)
{
	if (i + 2 >= in.len) return -1;
	int high = hex(in.data[i + 1]), low = hex(in.data[i + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* plus: + is a blank, as in queries. */
static bool decode(struct str in, bool plus, struct arena *a, struct str *out, struct err *e)
{
	*out = in;
	if (!has_escapes(in, plus)) return true;
	char *to = arena_alloc(a, in.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < in.len; i++) {
		int c = in.data[i] == '%' ? escaped(in, i) : in.data[i] == '+' && plus ? ' ' : in.data[i];
		if (c < 0)
			return err_set(e, ERR_bad_request, "the request target has a %% that no two hex digits follow");
		if (in.data[i] == '%') i += 2;
		to[n++] = (char)c;
	}
	to[n] = 0;
	*out = (struct str){to, n};
	if (!memchr(to, 0, n) && str_utf8_valid(to, n)) return true;
	return err_set(e, ERR_bad_request, "the request target is no UTF-8 text once it is decoded");
}

/* Cuts off what stands before the mark; *rest.data is NULL when there is no mark. */
static struct str cut(struct str *rest, char mark)
{
	struct str part = *rest;
	const char *at = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
	*rest = (struct str){0};
	if (!at) return part;
	*rest = (struct str){at + 1, part.len - (size_t)(at + 1 - part.data)};
	part.len = (size_t)(at - part.data);
	return part;
}

static bool parse_path(struct target *t, struct arena *a, struct err *e)
{
	struct str rest = {t->path.data + 1, t->path.len - 1};
	if (rest.len == 0) return true;
	while (rest.data) {
		struct str part = cut(&rest, '/'), segment;
		if (!decode(part, false, a, &segment, e)) return false;
		if (t->segment_count < TARGET_SEGMENTS_MAX) t->segments[t->segment_count] = segment;
		t->segment_count++;
	}
	return true;
}

static bool parse_query(struct target *t, struct arena *a, struct err *e)
{
	if (t->query.len == 0) return true;
	t->params = arena_alloc(a, TARGET_PARAMS_MAX * sizeof *t->params);
	for (struct str rest = t->query; rest.data;) {
		struct str pair = cut(&rest, '&');
		if (pair.len == 0) continue;
		struct str value = pair, key = cut(&value, '=');
		if (t->param_count == TARGET_PARAMS_MAX)
			return err_set(e, ERR_bad_request, "there are more than %d query parameters",
				       TARGET_PARAMS_MAX);
		struct target_param *p = &t->params[t->param_count++];
		if (!value.data) value = STR("");
		if (!decode(key, true, a, &p->key, e) || !decode(value, true, a, &p->value, e)) return false;
	}
	return true;
}

bool target_parse(struct str text, struct arena *a, struct target *out, struct err *e)
{
	struct target t = {0};
	CHECK(text.len > 0 && text.data[0] == '/');
	struct str rest = text;
	t.path = cut(&rest, '?');
	t.query = rest;
	if (!parse_path(&t, a, e) || !parse_query(&t, a, e)) return false;
	*out = t;
	return true;
}

struct str target_param(const struct target *t, const char *key)
{
	for (size_t i = 0; i < t->param_count; i++)
		if (str_is(t->params[i].key, key)) return t->params[i].value;
	return (struct str){0};
}

bool target_int(const struct target *t, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	struct str text = target_param(t, key);
	int64_t value;
	if (!text.data) return true;
	if (!str_to_i64(text, &value) || value < min || value > max)
		return err_set(e, ERR_bad_request, "parameter %s must be a whole number from %lld to %lld", key,
			       (long long)min, (long long)max);
	*out = value;
	return true;
}

bool target_bool(const struct target *t, const char *key, bool *out, struct err *e)
{
	struct str text = target_param(t, key);
	if (!text.data) return true;
	bool yes = str_is(text, "true") || str_is(text, "1");
	if (!yes && !str_is(text, "false") && !str_is(text, "0"))
		return err_set(e, ERR_bad_request, "parameter %s must be true or false", key);
	*out = yes;
	return true;
}

bool target_time(const struct target *t, const char *key, int64_t *out, struct err *e)
{
	struct str text = target_param(t, key);
	char copy[CLOCK_TEXT_SIZE + 16];
	int64_t value;
	if (!text.data) return true;
	bool fits = text.len < sizeof copy - sizeof "T00:00:00Z";
	if (fits) {
		memcpy(copy, text.data, text.len);
		/* An unescaped + of a time zone has become a blank. */
		char *blank = memchr(copy, ' ', text.len);
		if (blank) *blank = '+';
		strcpy(copy + text.len, memchr(text.data, 'T', text.len) ? "" : "T00:00:00Z");
	}
	if (!fits || !clock_parse(copy, &value))
		return err_set(e, ERR_bad_request, "parameter %s must be a time as 2026-11-23T04:18:00Z, or a date",
			       key);
	*out = value;
	return true;
}
