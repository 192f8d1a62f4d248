/* The answer's fields: names mapped to output columns, with [i] for a vector's element or [label] where elements have names. */
#ifndef QUERN_PIPELINE_RESPONSE_H
#define QUERN_PIPELINE_RESPONSE_H

#include "pipeline/pipeline.h"

/* Finds the fields' slots in the schema of now; makes the default where none was given. After every bind. */
void response_rebind(struct pipeline *p);
/* {"sentiment":"probability[1]"} */
void response_write(const struct pipeline *p, struct json_writer *w);

#endif
