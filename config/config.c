#include "config/config.h"

#include "base/log.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <yaml.h>

enum setting_type { TEXT, COUNT, SECONDS, BYTES, FLAG, LIST };

struct setting {
	const char *section, *name, *fallback, *help;
	enum setting_type type;
	size_t offset;
	double min, max;
};

static const struct setting settings[] = {
#define SETTING(type_, section_, name_, fallback_, min_, max_, help_)                                                  \
	{.section = #section_,                                                                                         \
	 .name = #name_,                                                                                               \
	 .fallback = fallback_,                                                                                        \
	 .help = help_,                                                                                                \
	 .type = type_,                                                                                                \
	 .offset = offsetof(struct config, section_##_##name_),                                                        \
	 .min = min_,                                                                                                  \
	 .max = max_},
#include "config/settings.def"
#undef SETTING
};

enum { SETTING_COUNT = ARRAY_COUNT(settings), KEY_MAX = 96 };

static void key_text(const struct setting *s, char out[KEY_MAX])
{
	snprintf(out, KEY_MAX, "%s%s%s", s->section, *s->section ? "." : "", s->name);
}

/* limits.bodyBytes → QUERN_LIMITS_BODY_BYTES */
static void variable_text(const struct setting *s, char out[KEY_MAX])
{
	char key[KEY_MAX];
	key_text(s, key);
	size_t n = (size_t)snprintf(out, KEY_MAX, "QUERN_");
	for (const char *p = key; *p && n + 2 < KEY_MAX; p++) {
		if (isupper((unsigned char)*p)) out[n++] = '_';
		out[n++] = *p == '.' ? '_' : (char)toupper((unsigned char)*p);
	}
	out[n] = 0;
}

static const struct setting *find(const char *key)
{
	char own[KEY_MAX];
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		key_text(&settings[i], own);
		if (strcmp(own, key) == 0) return &settings[i];
	}
	return NULL;
}

/* The key that shares the longest run of letters with an unknown one, for the error's text. */
static void suggest(const char *key, char out[KEY_MAX])
{
	size_t best = 3;
	out[0] = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		char own[KEY_MAX];
		key_text(&settings[i], own);
		size_t same = 0;
		for (const char *a = key; *a; a++)
			for (const char *b = own; *b; b++) {
				size_t n = 0;
				while (a[n] && tolower((unsigned char)a[n]) == tolower((unsigned char)b[n])) n++;
				if (n > same) same = n;
			}
		if (same <= best) continue;
		best = same;
		snprintf(out, KEY_MAX, "%s", own);
	}
}

/* --- One value ----------------------------------------------------------------------------------------------------------- */

/* Where a value came from, for its faults. */
struct origin {
	const char *where; /* "quern.yaml:12", "QUERN_LISTEN", "--listen" */
	struct err *e;
};

static bool refuse(const struct origin *at, const struct setting *s, const char *what)
{
	char key[KEY_MAX];
	key_text(s, key);
	return err_fault(at->e, at->where, "%s %s", key, what);
}

static bool read_number(const struct origin *at, const struct setting *s, const char *text, uint64_t *out)
{
	char what[160];
	int64_t n;
	bool ok = s->type == BYTES ? str_to_bytes(STR(text), out) : (str_to_i64(STR(text), &n) && n >= 0);
	if (!ok) return refuse(at, s, s->type == BYTES ? "must be a size such as 64MiB" : "must be a whole number");
	if (s->type != BYTES) *out = (uint64_t)n;
	if ((double)*out >= s->min && (double)*out <= s->max) return true;
	snprintf(what, sizeof what, "must be from %.0f to %.0f", s->min, s->max);
	return refuse(at, s, what);
}

static void append_list(struct config *c, const char *const **list, const char *text)
{
	size_t n = 0;
	while (*list && (*list)[n]) n++;
	const char **more = arena_alloc(&c->arena, (n + 2) * sizeof *more);
	if (n) memcpy(more, *list, n * sizeof *more);
	more[n] = text;
	more[n + 1] = NULL;
	*list = more;
}

