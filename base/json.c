/* Documents as trees, and the writer. The grammar is json_scan.c's. */
#include "base/json.h"

#include "base/map.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const type_names[] = {"null", "boolean", "number", "string", "array", "object"};

const char *json_type_name(enum json_type type) { return type_names[type]; }

/* --- Tree ---------------------------------------------------------------------------------------- */

enum { KEYS_LINEAR_MAX = 16 }; /* objects with more members look for duplicates through a map */

struct tree {
	struct arena *arena;
	struct json_scan scan;
	bool outline; /* as json_outline has it */
	struct str duplicate; /* a name that occurred twice */
};

static struct str keep(struct tree *t, struct str s)
{
	return (struct str){arena_strndup(t->arena, s.data, s.len), s.len};
}

static bool is_duplicate(const struct json *obj, struct str key, struct map *keys)
{
	bool made = true;
	if (obj->count > KEYS_LINEAR_MAX) {
		if (keys->count == 0)
			for (const struct json *m = obj->child; m; m = m->next) map_put(keys, m->key, NULL);
		map_put(keys, key, &made);
		return !made;
	}
	for (const struct json *m = obj->child; m; m = m->next)
		if (str_eq(m->key, key)) return true;
	return false;
}

static struct json *read_value(struct tree *t, enum json_tok tok);

static bool read_members(struct tree *t, struct json *obj)
{
	struct json **link = &obj->child;
	struct map keys = MAP_INIT;
	bool ok = true;
	enum json_tok tok;
	while (ok && (tok = json_scan_next(&t->scan)) == JSON_TOK_KEY) {
		if (t->outline && obj->count == JSON_OUTLINE_MEMBERS_MAX) {
			t->scan.err = "the object has too many members";
			ok = false;
			break;
		}
		struct str key = keep(t, t->scan.text);
		bool duplicate = is_duplicate(obj, key, &keys);
		if (duplicate) {
			t->duplicate = key;
			t->scan.err = "occurs twice in one object";
		}
		struct json *v = duplicate ? NULL : read_value(t, json_scan_next(&t->scan));
		ok = v != NULL;
		if (!ok) break;
		v->key = key;
		*link = v;
		link = &v->next;
		obj->count++;
	}
	map_release(&keys);
	return ok && tok == JSON_TOK_OBJECT_END;
}

static bool read_elements(struct tree *t, struct json *array)
{
	struct json **link = &array->child;
	enum json_tok tok;
	while ((tok = json_scan_next(&t->scan)) != JSON_TOK_ARRAY_END) {
		struct json *v = read_value(t, tok);
		if (!v) return false;
		*link = v;
		link = &v->next;
		array->count++;
	}
	return true;
}

static void read_number(struct tree *t, struct json *v)
{
	v->type = JSON_NUMBER;
	v->number = json_scan_double(&t->scan);
	v->string = keep(t, t->scan.text);
	v->is_int = str_to_i64(v->string, &v->integer);
}

/* Is the container that just began left unread? */
static bool only_outlined(const struct tree *t, enum json_tok tok)
{
	return t->outline && (tok == JSON_TOK_ARRAY_BEGIN || (tok == JSON_TOK_OBJECT_BEGIN && t->scan.depth > 1));
}

static bool read_container(struct tree *t, enum json_tok tok, struct json *v)
{
	v->type = tok == JSON_TOK_ARRAY_BEGIN ? JSON_ARRAY : JSON_OBJECT;
	if (only_outlined(t, tok)) return json_scan_skip(&t->scan, tok);
	return tok == JSON_TOK_ARRAY_BEGIN ? read_elements(t, v) : read_members(t, v);
}

static struct json *read_value(struct tree *t, enum json_tok tok)
{
	if (tok == JSON_TOK_ERROR || tok == JSON_TOK_END) return NULL;
	struct json *v = arena_zalloc(t->arena, 1, sizeof *v);
	const char *start = t->scan.token;
	switch (tok) {
	case JSON_TOK_NULL: v->type = JSON_NULL; break;
	case JSON_TOK_TRUE:
	case JSON_TOK_FALSE:
		v->type = JSON_BOOL;
		v->boolean = tok == JSON_TOK_TRUE;
		break;
	case JSON_TOK_NUMBER: read_number(t, v); break;
	case JSON_TOK_STRING:
		v->type = JSON_STRING;
		v->string = keep(t, t->scan.text);
		break;
	default:
		if (!read_container(t, tok, v)) return NULL;
	}
	v->raw = (struct str){start, (size_t)(t->scan.p - start)};
	return v;
}

static bool parse(struct tree t, const char *text, size_t len, struct json **out, struct err *e)
{
	struct buf scratch = BUF_INIT(MAX(len, (size_t)64));
	json_scan_init(&t.scan, text, len, &scratch);
	struct json *root = read_value(&t, json_scan_next(&t.scan));
	bool ok = root && json_scan_next(&t.scan) == JSON_TOK_END;
	if (!ok) json_scan_error(&t.scan, e);
	if (t.duplicate.data) err_wrap(e, "member \"%.64s\"", t.duplicate.data);
	buf_release(&scratch);
	if (ok) *out = root;
	return ok;
}

bool json_parse(struct arena *a, const char *text, size_t len, struct json **out, struct err *e)
{
	return parse((struct tree){.arena = a}, text, len, out, e);
}

bool json_outline(struct arena *a, const char *text, size_t len, struct json **out, struct err *e)
{
	return parse((struct tree){.arena = a, .outline = true}, text, len, out, e);
}

