/* The .quern container: schemas/pipeline/FORMAT.md says every byte. */
#include "base/hash.h"
#include "pipeline/pipeline.h"
#include "pipeline/response.h"

#include <stdio.h>

enum {
	CONTAINER_VERSION = 1,
	CONTAINER_ALIGN = 64,
	CONTAINER_HEADER = 40,
	CONTAINER_ENTRY = 32,
	CONTAINER_SECTIONS_MAX = PIPELINE_STAGES_MAX + 1,
	SECTION_MANIFEST = 1,
	SECTION_STATE = 2,
};
#define CONTAINER_BYTES_MAX ((size_t)4 << 30)

static const char container_magic[8] = {'Q', 'U', 'E', 'R', 'N', 'P', 'I', 'P'};

struct section {
	uint32_t kind, stage;
	uint64_t offset, length, checksum;
};

/* --- Encode ------------------------------------------------------------------------------------------------------------ */

static bool is_read(const struct pipeline *p, size_t column)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < p->stages[i].in_count; k++)
			if (p->stages[i].in[k].slot == (int)column) return true;
	return false;
}

static bool reads_any(const struct pipeline *p)
{
	for (size_t c = 0; c < p->input_count; c++)
		if (is_read(p, c)) return true;
	return false;
}

/* The source columns that some stage reads; all of them where none does, for rows are counted by their columns. */
static void write_inputs(const struct pipeline *p, struct json_writer *w)
{
	struct schema used = SCHEMA_INIT;
	bool all = !reads_any(p);
	for (size_t c = 0; c < p->input_count; c++)
		if (all || is_read(p, c)) schema_add(&used, &p->schema.columns[c]);
	schema_store(&used, w);
	schema_release(&used);
}

static void write_manifest(const struct pipeline *p, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_object_begin(&w);
	json_key(&w, "input");
	write_inputs(p, &w);
	json_key(&w, "response");
	if (p->response_given) response_write(p, &w);
	else json_null(&w);
	json_key(&w, "stages");
	pipeline_write_stages(p, &w, true);
	json_key(&w, "training");
	if (p->manifest_extra.len) json_raw(&w, p->manifest_extra.data, p->manifest_extra.len);
	else json_null(&w);
	json_object_end(&w);
}

static void append_section(struct buf *body, struct section *table, size_t *count, uint32_t kind, uint32_t stage,
			   const struct buf *bytes)
{
	table[(*count)++] = (struct section){kind, stage, body->len, bytes->len, hash_xxh3(bytes->data, bytes->len)};
	buf_append(body, bytes->data, bytes->len);
	buf_align(body, CONTAINER_ALIGN);
}

static size_t table_size(size_t sections)
{
	size_t end = CONTAINER_HEADER + sections * CONTAINER_ENTRY;
	return (end + CONTAINER_ALIGN - 1) / CONTAINER_ALIGN * CONTAINER_ALIGN;
}

/* Header and table; the checksum of both stands in the header's last field, computed with that field zero. */
static void write_head(struct buf *out, const struct section *table, size_t count, size_t body_len)
{
	size_t start = out->len, base = table_size(count);
	buf_append(out, container_magic, sizeof container_magic);
	buf_u32(out, CONTAINER_VERSION);
	buf_u32(out, (uint32_t)count);
	buf_u64(out, base + body_len);
	buf_u64(out, 0);
	buf_u64(out, 0);
	for (size_t i = 0; i < count; i++) {
		buf_u32(out, table[i].kind);
		buf_u32(out, table[i].stage);
		buf_u64(out, base + table[i].offset);
		buf_u64(out, table[i].length);
		buf_u64(out, table[i].checksum);
	}
	buf_align(out, CONTAINER_ALIGN);
	if (!buf_ok(out)) return;
	uint64_t sum = hash_xxh3(out->data + start, base);
	memcpy(out->data + start + CONTAINER_HEADER - sizeof sum, &sum, sizeof sum);
}

