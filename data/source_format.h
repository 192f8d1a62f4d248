/* Private to data/: THE contract of a format. A format is one file below data/source/ that exports one
 * `const struct source_format <stem>_source` and one row in sources.def. */
#ifndef QUERN_DATA_SOURCE_FORMAT_H
#define QUERN_DATA_SOURCE_FORMAT_H

#include "base/field.h"
#include "data/lines.h"
#include "data/source.h"
#include "data/transcode.h"

enum source_mode { SOURCE_PERMISSIVE, SOURCE_DROPMALFORMED, SOURCE_FAILFAST };

/* Options that the formats of records share; each format's options struct begins with it. */
struct source_options {
	struct str mode;
	struct str corrupt_column; /* columnNameOfCorruptRecord */
	struct str encoding, charset; /* the same by Spark's two names */
	struct str line_sep;
	double sampling_ratio;
};

/* Rows of an options table: of whatever reads text, and of what reads records beside it. */
#define SOURCE_TEXT_OPTIONS(owner)                                                                                     \
	{.name = "encoding", .type = FIELD_ENUM, .offset = offsetof(owner, common.encoding),                           \
	 .choices = transcode_names, .help = "of the file; default UTF-8"},                                            \
	{.name = "charset", .type = FIELD_ENUM, .offset = offsetof(owner, common.charset),                             \
	 .choices = transcode_names, .help = "the same as encoding"},                                                  \
	{.name = "lineSep", .type = FIELD_STRING, .offset = offsetof(owner, common.line_sep),                          \
	 .help = "one character; default: \\n, \\r\\n or \\r"}
#define SOURCE_RECORD_OPTIONS(owner)                                                                                   \
	{.name = "mode", .type = FIELD_ENUM, .offset = offsetof(owner, common.mode), .fallback = "\"PERMISSIVE\"",     \
	 .choices = source_modes, .help = "what becomes of malformed records"},                                        \
	{.name = "columnNameOfCorruptRecord", .type = FIELD_STRING, .offset = offsetof(owner, common.corrupt_column),  \
	 .fallback = "\"_corrupt_record\"", .help = "column of the schema that takes a malformed record's text"},      \
	{.name = "samplingRatio", .type = FIELD_DOUBLE, .offset = offsetof(owner, common.sampling_ratio),              \
	 .fallback = "1.0", .min = 0, .max = 1, .min_open = true, .help = "share of the records that tell the types"}

extern const char *const source_modes[];
enum source_mode source_mode_of(const struct source_options *o);
/* The byte that ends lines, or LINES_ANY_END. */
int source_line_sep(const struct source_options *o);
struct str source_encoding(const struct source_options *o); /* empty: UTF-8 */
/* Is record n among those that types are inferred from? */
bool source_sampled(const struct source_options *o, uint64_t n);
/* Faults of the shared options. */
bool source_options_check(const struct source_options *o, const char *pointer, struct err *e);

/* A file as plain UTF-8 text, or a part of one. */
struct source_range {
	const char *name;     /* for messages */
	int fd;               /* -1: text in memory */
	const char *text;
	uint64_t size;        /* of the whole */
	uint64_t begin, end;  /* records that begin in here */
	bool partial;         /* only the first bytes of something longer */
};

/* A format's whole configuration, parsed. */
struct source_config {
	const struct source_format *format;
	const void *options;         /* options_size bytes */
	const struct json *rows;     /* inline */
	size_t record_bytes_max, columns_max, inline_rows_max;
};

/* A window on the range's file from this offset on; and its lines, from the first that begins in the range. */
QN_MUST bool source_range_open(const struct source_config *c, const struct source_range *range, uint64_t from,
			       struct window *w, struct err *e);
QN_MUST bool source_lines_open(const struct source_config *c, const struct source_range *range, struct window *w,
			       struct lines *l, struct err *e);

/* One read of some ranges into batches. */
struct source_reading {
	const struct source_config *config;
	const struct schema *schema; /* of the source */
	const uint8_t *wanted;       /* [schema->count], or NULL: all */
	bool is_request;             /* a header names the columns that there are; JSON values must have their column's type */
	struct batch *b;
	source_sink sink;
	void *ctx;
	struct source_report *report;
	/* How far the shard has come. */
	uint64_t next_row; /* number within the shard of the batch's first row */
	size_t text;       /* bytes of records in the batch */
};

static inline bool source_wants(const struct source_reading *r, size_t column) { return !r->wanted || r->wanted[column]; }
/* Slot of the column for corrupt records, or SCHEMA_COLUMN_NONE. */
int source_corrupt_slot(const struct source_config *c, const struct schema *s);

struct source_format {
	const char *name;
	const char *help;
	const struct field *options;
	size_t options_size; /* of a struct that begins with struct source_options */
	unsigned types;      /* that columns of a given schema may have */
	size_t columns_max;  /* of a given schema; 0: the limit of all */
	bool in_place;       /* rows stand in the specification: no uri */
	/* Rules between options, and what a row of the table cannot say. given: the specification's schema, or NULL. */
	bool (*check)(const struct source_config *c, const struct schema *given, const char *pointer, struct err *e);
	/* Reads the schema from the data. Leaves *out empty where the bytes at hand (a partial range) do not tell. */
	bool (*infer)(const struct source_config *c, const struct source_range *ranges, size_t count, struct schema *out,
		      struct err *e);
	/* Moves each of the ascending offsets[count] of a file to the first record that begins there or later (the file's size
	 * when there is none). NULL: a range finds its own first record. */
	bool (*cut)(const struct source_config *c, const struct source_range *whole, uint64_t *offsets, size_t count,
		    struct err *e);
	/* Appends the range's rows to r->b and hands batches on (data/rows.h). */
	bool (*read)(struct source_reading *r, const struct source_range *range, struct err *e);
};

#define SOURCE(stem) extern const struct source_format stem##_source;
#include "data/sources.def"
#undef SOURCE
extern const struct source_format *const source_formats[]; /* NULL-terminated, in sources.def order */
const struct source_format *source_format_find(struct str name);

#endif
