#include "tests/unit/data/data_support.h"

#include "data/json_row_write.h"

#include <stdio.h>
#include <stdlib.h>

const char *data_dir, *data_root;
struct arena data_arena;
static struct arena dir_arena;
static const char *made; /* by us, so ours to remove: whatever a test that failed half-way left in the names above */

int data_dir_make(void **state)
{
	(void)state;
	data_root = data_dir = made = support_tmp(&dir_arena);
	return 0;
}

int data_dir_remove(void **state)
{
	(void)state;
	support_tmp_remove(made);
	arena_release(&dir_arena);
	arena_release(&data_arena);
	return 0;
}

int data_arena_reset(void **state)
{
	(void)state;
	data_root = data_dir;
	arena_reset(&data_arena);
	return 0;
}

void data_write(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(arena_printf(&data_arena, "%s/%s", data_dir, name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

struct json *data_json(const char *text)
{
	struct json *v = NULL;
	struct err e;
	err_init(&e);
	assert_ok(json_parse(&data_arena, arena_strdup(&data_arena, text), strlen(text), &v, &e), &e);
	return v;
}

struct source_env data_env(void)
{
	static const char *roots[2];
	roots[0] = data_root;
	return (struct source_env){.file_roots = roots, .spool_dir = data_dir};
}

const char *data_spec(const char *format, const char *name, const char *options)
{
	return arena_printf(&data_arena, "{\"format\":\"%s\",\"uri\":\"file:%s\",\"options\":%s}", format, name, options);
}

const char *data_schema_text(const struct schema *s)
{
	struct buf b = BUF_INIT(1 << 24);
	for (size_t i = 0; i < s->count; i++)
		buf_printf(&b, "%s%.*s:%s", i ? "," : "", (int)s->columns[i].name.len, s->columns[i].name.data,
			   s->columns[i].is_int32 ? "int" : col_type_name(s->columns[i].type));
	const char *text = arena_strdup(&data_arena, buf_cstr(&b));
	buf_release(&b);
	return text;
}

static bool add_rows(void *ctx, struct batch *b, struct err *e)
{
	struct json_writer w = JSON_WRITER(ctx);
	(void)e;
	for (size_t i = 0; i < b->rows; i++) {
		w.comma = false;
		json_row_write(&w, b, NULL, i);
		buf_char(ctx, '\n');
	}
	return true;
}

static bool read_all(struct source *s, struct taken *out, struct err *e)
{
	struct buf rows = BUF_INIT((size_t)1 << 30);
	struct batch b;
	bool ok = true;
	batch_init(&b, source_schema(s));
	for (size_t i = 0; ok && i < source_shard_count(s); i++) ok = source_read(s, i, NULL, &b, add_rows, &rows, &out->report, e);
	out->schema = data_schema_text(source_schema(s));
	out->rows = arena_strndup(&data_arena, rows.data ? rows.data : "", rows.len);
	out->shards = source_shard_count(s);
	batch_release(&b);
	buf_release(&rows);
	return ok;
}

bool data_take(const char *spec, struct taken *out, struct err *e)
{
	struct source_env env = data_env();
	struct source *s;
	*out = (struct taken){0};
	if (!source_open(data_json(spec), &env, &s, e)) return false;
	bool ok = read_all(s, out, e);
	source_close(s);
	return ok;
}

struct taken data_must_take(const char *spec)
{
	struct taken t;
	struct err e;
	err_init(&e);
	assert_ok(data_take(spec, &t, &e), &e);
	return t;
}

struct taken data_rows(const char *format, const char *options, const char *bytes, size_t len)
{
	data_write("rows", bytes, len);
	return data_must_take(data_spec(format, "rows", options));
}

void data_wants_fault(const char *spec, const char *pointer, const char *part_of_detail)
{
	struct source_env env = data_env();
	struct schema schema = SCHEMA_INIT;
	struct err e;
	err_init(&e);
	if (source_check(data_json(spec), "/source", &env, true, &schema, &e)) fail_msg("accepted: %s", spec);
	for (size_t i = 0; i < MIN(e.fault_count, (size_t)ERR_FAULTS_MAX); i++)
		if (strcmp(e.faults[i].pointer, pointer) == 0 && (!part_of_detail || strstr(e.faults[i].detail, part_of_detail)))
			return;
	for (size_t i = 0; i < MIN(e.fault_count, (size_t)ERR_FAULTS_MAX); i++)
		print_error("  %s %s\n", e.faults[i].pointer, e.faults[i].detail);
	fail_msg("no fault at %s (%s): %s %s", pointer, part_of_detail ? part_of_detail : "", e.detail, spec);
}
