/* The columns of JSON objects, from all of them: integers are int64, with fractions double, arrays of strings array<string>,
 * arrays of numbers and {"size","indices","values"} vectors (array<double> where plain arrays differ in length). Empty strings and
 * arrays tell nothing of their own; what fits no type is a string of its JSON text, as in Spark. Columns stand in the order in
 * which they first occur. */
#ifndef QUERN_DATA_JSON_INFER_H
#define QUERN_DATA_JSON_INFER_H

#include "base/json.h"
#include "data/schema.h"

struct json_infer {
	struct map columns; /* name → index into what was seen */
	struct json_seen *seen;
	size_t cap, columns_max;
	uint64_t row;
};

void json_infer_init(struct json_infer *f, size_t columns_max);
void json_infer_release(struct json_infer *f);
/* One object, whose first token was just taken. False with *why where it is no object, or broken. */
bool json_infer_row(struct json_infer *f, struct json_scan *s, enum json_tok first, const char **why);
void json_infer_schema(const struct json_infer *f, struct schema *out);

#endif
