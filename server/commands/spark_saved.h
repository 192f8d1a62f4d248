/* Pipelines in the form of Spark's MLWriter: a folder with metadata/part-…, one line of JSON, and where it is a
 * pipeline stages/<number>_<uid>/, each such a folder. Only metadata are read: what models learned lies beside them as
 * Parquet. Source: Spark's DefaultParamsWriter and Pipeline.SharedReadWrite.
 *
 * The folder may be hostile: links are followed, the limits below end what has no end. */
#ifndef QUERN_SERVER_COMMANDS_SPARK_SAVED_H
#define QUERN_SERVER_COMMANDS_SPARK_SAVED_H

#include "base/json.h"

enum {
	SPARK_FOLDERS_MAX = 1024,      /* stages and pipelines in all */
	SPARK_DEPTH_MAX = 16,          /* pipelines in pipelines */
	SPARK_ENTRIES_MAX = 1024,      /* names in one metadata folder */
	SPARK_METADATA_MAX = 16 << 20, /* bytes of all metadata */
};

struct spark_stage {
	const char *path;
	struct str class;
	struct str uid;
	const struct json *params;   /* an object, values as Param.jsonEncode writes them */
	const struct json *defaults; /* the same; NULL before Spark 2.4, which put the defaults into params */
};

struct spark_saved {
	struct arena arena;
	struct spark_stage *stages; /* in order; pipelines are replaced by what they hold */
	size_t count, cap;
	size_t folders, bytes;
	struct str uid; /* of the whole */
};

/* ERR_io, ERR_invalid_json, ERR_invalid or ERR_too_large, naming the folder. Release in either case. */
QN_MUST bool spark_saved_read(struct spark_saved *s, const char *dir, struct err *e);
void spark_saved_release(struct spark_saved *s);

#endif
