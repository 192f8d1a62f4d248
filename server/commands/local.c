#include "server/commands/local.h"

#include "base/file.h"
#include "server/commands/rows_input.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPEC_TEXT_MAX = 1 << 28 };

bool local_open(struct local *l, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct config_input in = {.environment = environ};
	*l = (struct local){0};
	if (!config_load(&l->config, &in, e)) return false;
	snprintf(l->dir, sizeof l->dir, "%s/quern.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(l->dir)) {
		config_release(&l->config);
		return err_errno(e, "making a folder in %s", tmp && *tmp ? tmp : "/tmp");
	}
	l->env = (struct source_env){
		.spool_dir = l->dir,
		.memory_max = l->config.trainer_memory,
		.record_bytes_max = l->config.limits_recordBytes,
		.columns_max = l->config.limits_columns,
		.inline_rows_max = l->config.limits_inlineRows,
	};
	return true;
}

void local_close(struct local *l)
{
	file_remove_tree(l->dir);
	config_release(&l->config);
	arena_release(&l->arena);
}

/* --- Rows in the source's place ----------------------------------------------------------------------------------- */

/* Standard input as a file that can be read more than once. */
static bool spool_stdin(struct local *l, const char **path, const char **format, struct err *e)
{
	struct rows_input in;
	struct str piece;
	char *to = arena_printf(&l->arena, "%s/rows", l->dir);
	if (!rows_input_open(&in, NULL, NULL, e)) return false;
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 || err_errno(e, "opening %s", to);
	for (bool end = false; ok && !end;)
		ok = rows_input_next(&in, &piece, &end, e) &&
		     (file_write(fd, piece.data, piece.len) || err_errno(e, "writing %s", to));
	if (fd >= 0) close(fd);
	*path = to;
	*format = in.format;
	rows_input_close(&in);
	return ok;
}

static bool find_rows(struct local *l, const char *file, const char **path, const char **format, struct err *e)
{
	char real[PATH_MAX];
	if (strcmp(file, "-") == 0) return spool_stdin(l, path, format, e);
	if (!realpath(file, real)) return err_errno(e, "opening %s", file);
	*path = arena_strdup(&l->arena, real);
	*format = rows_format_of(file);
	if (!*format) *format = "ndjson";
	return true;
}

static void copy_member(const struct json *from, const char *key, struct json_writer *w)
{
	const struct json *v = json_get(from, key);
	if (!v) return;
	json_key(w, key);
	json_value(w, v);
}

/* LOCAL_SAME: options stay those of the specification where the format is the same; its schema stays where columns
 * are found by name, or by the place that they had there. */
static void write_source(const struct json *own, enum local_rows rows, const char *path, const char *format,
			 struct json_writer *w)
{
	const char *name = strcmp(format, "csv") == 0 ? "csv" : "jsonl";
	const struct json *was = json_get(own, "format");
	bool same = rows == LOCAL_SAME && was && was->type == JSON_STRING && str_is(was->string, name);
	json_object_begin(w);
	json_key(w, "format");
	json_cstr(w, name);
	json_key(w, "uri");
	json_fmt(w, "file:%s", path);
	if (same) copy_member(own, "options", w);
	else if (strcmp(name, "csv") == 0) {
		static const char plain[] =
			"{\"header\":true,\"escape\":\"\\\"\",\"multiLine\":true,\"inferSchema\":true}";
		json_key(w, "options");
		json_raw(w, plain, sizeof plain - 1);
	}
	if (same || (rows == LOCAL_SAME && strcmp(name, "jsonl") == 0)) copy_member(own, "schema", w);
	json_object_end(w);
}

static bool replace_source(struct local *l, const struct json *spec, const char *file, enum local_rows rows,
			   struct str *text, struct err *e)
{
	const char *path, *format;
	if (!find_rows(l, file, &path, &format, e)) return false;
	struct buf out = BUF_INIT(SPEC_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&out);
	json_object_begin(&w);
	for (const struct json *m = spec->child; m; m = m->next) {
		if (str_is(m->key, "source")) continue;
		json_keyn(&w, m->key);
		json_value(&w, m);
	}
	json_key(&w, "source");
	write_source(json_get(spec, "source"), rows, path, format, &w);
	json_object_end(&w);
	bool ok = buf_ok(&out) || err_set(e, ERR_too_large, "the specification is over %d bytes", SPEC_TEXT_MAX);
	if (ok) *text = (struct str){arena_strndup(&l->arena, out.data, out.len), out.len};
	buf_release(&out);
	return ok;
}

bool local_spec(struct local *l, const char *spec_file, const char *file, enum local_rows rows, struct str *text,
		struct err *e)
{
	struct buf bytes = BUF_INIT(SPEC_TEXT_MAX);
	struct json *spec;
	bool ok = file_read(spec_file, &bytes, e);
	if (ok) *text = (struct str){arena_strndup(&l->arena, bytes.len ? bytes.data : "", bytes.len), bytes.len};
	buf_release(&bytes);
	if (!ok || !file) return ok;
	if (!json_parse(&l->arena, text->data, text->len, &spec, e)) return err_wrap(e, "%s", spec_file);
	if (spec->type != JSON_OBJECT) return err_set(e, ERR_invalid, "%s must hold an object", spec_file);
	return replace_source(l, spec, file, rows, text, e);
}
