/* One JSON object into one row of a batch: the reader behind request bodies, JSON Lines and inline rows.
 *
 * Values as API.md has them: numbers ("NaN", "Infinity", "-Infinity" as strings), int64 also as a string, vectors as an array,
 * {"size","indices","values"} or Spark's {"type":0|1,…}. Members that the schema does not have are ignored (collected as faults
 * where `strict`), members that the row does not have are null. Nothing is allocated once buffers are warm.
 *
 * One reader a thread; it may be used for any number of batches over the same schema.
 */
#ifndef QUERN_DATA_JSON_ROW_H
#define QUERN_DATA_JSON_ROW_H

#include "base/json.h"
#include "data/batch.h"

struct json_row {
	const struct schema *schema; /* borrowed */
	const uint8_t *wanted;       /* [schema->count], borrowed; NULL: all */
	bool strict;                 /* unknown members are faults */
	bool text_of_any;            /* a string column takes any value by its JSON text (Spark's JSON source) */
	const char *prefix;          /* of the faults' pointers: "" or "/instances"; borrowed */
	size_t index;                /* of the row below prefix; SIZE_MAX: none */
	/* Private from here. */
	uint32_t *seen;              /* [schema->count]: the row that last had the member */
	size_t seen_cap;
	uint32_t row;
	size_t next;                 /* column expected next: rows tend to look alike */
	struct map unknown;          /* names of unknown members of the row, to find duplicates */
	uint32_t *indices;           /* of the sparse vector at hand */
	double *values;
	size_t indices_cap, values_cap;
};

enum json_row_result {
	JSON_ROW_OK,
	JSON_ROW_FAULTS, /* the row was appended with nulls for what is wrong; e has ERR_invalid and the faults */
	JSON_ROW_BROKEN, /* not JSON (or a duplicate key): nothing was appended; e has ERR_invalid_json */
};

void json_row_init(struct json_row *r, const struct schema *schema, const uint8_t *wanted);
void json_row_release(struct json_row *r);
/* Reads the value whose first token was just taken from s (JSON_TOK_OBJECT_BEGIN of a row; anything else is a fault), appends to
 * every wanted column of b and counts the row. b's first columns are the schema's. */
enum json_row_result json_row_read(struct json_row *r, struct json_scan *s, enum json_tok first, struct batch *b, struct err *e);

/* Did the row read last have this column's member, be it null? */
static inline bool json_row_has(const struct json_row *r, size_t column) { return r->seen[column] == r->row; }

#endif
