/* Fixtures of Spark's answers: reading their tables, comparing values. The format: README.md. */
#ifndef QUERN_TESTS_PARITY_FIXTURE_H
#define QUERN_TESTS_PARITY_FIXTURE_H

#include "data/batch.h"
#include "tests/support/support.h"

struct fixture_table {
	struct schema schema;
	struct batch rows;
};

/* The rows of a case ("rows" or "apply") under its schema and attributes. False with a sentence where Quern has no such type. */
bool fixture_read(struct fixture_table *t, const struct json *fixture_case, const char *rows, char why[256]);
void fixture_release(struct fixture_table *t);

struct fixture_slack {
	double rtol, atol;
};
/* Numbers within slack of each other; NaN equals NaN, 0.0 equals -0.0. */
bool fixture_close(double ours, double spark, struct fixture_slack slack);
/* Our JSON against Spark's: numbers within slack, strings and structure alike, object members in any order; Spark's vectors
 * {"d":…}, {"n","i","v"} against our arrays and sparse objects by value. *where: the first difference. */
bool fixture_same(const struct json *ours, const struct json *spark, struct fixture_slack slack, char where[512]);
/* Cell i of a column against Spark's value, the form (dense or sparse) of vectors too. */
bool fixture_cell(const struct column *c, size_t i, const struct json *spark, struct fixture_slack slack, char where[512]);

#endif