/* Lists: each value is one more element, or several parted by commas in the environment. */
static bool assign(struct config *c, const struct setting *s, const char *text, const struct origin *at)
{
	void *to = (char *)c + s->offset;
	uint64_t number;
	switch (s->type) {
	case TEXT: *(const char **)to = arena_strdup(&c->arena, text); return true;
	case FLAG:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) return refuse(at, s, "must be true or false");
		*(bool *)to = text[0] == 't';
		return true;
	case LIST: append_list(c, to, arena_strdup(&c->arena, text)); return true;
	case SECONDS:
		if (!read_number(at, s, text, &number)) return false;
		*(unsigned *)to = (unsigned)number;
		return true;
	case COUNT:
	case BYTES: return read_number(at, s, text, to);
	}
	return false;
}

static bool assign_key(struct config *c, const char *key, const char *text, const struct origin *at)
{
	char near[KEY_MAX];
	const struct setting *s = find(key);
	if (s) return assign(c, s, text, at);
	suggest(key, near);
	return err_fault(at->e, at->where, "there is no setting %s%s%s%s", key, *near ? "; did you mean " : "", near,
			 *near ? "?" : "");
}

/* --- Defaults, environment, flags ---------------------------------------------------------------------------------------- */

static void load_defaults(struct config *c)
{
	static const char *const none[] = {NULL};
	struct err e;
	err_init(&e);
	struct origin at = {"settings.def", &e};
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		bool ok = true;
		if (settings[i].type == LIST) *(const char *const **)((char *)c + settings[i].offset) = none;
		else ok = assign(c, &settings[i], settings[i].fallback, &at);
		CHECK(ok);
	}
}

static const char *variable_value(char *const *environment, const char *name)
{
	size_t n = strlen(name);
	for (; *environment; environment++)
		if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=') return *environment + n + 1;
	return NULL;
}

static void clear_list(struct config *c, const struct setting *s)
{
	if (s->type == LIST) *(const char *const **)((char *)c + s->offset) = NULL;
}

static void load_environment(struct config *c, char *const *environment, struct err *e)
{
	for (size_t i = 0; environment && i < SETTING_COUNT; i++) {
		char name[KEY_MAX];
		variable_text(&settings[i], name);
		const char *value = variable_value(environment, name);
		struct origin at = {name, e};
		if (!value) continue;
		clear_list(c, &settings[i]);
		if (settings[i].type != LIST) {
			assign(c, &settings[i], value, &at);
			continue;
		}
		char *copy = arena_strdup(&c->arena, value), *rest = copy, *part;
		while ((part = strsep(&rest, ":"))) assign(c, &settings[i], part, &at);
	}
}

static const struct {
	const char *flag, *key;
} short_flags[] = {{"listen", "listen"},     {"database", "database.url"}, {"data-dir", "dataDir"},
		   {"file-root", "fileRoots"}, {"roles", "roles"}};

static const char *flag_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(short_flags); i++)
		if (strcmp(name, short_flags[i].flag) == 0) return short_flags[i].key;
	return name;
}

/* The first flag of a list replaces what file and environment gave; further ones add. */
static void load_flags(struct config *c, char *const *flags, struct err *e)
{
	uint64_t seen[SETTING_COUNT / 64 + 1] = {0};
	for (; flags && *flags; flags++) {
		char name[KEY_MAX], where[KEY_MAX + 2];
		const char *flag = *flags, *value = strchr(flag, '=');
		snprintf(where, sizeof where, "%.*s", value ? (int)MIN(value - flag, KEY_MAX - 1) : KEY_MAX - 1, flag);
		struct origin at = {where, e};
		if (strncmp(flag, "--", 2) != 0) {
			err_fault(e, where, "is not a flag");
			continue;
		}
		snprintf(name, sizeof name, "%.*s", value ? (int)MIN(value - flag - 2, KEY_MAX - 1) : KEY_MAX - 1, flag + 2);
		if (value) value++;
		else if (flags[1]) value = *++flags;
		else {
			err_fault(e, where, "needs a value");
			continue;
		}
		if (strcmp(name, "config") == 0) continue;
		const struct setting *s = find(flag_key(name));
		size_t i = s ? (size_t)(s - settings) : 0;
		if (s && !(seen[i / 64] >> (i % 64) & 1)) clear_list(c, s);
		if (s) seen[i / 64] |= (uint64_t)1 << (i % 64);
		assign_key(c, flag_key(name), value, &at);
	}
}

/* --- The file: two levels of mappings, scalars, lists of scalars. No anchors, aliases or tags. ---------------------------- */

struct file_reader {
	struct config *c;
	const char *name;
	struct err *e;
	yaml_parser_t parser;
	yaml_event_t event;
	bool failed;
};

