/* What every reader of records does with a row once its columns are filled: malformed ones as `mode` says, batches handed on
 * when full, counts and messages with line numbers. */
#ifndef QUERN_DATA_ROWS_H
#define QUERN_DATA_ROWS_H

#include "data/source_format.h"

struct rows {
	struct source_reading *reading;
	const struct source_range *range;
	enum source_mode mode;
	struct column *corrupt; /* where a malformed record's text goes; NULL: nowhere */
	int sep;                /* how lines end, for counting those before the range (data/lines.h) */
	bool lines_known;
	uint64_t lines_before;
};

void rows_init(struct rows *r, struct source_reading *reading, const struct source_range *range, int sep);
/* A row was appended to every wanted column of the batch, except the column of corrupt records. why: NULL, or what is wrong
 * with it (bad values are nulls by now). line: of the record within the range, from 1. raw: the record's text. */
QN_MUST bool rows_add(struct rows *r, const char *why, uint64_t line, struct str raw, struct err *e);
/* Hands on what is left of a shard. */
QN_MUST bool rows_flush(struct source_reading *reading, struct err *e);

#endif
