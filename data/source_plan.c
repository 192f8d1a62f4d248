/* Planning: find, unpack, infer, cut; and the plan as bytes. */
#include "data/source_plan.h"

#include "data/files.h"
#include "data/shard.h"

#include <unistd.h>

static void keep_env(struct source *s, const struct source_env *env)
{
	size_t n = 0;
	s->env = *env;
	if (env->spool_dir) s->env.spool_dir = arena_strdup(&s->arena, env->spool_dir);
	if (!env->file_roots) return;
	while (env->file_roots[n]) n++;
	const char **roots = arena_zalloc(&s->arena, n + 1, sizeof *roots);
	for (size_t i = 0; i < n; i++) roots[i] = arena_strdup(&s->arena, env->file_roots[i]);
	s->env.file_roots = roots;
}

/* The specification is parsed anew from a text of our own, so that nothing points into the caller's. */
static bool parse_text(struct source *s, struct str text, struct err *e)
{
	struct json *spec;
	s->text = (struct str){arena_strndup(&s->arena, text.data, text.len), text.len};
	return json_parse(&s->arena, s->text.data, s->text.len, &spec, e) &&
	       source_spec_parse(&s->spec, spec, "/source", &s->env, &s->arena, e);
}

void source_close(struct source *s)
{
	if (!s) return;
	for (size_t i = 0; s->owner && i < s->file_count; i++) source_file_remove(&s->files[i]);
	schema_release(&s->schema);
	source_spec_release(&s->spec);
	struct arena a = s->arena;
	arena_release(&a);
	mem_free(s);
}

/* --- Planning ------------------------------------------------------------ */

static bool find_files(struct source *s, struct err *e)
{
	struct files found = {0};
	if (!files_find(s->spec.uri, s->env.file_roots, &s->arena, "/source/uri", &found, e)) return false;
	if (found.count == 0) return err_fault(e, "/source/uri", "there is no such file");
	s->files = arena_zalloc(&s->arena, found.count, sizeof *s->files);
	for (; s->file_count < found.count; s->file_count++) {
		struct source_file *f = &s->files[s->file_count];
		f->path = found.paths[s->file_count];
		f->name = files_name(f->path);
		int fd = files_open(f->path, s->env.file_roots, &f->size, e);
		if (fd < 0) return false;
		close(fd);
		if (!source_file_unpack(s, f, e)) {
			s->file_count++;
			return false;
		}
	}
	return true;
}

/* Calls infer with all files open. */
static bool infer_files(struct source *s, struct err *e)
{
	struct source_range *ranges = mem_zalloc(s->file_count + 1, sizeof *ranges);
	size_t n = 0;
	bool ok = true;
	for (; ok && n < s->file_count; n++) {
		const struct source_file *f = &s->files[n];
		ranges[n] = (struct source_range){
		    .name = f->name, .fd = source_file_open(s, f, e), .size = f->size, .end = f->size};
		ok = ranges[n].fd >= 0;
	}
	ok = ok && s->spec.config.format->infer(&s->spec.config, ranges, n, &s->schema, e);
	while (n > 0)
		if (ranges[--n].fd >= 0) close(ranges[n].fd);
	mem_free(ranges);
	return ok;
}

static bool make_schema(struct source *s, struct err *e)
{
	if (s->spec.given.count) schema_copy(&s->schema, &s->spec.given);
	else if (!infer_files(s, e)) return false;
	return s->schema.count || err_set(e, ERR_source, "the source has no record to tell its columns; give a schema");
}

/* Lets the format move the cuts that fall into each file. */
static bool move_cuts(struct source *s, struct err *e)
{
	uint64_t at = 0;
	size_t next = 1;
	bool ok = true;
	for (const struct source_file *f = s->files; ok && f < s->files + s->file_count; at += f++->size) {
		size_t first = next;
		while (next < s->shard_count && s->cuts[next] < at + f->size) s->cuts[next++] -= at;
		if (first == next) continue;
		struct source_range whole = {.name = f->name, .fd = source_file_open(s, f, e), .size = f->size, .end = f->size};
		ok = whole.fd >= 0 && s->spec.config.format->cut(&s->spec.config, &whole, s->cuts + first, next - first, e);
		if (whole.fd >= 0) close(whole.fd);
		for (size_t i = first; i < next; i++) s->cuts[i] += at;
	}
	return ok;
}

