/* What a job may be made of, for people and tools: stages in the order of stages.def, then evaluators. GET /stages
 * (of the stages alone), quern stages and docs/stages.md are made of it. */
#ifndef QUERN_PIPELINE_CATALOGUE_H
#define QUERN_PIPELINE_CATALOGUE_H

#include "base/field.h"

struct catalogue_entry {
	const char *member; /* of a job specification that names it: "stage" or "evaluator" */
	const char *name, *kind, *help, *inputs, *outputs;
	const struct field *params;
};

/* False past the last one. */
bool catalogue_at(size_t i, struct catalogue_entry *out);
/* False where nothing has this name. */
bool catalogue_find(struct str name, struct catalogue_entry *out);
void catalogue_describe(const struct catalogue_entry *c, struct json_writer *w);
/* {"stages":[…]} as GET /stages answers. */
void catalogue_write_stages(struct json_writer *w);

#endif
