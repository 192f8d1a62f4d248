/* Vectors put together from parts side by side, as Spark's VectorAssembler does: zeros are not stored, the result is
 * dense or sparse as `compressed` has it, and the elements keep what is known of the parts. */
#ifndef QUERN_PIPELINE_ASSEMBLY_H
#define QUERN_PIPELINE_ASSEMBLY_H

#include "pipeline/stage.h"

/* The row being assembled, sparse: room in the column for every value that may be stored and one more. */
struct assembly {
	uint32_t *idx;
	double *val;
	uint32_t nnz, size;
};

static inline struct assembly assembly_begin(struct column *out, size_t values)
{
	struct assembly r = {0};
	column_vec_room(out, values + 1, &r.idx, &r.val);
	return r;
}
/* Zeros are not stored: the next value takes their place. */
static inline void assembly_put_at(struct assembly *r, uint32_t at, double v)
{
	r->idx[r->nnz] = at;
	r->val[r->nnz] = v;
	r->nnz += v != 0;
}
static inline void assembly_put(struct assembly *r, double v)
{
	assembly_put_at(r, r->size++, v);
}
void assembly_put_vec(struct assembly *r, struct vec v);
/* Appends the row, sparse as it was assembled or spread out where dense is shorter. */
void assembly_end(struct column *out, struct assembly *r);

/* Null, or a NaN scalar: what handleInvalid is about. NaN inside a vector is not. */
bool assembly_is_invalid(const struct column *c, size_t i);

/* Attributes of one part of `size` elements: of a double its own under the column's name, of an integer or boolean
 * numeric ones whatever is known of it (as Spark has it), of a vector <column>_<name or number>. out[size] is filled
 * from a. */
void assembly_name(struct arena *a, const struct column_def *def, size_t size, struct attr *out);
struct str assembly_join(struct arena *a, struct str column, const char *separator, struct str element);

#endif
