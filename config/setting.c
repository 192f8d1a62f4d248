#include "config/setting.h"

#include "base/json.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

const struct setting settings[SETTING_COUNT] = {
#define SETTING(type_, section_, name_, fallback_, min_, max_, help_)                                                  \
	[AT_##section_##_##name_] = {.section = #section_,                                                             \
				     .name = #name_,                                                                   \
				     .fallback = fallback_,                                                            \
				     .help = help_,                                                                    \
				     .type = TYPE_##type_,                                                             \
				     .offset = offsetof(struct config, section_##_##name_),                            \
				     .min = min_,                                                                      \
				     .max = max_},
#include "config/settings.def"
#undef SETTING
};

/* --- Names --------------------------------------------------------------------------------------- */

void setting_key(const struct setting *s, char out[SETTING_NAME_MAX])
{
	snprintf(out, SETTING_NAME_MAX, "%s%s%s", s->section, *s->section ? "." : "", s->name);
}

void setting_variable(const struct setting *s, char out[SETTING_NAME_MAX])
{
	char key[SETTING_NAME_MAX];
	setting_key(s, key);
	size_t n = (size_t)snprintf(out, SETTING_NAME_MAX, "QUERN_");
	for (const char *p = key; *p && n + 2 < SETTING_NAME_MAX; p++) {
		if (isupper((unsigned char)*p)) out[n++] = '_';
		out[n++] = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
	}
	out[n] = 0;
}

const struct setting *setting_by_key(const char *key)
{
	char own[SETTING_NAME_MAX];
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		setting_key(&settings[i], own);
		if (strcmp(own, key) == 0) return &settings[i];
	}
	return NULL;
}

const struct setting *setting_by_variable(struct str name)
{
	char own[SETTING_NAME_MAX];
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		setting_variable(&settings[i], own);
		if (str_is(name, own)) return &settings[i];
	}
	return NULL;
}

bool setting_in_section(struct str variable)
{
	char prefix[SETTING_NAME_MAX];
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		int n = snprintf(prefix, sizeof prefix, "QUERN_%s_", settings[i].section);
		if (!*settings[i].section || variable.len < (size_t)n) continue;
		if (strncasecmp(variable.data, prefix, (size_t)n) == 0) return true;
	}
	return false;
}

bool setting_unknown(const char *key, const char *where, struct err *e)
{
	const char *dot = strrchr(key, '.'), *last = dot ? dot + 1 : key;
	char own[SETTING_NAME_MAX], near[SETTING_NAME_MAX] = "";
	size_t best = MAX(strlen(last) / 3, (size_t)1) + 1;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		setting_key(&settings[i], own);
		/* A key in the wrong section, or without one, is as near as its last part. */
		size_t whole = str_distance(STR(key), STR(own)), part = str_distance(STR(last), STR(settings[i].name));
		if (MIN(whole, part) >= best) continue;
		best = MIN(whole, part);
		snprintf(near, sizeof near, "%s", own);
	}
	return err_fault(e, where, "there is no setting %s%s%s%s", key, *near ? "; did you mean " : "", near,
			 *near ? "?" : "");
}

/* --- Values from text ---------------------------------------------------------------------------- */

static bool refuse(const struct setting *s, const char *where, struct err *e, const char *what)
{
	char key[SETTING_NAME_MAX];
	setting_key(s, key);
	return err_fault(e, where, "%s %s", key, what);
}

static bool read_number(const struct setting *s, const char *text, const char *where, struct err *e, uint64_t *out)
{
	char what[SETTING_NAME_MAX];
	int64_t n = 0;
	bool bytes = s->type == TYPE_BYTES,
	     ok = bytes ? str_to_bytes(STR(text), out) : str_to_i64(STR(text), &n) && n >= 0;
	if (!ok) return refuse(s, where, e, bytes ? "must be a size such as 64MiB" : "must be a whole number");
	if (!bytes) *out = (uint64_t)n;
	if ((double)*out >= s->min && (double)*out <= s->max) return true;
	snprintf(what, sizeof what, "must be from %.0f to %.0f", s->min, s->max);
	return refuse(s, where, e, what);
}

/* Control characters have no place in a path, an address or a name, and would garble what prints them. */
static bool is_printable(const char *text)
{
	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p)) return false;
	return str_utf8_valid(text, strlen(text));
}