static bool yaml_fault(struct file_reader *r, size_t line, const char *what)
{
	char where[ERR_POINTER_MAX];
	snprintf(where, sizeof where, "%s:%zu", r->name, line + 1);
	r->failed = true;
	return err_fault(r->e, where, "%s", what);
}

/* Next event; aliases, anchors and tags are refused here, once for all. */
static bool next(struct file_reader *r)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event))
		return yaml_fault(r, r->parser.problem_mark.line, r->parser.problem ? r->parser.problem : "not valid YAML");
	const yaml_event_t *v = &r->event;
	bool odd = v->type == YAML_ALIAS_EVENT || (v->type == YAML_SCALAR_EVENT && (v->data.scalar.anchor || v->data.scalar.tag)) ||
		   (v->type == YAML_MAPPING_START_EVENT && (v->data.mapping_start.anchor || v->data.mapping_start.tag)) ||
		   (v->type == YAML_SEQUENCE_START_EVENT && (v->data.sequence_start.anchor || v->data.sequence_start.tag));
	return !odd || yaml_fault(r, v->start_mark.line, "anchors, aliases and tags are not allowed");
}

static bool scalar_text(struct file_reader *r, char *out, size_t size)
{
	const char *text = (const char *)r->event.data.scalar.value;
	size_t len = r->event.data.scalar.length;
	if (len >= size || strlen(text) != len) return yaml_fault(r, r->event.start_mark.line, "a value is too long");
	memcpy(out, text, len + 1);
	return true;
}

enum { VALUE_MAX = 4096 };

static bool read_sequence(struct file_reader *r, const char *key)
{
	const struct setting *s = find(key);
	size_t count = 0;
	if (!s || s->type != LIST) return yaml_fault(r, r->event.start_mark.line, "a list stands where none belongs");
	clear_list(r->c, s);
	while (next(r) && r->event.type == YAML_SCALAR_EVENT) {
		char value[VALUE_MAX], where[ERR_POINTER_MAX];
		snprintf(where, sizeof where, "%s:%zu", r->name, r->event.start_mark.line + 1);
		struct origin at = {where, r->e};
		if (++count > CONFIG_LIST_MAX) return yaml_fault(r, r->event.start_mark.line, "the list is too long");
		if (!scalar_text(r, value, sizeof value)) return false;
		assign_key(r->c, key, value, &at);
	}
	return !r->failed && (r->event.type == YAML_SEQUENCE_END_EVENT ||
			      yaml_fault(r, r->event.start_mark.line, "a list holds texts only"));
}

static bool read_mapping(struct file_reader *r, const char *section, int depth);

static bool read_member(struct file_reader *r, const char *section, int depth)
{
	char name[KEY_MAX], key[2 * KEY_MAX + 2], value[VALUE_MAX], where[ERR_POINTER_MAX];
	if (!scalar_text(r, name, sizeof name)) return false;
	snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "", name);
	snprintf(where, sizeof where, "%s:%zu", r->name, r->event.start_mark.line + 1);
	struct origin at = {where, r->e};
	if (!next(r)) return false;
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		if (!scalar_text(r, value, sizeof value)) return false;
		if (*value || r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) assign_key(r->c, key, value, &at);
		return true;
	case YAML_SEQUENCE_START_EVENT: return read_sequence(r, key);
	case YAML_MAPPING_START_EVENT:
		if (depth > 0) return yaml_fault(r, r->event.start_mark.line, "settings are two levels deep at most");
		return read_mapping(r, name, depth + 1);
	default: return yaml_fault(r, r->event.start_mark.line, "a value is missing");
	}
}

static bool read_mapping(struct file_reader *r, const char *section, int depth)
{
	while (next(r) && r->event.type == YAML_SCALAR_EVENT)
		if (!read_member(r, section, depth)) return false;
	return !r->failed && (r->event.type == YAML_MAPPING_END_EVENT ||
			      yaml_fault(r, r->event.start_mark.line, "expected the name of a setting"));
}

static bool read_document(struct file_reader *r)
{
	while (next(r)) {
		switch (r->event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT:
		case YAML_DOCUMENT_END_EVENT: continue;
		case YAML_STREAM_END_EVENT: return true;
		case YAML_MAPPING_START_EVENT:
			if (!read_mapping(r, "", 0)) return false;
			continue;
		case YAML_SCALAR_EVENT:
			if (r->event.data.scalar.length == 0) continue;
			__attribute__((fallthrough));
		default: return yaml_fault(r, r->event.start_mark.line, "the file must be a mapping of settings");
		}
	}
	return false;
}

