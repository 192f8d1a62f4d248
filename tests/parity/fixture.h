/* Fixtures of Spark's answers: reading their tables, comparing values. The format: README.md. */
#ifndef QUERN_TESTS_PARITY_FIXTURE_H
#define QUERN_TESTS_PARITY_FIXTURE_H

#include "data/batch.h"
#include "tests/support/support.h"

struct fixture_table {
	struct schema schema;
	struct batch rows;
};

/* The rows of a stage's case ("rows" or "apply", else its source) under its schema and attributes. False with a
 * sentence where Quern has no such type or the source is absent. */
bool fixture_read(struct fixture_table *t, struct str stage, const struct json *fixture_case, const char *rows,
		  char why[256]);
/* Fills a table that has its schema from a file of the shared data, as the fixture's `source` says. */
bool fixture_read_source(struct fixture_table *t, const struct json *source, char why[256]);
void fixture_release(struct fixture_table *t);

/* Appends a value, as fixtures write it, to a column of its type. */
void fixture_put(struct column *c, const struct json *value);

/* A number, as fixtures write it ("NaN", "Infinity" too). */
double fixture_number(const struct json *v);
/* A parameter of a case as Quern takes it: vectors as arrays, all else as it is. */
void fixture_param(struct json_writer *w, const struct json *value);

/* rtol is relative to the larger of the two numbers; in a vector, norm_rtol besides to the largest entry of Spark's. */
struct fixture_slack {
	double rtol, atol, norm_rtol;
};
/* Numbers within slack of each other; NaN equals NaN, 0.0 equals -0.0. */
bool fixture_close(double ours, double spark, struct fixture_slack slack);
/* Our JSON against Spark's: numbers within slack, strings and structure alike, object members in any order; Spark's
 * vectors
 * {"d":…}, {"n","i","v"} against our arrays and sparse objects by value. *where: the first difference. */
bool fixture_same(const struct json *ours, const struct json *spark, struct fixture_slack slack, char where[512]);
/* Cell i of a column against Spark's value, the form (dense or sparse) of vectors too. */
bool fixture_cell(const struct column *c, size_t i, const struct json *spark, struct fixture_slack slack,
		  char where[512]);

#endif