bool pipeline_encode(const struct pipeline *p, struct buf *out, struct err *e)
{
	struct section table[CONTAINER_SECTIONS_MAX];
	size_t count = 0, limit = MIN(out->max, CONTAINER_BYTES_MAX);
	struct buf body = BUF_INIT(limit), bytes = BUF_INIT(limit);
	CHECK(p->bound && p->count < CONTAINER_SECTIONS_MAX && out->len == 0);
	write_manifest(p, &bytes);
	append_section(&body, table, &count, SECTION_MANIFEST, 0, &bytes);
	bool whole = buf_ok(&bytes);
	for (size_t i = 0; i < p->count; i++) {
		const struct stage *s = &p->stages[i];
		CHECK(s->fitted);
		if (!s->type->state_size) continue;
		buf_clear(&bytes);
		s->type->encode(s, &bytes);
		whole &= buf_ok(&bytes);
		append_section(&body, table, &count, SECTION_STATE, (uint32_t)i, &bytes);
	}
	write_head(out, table, count, body.len);
	buf_append(out, body.data, body.len);
	whole = whole && buf_ok(&body) && buf_ok(out);
	buf_release(&bytes);
	buf_release(&body);
	return whole || err_set(e, ERR_too_large, "the fitted pipeline is over %zu bytes", limit);
}

/* --- Decode: bytes are hostile ----------------------------------------------------------------------------------------- */

static bool bad(struct err *e, const char *why) { return err_set(e, ERR_bad_model, "not an intact .quern container: %s", why); }

static bool read_head(const unsigned char *bytes, size_t len, struct section *table, size_t *count, struct err *e)
{
	struct cursor in = CURSOR(bytes, len);
	const char *magic = cursor_bytes(&in, sizeof container_magic);
	if (!magic || memcmp(magic, container_magic, sizeof container_magic) != 0) return bad(e, "it has another magic number");
	uint32_t version = cursor_u32(&in), sections = cursor_u32(&in);
	uint64_t total = cursor_u64(&in), reserved = cursor_u64(&in), sum = cursor_u64(&in);
	if (in.bad || version == 0 || version > CONTAINER_VERSION)
		return err_set(e, ERR_bad_model, "container format version %u; this program reads up to %d", version,
			       CONTAINER_VERSION);
	if (reserved != 0 || total != len) return bad(e, "its length is not what its header says");
	if (sections == 0 || sections > CONTAINER_SECTIONS_MAX || table_size(sections) > len)
		return bad(e, "its section count is out of bounds");
	size_t head = table_size(sections);
	struct buf copy = BUF_INIT(head);
	buf_append(&copy, bytes, head);
	memset(copy.data + CONTAINER_HEADER - sizeof sum, 0, sizeof sum);
	bool same = hash_xxh3(copy.data, head) == sum;
	buf_release(&copy);
	if (!same) return bad(e, "the header's checksum is wrong");
	for (uint32_t i = 0; i < sections; i++) {
		struct section *s = &table[i];
		*s = (struct section){.kind = cursor_u32(&in), .stage = cursor_u32(&in)};
		s->offset = cursor_u64(&in);
		s->length = cursor_u64(&in);
		s->checksum = cursor_u64(&in);
		if (s->offset < head || s->offset > len || s->length > len - s->offset)
			return bad(e, "a section lies outside of it");
		if (hash_xxh3(bytes + s->offset, s->length) != s->checksum) return bad(e, "a section's checksum is wrong");
	}
	*count = sections;
	return true;
}

/* The versions that the container's stages were written with. */
static bool read_versions(struct pipeline *p, const struct json *stages, struct err *e)
{
	size_t i = 0;
	for (const struct json *s = stages->child; s; s = s->next, i++) {
		const struct json *v = json_get(s, "version");
		if (!v || !v->is_int || v->integer < 1) return bad(e, "a stage has no version");
		if (v->integer > p->stages[i].type->version)
			return err_set(e, ERR_bad_model, "%s (stage %zu) has version %lld; this program reads up to %u",
				       p->stages[i].type->name, i, (long long)v->integer, p->stages[i].type->version);
		p->stages[i].state_version = (uint32_t)v->integer;
	}
	return true;
}

/* `version` stands beside the parameters, which refuse what they do not know: the array is read without it. */
static bool parse_stages(struct pipeline *p, const struct json *stages, struct err *e)
{
	struct buf plain = BUF_INIT(CONTAINER_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&plain);
	json_array_begin(&w);
	for (const struct json *s = stages->child; s; s = s->next) {
		json_object_begin(&w);
		for (const struct json *m = s->child; m; m = m->next) {
			if (str_is(m->key, "version")) continue;
			json_keyn(&w, m->key);
			json_value(&w, m);
		}
		json_object_end(&w);
	}
	json_array_end(&w);
	struct json *array;
	char *text = arena_strndup(&p->arena, plain.data, plain.len);
	bool ok = json_parse(&p->arena, text, plain.len, &array, e) && pipeline_parse(p, array, "/stages", e);
	buf_release(&plain);
	return ok;
}

