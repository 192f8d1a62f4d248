#include "data/source_spec.h"

#include "data/pointer.h"

static const char *const format_names[] = {
#define SOURCE(stem) #stem,
#include "data/sources.def"
#undef SOURCE
	NULL,
};

struct parts {
	struct str format, uri;
	const struct json *options, *schema, *rows;
};

static const struct field spec_fields[] = {
	{"format", FIELD_ENUM, offsetof(struct parts, format), .choices = format_names, .required = true,
	 .help = "how records are written"},
	{"uri", FIELD_STRING, offsetof(struct parts, uri), .help = "file: with globs, .gz and .zst by ending"},
	{"options", FIELD_JSON, offsetof(struct parts, options), .help = "of the format"},
	{"schema", FIELD_JSON, offsetof(struct parts, schema), .help = "[{\"name\",\"type\",\"attributes\"?}]"},
	{"rows", FIELD_JSON, offsetof(struct parts, rows), .help = "of the format inline: an array of objects"},
	FIELD_END,
};

static size_t or_default(size_t limit, size_t fallback) { return limit ? limit : fallback; }

bool source_config_parse(struct source_config *c, struct str format, const struct json *options, const char *pointer,
			 const struct source_env *env, struct arena *a, struct err *e)
{
	static const struct json none = {.type = JSON_OBJECT};
	field_set given;
	struct source_config config = {
		.format = source_format_find(format),
		.record_bytes_max = or_default(env->record_bytes_max, SOURCE_RECORD_BYTES_DEFAULT),
		.columns_max = or_default(env->columns_max, SOURCE_COLUMNS_DEFAULT),
		.inline_rows_max = or_default(env->inline_rows_max, SOURCE_INLINE_ROWS_DEFAULT),
	};
	if (!config.format) return err_fault(e, pointer, "no format %.*s", (int)MIN(format.len, (size_t)40), format.data);
	config.record_bytes_max = MIN(config.record_bytes_max, (size_t)SOURCE_RECORD_BYTES_MOST);
	void *values = arena_zalloc(a, 1, config.format->options_size);
	if (!fields_parse(config.format->options, options ? options : &none, pointer, NULL, a, values, &given, e)) return false;
	config.options = values;
	*c = config;
	return true;
}

/* --- Parts ------------------------------------------------------------ */

static bool check_place(const struct source_config *c, const struct parts *p, const char *pointer, struct err *e)
{
	struct pointer at_uri = pointer_key(pointer, "uri"), at_rows = pointer_key(pointer, "rows");
	bool in_place = c->format->in_place, ok = true;
	if (in_place && p->uri.data) ok = err_fault(e, at_uri.text, "inline rows have no uri");
	if (!in_place && !p->uri.data) ok = err_fault(e, at_uri.text, "required");
	if (!in_place && p->rows) ok = err_fault(e, at_rows.text, "rows belong to the format inline");
	if (in_place && (!p->rows || p->rows->type != JSON_ARRAY)) ok = err_fault(e, at_rows.text, "must be an array of objects");
	else if (in_place && p->rows->count > c->inline_rows_max)
		ok = err_fault(e, at_rows.text, "%zu rows are more than limits.inlineRows (%zu)", p->rows->count,
			       c->inline_rows_max);
	return ok;
}

static bool parse_schema(struct source_spec *sp, const struct json *schema, const char *pointer, struct err *e)
{
	const struct source_format *f = sp->config.format;
	size_t most = f->columns_max ? f->columns_max : sp->config.columns_max;
	char types[128];
	bool ok = schema_parse(&sp->given, schema, pointer, e);
	if (sp->given.count > most) ok = err_fault(e, pointer, "%zu columns, and %zu at most", sp->given.count, most);
	for (size_t i = 0; ok && i < sp->given.count; i++) {
		if (f->types & COL_BIT(sp->given.columns[i].type)) continue;
		col_types_text(f->types, types);
		struct pointer at = pointer_key(pointer_index(pointer, i).text, "type");
		ok = err_fault(e, at.text, "a column of %s is %s", f->name, types);
	}
	return ok;
}

bool source_spec_parse(struct source_spec *sp, const struct json *spec, const char *pointer, const struct source_env *env,
		       struct arena *a, struct err *e)
{
	struct parts p = {0};
	field_set given;
	*sp = (struct source_spec){0};
	if (spec->type != JSON_OBJECT) return err_fault(e, pointer, "must be an object");
	bool ok = fields_parse(spec_fields, spec, pointer, NULL, a, &p, &given, e);
	struct pointer at_options = pointer_key(pointer, "options");
	if (p.options && p.options->type != JSON_OBJECT) return err_fault(e, at_options.text, "must be an object");
	if (!p.format.data || !source_format_find(p.format)) return false;
	if (!source_config_parse(&sp->config, p.format, p.options, at_options.text, env, a, e)) return false;
	ok &= check_place(&sp->config, &p, pointer, e);
	if (p.schema) ok &= parse_schema(sp, p.schema, pointer_key(pointer, "schema").text, e);
	ok &= sp->config.format->check(&sp->config, p.schema ? &sp->given : NULL, at_options.text, e);
	sp->config.rows = p.rows;
	sp->uri = p.uri;
	return ok;
}

void source_spec_release(struct source_spec *sp) { schema_release(&sp->given); }
