/* A record for each entry of a vector column, filled in one pass over all ranks' rows: what moments and extremes share.
 *
 * Only values that are not zero are added, so that sparse rows cost what they store; what the zeros mean is settled at
 * the end from the number of rows. Shards are merged in order; records that saw no value are left out of what travels.
 */
#ifndef QUERN_PIPELINE_ENTRY_FOLD_H
#define QUERN_PIPELINE_ENTRY_FOLD_H

#include "pipeline/stage.h"

struct entry_kind {
	size_t width; /* bytes of a record, which begins with a double: how many values it saw. Zeroed at first */
	void (*add)(void *records, struct vec row);
	void (*merge)(void *into, const void *other); /* a record that saw values into one that may have seen none */
};

struct entry_records {
	const struct entry_kind *kind;
	bool sized;
	size_t size;
	double rows;
	void *records; /* [size] of kind->width bytes */
};

struct entry_records *entry_records_create(const struct entry_kind *kind);
void entry_records_destroy(struct entry_records *r);
/* Of the stage's first input; create is entry_records_create of the kind. ERR_data where a row is null or of another
 * length than the rows before, or where there are no rows. Collective; *out is the caller's to destroy, whatever comes
 * back. */
QN_MUST bool entry_fold(struct stage *s, struct fit *f, void *(*create)(const struct stage *s),
			struct entry_records **out, struct err *e);

#endif