static bool make_cuts(struct source *s, struct err *e)
{
	uint64_t total = 0;
	bool in_place = s->spec.config.format->in_place;
	for (size_t i = 0; i < s->file_count; i++) total += s->files[i].size;
	s->bytes = in_place ? s->spec.config.rows->raw.len : total;
	s->shard_count = shard_count(s->bytes);
	if (in_place) total = s->spec.config.rows->count;
	s->cuts = arena_zalloc(&s->arena, s->shard_count + 1, sizeof *s->cuts);
	for (size_t i = 0; i <= s->shard_count; i++) s->cuts[i] = shard_begin(total, s->shard_count, i);
	return !s->spec.config.format->cut || move_cuts(s, e);
}

bool source_open(const struct json *spec, const struct source_env *env, struct source **out, struct err *e)
{
	struct source *s = mem_zalloc(1, sizeof *s);
	s->owner = true;
	keep_env(s, env);
	bool ok = parse_text(s, spec->raw, e) && (s->spec.config.format->in_place || find_files(s, e)) && make_schema(s, e) &&
		  make_cuts(s, e);
	if (ok) *out = s;
	else source_close(s);
	return ok;
}

/* --- The plan as bytes ------------------------------------------------------------ */

void source_encode(const struct source *s, struct buf *out)
{
	struct buf json = BUF_INIT(out->max);
	struct json_writer w = JSON_WRITER(&json);
	schema_store(&s->schema, &w);
	buf_block(out, s->text.data, s->text.len);
	buf_block(out, json.data, json.len);
	buf_u64(out, s->file_count);
	for (const struct source_file *f = s->files; f < s->files + s->file_count; f++) {
		buf_block(out, f->path, strlen(f->path));
		buf_block(out, f->name, strlen(f->name));
		buf_u64(out, f->size);
		buf_u8(out, f->spooled);
	}
	buf_u64(out, s->bytes);
	buf_u64(out, s->shard_count);
	for (size_t i = 0; i <= s->shard_count; i++) buf_u64(out, s->cuts[i]);
	if (!buf_ok(&json)) out->overflow = true;
	buf_release(&json);
}

static const char *decode_str(struct source *s, struct cursor *in)
{
	size_t len;
	const char *p = cursor_block(in, &len);
	return p ? arena_strndup(&s->arena, p, len) : "";
}

static bool decode_schema(struct source *s, struct cursor *in, struct err *e)
{
	size_t len;
	struct json *array;
	const char *text = cursor_block(in, &len);
	return text && json_parse(&s->arena, text, len, &array, e) && schema_parse(&s->schema, array, "/source/schema", e);
}

static void decode_files(struct source *s, struct cursor *in)
{
	size_t n = cursor_count(in, 3 * sizeof(uint64_t) + 1);
	s->files = arena_zalloc(&s->arena, n + 1, sizeof *s->files);
	for (; s->file_count < n; s->file_count++) {
		struct source_file *f = &s->files[s->file_count];
		f->path = decode_str(s, in);
		f->name = decode_str(s, in);
		f->size = cursor_u64(in);
		f->spooled = cursor_u8(in);
	}
}

static void decode_cuts(struct source *s, struct cursor *in)
{
	s->bytes = cursor_u64(in);
	s->shard_count = cursor_count(in, sizeof(uint64_t));
	s->cuts = arena_zalloc(&s->arena, s->shard_count + 1, sizeof *s->cuts);
	for (size_t i = 0; i <= s->shard_count; i++) {
		s->cuts[i] = cursor_u64(in);
		if (i > 0 && s->cuts[i] < s->cuts[i - 1]) in->bad = true;
	}
}

bool source_decode(const void *bytes, size_t len, const struct source_env *env, struct source **out, struct err *e)
{
	struct source *s = mem_zalloc(1, sizeof *s);
	struct cursor in = CURSOR(bytes, len);
	size_t text_len;
	keep_env(s, env);
	const char *text = cursor_block(&in, &text_len);
	bool ok = text && parse_text(s, (struct str){text, text_len}, e) && decode_schema(s, &in, e);
	if (ok) {
		decode_files(s, &in);
		decode_cuts(s, &in);
		ok = !in.bad && s->shard_count > 0 && s->shard_count <= SOURCE_SHARDS_MAX;
	}
	if (ok) *out = s;
	else source_close(s);
	return ok || err_is(e) || err_set(e, ERR_internal, "the plan of the source is damaged");
}