const struct json *json_get(const struct json *obj, const char *key)
{
	if (!obj || obj->type != JSON_OBJECT) return NULL;
	for (const struct json *m = obj->child; m; m = m->next)
		if (str_is(m->key, key)) return m;
	return NULL;
}

const struct json *json_at(const struct json *array, size_t index)
{
	if (!array || array->type != JSON_ARRAY) return NULL;
	const struct json *v = array->child;
	for (; v && index > 0; index--) v = v->next;
	return v;
}

/* --- Writer -------------------------------------------------------------------------------------- */

static void separate(struct json_writer *w)
{
	if (w->comma) buf_char(w->out, ',');
	w->comma = true;
}

static void open_with(struct json_writer *w, char c)
{
	separate(w);
	buf_char(w->out, c);
	w->comma = false;
}

static void close_with(struct json_writer *w, char c)
{
	buf_char(w->out, c);
	w->comma = true;
}

void json_object_begin(struct json_writer *w) { open_with(w, '{'); }
void json_object_end(struct json_writer *w) { close_with(w, '}'); }
void json_array_begin(struct json_writer *w) { open_with(w, '['); }
void json_array_end(struct json_writer *w) { close_with(w, ']'); }

static void put_escaped(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char short_forms[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
	if (c < sizeof short_forms && short_forms[c]) buf_append(out, (char[]){'\\', short_forms[c]}, 2);
	else buf_append(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

static void put_string(struct buf *out, struct str s)
{
	buf_char(out, '"');
	size_t from = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		if (c >= 0x20 && c != '"' && c != '\\') continue;
		buf_append(out, s.data + from, i - from);
		put_escaped(out, c);
		from = i + 1;
	}
	buf_append(out, s.data + from, s.len - from);
	buf_char(out, '"');
}

void json_keyn(struct json_writer *w, struct str key)
{
	separate(w);
	put_string(w->out, key);
	buf_char(w->out, ':');
	w->comma = false;
}

void json_key(struct json_writer *w, const char *key) { json_keyn(w, STR(key)); }

void json_str(struct json_writer *w, struct str s)
{
	separate(w);
	put_string(w->out, s);
}

void json_cstr(struct json_writer *w, const char *s)
{
	if (s) json_str(w, STR(s));
	else json_null(w);
}

void json_text(struct json_writer *w, const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t len = strlen(text), good = str_utf8_prefix(text, len);
	if (good == len) {
		json_str(w, (struct str){text, len});
		return;
	}
	struct buf mended = BUF_INIT(3 * len);
	for (; good < len; text += good + 1, len -= good + 1, good = str_utf8_prefix(text, len)) {
		buf_append(&mended, text, good);
		buf_str(&mended, replacement);
	}
	buf_append(&mended, text, len);
	json_str(w, (struct str){mended.data, mended.len});
	buf_release(&mended);
}

void json_fmt(struct json_writer *w, const char *fmt, ...)
{
	struct buf text = BUF_INIT((size_t)1 << 20);
	va_list args;
	va_start(args, fmt);
	buf_vprintf(&text, fmt, args);
	va_end(args);
	json_str(w, (struct str){text.data, text.len});
	buf_release(&text);
}

void json_raw(struct json_writer *w, const char *text, size_t len)
{
	separate(w);
	buf_append(w->out, text, len);
}

void json_null(struct json_writer *w) { json_raw(w, "null", 4); }
void json_bool(struct json_writer *w, bool v) { v ? json_raw(w, "true", 4) : json_raw(w, "false", 5); }

void json_int(struct json_writer *w, int64_t v)
{
	char text[STR_NUMBER_MAX];
	json_raw(w, text, str_from_i64(v, text));
}

void json_double(struct json_writer *w, double v)
{
	char text[STR_NUMBER_MAX];
	if (isfinite(v)) json_raw(w, text, str_from_double(v, text));
	else json_null(w);
}

void json_row_double(struct json_writer *w, double v)
{
	if (isfinite(v)) json_double(w, v);
	else json_cstr(w, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
}

void json_row_doubles(struct json_writer *w, const double *v, size_t n)
{
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) json_row_double(w, v[i]);
	json_array_end(w);
}

void json_value(struct json_writer *w, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL: json_null(w); break;
	case JSON_BOOL: json_bool(w, v->boolean); break;
	case JSON_NUMBER: json_raw(w, v->string.data, v->string.len); break;
	case JSON_STRING: json_str(w, v->string); break;
	case JSON_ARRAY:
		json_array_begin(w);
		for (const struct json *m = v->child; m; m = m->next) json_value(w, m);
		json_array_end(w);
		break;
	case JSON_OBJECT:
		json_object_begin(w);
		for (const struct json *m = v->child; m; m = m->next) {
			json_keyn(w, m->key);
			json_value(w, m);
		}
		json_object_end(w);
	}
}

void json_problem(struct json_writer *w, const struct err *e, const char *instance)
{
	json_object_begin(w);
	json_key(w, "type");
	json_fmt(w, "/problems/%s", err_slug(e->code));
	json_key(w, "title");
	json_cstr(w, err_title(e->code));
	json_key(w, "status");
	json_int(w, err_status(e->code));
	json_key(w, "detail");
	json_text(w, e->detail);
	json_key(w, "instance");
	json_cstr(w, instance);
	json_key(w, "errors");
	json_array_begin(w);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++) {
		json_object_begin(w);
		json_key(w, "pointer");
		json_text(w, e->faults[i].pointer);
		json_key(w, "detail");
		json_text(w, e->faults[i].detail);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
}
