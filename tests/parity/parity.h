/* Running the cases of a fixture file. */
#ifndef QUERN_TESTS_PARITY_H
#define QUERN_TESTS_PARITY_H

#include "base/json.h"
#include "pipeline/pipeline.h"
#include "tests/parity/fixture.h"

enum outcome { PASSED, FAILED, SKIPPED };

struct run {
	struct arena arena;
	struct str stage; /* or evaluator */
	char why[768];    /* of the last case that did not pass */
};

enum outcome failed(struct run *r, const char *fmt, ...) QN_PRINTF(2, 3);
/* failed() with an error's sentence and faults. */
enum outcome failed_with(struct run *r, const char *what, const struct err *e);
/* What a case allows: class E 1e-12, class O 1e-6 of a number or of a vector's largest entry, unless it says
 * otherwise. */
struct fixture_slack slack_of(const struct json *fixture_case);
/* Parses what `write` has written to text, which is released; the tree lives in the run's arena. */
const struct json *reparsed(struct run *r, struct buf *text);

enum outcome stage_case(struct run *r, const struct json *fixture_case);
/* The searches among rows that an LSH stage, the only one of p, was applied to. */
enum outcome lsh_case(struct run *r, const struct json *fixture_case, const struct pipeline *p, const struct batch *rows);
/* Of class R, where Spark's own quantiles are off: the state of the stage, the only one of its pipeline, against those that
 * sorting finds. */
bool rank_case_is(const struct run *r, const struct json *fixture_case);
enum outcome rank_case(struct run *r, const struct json *fixture_case, const struct fixture_table *t,
		       const struct json *state);
enum outcome evaluator_case(struct run *r, const struct json *fixture_case);

#endif
