/* Columns multiplied with one another, element by element, as Spark's Interaction does: what that stage and RFormula
 * share.
 *
 * A column is a vector of elements, a number one of a single element. A nominal element stands for as many as it has
 * values, of which a row has one that is 1. The product's elements are those of all columns combined, the first
 * column's varying slowest; binary elements count as numbers. */
#ifndef QUERN_PIPELINE_PRODUCT_H
#define QUERN_PIPELINE_PRODUCT_H

#include "pipeline/stage.h"

enum {
	PRODUCT_WHY_SIZE = 192,
	PRODUCT_VALUES_MAX = 1 << 26, /* that a row may store */
};

struct product_factor {
	struct str name;
	bool is_vector;
	size_t size;             /* elements: of a vector, else 1 */
	const struct attr *list; /* [size]; NULL where nothing is known of a number */
	uint32_t *offsets;       /* [size + 1] places of the elements, nominal ones expanded; the last: their number */
};

/* Fills offsets, which may be there already. false: why says what keeps the column from interacting. */
QN_MUST bool product_place(struct product_factor *in, struct arena *a, char why[PRODUCT_WHY_SIZE]);
/* Elements of the product, INT32_MAX + 1 where there are more than INT32_MAX. */
uint64_t product_size(const struct product_factor *const *inputs, size_t count);
/* Names and types of those elements, product_size of them: number, number_value, vector_element, vector_element_value,
 * with ":" between. */
void product_name(const struct product_factor *const *inputs, size_t count, struct arena *a, struct attr *out);

/* A row while it is multiplied out; one thread's. */
struct product_work {
	struct vec *cells; /* [cells_cap] of the columns; a number is a vector of one entry, which stands in numbers */
	double *numbers;
	size_t cells_cap, numbers_cap;
	uint32_t *idx[2];
	double *val[2];
	size_t cap;
};
void product_work_release(struct product_work *w);

/* Room for so many cells; then each is taken from row i of its column. false: why, it is null. */
void product_begin(struct product_work *w, size_t count);
QN_MUST bool product_cell(const struct product_factor *in, const struct column *c, size_t i, struct product_work *w,
			  size_t k, char why[PRODUCT_WHY_SIZE]);
/* The product of the cells, sparse, zeros stored too; it stays in w until the next call. Multiplied from the last
 * column to the first, as Spark rounds. false: why. */
QN_MUST bool product_multiply(const struct product_factor *const *inputs, size_t count, struct product_work *w,
			      struct vec *out, char why[PRODUCT_WHY_SIZE]);

#endif
