/* Where rows come from. A source is planned once (its files found, inflated when compressed, its schema read, its logical
 * shards cut) and then read shard by shard by anyone who has the plan.
 *
 * Logical shards belong to the data, never to the workers: cut at record ends by byte range from sizes alone. The rule:
 * bytes (uncompressed) under 256 MiB: ceil(bytes / 4 MiB), at most 8 shards; above: ceil(bytes / 32 MiB), at most 256.
 *
 * Formats (one file each below data/source/, one row in sources.def): csv, jsonl, text, inline.
 * Rows that cannot be read follow `mode` (PERMISSIVE, DROPMALFORMED, FAILFAST) and are counted and reported by line.
 */
#ifndef QUERN_DATA_SOURCE_H
#define QUERN_DATA_SOURCE_H

#include "data/batch.h"

enum { SOURCE_SHARDS_MAX = 256, SOURCE_MALFORMED_KEPT = 20 };

/* What a source may touch, and its limits. */
struct source_env {
	const char *const *file_roots; /* NULL-terminated; file: URIs must lie below one (symlinks resolved). NULL: any path, as
					  at the shell (`quern fit`), relative ones from the working directory */
	const char *spool_dir;         /* for inflated input; must exist */
	uint64_t memory_max;           /* bytes the plan may hold in memory */
	size_t record_bytes_max, columns_max, inline_rows_max; /* 0: 16 MiB, 20480, 10000 */
	uint64_t inflated_bytes_max; /* of one compressed file; 0: 64 GiB */
	/* Asked now and then while source_open inflates, a sign of life: false ends it with ERR_cancelled. May be NULL. */
	bool (*go_on)(void *ctx);
	void *ctx;
};

struct source_malformed {
	uint64_t line;
	char why[160];
};
/* Filled while reading; merge with source_report_add. */
struct source_report {
	uint64_t rows, malformed;
	size_t kept;
	struct source_malformed first[SOURCE_MALFORMED_KEPT];
};
void source_report_add(struct source_report *to, const struct source_report *from);

struct source; /* a plan, opened */

/* Checks a job's `source` object (keys, types, options of the format) and, when the data can be reached cheaply, reads its
 * schema from the first records. *schema is filled where known (may stay empty when the source cannot be reached yet and
 * `must_exist` is false). Faults get pointers below `pointer` (e.g. "/source"). Used at submit time. */
QN_MUST bool source_check(const struct json *spec, const char *pointer, const struct source_env *env, bool must_exist,
			  struct schema *schema, struct err *e);

/* Plans a source: the costly once-only part (find, inflate to spool_dir, infer types, cut shards). spec is the `source`
 * object's text; it is copied. */
QN_MUST bool source_open(const struct json *spec, const struct source_env *env, struct source **out, struct err *e);
/* The plan as bytes, and back, so that one rank plans and the others join. Bytes from a rank are trusted to be ours but are
 * still bounds-checked. */
void source_encode(const struct source *s, struct buf *out);
QN_MUST bool source_decode(const void *bytes, size_t len, const struct source_env *env, struct source **out, struct err *e);
void source_close(struct source *s); /* NULL is fine; the opener removes what it spooled */

const struct schema *source_schema(const struct source *s); /* borrowed */
size_t source_shard_count(const struct source *s);
uint64_t source_bytes(const struct source *s); /* all shards, for progress */

/* Called with each batch of a shard in order; the batch is reused for the next call. Return false (with e filled) to stop. */
typedef bool (*source_sink)(void *ctx, struct batch *b, struct err *e);
/* Reads one logical shard. `wanted` (NULL: all) has schema->count flags: columns not wanted stay empty slots.
 * b is the caller's batch over a schema whose first columns are the source's. Thread-safe over distinct batches. */
QN_MUST bool source_read(const struct source *s, size_t shard, const uint8_t *wanted, struct batch *b, source_sink sink,
			 void *ctx, struct source_report *report, struct err *e);

/* Formats by content of a request or of standard input: reads all of `text` as format ("csv", "jsonl") with options (NULL:
 * defaults) into b's schema or the columns `wanted` of it (NULL: all). CSV columns go by the names of the header, or without one
 * by place; missing ones are null. For /predict streams and `quern apply`. Faults of options have pointers below /options. */
QN_MUST bool source_read_text(const char *format, const char *text, size_t len, const struct json *options, const uint8_t *wanted,
			      struct batch *b, source_sink sink, void *ctx, struct source_report *report, struct err *e);

#endif
