/* From a formula's columns to its vector of features: which element is what, what it is called, what it holds for a
 * row. As Spark's RFormula, which puts OneHotEncoder, Interaction and VectorAssembler behind one another.
 *
 *   a text alone        a one at its level; the last level is none, unless all are kept
 *   a number, boolean   itself
 *   a vector            its elements
 *   an interaction      the products of the elements of its columns, texts with all levels, nominal numbers one by one;
 * the first column varies slowest
 */
#ifndef QUERN_PIPELINE_FORMULA_DESIGN_H
#define QUERN_PIPELINE_FORMULA_DESIGN_H

#include "pipeline/assembly.h"
#include "pipeline/product.h"

enum { DESIGN_WHY_SIZE = PRODUCT_WHY_SIZE };

struct design_column {
	struct str name;
	enum col_type type;
	bool is_text, is_vector;     /* what it was fitted as */
	bool alone;                  /* is a term by itself: handleInvalid looks at it */
	bool interacts;              /* is part of one */
	struct map levels;           /* of a text */
	size_t size;                 /* elements: of a vector, else 1 */
	const struct attrs *attrs;   /* of the schema it is bound to; NULL: nothing known */
	struct product_factor parts; /* interacts: what it is there; a text the vector of its levels */
};

struct design_term {
	uint32_t *columns;
	size_t count;
	bool all_levels;                     /* of a text alone */
	const struct product_factor **parts; /* [count]; of an interaction */
	uint32_t width;
};

struct design {
	struct design_column *columns; /* distinct, in order of first mention */
	size_t column_count;
	struct design_term *terms;
	size_t term_count;
	bool keep;     /* texts have one more level, for what was not seen */
	uint32_t size; /* of the vector */
};

/* Types, attributes, levels and sizes are known. false: why says what cannot be a feature. */
QN_MUST bool design_measure(struct design *d, struct arena *a, char why[DESIGN_WHY_SIZE]);
/* After design_measure. */
struct attrs *design_attrs(const struct design *d, struct arena *a);

/* Row i of columns[k], codes[k] the level of a text. false: why. */
QN_MUST bool design_row(const struct design *d, const struct column *const *columns, const uint32_t *codes, size_t i,
			struct product_work *w, struct column *out, char why[DESIGN_WHY_SIZE]);

#endif
