#include "config/config_file.h"

#include "base/file.h"
#include "base/map.h"
#include "config/config.h"

#include <stdio.h>
#include <yaml.h>

enum { NAME_BYTES = 64, KEY_BYTES = 2 * NAME_BYTES, VALUE_BYTES = 4096 };

struct reader {
	const char *path;
	void (*sink)(void *ctx, const struct config_value *v);
	void *ctx;
	struct err *e;
	yaml_parser_t parser;
	yaml_event_t event;
	struct map keys; /* those met, with their lines */
};

static void place(const struct reader *r, size_t line, char out[ERR_POINTER_MAX])
{
	snprintf(out, ERR_POINTER_MAX, "%s:%zu", r->path, line + 1);
}

static bool fault_at(struct reader *r, size_t line, const char *what)
{
	char where[ERR_POINTER_MAX];
	place(r, line, where);
	return err_fault(r->e, where, "%s", what);
}

static bool fault(struct reader *r, const char *what) { return fault_at(r, r->event.start_mark.line, what); }

static bool is_plain(const yaml_event_t *v)
{
	switch (v->type) {
	case YAML_ALIAS_EVENT: return false;
	case YAML_SCALAR_EVENT: return !v->data.scalar.anchor && !v->data.scalar.tag;
	case YAML_MAPPING_START_EVENT: return !v->data.mapping_start.anchor && !v->data.mapping_start.tag;
	case YAML_SEQUENCE_START_EVENT: return !v->data.sequence_start.anchor && !v->data.sequence_start.tag;
	default: return true;
	}
}

static bool next(struct reader *r)
{
	yaml_event_delete(&r->event);
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		const char *problem = r->parser.problem;
		return fault_at(r, r->parser.problem_mark.line, problem ? problem : "not valid YAML");
	}
	return is_plain(&r->event) || fault(r, "anchors, aliases and tags are not allowed");
}

/* The scalar at hand; what: "a name" or "a value". */
static bool take_text(struct reader *r, const char *what, char *out, size_t size)
{
	const char *text = (const char *)r->event.data.scalar.value;
	size_t len = r->event.data.scalar.length;
	if (len < size && strlen(text) == len) {
		memcpy(out, text, len + 1);
		return true;
	}
	char why[64];
	snprintf(why, sizeof why, "%s is too long or holds NUL", what);
	return fault(r, why);
}

/* YAML's core schema: nothing, ~ or null, written plain. */
static bool is_null(const yaml_event_t *v)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	if (v->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (strcmp((const char *)v->data.scalar.value, words[i]) == 0) return true;
	return false;
}

static bool give(struct reader *r, const char *key, bool in_list)
{
	char text[VALUE_BYTES], where[ERR_POINTER_MAX];
	if (is_null(&r->event)) return true;
	if (!take_text(r, "a value", text, sizeof text)) return false;
	place(r, r->event.start_mark.line, where);
	r->sink(r->ctx, &(struct config_value){.key = key, .text = text, .where = where, .in_list = in_list});
	return true;
}

static bool read_list(struct reader *r, const char *key)
{
	char where[ERR_POINTER_MAX];
	place(r, r->event.start_mark.line, where);
	for (size_t count = 0; next(r); count++) {
		if (r->event.type == YAML_SEQUENCE_END_EVENT) {
			if (count == 0)
				r->sink(r->ctx, &(struct config_value){.key = key, .where = where, .in_list = true});
			return true;
		}
		if (r->event.type != YAML_SCALAR_EVENT) return fault(r, "a list holds texts only");
		if (!give(r, key, true)) return false;
	}
	return false;
}

static bool is_new(struct reader *r, const char *key)
{
	bool made;
	struct map_entry *met = map_put(&r->keys, STR(key), &made);
	if (made) {
		met->value = r->event.start_mark.line + 1;
		return true;
	}
	char why[KEY_BYTES + 64];
	snprintf(why, sizeof why, "%s is given twice, first in line %llu", key, (unsigned long long)met->value);
	return fault(r, why);
}

static bool read_mapping(struct reader *r, const char *section);

static bool read_member(struct reader *r, const char *section)
{
	char name[NAME_BYTES], key[KEY_BYTES];
	if (!take_text(r, "a name", name, sizeof name)) return false;
	snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "", name);
	if (!is_new(r, key) || !next(r)) return false;
	switch (r->event.type) {
	case YAML_SCALAR_EVENT: return give(r, key, false);
	case YAML_SEQUENCE_START_EVENT: return read_list(r, key);
	default: return *section ? fault(r, "settings are two levels deep at most") : read_mapping(r, name);
	}
}

static bool read_mapping(struct reader *r, const char *section)
{
	while (next(r)) {
		if (r->event.type == YAML_MAPPING_END_EVENT) return true;
		if (r->event.type != YAML_SCALAR_EVENT) return fault(r, "expected the name of a setting");
		if (!read_member(r, section)) return false;
	}
	return false;
}

static bool read_stream(struct reader *r)
{
	size_t documents = 0;
	while (next(r)) {
		switch (r->event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT: break;
		case YAML_STREAM_END_EVENT: return true;
		case YAML_DOCUMENT_START_EVENT:
			if (++documents > 1) return fault(r, "the file must be one document");
			break;
		case YAML_MAPPING_START_EVENT:
			if (!read_mapping(r, "")) return false;
			break;
		case YAML_SCALAR_EVENT:
			if (is_null(&r->event)) break;
			__attribute__((fallthrough));
		default: return fault(r, "the file must be a mapping of settings");
		}
	}
	return false;
}

bool config_file_read(const char *path, void (*sink)(void *ctx, const struct config_value *v), void *ctx, struct err *e)
{
	struct reader r = {.path = path, .sink = sink, .ctx = ctx, .e = e};
	struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	struct err why;
	err_init(&why);
	bool ok = file_read(path, &text, &why) || err_fault(e, path, "%s", why.detail);
	if (ok) {
		CHECK(yaml_parser_initialize(&r.parser));
		yaml_parser_set_input_string(&r.parser, (const unsigned char *)buf_cstr(&text), text.len);
		ok = read_stream(&r);
		yaml_event_delete(&r.event);
		yaml_parser_delete(&r.parser);
	}
	map_release(&r.keys);
	buf_release(&text);
	return ok;
}