static bool append(const char *const **list, struct arena *a, const char *text)
{
	size_t n = 0;
	while ((*list)[n]) n++;
	if (n >= CONFIG_LIST_MAX) return false;
	const char **more = arena_alloc(a, (n + 2) * sizeof *more);
	memcpy(more, *list, n * sizeof *more);
	more[n] = arena_strdup(a, text);
	more[n + 1] = NULL;
	*list = more;
	return true;
}

bool setting_assign(const struct setting *s, struct config *c, const char *text, const char *where, struct err *e)
{
	void *to = (char *)c + s->offset;
	uint64_t number;
	switch (s->type) {
	case TYPE_TEXT:
		if (!is_printable(text)) return refuse(s, where, e, "must be printable UTF-8");
		*(const char **)to = arena_strdup(&c->arena, text);
		return true;
	case TYPE_LIST:
		if (!is_printable(text)) return refuse(s, where, e, "must be printable UTF-8");
		return append(to, &c->arena, text) || refuse(s, where, e, "has too many elements");
	case TYPE_FLAG:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return refuse(s, where, e, "must be true or false");
		*(bool *)to = text[0] == 't';
		return true;
	case TYPE_SECONDS:
		if (!read_number(s, text, where, e, &number)) return false;
		*(unsigned *)to = (unsigned)number;
		return true;
	case TYPE_COUNT:
	case TYPE_BYTES:
		if (!read_number(s, text, where, e, &number)) return false;
		*(uint64_t *)to = number;
		return true;
	}
	return false;
}

void setting_clear(const struct setting *s, struct config *c)
{
	static const char *const none[] = {NULL};
	if (s->type == TYPE_LIST) *(const char *const **)((char *)c + s->offset) = none;
}

/* --- Values to text ------------------------------------------------------------------------------ */

/* postgresql://user:SECRET@host: from the colon behind the user to the last @, for a password may hold one. */
static struct str url_password(const char *text)
{
	const char *scheme = strstr(text, "://"), *end = strrchr(text, '@');
	const char *colon = scheme ? strchr(scheme + 3, ':') : NULL;
	if (!colon || !end || colon > end) return (struct str){0};
	return (struct str){colon + 1, (size_t)(end - colon - 1)};
}

/* password=SECRET, password = 'SE CRET', ?password=SECRET&…; sslpassword too. */
static struct str keyword_password(const char *text)
{
	const char *p = strcasestr(text, "password");
	if (!p) return (struct str){0};
	p += strlen("password");
	p += strspn(p, " ");
	if (*p != '=') return keyword_password(p);
	p += 1 + strspn(p + 1, " ");
	const char *end = p;
	if (*p == '\'')
		for (end++; *end && *end != '\''; end++) end += *end == '\\' && end[1];
	else end += strcspn(p, " &");
	return (struct str){p, (size_t)(end - p)};
}

static void write_text(const char *text, struct buf *out)
{
	struct buf masked = BUF_INIT((size_t)1 << 16);
	struct str secret = url_password(text);
	while (secret.data || (secret = keyword_password(text)).data) {
		buf_append(&masked, text, (size_t)(secret.data - text));
		buf_str(&masked, "***");
		text = secret.data + secret.len;
		secret = (struct str){0};
	}
	buf_str(&masked, text);
	struct json_writer w = JSON_WRITER(out);
	json_cstr(&w, buf_cstr(&masked));
	buf_release(&masked);
}

static void write_list(const char *const *list, struct buf *out)
{
	buf_char(out, '[');
	for (const char *const *item = list; *item; item++) {
		if (item != list) buf_str(out, ", ");
		write_text(*item, out);
	}
	buf_char(out, ']');
}

void setting_write(const struct setting *s, const struct config *c, struct buf *out)
{
	const void *v = (const char *)c + s->offset;
	switch (s->type) {
	case TYPE_TEXT: write_text(*(const char *const *)v, out); break;
	case TYPE_LIST: write_list(*(const char *const *const *)v, out); break;
	case TYPE_FLAG: buf_str(out, *(const bool *)v ? "true" : "false"); break;
	case TYPE_SECONDS: buf_printf(out, "%u", *(const unsigned *)v); break;
	case TYPE_COUNT:
	case TYPE_BYTES: buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)v); break;
	}
}
