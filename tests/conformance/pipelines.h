/* Pipelines over small tables, for suites that run every stage: fitted on any number of ranks with the rows dealt to
 * SPECIMEN_SHARDS logical shards, whatever their number. */
#ifndef QUERN_TESTS_PIPELINES_H
#define QUERN_TESTS_PIPELINES_H

#include "pipeline/pipeline.h"
#include "tests/support/support.h"

enum { SPECIMEN_SHARDS = 7 };

struct table {
	struct schema schema;
	struct batch rows;
};

/* Reads an inline source object. */
void table_read(struct table *t, const struct json *source);
void table_release(struct table *t);

/* Parses and binds; the test fails when the specimen itself is wrong. */
void pipeline_from(struct pipeline *p, const struct json *stages, const struct table *t);
/* Collective over c. */
bool pipeline_fit_table(struct pipeline *p, const struct table *t, struct comm *c, struct err *e);
/* Applies all stages to rows [first, end) of t; *out is a batch over p's schema. */
void pipeline_apply_rows(const struct pipeline *p, const struct table *t, size_t first, size_t end, struct batch *out);
/* The columns that the stages made, row i, as JSON. */
void pipeline_row_text(const struct pipeline *p, const struct batch *b, size_t i, struct buf *out);

#endif
