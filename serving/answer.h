/* Private to serving/: the members of an answer, resolved once to columns and elements, with their keys ready to be
 * copied. */
#ifndef QUERN_SERVING_ANSWER_H
#define QUERN_SERVING_ANSWER_H

#include "pipeline/pipeline.h"

struct answer_field {
	struct str name;
	struct str key; /* "name": as JSON, with the colon */
	int slot;
	bool is_column; /* a whole output column, rather than a field of the response */
	bool has_index;
	uint32_t index;
};

struct answer {
	struct arena arena;
	struct answer_field *fields;
	size_t count;
};

/* The response's fields and, where columns (flags, [schema.count]) is given, those columns; where both have a name,
 * the one that comes first stays. beside_input: the row's own fields are shown too, so columns come first, without those
 * that only say more of an input. */
void answer_make(struct answer *a, const struct pipeline *p, const uint8_t *columns, bool beside_input);
void answer_release(struct answer *a);

/* The field's cell of row `row`: a column and the row in it. An element is copied to tmp. */
const struct column *answer_cell(const struct answer_field *f, const struct batch *b, size_t *row, struct column *tmp);

/* Appends {"name":value,…}. */
void answer_json(const struct answer *a, const struct batch *b, size_t row, struct column *tmp, struct buf *out);
void answer_json_field(const struct answer_field *f, const struct batch *b, size_t row, struct column *tmp,
		       struct buf *out);

#endif
