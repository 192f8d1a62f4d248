/* The golden pipelines: small, of every shape, fitted on rows that stand beside them. <name>.json has rows,
 * pipeline, response and the rows to ask about; <name>.quern is what an earlier build made of it, <name>.ndjson what
 * it answered. */
#ifndef QUERN_TESTS_GOLDEN_H
#define QUERN_TESTS_GOLDEN_H

#include "serving/predictor.h"
#include "tests/conformance/pipelines.h"

struct golden {
	struct arena arena;
	const struct json *ask; /* array of rows */
	struct table table;
	struct pipeline pipeline;
	struct buf container;
	struct predictor *predictor;
	struct predictor_scratch *scratch;
};

extern const char *const golden_names[]; /* NULL-terminated */

/* Reads <name>.json and fits it anew. */
void golden_fit(struct golden *g, const char *name);
/* The same from a specification's text, {"rows","pipeline","response"?,"ask"?}. */
void golden_fit_text(struct golden *g, const char *text);
void golden_release(struct golden *g);

/* The answer to a JSON body, in the arena; the test fails when there is none. */
const char *golden_answer(struct golden *g, const char *body, enum predictor_output output);
/* The error of a body that is refused. */
const struct err *golden_refusal(struct golden *g, const struct predictor_request *r);

#define GOLDEN_LIMITS ((struct predictor_limits){10000, (size_t)1 << 28})

#endif
