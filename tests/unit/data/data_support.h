/* Reads a source the way a job does and shows what came out as text, so that a test compares strings. */
#ifndef QUERN_TESTS_DATA_SUPPORT_H
#define QUERN_TESTS_DATA_SUPPORT_H

#include "base/json.h"
#include "data/source.h"
#include "tests/support/support.h"

/* What a source gave: NUL-terminated, in the arena. */
struct taken {
	const char *schema; /* name:type,… */
	const char *rows;   /* NDJSON, every column; rows of all shards in order */
	struct source_report report;
	size_t shards;
};

/* The folder of a test: made by data_dir_make, removed by data_dir_remove; file: URIs are relative to it. */
extern const char *data_dir;
/* Where file: URIs are looked for: data_dir unless a test says otherwise (shared data). Nothing is written or removed there. */
extern const char *data_root;
int data_dir_make(void **state);
int data_dir_remove(void **state);
/* Memory of the test at hand: emptied by data_arena_reset (a teardown). */
extern struct arena data_arena;
int data_arena_reset(void **state);

void data_write(const char *name, const void *bytes, size_t len);
#define data_write_str(name, text) data_write((name), (text), strlen(text))
struct json *data_json(const char *text);
struct source_env data_env(void);

/* {"format":…,"uri":"file:<name>","options":<options>} */
const char *data_spec(const char *format, const char *name, const char *options);
QN_MUST bool data_take(const char *spec, struct taken *out, struct err *e);
/* The same, failing the test on an error. */
struct taken data_must_take(const char *spec);
/* The rows of these bytes in this format with these options. */
struct taken data_rows(const char *format, const char *options, const char *bytes, size_t len);
/* Checks a specification and wants this fault; NULL text: any. */
void data_wants_fault(const char *spec, const char *pointer, const char *part_of_detail);

const char *data_schema_text(const struct schema *s);

#endif