static bool load_file(struct config *c, const char *path, struct err *e)
{
	FILE *f = fopen(path, "rb");
	if (!f) return err_errno(e, "configuration file %s", path);
	char *text = mem_alloc(CONFIG_FILE_BYTES_MAX + 1);
	size_t len = fread(text, 1, CONFIG_FILE_BYTES_MAX + 1, f);
	fclose(f);
	struct file_reader r = {.c = c, .name = path, .e = e};
	bool ok = len <= CONFIG_FILE_BYTES_MAX || err_fault(e, path, "is over %d bytes", CONFIG_FILE_BYTES_MAX);
	if (ok && yaml_parser_initialize(&r.parser)) {
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
		ok = read_document(&r);
		yaml_event_delete(&r.event);
		yaml_parser_delete(&r.parser);
	}
	mem_free(text);
	return ok;
}

/* --- The whole ----------------------------------------------------------------------------------------------------------- */

static void check_together(const struct config *c, struct err *e)
{
	enum log_level level;
	if (c->trainer_leaseSeconds < 3 * c->trainer_heartbeatSeconds)
		err_fault(e, "trainer.heartbeatSeconds", "must be at most a third of trainer.leaseSeconds (%u s)",
			  c->trainer_leaseSeconds);
	if (!log_level_parse(c->log_level, &level)) err_fault(e, "log.level", "must be debug, info, warn or error");
	char *roles = mem_strdup(c->_roles), *rest = roles, *role;
	while ((role = strsep(&rest, ",")))
		if (strcmp(role, "api") != 0 && strcmp(role, "train") != 0)
			err_fault(e, "roles", "knows api and train, not \"%s\"", role);
	mem_free(roles);
}

bool config_load(struct config *c, const struct config_input *in, struct err *e)
{
	*c = (struct config){0};
	load_defaults(c);
	if (in->file) load_file(c, in->file, e);
	load_environment(c, in->environment, e);
	load_flags(c, in->flags, e);
	if (!err_is(e)) check_together(c, e);
	if (err_is(e)) config_release(c);
	return !err_is(e);
}

void config_release(struct config *c)
{
	arena_release(&c->arena);
	*c = (struct config){0};
}

bool config_has_role(const struct config *c, const char *role)
{
	const char *at = strstr(c->_roles, role);
	return at != NULL;
}

/* postgresql://user:secret@host → postgresql://user:***@host; password=secret → password=*** */
static void print_masked(struct buf *out, const char *text)
{
	const char *at = strchr(text, '@'), *scheme = strstr(text, "://"), *word = strstr(text, "password=");
	const char *colon = scheme && at ? memchr(scheme + 3, ':', (size_t)(at - scheme - 3 > 0 ? at - scheme - 3 : 0)) : NULL;
	if (colon) buf_printf(out, "\"%.*s:***%s\"", (int)(colon - text), text, at);
	else if (word) {
		const char *end = word + strcspn(word, " ");
		buf_printf(out, "\"%.*spassword=***%s\"", (int)(word - text), text, end);
	} else buf_printf(out, "\"%s\"", text);
}

static void print_value(const struct setting *s, const void *v, struct buf *out)
{
	switch (s->type) {
	case TEXT: print_masked(out, *(const char *const *)v); break;
	case COUNT:
	case BYTES: buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)v); break;
	case SECONDS: buf_printf(out, "%u", *(const unsigned *)v); break;
	case FLAG: buf_str(out, *(const bool *)v ? "true" : "false"); break;
	case LIST:
		buf_char(out, '[');
		for (const char *const *item = *(const char *const *const *)v; *item; item++)
			buf_printf(out, "%s\"%s\"", item == *(const char *const *const *)v ? "" : ", ", *item);
		buf_char(out, ']');
	}
}

void config_print(const struct config *c, struct buf *out)
{
	const char *section = "";
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];
		if (strcmp(section, s->section) != 0) buf_printf(out, "%s:\n", s->section);
		section = s->section;
		buf_printf(out, "%s%s: ", *section ? "  " : "", s->name);
		print_value(s, (const char *)c + s->offset, out);
		buf_printf(out, "  # %s\n", s->help);
	}
}
