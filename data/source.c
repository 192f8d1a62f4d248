#include "data/source.h"

#include "data/files.h"
#include "data/pointer.h"
#include "data/rows.h"
#include "data/shard.h"
#include "data/source_plan.h"

#include <fcntl.h>
#include <unistd.h>

enum { HEAD_MAX = 16 << 20 };

/* --- Checking ------------------------------------------------------------ */

static bool discard(void *ctx, struct batch *b, struct err *e)
{
	(void)ctx, (void)b, (void)e;
	return true;
}

/* Rows in the specification are read once for their faults. */
static bool check_rows(const struct source_config *c, const struct schema *schema, struct err *e)
{
	struct source_report report = {0};
	struct batch b;
	batch_init(&b, schema);
	struct source_reading reading = {.config = c, .schema = schema, .b = &b, .sink = discard, .report = &report};
	struct source_range range = {.name = "rows", .fd = -1, .end = c->rows->count};
	bool ok = c->format->read(&reading, &range, e);
	batch_release(&b);
	return ok;
}

static bool infer_head(const struct source_config *c, const struct source_env *env, const char *path, struct schema *schema,
		       struct err *e)
{
	struct buf head = BUF_INIT(HEAD_MAX);
	bool whole = false;
	bool ok = source_file_head(c, env, path, &head, &whole, e);
	struct source_range range = {.name = files_name(path), .fd = -1, .text = head.data, .size = head.len, .end = head.len,
				     .partial = !whole};
	if (ok && head.len > 0) ok = c->format->infer(c, &range, 1, schema, e);
	buf_release(&head);
	return ok;
}

static bool look(const struct source_spec *sp, const char *pointer, const struct source_env *env, bool must_exist,
		 struct arena *a, struct schema *schema, struct err *e)
{
	struct pointer at = pointer_key(pointer, "uri");
	struct files files = {0};
	if (sp->given.count) schema_copy(schema, &sp->given);
	if (sp->config.format->in_place)
		return (schema->count || sp->config.format->infer(&sp->config, NULL, 0, schema, e)) &&
		       check_rows(&sp->config, schema, e);
	if (!files_find(sp->uri, env->file_roots, a, at.text, &files, e)) return false;
	if (files.count == 0)
		return !must_exist || err_fault(e, at.text, "there is no such file%s", env->file_roots ? " below a file root" : "");
	return schema->count || infer_head(&sp->config, env, files.paths[0], schema, e);
}

bool source_check(const struct json *spec, const char *pointer, const struct source_env *env, bool must_exist,
		  struct schema *schema, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct source_spec sp;
	struct schema found = SCHEMA_INIT;
	bool ok = source_spec_parse(&sp, spec, pointer, env, &a, e) && look(&sp, pointer, env, must_exist, &a, &found, e);
	if (ok) *schema = found;
	else schema_release(&found);
	source_spec_release(&sp);
	arena_release(&a);
	return ok;
}

/* --- Reading ------------------------------------------------------------ */

const struct schema *source_schema(const struct source *s) { return &s->schema; }
size_t source_shard_count(const struct source *s) { return s->shard_count; }
uint64_t source_bytes(const struct source *s) { return s->bytes; }

void source_report_add(struct source_report *to, const struct source_report *from)
{
	to->rows += from->rows;
	to->malformed += from->malformed;
	for (size_t i = 0; i < from->kept && to->kept < SOURCE_MALFORMED_KEPT; i++) to->first[to->kept++] = from->first[i];
}

/* The part of a shard that lies in one file. */
static bool read_file(const struct source *s, const struct source_file *f, struct source_reading *reading, uint64_t begin,
		      uint64_t end, struct err *e)
{
	int fd = source_file_open(s, f, e);
	if (fd < 0) return false;
	(void)posix_fadvise(fd, (off_t)begin, (off_t)(end - begin), POSIX_FADV_SEQUENTIAL);
	struct source_range range = {.name = f->name, .fd = fd, .size = f->size, .begin = begin, .end = end};
	bool ok = s->spec.config.format->read(reading, &range, e);
	close(fd);
	return ok;
}

bool source_read(const struct source *s, size_t shard, const uint8_t *wanted, struct batch *b, source_sink sink, void *ctx,
		 struct source_report *report, struct err *e)
{
	struct source_reading reading = {.config = &s->spec.config, .schema = &s->schema, .wanted = wanted, .b = b, .sink = sink,
					 .ctx = ctx, .report = report};
	uint64_t begin = s->cuts[shard], end = s->cuts[shard + 1], at = 0;
	bool ok = true;
	CHECK(shard < s->shard_count);
	batch_clear(b);
	b->shard = (uint32_t)shard;
	if (s->spec.config.format->in_place) {
		struct source_range range = {.name = "rows", .fd = -1, .begin = begin, .end = end};
		ok = s->spec.config.format->read(&reading, &range, e);
	}
	for (const struct source_file *f = s->files; ok && f < s->files + s->file_count; at += f++->size)
		if (at < end && at + f->size > begin)
			ok = read_file(s, f, &reading, MAX(begin, at) - at, MIN(end - at, f->size), e);
	return ok && rows_flush(&reading, e);
}

bool source_read_text(const char *format, const char *text, size_t len, const struct json *options, const uint8_t *wanted,
		      struct batch *b, source_sink sink, void *ctx, struct source_report *report, struct err *e)
{
	static const struct source_env defaults = {0};
	struct arena a = ARENA_INIT;
	struct source_config config;
	bool ok = source_config_parse(&config, STR(format), options, "/options", &defaults, &a, e) &&
		  config.format->check(&config, b->schema, "/options", e);
	if (ok) {
		struct source_reading reading = {.config = &config, .schema = b->schema, .wanted = wanted, .is_request = true,
						 .b = b, .sink = sink, .ctx = ctx, .report = report};
		struct source_range range = {.name = "the text", .fd = -1, .text = text, .size = len, .end = len};
		batch_clear(b);
		ok = config.format->read(&reading, &range, e) && rows_flush(&reading, e);
	}
	arena_release(&a);
	return ok;
}