static bool decode_manifest(struct pipeline *p, const char *text, size_t len, const struct json **root, struct err *e)
{
	struct json *m;
	char *copy = arena_strndup(&p->arena, text, len);
	if (!json_parse(&p->arena, copy, len, &m, e)) return bad(e, "its manifest is not JSON");
	const struct json *stages = json_get(m, "stages"), *extra = json_get(m, "training");
	if (!stages || stages->type != JSON_ARRAY || !json_get(m, "input")) return bad(e, "its manifest lacks members");
	if (!parse_stages(p, stages, e)) {
		e->code = ERR_bad_model;
		return err_wrap(e, "the manifest's stages");
	}
	if (extra && extra->type == JSON_OBJECT) p->manifest_extra = extra->raw;
	*root = m;
	return read_versions(p, stages, e);
}

static bool decode_state(struct stage *s, const unsigned char *bytes, size_t len, struct err *e)
{
	struct cursor in = CURSOR(bytes, len);
	if (s->type->state_size == 0 || (s->type->kind == STAGE_ESTIMATOR && s->fitted))
		return bad(e, "a state for a stage that has none");
	if (!s->type->decode(s, &in, e)) {
		if (!err_is(e)) err_set(e, ERR_bad_model, "its bytes are malformed");
		e->code = ERR_bad_model;
		return err_wrap(e, "state of %s (stage %zu)", s->type->name, s->index);
	}
	if (in.bad || cursor_left(&in)) return bad(e, "a stage's state has another length");
	s->fitted = true;
	return true;
}

static bool bind_decoded(struct pipeline *p, const struct json *manifest, struct err *e)
{
	struct schema input = SCHEMA_INIT;
	const struct json *columns = json_get(manifest, "input");
	/* No column at all is a pipeline whose stages all pass over what is missing. */
	bool none = columns->type == JSON_ARRAY && columns->count == 0;
	bool ok = (none || schema_parse(&input, columns, "/input", e)) && pipeline_bind(p, &input, e) &&
		  pipeline_response(p, json_get(manifest, "response"), "/response", e);
	schema_release(&input);
	if (!ok) {
		e->code = ERR_bad_model;
		return err_wrap(e, "the manifest does not hold together");
	}
	return true;
}

bool pipeline_decode(struct pipeline *p, const void *data, size_t len, struct err *e)
{
	struct section table[CONTAINER_SECTIONS_MAX];
	const unsigned char *bytes = data;
	const struct json *manifest = NULL;
	size_t count = 0;
	*p = (struct pipeline){0};
	if (len > CONTAINER_BYTES_MAX) return err_set(e, ERR_too_large, "container over %zu bytes", CONTAINER_BYTES_MAX);
	if (!read_head(bytes, len, table, &count, e)) return false;
	if (table[0].kind != SECTION_MANIFEST) return bad(e, "its first section is not the manifest");
	if (!decode_manifest(p, (const char *)bytes + table[0].offset, table[0].length, &manifest, e)) return false;
	for (size_t i = 1; i < count; i++) {
		if (table[i].kind != SECTION_STATE || table[i].stage >= p->count) return bad(e, "an unknown section");
		if (!decode_state(&p->stages[table[i].stage], bytes + table[i].offset, table[i].length, e)) return false;
	}
	for (size_t i = 0; i < p->count; i++)
		if (!p->stages[i].fitted) return bad(e, "the state of a stage is missing");
	return bind_decoded(p, manifest, e);
}

/* --- Fitted states alone, for checkpoints ------------------------------------------------------------------------------ */

void pipeline_encode_fitted(const struct pipeline *p, struct buf *out)
{
	struct buf bytes = BUF_INIT(CONTAINER_BYTES_MAX);
	for (size_t i = 0; i < p->count; i++) {
		const struct stage *s = &p->stages[i];
		if (!s->fitted || !s->type->state_size) continue;
		buf_clear(&bytes);
		s->type->encode(s, &bytes);
		buf_u32(out, (uint32_t)i);
		buf_block(out, bytes.data, bytes.len);
	}
	buf_release(&bytes);
}

bool pipeline_decode_fitted(struct pipeline *p, const void *bytes, size_t len, struct err *e)
{
	struct cursor in = CURSOR(bytes, len);
	while (cursor_left(&in) > 0) {
		uint32_t i = cursor_u32(&in);
		size_t n;
		const void *block = cursor_block(&in, &n);
		if (in.bad || i >= p->count) return bad(e, "a fitted state is cut");
		if (!decode_state(&p->stages[i], block, n, e)) return false;
	}
	return true;
}
