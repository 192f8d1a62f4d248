/* Stages by themselves: a pipeline over a table written as JSON rows, fitted on some ranks, applied. */
#ifndef QUERN_TESTS_UNIT_STAGE_SUPPORT_H
#define QUERN_TESTS_UNIT_STAGE_SUPPORT_H

#include "pipeline/pipeline.h"
#include "tests/support/support.h"

struct stage_table {
	struct arena arena;
	struct schema schema;
	struct batch rows;
};

/* schema: [{"name","type"}]; the rows are appended by the test to t->rows.columns, then t->rows.rows is set. */
void stage_table_init(struct stage_table *t, const char *schema);
void stage_table_release(struct stage_table *t);

/* Parses and binds; the test fails where the stages are refused. */
void stage_pipeline(struct pipeline *p, const char *stages, const struct stage_table *t);
/* The stages are refused when they are bound: at this pointer, by a sentence with this part. */
void stage_fault_at(const char *stages, const struct stage_table *t, const char *pointer, const char *part);
/* Fits over the rows dealt to so many logical shards. */
bool stage_fit(struct pipeline *p, const struct stage_table *t, struct comm *c, size_t shards, struct err *e);
/* Applies to all rows. plan_all: every column stays, so no stage works in place. *out is over p's schema. */
bool stage_apply(const struct pipeline *p, const struct stage_table *t, bool plan_all, struct batch *out,
		 struct err *e);
/* The column that the last stage made. */
const struct column *stage_result(const struct pipeline *p, const struct batch *b);
/* "a|b||c": an array's elements, null as <null>. */
void stage_elements(const struct column *c, size_t i, struct buf *out);
/* The rows of tests/unit/pipeline/<file>, what a JDK answered; they live in the arena. */
const struct json *stage_goldens(struct arena *a, const char *file);

#endif
